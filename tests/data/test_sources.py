"""One small ILSVRC2012 in every layout that it is found in, and each of them damaged."""

import io
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small import ARRAYS
from small_ilsvrc import CLASSES, HELD_OUT, PER_CLASS, inner_tars, write_tar

from centigan.data.arrays import build_arrays
from centigan.data.index import build_index
from centigan.data.sources import list_source, recognise
from centigan.data.sources.archives import TRAIN, VALIDATION
from centigan.data.sources.devkit import ARCHIVE, read_devkit
from centigan.data.sources.folders import evenly_spaced
from centigan.data.sources.kaggle import SOLUTION
from centigan.data.verify import verify
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.settings.data import DataSettings

SIGN_OF_THE_END = bytes(1024)


def settings(root: Path, **others: object) -> DataSettings:
    return DataSettings(root=str(root), classes=CLASSES, split_size=2, **others)


def arrays_of(root: Path, place: Path, **others: object) -> Layout:
    layout = Layout("x", place)
    build_index(layout, settings(root, **others))
    build_arrays(layout, "01", ARRAYS, root)
    return layout


def test_every_layout_is_recognised(archives: Path, folders: Path, kaggle: Path) -> None:
    assert recognise(archives) == "archives"
    assert recognise(folders) == "folders"
    assert recognise(kaggle) == "kaggle"
    assert recognise(folders / "train") == "class-folders"


def test_classes_that_are_called_like_a_subset_are_classes(tmp_path: Path) -> None:
    for name in ("plane", "train", "val"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").touch()
    assert recognise(tmp_path) == "class-folders"


@pytest.mark.parametrize("name", ["valid", "validation", "test"])
def test_what_is_held_out_may_have_another_name(folders: Path, tmp_path: Path, name: str) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "train").symlink_to(folders / "train")
    (own / name).symlink_to(folders / "val")
    assert recognise(own) == "folders"
    found, named_val = (list_source(settings(root)) for root in (own, folders))
    assert found.source == f"folders train/ and {name}/"
    columns = ["size", "name", "subset", "class_id"]
    assert found.images[columns].equals(named_val.images[columns])


