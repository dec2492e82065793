"""ImageNet shrunk by others: Tiny ImageNet as its zip is unpacked, and NumPy's archives of 32 px."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from source_arrays import arrays_of

from centigan.data.shrunk_fixture import write_imagenet_npz, write_tiny_imagenet
from centigan.data.sources import list_source, recognise
from centigan.data.sources.imagenet_npz import HELD_OUT, NAMES
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
    ],
)
def test_faults_of_tiny_imagenet_are_named(damage, said: str, tiny: Path) -> None:
    damage(tiny)
    with pytest.raises(UserError, match=said):
        list_source(settings(tiny).model_copy(update={"source": "tiny_imagenet"}))


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


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda npz: (npz / NAMES).unlink(), r"map_clsloc\.txt is missing: it says which class"),
        (lambda npz: (npz / NAMES).write_text("kit fox\n"), r"map_clsloc\.txt is not lines of an id"),
        (lambda npz: (npz / HELD_OUT).unlink(), r"val_data\.npz is missing"),
        (lambda npz: (npz / "train_data_batch_1.npz").unlink(), r"train_data_batch_1\.npz is missing"),
        (lambda npz: again(npz, packed=True), r"batch_2\.npz is compressed, and images are read where they"),
        (lambda npz: again(npz, labels=np.full(6, 4)), r"batch_2\.npz: image 0 has label 4, which .*clsloc"),
        (lambda npz: again(npz, labels=np.full(5, 1)), r"6 images, and `labels` is int64 \(5,\)"),
        (lambda npz: again(npz, labels=np.array([None] * 6)), r"batch_2\.npz is damaged \(Object arrays"),
        (lambda npz: again(npz, data=np.zeros((6, 3072))), r"`data` is not rows of bytes, but float64"),
        (lambda npz: again(npz, data=np.zeros((6, 12288), np.uint8)), r"has images of 32 and 64 px"),
        (lambda npz: again(npz, data=np.zeros((6, 100), np.uint8)), r"not of images of 32 or 64 px"),
        (lambda npz: cut(npz / "train_data_batch_2.npz"), r"batch_2\.npz is damaged"),
    ],
)
def test_faults_of_npz_files_are_named(damage, said: str, npz: Path) -> None:
    damage(npz)
    with pytest.raises(UserError, match=said):
        list_source(settings(npz).model_copy(update={"source": "imagenet_npz"}))


def test_pickled_batches_are_never_read(tmp_path: Path) -> None:
    (tmp_path / "train_data_batch_1").write_bytes(b"\x80\x03}.")
    with pytest.raises(UserError, match=r"train_data_batch_1 is a pickle, which may run code"):
        list_source(settings(tmp_path))


def test_a_packed_folder_is_answered_with_the_line_that_unpacks_it_and_an_unpacked_one_with_its_name(
    tmp_path: Path,
) -> None:
    (tmp_path / "imagenette2-160.tgz").touch()
    with pytest.raises(UserError, match=r"unpack it with `tar -xzf .*imagenette2-160\.tgz -C .*data\.root"):
        list_source(settings(tmp_path))
    (tmp_path / "imagenette2-160/train/n01440764").mkdir(parents=True)
    with pytest.raises(UserError, match=r"set data\.root: .*/imagenette2-160$"):
        list_source(settings(tmp_path))
