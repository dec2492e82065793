"""SVHN's cropped digits as a source: its format, what is read of a small set, and what may be wrong."""

import hashlib
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.io import savemat
from source_arrays import arrays_of

from centigan.cli import run_verb
from centigan.data.captioned_fixture import matlab
from centigan.data.completeness import published_totals
from centigan.data.decode import decode_planar
from centigan.data.index import build_index
from centigan.data.published_archive import Archive
from centigan.data.sources import list_source, recognise
from centigan.data.sources.listing import PLANAR, Listing, Range, read_ranges
from centigan.data.sources.svhn import CLASS_IDS, list_svhn
from centigan.data.svhn_fixture import write_svhn
from centigan.data.svhn_raw import FILES, IMAGES, Published, as_published, put_in_place, read_matlab
from centigan.data.verify import verify
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.preflight.proposal import explore
from centigan.settings.data import DataSettings

COUNTS = {"classes": 10, "per_class": 2, "held_out_per_class": 2}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small set, put in place; never written to."""
    root = tmp_path_factory.mktemp("svhn")
    write_svhn(root, **COUNTS)
    put_in_place("svhn", root)
    return root


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


@pytest.fixture
def published(made: Path) -> Published:
    """As if the small set were the published one."""
    files = {subset: Archive(f"{file}.mat", md5(made / f"{file}.mat")) for subset, file in FILES.items()}
    return Published({"train": (2,) * 10, "held_out": (2,) * 10}, files)


def settings(root: Path) -> DataSettings:
    return DataSettings(source="svhn", root=str(root), classes=10, split_size=10)


def listing(root: Path) -> Listing:
    return list_source(settings(root))


def pixels(images: pd.DataFrame) -> list[np.ndarray]:
    """(32, 32, 3) of each image."""
    rows = images[list(Range._fields)].itertuples(index=False, name=None)
    data = read_ranges(Range(*row) for row in rows)
    return [np.frombuffer(one, np.uint8).reshape(3, 32, 32).transpose(2, 1, 0) for one in data]


def two_images() -> dict[str, Any]:
    """Black but for a green pixel in row 5, column 20, of the second image, which shows a 0."""
    content = {"X": np.zeros((32, 32, 3, 2), np.uint8), "y": np.array([[7], [10]], np.uint8)}
    content["X"][5, 20, 1, 1] = 255
    return content


@pytest.mark.parametrize("compressed", [True, False])
def test_a_pixel_made_by_hand_is_in_its_row_and_column(tmp_path: Path, compressed: bool) -> None:
    for file in FILES.values():
        (tmp_path / f"{file}.mat").write_bytes(matlab(two_images(), compressed=compressed))
    put_in_place("svhn", tmp_path)
    found = listing(tmp_path)
    second = found.images[(found.images["subset"] == "train") & (found.images["class_id"] == "0")]
    assert list(second["name"]) == ["train_32x32_00001"]
    (data,) = read_ranges(Range(*row) for row in second[list(Range._fields)].itertuples(index=False))
    stored, by_column, planes = PLANAR[found.encoding]
    image = decode_planar(data, 32, stored, by_column=by_column, planes=planes).pixels
    assert np.argwhere(image).tolist() == [[5, 20, 1]]
    assert sorted(found.images["class_id"].unique()) == ["0", "7"]


@pytest.mark.parametrize(("subset", "split"), [("train", "train"), ("held_out", "test")])
def test_images_and_digits_are_those_that_torchvision_reads(
    made: Path, monkeypatch: pytest.MonkeyPatch, subset: str, split: str
) -> None:
    from torchvision.datasets import SVHN

    here = {
        name: [url, file, md5(made / f"{name}_32x32.mat")]
        for name, (url, file, _) in SVHN.split_list.items()
        if name != "extra"
    }
    monkeypatch.setattr(SVHN, "split_list", here)
    theirs = SVHN(made, split)
    images = listing(made).images
    images = images[images["subset"] == subset].sort_values("offset")
    np.testing.assert_array_equal(np.stack(pixels(images)), theirs.data.transpose(0, 2, 3, 1))
    assert list(images["class_id"]) == [str(label) for label in theirs.labels]


def test_the_same_pictures_as_png_in_class_folders_give_the_same_arrays(made: Path, tmp_path: Path) -> None:
    images, folders = listing(made).images, tmp_path / "folders"
    for row, image in zip(images.itertuples(), pixels(images), strict=True):
        file = folders / {"train": "train", "held_out": "val"}[row.subset] / row.class_id / f"{row.name}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(file)
    ours = arrays_of(settings(made), tmp_path / "ours")
    theirs = arrays_of(DataSettings(root=str(folders), classes=10, split_size=10), tmp_path / "theirs")
    for file in ("images.npy", "labels.npy", "held_out_images.npy", "held_out_labels.npy"):
        assert (ours / file).read_bytes() == (theirs / file).read_bytes()
    assert np.load(ours / "images.npy").shape == (20, 32, 32, 3)


def test_the_files_tell_that_it_is_svhn_and_how_large_its_images_are(root: Path) -> None:
    assert recognise(root) == "svhn"
    found = explore(root)
    assert (found.source, found.side, found.train, found.held_out) == ("svhn", 32, 20, 20)
    for mat in root.glob("*.mat"):
        mat.unlink()
    assert recognise(root) == "svhn"
    assert len(listing(root).images) == 40


def test_the_numbers_are_those_of_the_authors() -> None:
    real = as_published()
    assert {subset: sum(of) for subset, of in real.images.items()} == {"train": 73_257, "held_out": 26_032}
    assert [archive.name for archive in real.files.values()] == ["train_32x32.mat", "test_32x32.mat"]
    assert real.files["train"].md5 == "e26dedcc434d2e4c54c9b2d4a06d8373"
    assert real.files["held_out"].url.endswith("/test_32x32.mat")


def test_the_published_set_has_its_numbers_and_checksums(root: Path, published: Published) -> None:
    found = list_svhn(root, published=published)
    assert found.checksummed
    assert found.found == [
        f"{file}: {n} images, MD5 as published"
        for file, n in (("train_32x32.mat", 20), ("test_32x32.mat", 20))
    ]
    assert published_totals(found) == {"train": 20, "held_out": 20}
    assert found.classes == CLASS_IDS


def test_another_set_is_read_and_told_and_no_verified_one(
    made: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    found = listing(made)
    assert not found.checksummed
    assert found.found == [
        "train_32x32.mat: 20 of 73,257 images: not the published set",
        "test_32x32.mat: 20 of 26,032 images: not the published set",
    ]
    build_index(Layout("svhn", tmp_path), settings(made))
    assert "class 0 has 2 of 4948 train images" in caplog.text
    with pytest.raises(
        UserError,
        match=r"class 0 has 2 of 4948 train .*Fetch the data anew; a run goes on with what is there$",
    ):
        verify(settings(made))


def test_further_images_are_told_and_not_used(root: Path) -> None:
    (root / "extra_32x32.mat").write_bytes(b"not read")
    found = listing(root)
    assert found.found[2:] == ["extra_32x32.mat: lies there, and no training uses it"]
    assert len(found.images) == 40


HERE = two_images()
WRONG: dict[str, dict[str, Any]] = {
    r"holds y \(2, 1\) uint8, not X": {"y": HERE["y"]},
    r"X \(32, 32, 3, 2\) uint8, y \(2, 1\) uint8, z \(1, 1\) int64, not X .* alone": HERE | {"z": 1},
    r"X \(2, 3, 32, 32\) uint8, y": HERE | {"X": HERE["X"].transpose(3, 2, 0, 1)},
    r"X \(32, 32, 3, 2\) double, y": HERE | {"X": HERE["X"] / 255},
    r"X .*, y \(3, 1\) uint8, not X": HERE | {"y": np.ones((3, 1), np.uint8)},
    r"X .*, y \(2, 1\) cell, not X": HERE | {"y": np.array([["one"], ["two"]], object)},
    r"image 0 has label 0, not one of 1 to 10": HERE | {"y": np.array([[0], [1]], np.uint8)},
    r"image 1 has label 11, not one of 1 to 10": HERE | {"y": np.array([[1], [11]], np.uint8)},
    r"image 1 has label 1\.5, not one": HERE | {"y": np.array([[1], [1.5]])},
}


@pytest.mark.parametrize("message", WRONG)
def test_a_file_of_something_else_is_named_in_one_sentence(message: str, root: Path) -> None:
    path = root / "train_32x32.mat"
    path.write_bytes(matlab(WRONG[message]))
    with pytest.raises(
        UserError, match=f"{path}.* {message}" if "image" not in message else f"{path}: {message}"
    ) as error:
        put_in_place("svhn", root)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kept", [0, 100, 130, 15_000, -100])
def test_a_matlab_file_that_is_cut_short_is_damaged(kept: int, root: Path) -> None:
    path = root / "test_32x32.mat"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(UserError, match=f"{path} (is damaged or no file of SVHN|holds X .* alone)"):
        put_in_place("svhn", root)


def test_labels_may_be_numbers_of_any_kind(tmp_path: Path) -> None:
    savemat(tmp_path / "a.mat", two_images() | {"y": np.array([[7.0], [10.0]])})
    assert read_matlab(tmp_path / "a.mat")[1].tolist() == [7, 0]


def test_only_compressed_files_are_to_be_made_plain_first(root: Path) -> None:
    (root / "test_32x32.bin").unlink()
    with pytest.raises(
        UserError, match=rf"test_32x32\.mat is compressed, .*`centigan raw svhn --root {root}`"
    ):
        listing(root)
    (root / "test_32x32.mat").unlink()
    with pytest.raises(UserError, match=r"test_32x32\.bin is missing: put test_32x32\.mat there and run"):
        listing(root)


def test_a_plain_file_must_be_whole_and_of_the_file_beside_it(root: Path) -> None:
    path = root / "train_32x32.bin"
    whole = path.read_bytes()
    assert whole[:16].hex() == md5(root / "train_32x32.mat")
    for damaged, message in {
        whole[:-1]: "has 61,491 bytes: it is cut short; remove it",
        whole[:16]: "has 16 bytes: it is cut short",
        bytes(16)
        + whole[16:]: r"was made of another train_32x32\.mat than lies beside; run `centigan raw svhn",
        whole[:32] + b"\x0a" + whole[33:]: "is damaged: it is not what was written; remove it",
        whole[:-1] + bytes([whole[-1] ^ 255]): "is damaged",
    }.items():
        path.write_bytes(damaged)
        with pytest.raises(UserError, match=f"{path} {message}"):
            listing(root)
    for damaged in (bytes(16) + whole[16:], whole[:-1] + bytes([whole[-1] ^ 255])):
        path.write_bytes(damaged)
        put_in_place("svhn", root)
        assert path.read_bytes() == whole


def test_as_many_images_as_published_of_another_file_are_damaged(root: Path, published: Published) -> None:
    mat, plain = root / "train_32x32.mat", root / "train_32x32.bin"
    (root / "manifest.json").unlink()
    content = dict(zip(("X", "y"), read_matlab(mat), strict=True))
    mat.write_bytes(matlab({"X": content["X"].T, "y": np.where(content["y"], content["y"], 10)[:, None]}))
    right = published.files["train"].md5
    with pytest.raises(UserError, match=f"{mat} has MD5 {md5(mat)}, not {right} as published"):
        put_in_place("svhn", root, published=published)
    plain.write_bytes(bytes.fromhex(md5(mat)) + plain.read_bytes()[16:])
    mat.unlink()
    with pytest.raises(UserError, match=f"{plain} was made of a file with MD5 [0-9a-f]*, not {right} as"):
        list_svhn(root, published=published)
    assert not (root / "manifest.json").exists()


def test_what_is_there_gets_a_manifest_and_is_not_made_again(root: Path) -> None:
    manifest = json.loads((root / "manifest.json").read_text())
    assert list(manifest) == ["train_32x32.bin", "test_32x32.bin"]
    for file, digest in manifest.items():
        assert hashlib.sha256((root / file).read_bytes()).hexdigest() == digest
    before = {file: (root / file).stat().st_mtime_ns for file in manifest}
    put_in_place("svhn", root)
    (root / "train_32x32.mat").unlink()
    put_in_place("svhn", root)
    assert before == {file: (root / file).stat().st_mtime_ns for file in manifest}


def test_without_network_the_address_and_the_place_are_told(tmp_path: Path, published: Published) -> None:
    url = "http://127.0.0.1:1/train_32x32.mat"  # nobody listens on port 1
    first = published.files["train"]._replace(url=url)
    nowhere = published._replace(files=published.files | {"train": first})
    with pytest.raises(
        UserError, match=f"cannot download {url} .*put it.* at {tmp_path}/train_32x32.mat, then"
    ):
        put_in_place("svhn", tmp_path, published=nowhere)
    assert list(tmp_path.iterdir()) == []


def test_verbs_write_a_small_set_and_put_it_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("--per-class", "1", "--held-out-per-class", "1")
    assert run_verb(["fixture", "svhn", "--out", "data/raw/svhn", *words]) == 0
    with caplog.at_level(logging.WARNING):
        assert run_verb(["raw", "svhn"]) == 0
    assert (tmp_path / "data/raw/svhn/manifest.json").exists()
    assert "train_32x32.mat: 10 of 73,257 images: not the published set" in caplog.text


def test_a_fixture_has_the_same_bytes_each_time_and_replaces_nothing(made: Path, tmp_path: Path) -> None:
    write_svhn(tmp_path / "again", **COUNTS)
    assert {file.name for file in (tmp_path / "again").iterdir()} == {"train_32x32.mat", "test_32x32.mat"}
    for file in (tmp_path / "again").iterdir():
        assert (made / file.name).read_bytes() == file.read_bytes()
    with pytest.raises(UserError, match="is not empty"):
        write_svhn(tmp_path / "again", **COUNTS)
    with pytest.raises(UserError, match="has 10 classes, not 5"):
        write_svhn(tmp_path / "few", **COUNTS | {"classes": 5})


def test_a_fixture_is_never_as_large_as_the_published_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(IMAGES, "train", (2,) * 10)
    with pytest.raises(UserError, match="would be taken for a damaged copy"):
        write_svhn(tmp_path / "many", **COUNTS)
    assert not (tmp_path / "many").exists()
