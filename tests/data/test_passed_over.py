"""What is an image is told before anything is counted, held out or split; what is passed over is listed."""

import io
import json
import logging
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from small import ARRAYS
from small_ilsvrc import inner_tars, write_tar

from centigan import image_names
from centigan.data import formats
from centigan.data.arrays import build_arrays
from centigan.data.index import build_index
from centigan.data.sources import list_source, sift
from centigan.data.sources.archives import TRAIN, VALIDATION
from centigan.data.sources.kaggle import DATA
from centigan.data.sources.listing import Listing, Range
from centigan.data.sources.sift import Sieve
from centigan.data.sources.tars import members
from centigan.data.verify import verify
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.manifest import read_manifest
from centigan.settings.data import DataSettings


def encoded(form: str) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((40, 40), 80).convert("RGB").save(buffer, form)
    return buffer.getvalue()


@pytest.fixture
def plain(raw: Path) -> Path:
    """Class folders of five images each, and nothing else."""
    return raw / "train"


def settings(root: Path, **others: object) -> DataSettings:
    return DataSettings.model_validate({"root": str(root), "classes": 4, "split_size": 2, **others})


def names_of(listing: Listing) -> set[tuple[str, str, str]]:
    rows = listing.images[["subset", "class_id", "name"]]
    return set(rows.itertuples(index=False, name=None))


def write(path: Path, content: bytes = b"words") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


# What lies beside images -> what it is; all but the first and the last would be shown as images.
IN_A_CLASS = {
    ".DS_Store": "hidden",
    "._0.png": "hidden",
    ".ipynb_checkpoints/0-checkpoint.png": "hidden",
    "__MACOSX/._0.png": "folder of the system's own",
    "@eaDir/0.png": "folder of the system's own",
    "0.caption": "no image",
    "0.csv": "no image",
    "0.json": "no image",
    "0.TXT": "no image",
    "LICENSE": "no image",
    "README.md": "no image",
    "Thumbs.db": "no image",
    "desktop.ini": "no image",
    "empty": "no image",
    "0.png.part": "unfinished or second copy",
    "0.png~": "unfinished or second copy",
}
FIRST_FOLDERS = (".ipynb_checkpoints", "__MACOSX", "@eaDir")  # named, not looked into


def clutter(folder: Path) -> dict[str, str]:
    """Put every kind of it into a folder of images; name -> what it is."""
    found = {}
    for name, reason in IN_A_CLASS.items():
        write(folder / name, encoded("PNG") if "png" in name else b"" if name == "empty" else b"BMW, a car")
        first = name.split("/")[0]
        found[first if first in FIRST_FOLDERS else name] = reason
    (folder / "notes").symlink_to(folder / "nowhere")
    write(folder / "more" / "deep" / "x.png", encoded("PNG"))
    write(folder / "more" / "x.txt")
    write(folder / "more" / "__MACOSX" / "x.png")
    return found | {
        "notes": "link to nothing",
        "more": "subfolder",
        "more/deep/x.png": "image in a subfolder",
    }


def beside_classes(folder: Path) -> dict[str, str]:
    """Put into a folder of class folders what is none."""
    write(folder / "stray.png", encoded("PNG"))
    write(folder / "classes.txt")
    write(folder / "__MACOSX" / "cat" / "._0.png")
    write(folder / ".git" / "HEAD")
    (folder / "gnu").symlink_to(folder / "nowhere")
    return {
        "stray.png": "image outside any class",
        "classes.txt": "no image",
        "__MACOSX": "folder of the system's own",
        ".git": "hidden",
        "gnu": "link to nothing",
    }


def below(place: str, found: dict[str, str]) -> set[tuple[str, str]]:
    return {(f"{place}{name}", reason) for name, reason in found.items()}


def passed_over(listing: Listing) -> set[tuple[str, str]]:
    return {(name, reason) for reason, names in listing.passed_over.items() for name in names}


def test_class_folders_list_what_lies_beside_and_hold_out_the_same_images(plain: Path) -> None:
    before = names_of(list_source(settings(plain)))
    expected = below("", beside_classes(plain)) | below("cat/", clutter(plain / "cat"))
    listing = list_source(settings(plain))
    assert names_of(listing) == before
    assert passed_over(listing) == expected
    assert listing.rejected == []


