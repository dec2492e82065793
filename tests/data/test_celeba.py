"""CelebA: a small one as zip and as folder, its crops and attributes, and all that may be wrong with one."""

import io
import json
import shutil
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from source_arrays import arrays_of

from centigan.cli import run_verb
from centigan.data.celeba_fixture import WITH, write_celeba
from centigan.data.index import build_index
from centigan.data.order import order_classes
from centigan.data.sources import list_source, recognise
from centigan.data.sources.celeba import FOLDER, MD5, ZIP
from centigan.data.sources.celeba_lists import ATTRIBUTES, PARTITION, TABLES
from centigan.data.sources.listing import Listing
from centigan.data.sources.zips import HEADER, SIGNATURE, unpacked
from centigan.data.verify import published_archives, verify
from centigan.errors import UserError
from centigan.freshness.raw import changes
from centigan.layout import Layout
from centigan.manifest import read_digests, sha256
from centigan.preflight.proposal import explore
from centigan.settings.data import ArraySettings, DataSettings

TRAIN, HELD_OUT = 12, 4
FILES = ("images.npy", "labels.npy", "held_out_images.npy", "held_out_labels.npy")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small set; never written to."""
    root = tmp_path_factory.mktemp("celeba")
    write_celeba(root, classes=1, per_class=TRAIN, held_out_per_class=HELD_OUT)
    return root


def settings(root: Path, **others: object) -> DataSettings:
    return DataSettings.model_validate(
        {"source": "celeba", "root": str(root), "classes": 1, "split_size": 1, **others}
    )


def listing(root: Path, **others: object) -> Listing:
    return list_source(settings(root, **others))


def contents(root: Path) -> dict[str, bytes]:
    """Name -> bytes, by Python's own reader of zips."""
    with zipfile.ZipFile(root / ZIP) as archive:
        return {
            Path(entry.filename).name: archive.read(entry)
            for entry in archive.infolist()
            if not entry.is_dir()
        }


