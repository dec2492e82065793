"""STL-10 as two sources: its layout, what is read of a small set, and all that may be wrong with one."""

import hashlib
import json
import logging
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from source_arrays import arrays_of

from centigan.cli import run_verb
from centigan.data import stl10_raw
from centigan.data.completeness import published_totals
from centigan.data.decode import BadImage, decode_planar
from centigan.data.index import build_index
from centigan.data.published_archive import Archive
from centigan.data.sources import list_source, recognise
from centigan.data.sources.listing import PLANAR, Listing, Range, read_ranges
from centigan.data.sources.stl10 import Name, list_stl10
from centigan.data.stl10_fixture import CLASS_NAMES, write_stl10
from centigan.data.stl10_raw import FOLDER, IMAGE, Published, as_published, put_in_place
from centigan.data.verify import verify
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.preflight.proposal import explore
from centigan.settings.data import DataSettings
from centigan.settings.sources import ABOUT

PER_CLASS, HELD_OUT = 2, 2
COUNTS = {"train_X.bin": 20, "test_X.bin": 20, "unlabeled_X.bin": 40}
NAMES: list[Name] = ["stl10", "stl10_unlabelled"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small set; never written to."""
    root = tmp_path_factory.mktemp("stl10")
    write_stl10(root, classes=10, per_class=PER_CLASS, held_out_per_class=HELD_OUT)
    return root


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


@pytest.fixture
def published(made: Path) -> Published:
    """As if the small set were the published one."""
    md5s = {path.name: md5(path) for path in (made / FOLDER).glob("*.bin")}
    return Published(COUNTS, md5s, Archive("stl10_binary.tar.gz", ""))


def settings(name: Name, root: Path) -> DataSettings:
    classes = ABOUT[name].classes
    return DataSettings(source=name, root=str(root), classes=classes, split_size=classes)


def listing(name: Name, root: Path) -> Listing:
    return list_source(settings(name, root))


def pixels(images: pd.DataFrame) -> list[np.ndarray]:
    """(96, 96, 3) of each image."""
    rows = images[list(Range._fields)].itertuples(index=False, name=None)
    data = read_ranges(Range(*row) for row in rows)
    return [np.frombuffer(one, np.uint8).reshape(3, 96, 96).transpose(2, 1, 0) for one in data]


def test_a_byte_is_one_colour_of_the_pixel_that_the_layout_says() -> None:
    colour, row, column = 1, 5, 70
    data = bytearray(IMAGE)
    data[(colour * 96 + column) * 96 + row] = 255
    image = decode_planar(bytes(data), 96, 96, by_column=True).pixels
    assert np.argwhere(image).tolist() == [[row, column, colour]]


def test_an_image_is_that_of_a_plain_transposition() -> None:
    data = np.random.default_rng(0).integers(0, 256, IMAGE, np.uint8)
    side, by_column, _ = PLANAR["columns96"]
    image = decode_planar(data.tobytes(), side, side, by_column=by_column).pixels
    np.testing.assert_array_equal(image, np.reshape(data, (3, 96, 96)).transpose(2, 1, 0))
    with pytest.raises(BadImage, match="27647 bytes instead of 27648"):
        decode_planar(data.tobytes()[1:], side, side, by_column=by_column)


@pytest.mark.parametrize(
    ("name", "subset", "split"),
    [
        ("stl10", "train", "train"),
        ("stl10", "held_out", "test"),
        ("stl10_unlabelled", "train", "unlabeled"),
        ("stl10_unlabelled", "held_out", "test"),
    ],
)
def test_images_and_classes_are_those_that_torchvision_reads(
    made: Path, monkeypatch: pytest.MonkeyPatch, name: Name, subset: str, split: str
) -> None:
    from torchvision.datasets import STL10

    for files in ("train_list", "test_list"):
        monkeypatch.setattr(STL10, files, [[file, None] for file, _ in getattr(STL10, files)])
    theirs = STL10(made, split)
    images = listing(name, made).images
    images = images[images["subset"] == subset].sort_values("offset")
    np.testing.assert_array_equal(np.stack(pixels(images)), theirs.data.transpose(0, 2, 3, 1))
    if name == "stl10":
        assert list(images["class_id"]) == [theirs.classes[label] for label in theirs.labels]
    else:
        assert set(images["class_id"]) == {"unlabelled"}


@pytest.mark.parametrize("name", NAMES)
def test_images_of_a_class_come_in_the_order_of_their_file(made: Path, name: Name) -> None:
    found = listing(name, made)
    assert found.classes == (sorted(CLASS_NAMES) if name == "stl10" else ["unlabelled"])
    assert len(found.classes) == ABOUT[name].classes
    for _, rows in found.images.groupby(["subset", "class_id"]):
        assert rows["offset"].is_monotonic_increasing
        assert [f"{Path(row.path).stem}_{row.offset // IMAGE:05d}" for row in rows.itertuples()] == list(
            rows["name"]
        )
    assert not found.images["name"].duplicated().any()


def test_the_folder_tells_that_it_is_stl10_and_how_large_its_images_are(made: Path) -> None:
    assert recognise(made) == "stl10"
    found = explore(made)
    assert (found.source, found.side, found.train, found.held_out) == ("stl10", 96, 20, 20)


@pytest.mark.parametrize("name", NAMES)
def test_the_published_set_has_its_numbers_and_checksums(
    name: Name, made: Path, published: Published
) -> None:
    found = list_stl10(name, made, published=published)
    assert found.checksummed
    assert all(line.endswith("MD5 as published") for line in found.found[:2])
    assert published_totals(found) == {"train": 20 if name == "stl10" else 40, "held_out": 20}
    counts = found.images.groupby(["subset", "class_id"]).size()
    assert found.official == {subset: counts[subset].to_dict() for subset in ("train", "held_out")}


def test_the_numbers_are_those_of_the_authors() -> None:
    real = as_published()
    assert real.images == {"train_X.bin": 5000, "test_X.bin": 8000, "unlabeled_X.bin": 100_000}
    assert set(real.md5s) == {*real.images, "train_y.bin", "test_y.bin"}
    assert real.archive[:2] == ("stl10_binary.tar.gz", "91f7769df0f17e558f3565bffb0c7dfb")


@pytest.mark.parametrize("name", NAMES)
def test_another_set_is_read_and_told_and_no_verified_one(
    made: Path, tmp_path: Path, name: Name, caplog: pytest.LogCaptureFixture
) -> None:
    found = listing(name, made)
    assert not found.checksummed
    file, few, published = (
        ("train_X.bin", 20, "5,000") if name == "stl10" else ("unlabeled_X.bin", 40, "100,000")
    )
    assert found.found[0] == f"stl10_binary/{file}: {few} of {published} images: not the published set"
    assert found.found[1] == "stl10_binary/test_X.bin: 20 of 8,000 images: not the published set"
    folds = ["stl10_binary/fold_indices.txt: 10 folds of 4 training images, which no training uses"]
    assert found.found[2:] == (folds if name == "stl10" else [])
    build_index(Layout("stl10", tmp_path), settings(name, made))
    assert f"has {2 if name == 'stl10' else 40} of" in caplog.text
    with pytest.raises(
        UserError, match=f"has {2 if name == 'stl10' else 40} of .*Fetch the data anew; a run goes on"
    ):
        verify(settings(name, made))


def test_the_same_pictures_as_png_in_class_folders_give_the_same_arrays(made: Path, tmp_path: Path) -> None:
    images, folders = listing("stl10", made).images, tmp_path / "folders"
    for row, image in zip(images.itertuples(), pixels(images), strict=True):
        file = folders / {"train": "train", "held_out": "val"}[row.subset] / row.class_id / f"{row.name}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(file)
    ours = arrays_of(settings("stl10", made), tmp_path / "ours")
    theirs = arrays_of(DataSettings(root=str(folders), classes=10, split_size=10), tmp_path / "theirs")
    for file in ("images.npy", "labels.npy", "held_out_images.npy", "held_out_labels.npy"):
        assert (ours / file).read_bytes() == (theirs / file).read_bytes()


def test_unlabelled_images_become_arrays_of_one_class(made: Path, tmp_path: Path) -> None:
    folder = arrays_of(settings("stl10_unlabelled", made), tmp_path / "project")
    assert np.load(folder / "images.npy").shape == (40, 32, 32, 3)
    assert np.load(folder / "held_out_images.npy").shape == (20, 64, 64, 3)
    assert set(np.load(folder / "labels.npy")) == {0}


DAMAGES: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    r"train_X\.bin has 552,959 bytes, and an image 27,648: it is cut": (
        "train_X.bin",
        lambda old: old[:-1],
    ),
    r"train_X\.bin has 0 bytes": ("train_X.bin", lambda _: b""),
    r"train_X\.bin has 19 images and train_y\.bin 20 labels: one": (
        "train_X.bin",
        lambda old: old[:-IMAGE],
    ),
    r"test_X\.bin has 20 images and test_y\.bin 19 labels": ("test_y.bin", lambda old: old[:-1]),
    r"train_y\.bin: image 1 has label 0, not one of 1 to 10": (
        "train_y.bin",
        lambda old: b"\1\0" + old[2:],
    ),
    r"test_y\.bin: image 0 has label 11": ("test_y.bin", lambda old: b"\x0b" + old[1:]),
    r"class_names\.txt does not name 10": ("class_names.txt", lambda old: old + b"zebra\n"),
    r"class_names\.txt does not name 10 different": ("class_names.txt", lambda _: b"airplane\n" * 10),
    r"class_names\.txt is damaged or no file of STL-10": ("class_names.txt", lambda _: b"\xff"),
    r"fold_indices\.txt, line 3, is not 4 numbers of .* 0 to 19; ": (
        "fold_indices.txt",
        lambda _: b"0 1 2 19 \n" * 2 + b"0 1 2 20\n" + b"0 1 2 3\n" * 7,
    ),
    r"fold_indices\.txt, line 1, is not 4 numbers": ("fold_indices.txt", lambda _: b"0 1 2\n" * 10),
    r"fold_indices\.txt has 9 lines": ("fold_indices.txt", lambda _: b"0 1 2 3\n" * 9),
    r"fold_indices\.txt is damaged .*'one'": ("fold_indices.txt", lambda _: b"one\n"),
}


@pytest.mark.parametrize("message", DAMAGES)
def test_a_damaged_file_is_named_in_one_sentence(message: str, root: Path) -> None:
    name, damage = DAMAGES[message]
    path = root / FOLDER / name
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match=message) as error:
        listing("stl10", root)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["train_X.bin", "train_y.bin", "test_X.bin", "test_y.bin"])
def test_a_file_of_the_published_size_and_another_md5_is_damaged(
    name: str, root: Path, published: Published
) -> None:
    path = root / FOLDER / name
    content = bytearray(path.read_bytes())
    content[3] = content[3] % 10 + 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=f"{name} has MD5 {md5(path)}, not {published.md5s[name]}"):
        list_stl10("stl10", root, published=published)


def test_unlabelled_images_that_are_cut_short_are_damaged_or_not_the_published_set(
    root: Path, published: Published
) -> None:
    path = root / FOLDER / "unlabeled_X.bin"
    whole = path.read_bytes()
    path.write_bytes(whole[:-IMAGE])
    found = list_stl10("stl10_unlabelled", root, published=published)
    assert found.found[0].endswith("unlabeled_X.bin: 39 of 40 images: not the published set")
    assert not found.checksummed
    path.write_bytes(whole[: -IMAGE // 2])
    with pytest.raises(UserError, match=r"unlabeled_X\.bin has .* cut short"):
        list_stl10("stl10_unlabelled", root, published=published)
    path.write_bytes(whole[::-1])
    with pytest.raises(UserError, match=r"unlabeled_X\.bin has MD5"):
        list_stl10("stl10_unlabelled", root, published=published)


def test_missing_files_are_named_but_for_the_folds(root: Path, tmp_path: Path) -> None:
    (root / FOLDER / "fold_indices.txt").unlink()
    assert len(listing("stl10", root).found) == 2
    (root / FOLDER / "unlabeled_X.bin").unlink()
    assert len(listing("stl10", root).images) == 40
    for name in ("unlabeled_X.bin", "class_names.txt", "test_y.bin", "train_X.bin"):
        (root / FOLDER / name).unlink(missing_ok=True)
        source: Name = "stl10_unlabelled" if name == "unlabeled_X.bin" else "stl10"
        with pytest.raises(UserError, match=rf"{name} is missing; unpack the archive of stl10_binary anew"):
            listing(source, root)
    with pytest.raises(UserError, match=r"holds no stl10_binary; .*`centigan raw stl10`"):
        listing("stl10", tmp_path)


def test_what_is_there_gets_a_manifest_of_its_seven_files(root: Path, published: Published) -> None:
    (root / FOLDER / "readme.html").write_text("not read, so not listed")
    put_in_place("stl10", root, published=published)
    manifest = json.loads((root / "manifest.json").read_text())
    assert len(manifest) == 7
    for file, digest in manifest.items():
        assert hashlib.sha256((root / file).read_bytes()).hexdigest() == digest
    assert f"{FOLDER}/readme.html" not in manifest


def test_a_damaged_file_gets_no_manifest(root: Path, published: Published) -> None:
    (root / FOLDER / "unlabeled_X.bin").write_bytes(bytes(40 * IMAGE))
    with pytest.raises(UserError, match=r"unlabeled_X\.bin has MD5"):
        put_in_place("stl10", root, published=published)
    (root / FOLDER / "class_names.txt").unlink()
    (root / FOLDER / "unlabeled_X.bin").write_bytes(bytes(IMAGE))
    with pytest.raises(UserError, match=r"class_names\.txt is missing"):
        put_in_place("stl10", root, published=published)
    assert not (root / "manifest.json").exists()


def test_an_archive_that_is_there_is_unpacked_if_its_md5_is_right(
    made: Path, tmp_path: Path, published: Published
) -> None:
    root, archive = tmp_path / "root", tmp_path / "root/stl10_binary.tar.gz"
    root.mkdir()
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        tar.add(made / FOLDER, FOLDER)
    with pytest.raises(UserError, match=f"{archive} has MD5 {md5(archive)}, not 91f7769df0f1"):
        put_in_place("stl10", root)
    assert list(root.iterdir()) == [archive]
    right = published._replace(archive=Archive(archive.name, md5(archive)))
    put_in_place("stl10", root, published=right)
    assert {path.name for path in root.iterdir()} == {FOLDER, archive.name, "manifest.json"}
    assert list_stl10("stl10", root, published=right).checksummed


def test_without_network_the_address_and_the_place_are_told(tmp_path: Path, published: Published) -> None:
    url = "http://127.0.0.1:1/stl10_binary.tar.gz"  # nobody listens on port 1
    nowhere = published._replace(archive=Archive("stl10_binary.tar.gz", "", url))
    with pytest.raises(
        UserError, match=f"cannot download {url} .*put it.* at {tmp_path}/stl10_binary.tar.gz"
    ):
        put_in_place("stl10", tmp_path, published=nowhere)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", NAMES)
def test_both_sources_are_put_at_one_place(
    name: Name, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("--per-class", "1", "--held-out-per-class", "1")
    assert run_verb(["fixture", "stl10", "--out", "data/raw/stl10", *words]) == 0
    with caplog.at_level(logging.WARNING):
        assert run_verb(["raw", name]) == 0
    assert (tmp_path / "data/raw/stl10/manifest.json").exists()
    assert "unlabeled_X.bin: 20 of 100,000 images: not the published set" in caplog.text


def test_a_fixture_has_the_same_bytes_each_time_and_replaces_nothing(made: Path, tmp_path: Path) -> None:
    counts = {"classes": 10, "per_class": PER_CLASS, "held_out_per_class": HELD_OUT}
    write_stl10(tmp_path / "again", **counts)
    files = sorted((made / FOLDER).iterdir())
    assert len(files) == 7
    for file in files:
        assert (tmp_path / "again" / FOLDER / file.name).read_bytes() == file.read_bytes()
    with pytest.raises(UserError, match="is not empty"):
        write_stl10(tmp_path / "again", **counts)
    with pytest.raises(UserError, match="has 10 classes, not 5"):
        write_stl10(tmp_path / "few", **counts | {"classes": 5})
    with pytest.raises(UserError, match="would be taken for a damaged copy"):
        write_stl10(tmp_path / "many", **counts | {"per_class": stl10_raw.IMAGES["train_X.bin"] // 10})
    assert not (tmp_path / "many").exists()