def test_train_and_val_list_what_lies_beside(raw: Path) -> None:
    before = names_of(list_source(settings(raw)))
    expected = below("", beside_classes(raw)) | {("test", "folder of no class")}
    write(raw / "test" / "1.png", encoded("PNG"))
    for folder in ("train", "val"):
        expected |= below(f"{folder}/", beside_classes(raw / folder))
        expected |= below(f"{folder}/dog/", clutter(raw / folder / "dog"))
    listing = list_source(settings(raw))
    assert names_of(listing) == before
    assert passed_over(listing) == expected


def test_kaggles_folders_list_what_lies_beside(kaggle: Path) -> None:
    before = names_of(list_source(settings(kaggle)))
    expected = below("", beside_classes(kaggle))
    expected |= below(f"{DATA}/train/", beside_classes(kaggle / DATA / "train"))
    expected |= below(f"{DATA}/train/n02105855/", clutter(kaggle / DATA / "train" / "n02105855"))
    expected |= below(f"{DATA}/val/", clutter(kaggle / DATA / "val"))
    write(kaggle / DATA / "test" / "ILSVRC2012_test_00000001.JPEG")  # belongs to it, and has no labels
    listing = list_source(settings(kaggle))
    assert names_of(listing) == before
    assert passed_over(listing) == expected


def test_archives_list_what_lies_beside(archives: Path) -> None:
    before = names_of(list_source(settings(archives)))
    beside = [
        ("README.txt", b"words", "no image"),
        ("._n02105855_2933.JPEG", b"words", "hidden"),
        ("__MACOSX/n02105855_2933.JPEG", b"words", "folder of the system's own"),
        (".ipynb_checkpoints/1-checkpoint.JPEG", b"words", "hidden"),
        ("./Thumbs.db", b"words", "no image"),
        ("LICENSE", b"words", "no image"),
    ]
    files = [(name, content) for name, content, _ in beside]
    *others, (name, last) = inner_tars(archives / TRAIN)
    outer = [("._" + name, b"words"), ("notes.txt", b"words"), ("stray.JPEG", encoded("JPEG"))]
    write_tar(archives / TRAIN, [*outer, *others, (name, with_members(last, files))])
    write(archives / VALIDATION, with_members((archives / VALIDATION).read_bytes(), files))
    write(archives / "stray.JPEG", encoded("JPEG"))
    listing = list_source(settings(archives))
    assert names_of(listing) == before
    assert listing.rejected == []
    expected = {
        (f"{place}/{member}", reason)
        for place in (f"{TRAIN}/{name}", VALIDATION)
        for member, _, reason in beside
    }
    assert passed_over(listing) == expected | {
        (f"{TRAIN}/._{name}", "hidden"),
        (f"{TRAIN}/notes.txt", "no image"),
        (f"{TRAIN}/stray.JPEG", "image outside any class"),
        ("stray.JPEG", "image outside any class"),
    }