def test_of_two_sets_that_may_be_held_out_one_is_taken_and_the_other_told(
    folders: Path, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    for name, other in {"train": "train", "valid": "val", "test": "train"}.items():
        (own / name).symlink_to(folders / other)
    found = list_source(settings(own))
    assert found.source == "folders train/ and valid/"
    assert "test" in str(found.passed_over)
    (own / "valid").unlink()
    (own / "valid").mkdir()  # empty: the next one with class folders
    assert list_source(settings(own)).source == "folders train/ and test/"


def test_one_data_set_gives_the_same_arrays_from_every_layout(
    archives: Path, folders: Path, kaggle: Path, tmp_path: Path
) -> None:
    made = [arrays_of(root, tmp_path / root.name / "made") for root in (archives, folders, kaggle)]
    for name in ("images.npy", "labels.npy", "held_out_images.npy", "held_out_labels.npy"):
        assert len({(layout.arrays("01") / name).read_bytes() for layout in made}) == 1
    assert np.load(made[0].arrays("01") / "images.npy").shape == (2 * PER_CLASS, 32, 32, 3)


def test_a_range_of_the_index_is_the_file_that_tarfile_extracts(archives: Path, folders: Path) -> None:
    for row in list_source(settings(archives)).images.itertuples():
        (extracted,) = folders.glob(f"*/{row.class_id}/{row.name}")
        content = Path(row.path).read_bytes()[row.offset : row.offset + row.size]
        assert content == extracted.read_bytes()
        assert (extracted.parent.parent.name == "train") is (row.subset == "train")


def test_classes_follow_the_devkit_where_that_is_asked(archives: Path, tmp_path: Path) -> None:
    layout = Layout("x", tmp_path)
    build_index(layout, settings(archives, order="devkit"))
    classes = pd.read_csv(layout.classes)["class_id"].tolist()
    assert classes == list(read_devkit(archives).wnids)
    assert classes != sorted(classes)


def test_words_come_from_the_devkit_or_kaggles_mapping(archives: Path, kaggle: Path) -> None:
    words = read_devkit(archives).words
    assert list_source(settings(archives)).words == words
    assert len(words) == CLASSES
    assert list_source(settings(kaggle)).words == {"n02105855": "Shetland sheepdog, Shetland"}


def test_torchvisions_folders_with_the_devkit_beside_them_are_counted(folders: Path, archives: Path) -> None:
    shutil.copy(archives / ARCHIVE, folders)
    next(folders.glob("train/n02105855/*")).unlink()
    with pytest.raises(UserError, match=r"class n02105855 has 5 of 6 train images"):
        build_index(Layout("x", folders), settings(folders, on_bad_image="error"))


def test_class_folders_hold_out_an_even_tenth() -> None:
    assert evenly_spaced(1300, 0.1) == list(range(0, 1300, 10))
    assert evenly_spaced(2, 0.1) == [0]
    assert evenly_spaced(2, 0.9) == [0]
    assert len(evenly_spaced(7, 0.5)) == 4


def test_plain_class_folders_are_split_in_two(folders: Path, tmp_path: Path) -> None:
    images = list_source(settings(folders / "train", held_out=0.34)).images
    counts = images.groupby(["class_id", "subset"]).size().unstack()
    assert set(counts["train"]) == {4}
    assert set(counts["held_out"]) == {2}
    assert not images["path"].duplicated().any()


def cut_outer(root: Path) -> None:
    (root / TRAIN).write_bytes((root / TRAIN).read_bytes()[:-100_000])


def cut_inner(root: Path) -> None:
    tars = inner_tars(root / TRAIN)
    write_tar(root / TRAIN, [(tars[0][0], tars[0][1][:-60_000]), *tars[1:]])


def garbage_inner(root: Path) -> None:
    tars = inner_tars(root / TRAIN)
    write_tar(root / TRAIN, [(tars[0][0], b"no tar" * 1000), *tars[1:]])


def missing_inner(root: Path) -> None:
    write_tar(root / TRAIN, inner_tars(root / TRAIN)[1:])


def doubled_inner(root: Path) -> None:
    tars = inner_tars(root / TRAIN)
    write_tar(root / TRAIN, [*tars, tars[0]])


def stranger(root: Path) -> None:
    write_tar(root / TRAIN, [*inner_tars(root / TRAIN), ("n99999999.tar", SIGN_OF_THE_END)])


def empty_class(root: Path) -> None:
    tars = inner_tars(root / TRAIN)
    write_tar(root / TRAIN, [(tars[0][0], SIGN_OF_THE_END), *tars[1:]])


def no_devkit(root: Path) -> None:
    (root / ARCHIVE).unlink()


def cut_devkit(root: Path) -> None:
    (root / ARCHIVE).write_bytes((root / ARCHIVE).read_bytes()[:300])


def no_validation(root: Path) -> None:
    (root / VALIDATION).unlink()


def few_labels(root: Path) -> None:
    change_truth(root, lambda lines: lines[:-1])


def label_of_no_class(root: Path) -> None:
    change_truth(root, lambda lines: [*lines[:-1], "1001"])


def label_of_no_number(root: Path) -> None:
    change_truth(root, lambda lines: [*lines[:-1], "dog"])


def odd_name(root: Path) -> None:
    with tarfile.open(root / VALIDATION) as tar:
        files = [(member.name, tar.extractfile(member).read()) for member in tar]
    write_tar(root / VALIDATION, [*files[:-1], ("other.JPEG", b"hello")])


def change_truth(root: Path, change: Callable[[list[str]], list[str]]) -> None:
    """Unpack the devkit and change the lines of its validation labels."""
    with tarfile.open(root / ARCHIVE) as tar:
        tar.extractall(root, filter="data")
    (truth,) = root.glob("*/data/*ground_truth.txt")
    truth.write_text("\n".join(change(truth.read_text().split())) + "\n")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (cut_outer, r"ILSVRC2012_img_train\.tar is (cut short|damaged).*fetch it anew"),
        (cut_inner, r"n\d{8}\.tar in .*ILSVRC2012_img_train\.tar is cut short: n.*JPEG reaches beyond"),
        (garbage_inner, r"n\d{8}\.tar in .*img_train\.tar is damaged near byte"),
        (missing_inner, r"img_train\.tar lacks n\d{8}\.tar; fetch it anew"),
        (doubled_inner, r"img_train\.tar holds n\d{8}\.tar twice"),
        (stranger, r"n99999999\.tar is the archive of no class"),
        (empty_class, r"class n\d{8} holds no train images"),
        (no_devkit, r"devkit_t12\.tar\.gz is missing"),
        (cut_devkit, r"devkit_t12\.tar\.gz cannot be read"),
        (no_validation, r"img_val\.tar is missing"),
        (few_labels, r"has 7 labels, none for image 8"),
        (label_of_no_class, r"line 8 of .*ground_truth\.txt points to class 1001"),
        (label_of_no_number, r"ground_truth\.txt cannot be read"),
        (odd_name, r"other\.JPEG is no validation image"),
    ],
)
def test_damaged_archives_are_one_clear_error(
    spoil: Callable[[Path], None], message: str, archives: Path, tmp_path: Path
) -> None:
    spoil(archives)
    layout = Layout("x", tmp_path)
    with pytest.raises(UserError, match=message):
        build_index(layout, settings(archives))
    assert not layout.results.exists()


