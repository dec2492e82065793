import hashlib
import json
from pathlib import Path

import pytest
from PIL import Image

from centigan.data.embedded import PHOTOGRAPHS, write_embedded
from centigan.data.sources.folders import class_folders
from centigan.data.sources.sift import Sieve


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("raw") / "digits"
    write_embedded("digits", root)
    return root


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("raw") / "photos"
    write_embedded("photos", root)
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
    write_embedded("digits", tmp_path / "again")
    assert (tmp_path / "again" / "manifest.json").read_bytes() == (digits / "manifest.json").read_bytes()
