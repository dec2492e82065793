"""ImageNet shrunk by others: Tiny ImageNet as its zip is unpacked, and NumPy's archives of 32 px."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from source_arrays import arrays_of

from centigan.data.completeness import check
from centigan.data.order import order_classes
from centigan.data.shrunk_fixture import write_imagenet_npz, write_tiny_imagenet
from centigan.data.sources import list_source, recognise
from centigan.data.sources.imagenet_npz import HELD_OUT, NAMES
from centigan.data.verify import verify
from centigan.errors import UserError
from centigan.settings.data import DataSettings

CLASSES, COUNTS = 3, {"classes": 3, "per_class": 4, "held_out_per_class": 2}
FILES = ("images.npy", "labels.npy", "held_out_images.npy", "held_out_labels.npy")


def settings(root: Path) -> DataSettings:
    return DataSettings(root=str(root), classes=CLASSES, split_size=CLASSES)


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    write_tiny_imagenet(tmp_path / "raw", **COUNTS)
    return tmp_path / "raw" / "tiny-imagenet-200"


@pytest.fixture
def npz(tmp_path: Path) -> Path:
    write_imagenet_npz(tmp_path / "npz", **COUNTS)
    return tmp_path / "npz"


def same_arrays(one: Path, other: Path, place: Path) -> None:
    made = [arrays_of(settings(root), place / name) for name, root in (("one", one), ("other", other))]
    for name in FILES:
        assert (made[0] / name).read_bytes() == (made[1] / name).read_bytes()


def test_tiny_imagenet_gives_the_arrays_of_the_same_pictures_in_class_folders(
    tiny: Path, tmp_path: Path
) -> None:
    assert recognise(tiny) == recognise(tiny.parent) == "tiny_imagenet"
    folders = tmp_path / "folders"
    for place in (tiny / "train").iterdir():
        shutil.copytree(place / "images", folders / "train" / place.name)
    for line in (tiny / "val/val_annotations.txt").read_text().splitlines():
        name, class_id, *_ = line.split("\t")
        (folders / "val" / class_id).mkdir(parents=True, exist_ok=True)
        shutil.copy(tiny / "val/images" / name, folders / "val" / class_id)
    assert recognise(folders) == "folders"
    same_arrays(tiny, folders, tmp_path)


def test_of_tiny_imagenet_words_are_told_and_tests_and_boxes_are_not_images(tiny: Path) -> None:
    listing = list_source(settings(tiny.parent))
    assert listing.words == {class_id: f"fixture {class_id}" for class_id in listing.classes}
    assert listing.images["subset"].value_counts().to_dict() == {"train": 12, "held_out": 6}
    assert not listing.passed_over
    assert not listing.rejected


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda tiny: (tiny / "wnids.txt").unlink(), r"wnids\.txt is missing; unpack tiny-imagenet-200\.zip"),
        (lambda tiny: (tiny / "val/val_annotations.txt").write_text(""), r"val_annotations\.txt is empty"),
        (lambda tiny: (tiny / "val/images/val_0.JPEG").unlink(), r"names val_0\.JPEG, which is not in"),
        (
            lambda tiny: (tiny / "val/images/val_0.JPEG").rename(tiny / "val/images/val_9.JPEG"),
            r"names val_0\.JPEG, which is not in val/images/; .*val_9\.JPEG has no line in",
        ),
        (
            lambda tiny: (tiny / "wnids.txt").write_text("n01440764\nn01443537\nn07654321\n"),
            r"train/n07654321/images is missing.*; .*, n01484850, is not in wnids\.txt",
        ),
        (
            lambda tiny: (tiny / "val/val_annotations.txt").write_text("val_0.JPEG n01440764\n"),
            r"line 1, is not a name, a tab and a class",
        ),
        (
            lambda tiny: (tiny / "wnids.txt").write_text("../val\nn01443537\nn01484850\nn01484850\n"),
            r"'\.\./val' can be no class; .* names class n01484850 2 times; unpack tiny-imagenet-200\.zip",
        ),
        (
            lambda tiny: (tiny / "train/n01440764/images/n01440764_0.JPEG").rename(
                tiny / "train/n01443537/images/n01440764_0.JPEG"
            ),
            r"n01443537/images/n01440764_0\.JPEG is of another class by its name",
        ),
        (
            lambda tiny: (tiny / "val/images").rename(tiny / "val/pictures"),
            r"val/images is missing, and so is .*val/n01440764: held-out images lie in the first, or in",
        ),
    ],
)
def test_faults_of_tiny_imagenet_are_named(damage, said: str, tiny: Path) -> None:
    damage(tiny)
    with pytest.raises(UserError, match=said):
        list_source(settings(tiny).model_copy(update={"source": "tiny_imagenet"}))


def test_of_tiny_imagenet_all_that_lies_beside_is_told(tiny: Path) -> None:
    (tiny / "train/n07654321").mkdir()
    for beside in ("train/n01440764/loose.JPEG", "val/loose.JPEG", "loose.JPEG"):
        shutil.copy(tiny / "val/images/val_0.JPEG", tiny / beside)
    for root, below in ((tiny, ""), (tiny.parent, "tiny-imagenet-200/")):
        told = list_source(settings(root)).passed_over
        assert told == {
            "image outside any class": [
                f"{below}{name}" for name in ("loose.JPEG", "train/n01440764/loose.JPEG", "val/loose.JPEG")
            ],
            "folder of no class": [f"{below}train/n07654321"],
        }


@pytest.mark.parametrize("inner", ["images", "."])
def test_val_of_tiny_imagenet_may_be_sorted_into_folders_of_classes(
    inner: str, tiny: Path, tmp_path: Path
) -> None:
    other = tmp_path / "sorted"
    shutil.copytree(tiny, other)
    for line in (other / "val/val_annotations.txt").read_text().splitlines():
        name, class_id, *_ = line.split("\t")
        (other / "val" / class_id / inner).mkdir(parents=True, exist_ok=True)
        (other / "val/images" / name).rename(other / "val" / class_id / inner / name)
    (other / "val/images").rmdir()
    same_arrays(tiny, other, tmp_path)
    (other / "val/val_annotations.txt").unlink()  # of no use now
    assert recognise(other) == "tiny_imagenet"


def test_a_link_to_nothing_in_val_is_a_bad_image_and_its_annotation_has_no_fault(tiny: Path) -> None:
    image = tiny / "val/images/val_0.JPEG"
    image.unlink()
    image.symlink_to("gone.JPEG")
    listing = list_source(settings(tiny))
    assert [rejected.reason for rejected in listing.rejected] == ["is a link to nothing"]


def test_npz_files_give_the_arrays_of_the_same_pictures_in_class_folders(npz: Path, tmp_path: Path) -> None:
    assert recognise(npz) == "imagenet_npz"
    folders = tmp_path / "folders"
    ids = [line.split()[0] for line in (npz / NAMES).read_text().splitlines()]
    for file in npz.glob("*.npz"):
        with np.load(file) as batch:
            for row, (planes, label) in enumerate(zip(batch["data"], batch["labels"], strict=True)):
                part = "val" if file.name == HELD_OUT else "train"
                place = folders / part / ids[label - 1]
                place.mkdir(parents=True, exist_ok=True)
                picture = planes.reshape(3, 32, 32).transpose(1, 2, 0)
                Image.fromarray(picture).save(place / f"{file.stem}_{row:05d}.png")
    same_arrays(npz, folders, tmp_path)


def again(npz: Path, name: str = "train_data_batch_2.npz", *, packed: bool = False, **other) -> None:
    """Write a file anew with other arrays."""
    with np.load(npz / name) as batch:
        arrays = {key: batch[key] for key in ("data", "labels")} | other
    (np.savez_compressed if packed else np.savez)(npz / name, **arrays)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1000])


def copy(npz: Path, name: str) -> None:
    shutil.copy(npz / "train_data_batch_2.npz", npz / name)


def spoil(npz: Path, before: bytes, after: bytes) -> None:
    """Write other bytes over some of a file, which keeps its length."""
    file = npz / "train_data_batch_2.npz"
    content = bytearray(file.read_bytes())
    place = content.index(before)
    content[place : place + len(after)] = after
    file.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda npz: (npz / NAMES).unlink(), r"map_clsloc\.txt is missing: it says which class"),
        (
            lambda npz: (npz / NAMES).write_text("kit fox\n"),
            r"map_clsloc\.txt, line 1: 'kit fox' is no id, number and",
        ),
        (lambda npz: (npz / HELD_OUT).unlink(), r"val_data\.npz is missing"),
        (lambda npz: (npz / "train_data_batch_1.npz").unlink(), r"train_data_batch_1\.npz is missing"),
        (lambda npz: again(npz, packed=True), r"batch_2\.npz is compressed, and images are read where they"),
        (lambda npz: again(npz, labels=np.full(6, 4)), r"batch_2\.npz: image 0 has label 4, which .*clsloc"),
        (lambda npz: again(npz, labels=np.full(5, 1)), r"6 images, and `labels` is int64 \(5,\)"),
        (lambda npz: again(npz, labels=np.array([None] * 6)), r"batch_2\.npz: `labels` is object \(6,\)"),
        (
            lambda npz: again(npz, data=np.zeros((6, 3072))),
            r"`data` is float64 \(6, 3072\), not a row of bytes",
        ),
        (lambda npz: again(npz, data=np.zeros((6, 12288), np.uint8)), r"has images of 32 and 64 px"),
        (
            lambda npz: again(npz, data=np.zeros((6, 100), np.uint8)),
            r"not a row of bytes for each image of 32 or 64 px",
        ),
        (lambda npz: cut(npz / "train_data_batch_2.npz"), r"batch_2\.npz is damaged"),
        (lambda npz: spoil(npz, b"'descr': ", b"'descr': ((("), r"batch_2\.npz is damaged"),
        (lambda npz: spoil(npz, b"(6, 3072)", b"(6, 9072)"), r"batch_2\.npz: `data` is uint8 \(6, 9072\) by"),
        (lambda npz: copy(npz, "train_data_batch_3.npz"), r"batch_3\.npz holds the same images as .*_2\.npz"),
        (lambda npz: copy(npz, HELD_OUT), r"val_data\.npz holds the same images as train_data_batch_2\.npz"),
        *(
            (lambda npz, name=name: copy(npz, name), rf"{name} has no number from 1, as train_data_batch_1")
            for name in (f"train_data_batch_{number}.npz" for number in ("0", "02", "99999999999", "\u0663"))
        ),
        (
            lambda npz: (npz / NAMES).write_text("n01440764 1 a\n \n.. 2 b\n"),
            r"clsloc\.txt, line 3: '\.\. 2 b'",
        ),
        (lambda npz: (npz / NAMES).write_text("n01440764 1 a\nn01443537 1 b\n"), r"line 2, names a label or"),
        (lambda npz: (npz / NAMES).write_text(" \n"), r"map_clsloc\.txt names no class"),
    ],
)
def test_faults_of_npz_files_are_named(damage, said: str, npz: Path) -> None:
    damage(npz)
    with pytest.raises(UserError, match=said):
        list_source(settings(npz).model_copy(update={"source": "imagenet_npz"}))


def test_an_encrypted_file_is_refused(npz: Path) -> None:
    file = npz / "train_data_batch_2.npz"
    content = bytearray(file.read_bytes())
    for place in (6, content.index(b"PK\1\2") + 8):  # a flag of the member, twice in a zip
        content[place] |= 1
    file.write_bytes(content)
    with pytest.raises(UserError, match=r"batch_2\.npz is encrypted, and images are read where they lie"):
        list_source(settings(npz))


def test_verify_reads_npz_files_to_their_end(npz: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"), pytest.raises(UserError, match="not the published set"):
        verify(settings(npz))
    assert "train_data_batch_2.npz: checksums of its arrays, as they were written" in caplog.text
    file = npz / "train_data_batch_2.npz"
    content = bytearray(file.read_bytes())
    content[1000] ^= 1  # within the pixels
    file.write_bytes(content)
    with pytest.raises(UserError, match=r"batch_2\.npz is damaged \(Bad CRC-32 for file 'data\.npy'\)"):
        verify(settings(npz))


def test_a_part_of_a_shrunk_set_is_read_and_is_not_the_published_one(tiny: Path, npz: Path) -> None:
    for root, count in ((tiny, "18 of 110,000"), (npz, "18 of 1,331,167")):
        said = (
            r"is not the published set \(it is a part of it, a fixture, .*\): {} images are there\. Fetch the"
        )
        for classes in (CLASSES, 200):  # whatever the protocol says
            asked = settings(root).model_copy(update={"classes": classes})
            with pytest.raises(
                UserError, match=rf"{said.format(count)} data anew; a run goes on with what is"
            ):
                verify(asked)
        listing = list_source(settings(root))
        check(listing, listing.classes, settings(root).model_copy(update={"on_bad_image": "error"}))


def test_what_verify_advises_is_what_a_run_does(tiny: Path) -> None:
    strict = settings(tiny).model_copy(update={"on_bad_image": "error"})
    image = tiny / "train/n01440764/images/n01440764_0.JPEG"
    image.unlink()
    image.symlink_to("nothing")
    with pytest.raises(
        UserError, match=r"0\.JPEG is a link to nothing\. .* what is there if data\.on_bad_image"
    ):
        verify(strict)


def test_a_file_of_all_classes_that_lacks_images_is_an_error_unless_it_may_be(tmp_path: Path) -> None:
    write_imagenet_npz(tmp_path / "npz", classes=1000, per_class=1, held_out_per_class=1)
    whole = DataSettings(root=str(tmp_path / "npz"), classes=1000, split_size=1000)
    with pytest.raises(UserError, match=r"1,000 of 1,281,167 train images are there; .*on_bad_image: reject"):
        check(list_source(whole), order_classes(list_source(whole), whole), whole)


def test_pickled_batches_are_never_read(tmp_path: Path) -> None:
    (tmp_path / "train_data_batch_1").write_bytes(b"\x80\x03}.")
    with pytest.raises(UserError, match=r"train_data_batch_1 is a pickle, which may run code"):
        list_source(settings(tmp_path))


def test_a_packed_folder_is_answered_with_the_line_that_unpacks_it_and_an_unpacked_one_with_its_name(
    tmp_path: Path,
) -> None:
    (tmp_path / "imagenette2-160.tgz").touch()
    with pytest.raises(UserError, match=r"unpack it with `centigan raw imagenette --root .*data\.root is"):
        list_source(settings(tmp_path))
    (tmp_path / "imagenette2-160.tgz").rename(tmp_path / "imagewoof2-160.tgz")
    with pytest.raises(UserError, match=r"unpack it with `tar -xzf .*imagewoof2-160\.tgz -C .*data\.root is"):
        list_source(settings(tmp_path))
    (tmp_path / "imagenette2-160/train/n01440764").mkdir(parents=True)
    with pytest.raises(UserError, match=r"set data\.root: .*/imagenette2-160$"):
        list_source(settings(tmp_path))