def spoil_image(root: Path, entry: tarfile.TarInfo, content: bytes = b"") -> None:
    """Put one more entry into the last class's archive."""
    *others, (name, last) = inner_tars(root / TRAIN)
    buffer = io.BytesIO(last)
    with tarfile.open(fileobj=buffer, mode="a") as inner:
        entry.size = len(content)
        inner.addfile(entry, io.BytesIO(content))
    write_tar(root / TRAIN, [*others, (name, buffer.getvalue())])


def link() -> tarfile.TarInfo:
    entry = tarfile.TarInfo("n02105855_1.JPEG")
    entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return entry


@pytest.mark.parametrize("entry", [link(), tarfile.TarInfo("../n02105855_1.JPEG")], ids=["link", "traversal"])
def test_an_entry_that_is_no_plain_image_is_an_error_or_listed(
    entry: tarfile.TarInfo, archives: Path, tmp_path: Path
) -> None:
    spoil_image(archives, entry)
    layout = Layout("x", tmp_path)
    with pytest.raises(UserError, match=r"n02105855_1\.JPEG (is a link|has a name that leads out)"):
        build_index(layout, settings(archives))
    build_index(layout, settings(archives, on_bad_image="reject"))
    assert "n02105855_1.JPEG" in layout.source.read_text()
    assert len(pd.read_parquet(layout.results / "index")) == CLASSES * (PER_CLASS + HELD_OUT)


def test_more_images_than_published_are_said(archives: Path, tmp_path: Path) -> None:
    spoil_image(archives, tarfile.TarInfo("n02105855_1.JPEG"), b"more")
    with pytest.raises(UserError, match="class n02105855 has 7 of 6 train images"):
        build_index(Layout("x", tmp_path), settings(archives))


def test_an_image_that_is_there_twice_is_said(archives: Path, tmp_path: Path) -> None:
    spoil_image(archives, tarfile.TarInfo("n02105855_2933.JPEG"), b"more")
    with pytest.raises(UserError, match=r"holds n02105855_2933\.JPEG twice"):
        build_index(Layout("x", tmp_path), settings(archives, on_bad_image="reject"))


@pytest.mark.parametrize("policy", ["auto", "reject"])
def test_an_empty_image_in_an_archive_stops_or_is_listed(policy: str, archives: Path, tmp_path: Path) -> None:
    spoil_image(archives, tarfile.TarInfo("n02105855_1.JPEG"))
    layout = Layout("x", tmp_path)
    if policy == "reject":
        build_index(layout, settings(archives, on_bad_image=policy))
        build_arrays(layout, "01", ARRAYS, archives)
        assert "n02105855_1.JPEG in" in (layout.arrays("01") / "manifest.json").read_text()
    else:
        with pytest.raises(UserError, match="class n02105855 has 7 of 6"):
            build_index(layout, settings(archives))


def test_archives_with_another_md5_are_named(archives: Path) -> None:
    with pytest.raises(
        UserError, match=r"img_train\.tar has MD5 [0-9a-f]{32}.*1d675b47d978889d74fa0da5fadfb00e"
    ):
        verify(settings(archives))


def test_kaggles_labels_must_fit_its_images(kaggle: Path) -> None:
    solution = kaggle / SOLUTION
    lines = solution.read_text().splitlines()
    solution.write_text("\n".join(lines[:-1]))
    with pytest.raises(UserError, match=r"LOC_val_solution\.csv has no line for ILSVRC2012_val"):
        list_source(settings(kaggle))
    solution.write_text("\n".join([*lines[:-1], lines[-1].replace(" 1 ", "x 1 ")]))
    with pytest.raises(UserError, match=r"the label of ILSVRC2012_val.*points to no class folder"):
        list_source(settings(kaggle))
    solution.write_text("what,ever\n1,2\n")
    with pytest.raises(UserError, match=r"LOC_val_solution\.csv cannot be read"):
        list_source(settings(kaggle))
    solution.unlink()
    with pytest.raises(UserError, match=r"LOC_val_solution\.csv is missing"):
        list_source(settings(kaggle))


def test_a_broken_link_is_listed_and_a_good_one_read(folders: Path, tmp_path: Path) -> None:
    (folders / "train" / "n02105855" / "gone.JPEG").symlink_to(tmp_path / "nowhere")
    (folders / "train" / "n02105855" / "linked.JPEG").symlink_to(next(folders.glob("val/*/*")))
    listing = list_source(settings(folders))
    assert [rejected.reason for rejected in listing.rejected] == ["is a link to nothing"]
    assert "linked.JPEG" in set(listing.images["name"])


@pytest.mark.parametrize("what", ["empty", "file"])
def test_a_root_without_data_says_what_may_lie_there(what: str, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir() if what == "empty" else root.write_text("x")
    with pytest.raises(
        UserError, match=r"no data found: .*root .*`data\.root` may hold ILSVRC2012's archives"
    ):
        list_source(settings(root))