def packed(root: Path, method: int = zipfile.ZIP_STORED, **more: bytes) -> None:
    """Write the zip anew."""
    files = contents(root) | {name.replace("_jpg", ".jpg"): data for name, data in more.items()}
    with zipfile.ZipFile(root / ZIP, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(f"{FOLDER}/{name}", data)


def as_folder(root: Path) -> Path:
    with zipfile.ZipFile(root / ZIP) as archive:
        archive.extractall(root)
    (root / ZIP).unlink()
    return root


def test_the_partition_says_what_is_trained_on_and_held_out_and_tests_are_left_alone(made: Path) -> None:
    found = listing(made)
    parts = dict(line.split() for line in (made / PARTITION).read_text().splitlines())
    for subset, part in (("train", "0"), ("held_out", "1")):
        names = found.images["name"][found.images["subset"] == subset]
        assert list(names) == [name for name, said in parts.items() if said == part]
    assert found.classes == ["face"]
    assert found.official == {"train": {"face": TRAIN}, "held_out": {"face": HELD_OUT}}
    assert not found.checksummed
    assert found.found == [
        "img_align_celeba.zip: 20 images",
        "list_eval_partition.txt: 20 images, 202,599 were published",
        "4 images are for tests, and nothing reads them",
        "list_attr_celeba.txt: 40 attributes of 20 images, which no class follows from",
    ]


def test_images_are_as_large_as_the_published_ones_and_the_files_tell_what_they_are(made: Path) -> None:
    with Image.open(zipfile.ZipFile(made / ZIP).open(f"{FOLDER}/000001.jpg")) as image:
        assert image.size == (178, 218)
    assert recognise(made) == "celeba"
    found = explore(made)
    assert (found.source, found.side, found.train, found.held_out) == ("celeba", 178, TRAIN, HELD_OUT)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_range_is_a_member_stored_or_deflated(root: Path, method: int) -> None:
    packed(root, method)
    found, expected, whole = listing(root), contents(root), (root / ZIP).read_bytes()
    assert found.encoding == "zipped"
    for row in found.images.itertuples():
        member = whole[row.offset : row.offset + row.size]
        assert unpacked(member) == expected[row.name]


@pytest.mark.parametrize("kind", ["deflated", "unpacked", "unpacked twice", "authors' folders"])
def test_zip_and_folder_give_the_same_arrays_as_class_folders(
    made: Path, root: Path, tmp_path: Path, kind: str
) -> None:
    if kind == "deflated":
        packed(root, zipfile.ZIP_DEFLATED)
    elif kind == "authors' folders":
        for name, folder in ((ZIP, "Img"), (PARTITION, "Eval"), (ATTRIBUTES, "Anno")):
            (root / folder).mkdir()
            (root / name).rename(root / folder / name)
    else:
        as_folder(root)
    if kind == "unpacked twice":
        (root / FOLDER).rename(root / "inner")
        (root / FOLDER).mkdir()
        (root / "inner").rename(root / FOLDER / FOLDER)
    assert recognise(root) == "celeba"
    files, folders = contents(made), tmp_path / "folders"
    for row in listing(made).images.itertuples():
        file = folders / {"train": "train", "held_out": "val"}[row.subset] / "face" / row.name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(files[row.name])
    ours = arrays_of(settings(root), tmp_path / "ours")
    theirs = arrays_of(settings(folders, source="folders"), tmp_path / "theirs")
    for file in FILES:
        assert (ours / file).read_bytes() == (theirs / file).read_bytes()


def test_a_crop_is_that_of_pictures_that_were_cut_before(root: Path, tmp_path: Path) -> None:
    rows, columns = slice(40, 188), slice(15, 163)
    cut = {}
    for name, data in contents(root).items():
        with Image.open(io.BytesIO(data)) as image:
            file = io.BytesIO()
            Image.fromarray(np.asarray(image)[rows, columns]).save(file, "PNG")
        cut[name] = file.getvalue()
    arrays = ArraySettings(resolution=32, crop=148, crop_down=5, dct_scaling=False)
    ours = arrays_of(settings(root), tmp_path / "ours", arrays=arrays)
    packed(root, **{name.replace(".jpg", "_jpg"): data for name, data in cut.items()})
    theirs = arrays_of(settings(root), tmp_path / "theirs", arrays=ArraySettings(resolution=32))
    for file in FILES:
        assert (ours / file).read_bytes() == (theirs / file).read_bytes()


def test_an_attribute_divides_the_faces_in_two_classes(made: Path) -> None:
    found = listing(made, attribute=WITH)
    header, *rows = [line.split() for line in (made / ATTRIBUTES).read_text().splitlines()[1:]]
    ones = {row[0] for row in rows if row[1 + header.index(WITH)] == "1"}
    assert found.classes == [WITH, f"not_{WITH}"]
    for row in found.images.itertuples():
        assert row.class_id == (WITH if row.name in ones else f"not_{WITH}")
    assert 0 < len(ones) < 20
    with pytest.raises(UserError, match=r"has no attribute Smiling, but Bright, Other_1, .*; name one"):
        listing(made, attribute="Smiling")
    with pytest.raises(ValueError, match=r"only data\.source: celeba has attributes"):
        settings(made, source="auto", attribute=WITH)


def test_classes_that_an_attribute_makes_are_told_by_its_setting(made: Path) -> None:
    two = settings(made, classes=2, split_size=2)
    with pytest.raises(
        UserError, match=r"has 1 class, but `data\.classes` says 2; data\.attribute: Smiling, or"
    ):
        order_classes(list_source(two), two)
    one = settings(made, attribute=WITH, classes=1, split_size=1)
    with pytest.raises(UserError, match=rf"has 2 classes, but .* says 1; data\.attribute: {WITH} makes two"):
        order_classes(list_source(one), one)


def test_attributes_are_needed_by_who_names_one_alone(root: Path) -> None:
    (root / ATTRIBUTES).unlink()
    assert listing(root).found[-1] == "no list_attr_celeba.txt"
    with pytest.raises(UserError, match=r"holds no list_attr_celeba\.txt, and data\.attribute is Bright"):
        listing(root, attribute=WITH)


@pytest.mark.parametrize("attribute", [None, "Bright"])
def test_kaggles_tables_and_folder_give_the_same_index(attribute: str | None, made: Path, root: Path) -> None:
    faces = as_folder(root) / FOLDER
    shutil.copytree(faces, faces / FOLDER)  # Kaggle's lies in a folder of its own name
    for image in faces.glob("*.jpg"):
        image.unlink()
    for name in (PARTITION, ATTRIBUTES):
        rows = [line.split() for line in (root / name).read_text().splitlines()]
        rows = (
            [["image_id", *rows[1]], *rows[2:]] if name == ATTRIBUTES else [["image_id", "partition"], *rows]
        )
        (root / TABLES[name]).write_text("".join(",".join(row) + "\n" for row in rows))
        (root / name).unlink()
    assert recognise(root) == "celeba"
    columns = ["name", "subset", "class_id"]
    theirs, ours = listing(made, attribute=attribute), listing(root, attribute=attribute)
    pd.testing.assert_frame_equal(theirs.images[columns], ours.images[columns])
    (root / TABLES[PARTITION]).write_text("image_id,partition\n000001.jpg,7\n")
    with pytest.raises(UserError, match=r"list_eval_partition\.csv, image 1: '000001\.jpg 7' is no name and"):
        listing(root)


def test_an_empty_folder_beside_the_zip_does_not_count(root: Path) -> None:
    (root / FOLDER).mkdir()
    assert listing(root).found[0].startswith(ZIP)


def test_where_images_lie_that_do_not_lie_where_they_should_is_told(root: Path) -> None:
    (as_folder(root) / FOLDER).rename(root / "faces")
    (root / FOLDER).mkdir()
    (root / FOLDER / "a.jpg").touch()
    with pytest.raises(
        UserError,
        match=r"img_align_celeba holds none of .*000001\.jpg: .*/faces holds images of these names; mo",
    ):
        listing(root)
    shutil.rmtree(root / "faces")
    with pytest.raises(
        UserError, match=r"holds none of .*; images in .*img_align_celeba are called otherwise"
    ):
        listing(root)


def test_no_more_is_inflated_than_a_member_says_that_it_has() -> None:
    packed = zlib.compressobj(wbits=-15)
    content = packed.compress(bytes(10**6)) + packed.flush()

    def header(size: int) -> bytes:
        return HEADER.pack(SIGNATURE, 20, 0, zipfile.ZIP_DEFLATED, 0, 0, 0, len(content), size, 1, 0) + b"x"

    for size in (0, 1000, 10**6, 2**32 - 1):
        assert len(unpacked(header(size) + content)) == min(size, 10**6)


@pytest.mark.parametrize("gone", [(ZIP,), (PARTITION,), (ZIP, PARTITION, ATTRIBUTES)])
def test_what_to_put_where_is_told(root: Path, gone: tuple[str, ...]) -> None:
    for name in gone:
        (root / name).unlink()
    with pytest.raises(
        UserError, match=f"{root} holds no {gone[0]}: put there {ZIP} .*{PARTITION} and {ATTRIBUTES}, from"
    ):
        listing(root)


TEXTS: dict[str, tuple[str, Callable[[str], str]]] = {
    r"list_eval_partition\.txt names no image": (PARTITION, lambda _: "\n"),
    r"partition\.txt, image 2: '000002\.jpg 3' is no name and 0, 1 or 2": (
        PARTITION,
        lambda old: old.replace("000002.jpg 0", "000002.jpg 3"),
    ),
    r"partition\.txt, image 1: '000001\.jpg' is no name": (PARTITION, lambda old: old.replace(" 0", "", 1)),
    r"partition\.txt names 000001\.jpg twice": (PARTITION, lambda old: f"{old}000001.jpg 1\n"),
    r"^000020\.jpg is in one of .*list_attr_celeba\.txt and list_eval": (
        PARTITION,
        lambda old: old.replace("000020.jpg 2\n", ""),
    ),
    r"attr_celeba\.txt does not begin with the number of its faces, 19": (
        ATTRIBUTES,
        lambda old: old[: old.rindex("000020")],
    ),
    r"attr_celeba\.txt does not begin with the number of its faces, 20, and with different": (
        ATTRIBUTES,
        lambda old: old.replace("Other_2 ", "Other_1 "),
    ),
    r"attr_celeba\.txt: 000003\.jpg has not a 1 or -1 of each of 40": (
        ATTRIBUTES,
        lambda old: old.replace("000003.jpg ", "000003.jpg 0 "),
    ),
    r"attr_celeba\.txt does not begin with the number of its faces, 0": (ATTRIBUTES, lambda _: ""),
}


def test_a_face_has_its_attributes_once_and_a_table_may_lack_its_header(root: Path) -> None:
    rows = (root / PARTITION).read_text().split("\n")
    (root / PARTITION).unlink()
    (root / TABLES[PARTITION]).write_text("\n".join(row.replace(" ", ",") for row in rows))
    assert len(listing(root).images) == TRAIN + HELD_OUT
    lines = (root / ATTRIBUTES).read_text().splitlines()
    (root / ATTRIBUTES).write_text("\n".join([str(int(lines[0]) + 1), *lines[1:], lines[2]]))
    with pytest.raises(UserError, match=r"list_attr_celeba\.txt names 000001\.jpg twice"):
        listing(root)


@pytest.mark.parametrize("message", TEXTS)
def test_a_list_in_contradiction_is_named_in_one_sentence(message: str, root: Path) -> None:
    name, damage = TEXTS[message]
    (root / name).write_text(damage((root / name).read_text()))
    with pytest.raises(UserError, match=message) as told:
        listing(root)
    assert "\n" not in str(told.value)


ZIPS: dict[str, Callable[[bytes], bytes]] = {
    r"zip is no whole zip archive \(File is not a zip file\); fetch": lambda old: old[: len(old) // 2],
    r"zip is no whole zip archive": lambda _: b"",
    r"zip is damaged: no member begins at byte": lambda old: old.replace(b"PK\3\4", b"PK\3\5", 3),
}


@pytest.mark.parametrize("message", ZIPS)
def test_a_damaged_zip_is_one_error(message: str, root: Path) -> None:
    (root / ZIP).write_bytes(ZIPS[message]((root / ZIP).read_bytes()))
    with pytest.raises(UserError, match=message):
        listing(root)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_of_another_compression_says_that_it_must_be_unpacked(root: Path, method: int) -> None:
    packed(root, method)
    found = listing(root)
    assert len(found.images) == 0
    assert {reason for _, reason in found.rejected} == {
        "is compressed by another method than deflating; unpack the zip"
    }


def test_missing_images_are_a_wrong_count_and_unlisted_ones_are_passed_over(
    root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = contents(root)
    with zipfile.ZipFile(root / ZIP, "w") as archive:
        for name, data in files.items():
            if name != "000003.jpg":
                archive.writestr(f"{FOLDER}/{name}", data)
        archive.writestr(f"{FOLDER}/000099.jpg", data)
        archive.writestr(f"__MACOSX/{FOLDER}/._000001.jpg", b"")
    found = listing(root)
    assert found.passed_over == {
        "image that no list names": [f"{ZIP}/000099.jpg"],
        "hidden": [f"{ZIP}/__MACOSX/{FOLDER}/._000001.jpg"],
    }
    build_index(Layout("x", tmp_path), settings(root))
    assert f"class face has {TRAIN - 1} of {TRAIN} train images" in caplog.text
    with pytest.raises(UserError, match=f"has {TRAIN - 1} of {TRAIN} train images. Fetch the data anew"):
        build_index(Layout("x", tmp_path), settings(root, on_bad_image="error"))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_damaged_image_is_left_out_and_listed(root: Path, tmp_path: Path, method: int) -> None:
    half = contents(root)["000002.jpg"]
    packed(root, method, **{"000002_jpg": half[: len(half) // 2]})
    whole = (root / ZIP).read_bytes()
    place = listing(root).images.iloc[3]  # its deflated bytes are no deflated bytes any more
    if method == zipfile.ZIP_DEFLATED:
        begin = place.offset + 60
        (root / ZIP).write_bytes(whole[:begin] + b"\xff" * 200 + whole[begin + 200 :])
    folder = arrays_of(settings(root), tmp_path / "project")
    rejected = json.loads((folder / "manifest.json").read_text())["rejected"]["train"]
    names = ["000002.jpg", "000004.jpg"][: 1 + (method == zipfile.ZIP_DEFLATED)]
    assert [one["name"] for one in rejected] == [f"{name} in {root / ZIP}" for name in names]
    assert len(np.load(folder / "images.npy")) == TRAIN - len(names)


def test_the_zip_is_pinned_and_another_one_is_told(root: Path, tmp_path: Path) -> None:
    layout = Layout("x", tmp_path)
    build_index(layout, settings(root))
    assert read_digests(layout.raw_pins) == {ZIP: sha256(root / ZIP)}
    packed(root)
    with pytest.raises(UserError, match="is not the archive that was indexed"):
        changes(layout, root)


def test_a_small_set_is_no_verified_one(made: Path) -> None:
    assert set(published_archives(made)) == {ZIP, PARTITION, ATTRIBUTES}
    with pytest.raises(UserError, match=r"img_align_celeba\.zip has MD5 .* not 00d2c5bc6d35e252"):
        verify(settings(made))


def test_the_checksums_are_torchvisions() -> None:
    from torchvision.datasets import CelebA

    theirs = {name: md5 for _, md5, name in CelebA.file_list}
    assert {name: theirs[name] for name in MD5} == MD5


def test_a_fixture_has_the_same_bytes_each_time_and_replaces_nothing(made: Path, tmp_path: Path) -> None:
    words = ("--classes", "1", "--per-class", str(TRAIN), "--held-out-per-class", str(HELD_OUT))
    assert run_verb(["fixture", "celeba", "--out", str(tmp_path / "again"), *words]) == 0
    for name in (ZIP, PARTITION, ATTRIBUTES):
        assert (tmp_path / "again" / name).read_bytes() == (made / name).read_bytes()
    with pytest.raises(UserError, match="is not empty"):
        write_celeba(tmp_path / "again", classes=1, per_class=1, held_out_per_class=1)
