import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from centigan.data.embedded import PHOTOGRAPHS, put_in_place
from centigan.data.sources.folders import class_folders
from centigan.data.sources.listing import Range, read_ranges
from centigan.data.sources.sift import Sieve
from centigan.data.sources.stacked import list_stacked_digits
from centigan.errors import UserError


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("raw") / "digits"
    put_in_place("digits", root)
    return root


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("raw") / "photos"
    put_in_place("photos", root)
    return root


def test_digits_are_all_1797_images_a_fifth_held_out(digits: Path) -> None:
    train, val = list(digits.glob("train/*/*.png")), list(digits.glob("val/*/*.png"))
    assert len(train) + len(val) == 1797
    assert 0.2 <= len(val) / 1797 < 0.203
    assert class_folders(digits / "train", Sieve(digits)) == list("0123456789")
    with Image.open(train[0]) as image:
        assert image.size == (8, 8)


def test_photos_are_400_and_50_crops_of_20_photographs(photos: Path) -> None:
    assert class_folders(photos / "train", Sieve(photos)) == sorted(PHOTOGRAPHS)
    for name in PHOTOGRAPHS:
        assert len(list((photos / "train" / name).glob("*.jpg"))) == 400
        assert len(list((photos / "val" / name).glob("*.jpg"))) == 50


@pytest.fixture(scope="module")
def stacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("raw") / "stacked_digits"
    put_in_place("stacked_digits", root)
    return root


def stacks(root: Path, subset: str, count: int) -> np.ndarray:
    """(1000, count, 3, 8, 8): class, image, channel."""
    return np.frombuffer((root / f"{subset}.bin").read_bytes(), np.uint8).reshape(1000, count, 3, 8, 8)


def pictures(root: Path, subset: str, digit: int) -> set[bytes]:
    """The pixels of every image of a digit."""
    return {np.asarray(Image.open(path)).tobytes() for path in root.glob(f"{subset}/{digit}/*.png")}


@pytest.mark.parametrize(("subset", "of", "count"), [("train", "train", 10), ("held_out", "val", 2)])
def test_a_stack_shows_the_digits_of_its_class_and_held_out_ones_are_of_held_out_digits_alone(
    stacked: Path, digits: Path, subset: str, of: str, count: int
) -> None:
    images = stacks(stacked, subset, count)
    for digit in range(10):
        there = pictures(digits, of, digit)
        for channel in range(3):
            own = images[[number for number in range(1000) if f"{number:03d}"[channel] == str(digit)]]
            assert {one.tobytes() for one in own[:, :, channel].reshape(-1, 8, 8)} <= there
    assert len(np.unique(images.reshape(-1, 192), axis=0)) > 0.99 * 1000 * count


def test_stacks_are_read_by_offset_and_a_file_cut_short_is_refused(stacked: Path, tmp_path: Path) -> None:
    listing = list_stacked_digits(stacked)
    assert listing.classes[7] == "007"
    assert len(listing.images) == 12_000
    row = listing.images[listing.images["class_id"] == "123"].iloc[4]
    (data,) = read_ranges([Range(*row[list(Range._fields)])])
    assert data == stacks(stacked, "train", 10)[123, 4].tobytes()
    put_in_place("stacked_digits", tmp_path / "again")
    assert (tmp_path / "again/train.bin").read_bytes() == (stacked / "train.bin").read_bytes()
    (tmp_path / "again/train.bin").write_bytes(data)
    with pytest.raises(UserError, match="192 bytes instead of 1920000"):
        list_stacked_digits(tmp_path / "again")


def test_noise_is_uniform_in_every_pixel_and_no_image_stands_twice(tmp_path: Path) -> None:
    put_in_place("noise", tmp_path / "noise")
    paths = sorted((tmp_path / "noise").glob("*/*/*.png"))
    assert len(paths) == 2 * (1000 + 200)
    images = np.stack([np.asarray(Image.open(path)) for path in paths])
    assert images.shape[1:] == (32, 32)
    assert len(np.unique(images.reshape(len(images), -1), axis=0)) == len(images)
    shares = np.bincount(images.ravel(), minlength=256) / images.size
    assert np.allclose(shares, 1 / 256, rtol=0.05)  # 10 deviations of a count of 9,600
    beside = np.corrcoef(images[:, :, :-1].ravel(), images[:, :, 1:].ravel())[0, 1]
    assert abs(beside) < 0.004  # 6 deviations


def test_the_held_out_strip_of_every_photograph_has_room_for_a_crop() -> None:
    from centigan.data import embedded

    for package, file in PHOTOGRAPHS.values():
        with Image.open(embedded.packaged(package, file)) as photograph:
            strip = int(photograph.width * embedded.HELD_OUT_STRIP)
        assert strip >= embedded.CROP_SIDES[0]


def test_the_manifest_knows_every_file_and_the_bytes_are_the_same_twice(digits: Path, tmp_path: Path) -> None:
    manifest = json.loads((digits / "manifest.json").read_text())
    files = [p.relative_to(digits).as_posix() for p in digits.rglob("*.png")]
    assert sorted(files) == sorted(manifest)
    some = "train/7/0001.png"
    assert hashlib.sha256((digits / some).read_bytes()).hexdigest() == manifest[some]
    put_in_place("digits", tmp_path / "again")
    assert (tmp_path / "again" / "manifest.json").read_bytes() == (digits / "manifest.json").read_bytes()