def with_members(archive: bytes, files: list[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO(archive)
    with tarfile.open(fileobj=buffer, mode="a") as tar:
        for name, content in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def test_it_is_listed_in_source_json_and_said_once_and_changes_nothing_else(
    plain: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clean, cluttered = Layout("clean", tmp_path), Layout("cluttered", tmp_path)
    build_index(clean, settings(plain, on_bad_image="error"))
    assert "passed_over" not in clean.source.read_text()
    for number in range(4):
        write(plain / "cat" / f"{number}.txt")
    write(plain / "dog" / ".DS_Store")
    with caplog.at_level(logging.INFO):
        build_index(cluttered, settings(plain, on_bad_image="error"))
    (said,) = (record.getMessage() for record in caplog.records if "passed over" in record.message)
    assert said == (
        "passed over: 4 no image (cat/0.txt, cat/1.txt, cat/2.txt, ...), 1 hidden (dog/.DS_Store); "
        f"{cluttered.source} lists all"
    )
    listed = json.loads(cluttered.source.read_text()).pop("passed_over")
    assert listed == {"no image": [f"cat/{n}.txt" for n in range(4)], "hidden": ["dog/.DS_Store"]}
    for split in ("00", "01"):
        assert cluttered.index(split).read_bytes() == clean.index(split).read_bytes()
    assert cluttered.classes.read_bytes() == clean.classes.read_bytes()


def test_a_text_that_sorts_first_is_not_held_out(plain: Path, tmp_path: Path) -> None:
    for folder in plain.iterdir():
        write(folder / "!.txt")
    layout = Layout("x", tmp_path)
    build_index(layout, settings(plain, on_bad_image="error"))
    build_arrays(layout, "00", ARRAYS, plain)
    assert read_manifest(layout.arrays("00"))["images"] == {"train": 8, "held_out": 2}


def test_an_image_by_its_name_stays_one_however_damaged(plain: Path, tmp_path: Path) -> None:
    write(plain / "cat" / "empty.jpg", b"")
    write(plain / "cat" / "text.PNG", b"words")
    layout = Layout("x", tmp_path)
    build_index(layout, settings(plain))
    assert {"empty.jpg", "text.PNG"} < set(pd.read_parquet(layout.index("00"))["name"])
    build_arrays(layout, "00", ARRAYS, plain)
    rejected = read_manifest(layout.arrays("00"))["rejected"]["train"]
    assert [Path(image["name"]).name for image in rejected] == ["empty.jpg", "text.PNG"]


@pytest.mark.parametrize("form", formats.READ)
@pytest.mark.parametrize("name", ["cat_7", "cat.7", "cat.picture"])
def test_a_name_that_tells_nothing_leaves_it_to_the_content(form: str, name: str, plain: Path) -> None:
    write(plain / "cat" / name, encoded(form))
    write(plain / "dog" / name, b"P5 is the fifth picture\n")
    assert ("cat", name) in {found[1:] for found in names_of(list_source(settings(plain)))}
    assert list_source(settings(plain)).passed_over == {"no image": [f"dog/{name}"]}


def test_what_the_name_tells_is_not_opened(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.JPEG", "b.txt", "Thumbs.db", ".hidden", "c.jpg~"):
        write(plain / "cat" / name)
    monkeypatch.setattr(sift, "read_ranges", lambda _: pytest.fail("it was opened"))
    assert "a.JPEG" in set(list_source(settings(plain)).images["name"])


def test_the_endings_of_images_are_those_that_pillow_knows() -> None:
    read = {*formats.READ, "MPO"}
    endings = {ending[1:] for ending, form in Image.registered_extensions().items() if form in read}
    assert set(image_names.KINDS["image"].split()) == endings - {"pfm"}  # of 32 bits, which are not read
    assert len(image_names.BY_ENDING) == sum(len(each.split()) for each in image_names.KINDS.values())


@pytest.mark.parametrize(("form", "ending"), [("AVIF", "avif"), ("DDS", "dds"), ("JPEG2000", "JP2")])
def test_a_picture_of_a_format_that_is_not_read_is_never_held_out(
    form: str, ending: str, plain: Path, tmp_path: Path
) -> None:
    if form not in Image.SAVE:
        pytest.skip(f"this Pillow writes no {form}")
    before = names_of(list_source(settings(plain)))
    write(plain / "cat" / f"!.{ending}", encoded(form))
    write(plain / "cat" / f"jpeg.{ending}", encoded("JPEG"))
    listing = list_source(settings(plain))
    assert names_of(listing) - before == {("train", "cat", f"jpeg.{ending}")}
    (rejected,) = listing.rejected
    assert rejected.name == f"{plain}/cat/!.{ending}"
    assert rejected.reason.endswith(", which is not read; convert it to PNG or JPEG")
    with pytest.raises(UserError, match=rf"cat/!\.{ending} is .*, which is not read"):
        build_index(Layout("x", tmp_path), settings(plain, on_bad_image="error"))


def test_a_dead_link_to_a_class_folder_is_named_where_the_number_of_classes_is_wrong(
    plain: Path, tmp_path: Path
) -> None:
    shutil.rmtree(plain / "eel")
    (plain / "eel").symlink_to(tmp_path / "not mounted")
    with pytest.raises(
        UserError, match=r"has 3 classes, but .* says 4; passed over there: 1 link to nothing \(eel\)"
    ):
        build_index(Layout("x", tmp_path), settings(plain))
    order = tmp_path / "order.txt"
    order.write_text("cat\neel\n")
    with pytest.raises(UserError, match=r"names class eel, which the data lacks; .* link to nothing \(eel\)"):
        build_index(Layout("x", tmp_path), settings(plain, classes=2, order=str(order)))
    build_index(Layout("x", tmp_path), settings(plain, classes=3))
    assert json.loads(Layout("x", tmp_path).source.read_text())["passed_over"] == {"link to nothing": ["eel"]}


def test_a_dead_link_on_one_side_is_named(raw: Path, tmp_path: Path) -> None:
    shutil.rmtree(raw / "val" / "fox")
    (raw / "val" / "fox").symlink_to(tmp_path / "not mounted")
    with pytest.raises(
        UserError, match=r"class fox .* is in train/ and not in val/; .*link to nothing \(val/fox\)"
    ):
        list_source(settings(raw))
    shutil.rmtree(raw / "val")
    (raw / "val").symlink_to(tmp_path / "not mounted")
    with pytest.raises(UserError, match="val is a link to nothing"):
        list_source(settings(raw))


def all_too_deep(folder: Path) -> None:
    (folder / "images").mkdir()
    for image in folder.glob("*.png"):
        image.rename(folder / "images" / image.name)


def texts_only(folder: Path) -> None:
    for image in folder.glob("*.png"):
        image.with_suffix(".txt").write_text("words")
        image.unlink()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (all_too_deep, r"5 images in a subfolder \(\S*eel/images/0\.png, "),
        (texts_only, r"5 no image \(\S*eel/0\.txt, "),
    ],
)
def test_a_class_without_images_is_an_error_that_tells_what_it_holds(
    spoil: Callable[[Path], None], said: str, raw: Path, tmp_path: Path
) -> None:
    spoil(raw / "train" / "eel")
    with pytest.raises(UserError, match=f"class eel holds no train images; .*{said}"):
        build_index(Layout("x", tmp_path), settings(raw))
    with pytest.raises(UserError, match=f"class folder .*eel needs two images at least.*{said}"):
        list_source(settings(raw / "train"))


def test_all_classes_that_are_too_small_are_named(plain: Path) -> None:
    for name in ("cat", "fox"):
        texts_only(plain / name)
    with pytest.raises(UserError, match=r"folder \S*cat needs two images at least.*; and so do fox"):
        list_source(settings(plain))


def test_images_without_class_folders_are_told(tmp_path: Path) -> None:
    write(tmp_path / "root" / "cat.png", encoded("PNG"))
    with pytest.raises(UserError, match=r"no class folders; .* 1 image outside any class \(cat\.png\)"):
        list_source(settings(tmp_path / "root"))


def test_verify_tells_of_it(plain: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(plain / "cat" / "0.txt")
    with caplog.at_level(logging.INFO):
        verify(settings(plain))
    assert "passed over: 1 no image (cat/0.txt)" in caplog.text


def test_names_that_are_no_text_are_listed_in_escaped_form(plain: Path) -> None:
    write(plain / "cat" / "caf\udce9\n.txt")
    assert list_source(settings(plain)).passed_over == {"no image": ["cat/caf\\xe9\\x0a.txt"]}


def test_an_image_of_a_tar_is_told_by_its_content_too(tmp_path: Path) -> None:
    write_tar(tmp_path / "a.tar", [("picture", encoded("PNG")), ("text", b"words")])
    sieve = Sieve(tmp_path)
    found = [sieve.member(tmp_path / "a.tar", member, "a.tar") for member in members(tmp_path / "a.tar")]
    assert [image and image.name for image in found] == ["picture", None]
    assert isinstance(found[0], Range)
    assert sieve.passed_over == {"no image": ["a.tar/text"]}
