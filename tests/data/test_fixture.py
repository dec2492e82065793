import gzip
import hashlib
import io
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simplejpeg
from PIL import ExifTags, Image, ImageChops, ImageOps
from scipy.io import loadmat

from centigan.data import fixture
from centigan.data.fixture import oddities, write_ilsvrc
from centigan.data.sources.archives import TRAIN
from centigan.data.sources.archives import VALIDATION as VAL
from centigan.data.sources.devkit import ARCHIVE as DEVKIT
from centigan.errors import UserError

CLASSES, PER_CLASS, HELD_OUT = 5, 3, 2
ODD = oddities()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("ilsvrc")
    write_ilsvrc(root, classes=CLASSES, per_class=PER_CLASS, held_out_per_class=HELD_OUT, oddities=True)
    return root


@pytest.fixture(scope="module")
def train(root: Path) -> dict[str, dict[str, bytes]]:
    """Class -> name -> file, in the order of the archives."""
    return {
        name.removesuffix(".tar"): members(data)
        for name, data in members((root / TRAIN).read_bytes()).items()
    }


@pytest.fixture(scope="module")
def synsets(root: Path) -> np.ndarray:
    mat = members(gzip.decompress((root / DEVKIT).read_bytes()))["ILSVRC2012_devkit_t12/data/meta.mat"]
    return loadmat(io.BytesIO(mat), squeeze_me=True)["synsets"]


def members(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as tar:
        return {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}


def opened(name: str) -> Image.Image:
    return Image.open(io.BytesIO(ODD[name]))


def levels_off(image: Image.Image) -> float:
    """Mean difference from the picture that all oddities show."""
    picture = np.asarray(opened("PNG named JPEG"), dtype=float)
    return float(np.abs(np.asarray(image.convert("RGB"), dtype=float) - picture).mean())


def test_torchvision_unpacks_all_three_files(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torchvision.datasets import imagenet

    for name in (TRAIN, VAL, DEVKIT):
        (tmp_path / name).symlink_to(root / name)
    md5s = {
        key: (name, hashlib.md5((root / name).read_bytes()).hexdigest())
        for key, (name, _) in imagenet.ARCHIVE_META.items()
    }
    monkeypatch.setattr(imagenet, "ARCHIVE_META", md5s)
    imagenet.parse_devkit_archive(tmp_path)
    words, held_out = imagenet.load_meta_file(tmp_path)
    assert len(words) == CLASSES
    assert Counter(held_out) == dict.fromkeys(words, HELD_OUT)
    for subset, per_class in (("train", PER_CLASS), ("val", HELD_OUT)):
        data = imagenet.ImageNet(tmp_path, subset)
        assert data.wnids == sorted(words)
        assert Counter(data.targets) == dict.fromkeys(range(CLASSES), per_class)
        for k in range(len(data)):
            data[k]


def test_the_training_archive_holds_an_archive_of_jpegs_for_each_class(
    train: dict[str, dict[str, bytes]], synsets: np.ndarray
) -> None:
    assert list(train) == sorted(synsets["WNID"][:CLASSES])
    for wnid, files in train.items():
        assert len(files) == PER_CLASS
        assert all(name.startswith(f"{wnid}_") and name.endswith(".JPEG") for name in files)


def test_the_ids_of_the_classes_are_not_in_sorted_order(synsets: np.ndarray) -> None:
    wnids = list(synsets["WNID"][:CLASSES])
    assert wnids != sorted(wnids)


def test_meta_mat_has_the_official_fields_leaves_first(synsets: np.ndarray) -> None:
    fields = "ILSVRC2012_ID WNID words gloss num_children children wordnet_height num_train_images"
    assert synsets.dtype.names == tuple(fields.split())
    assert list(synsets["ILSVRC2012_ID"]) == list(range(1, len(synsets) + 1))
    leaf = synsets["num_children"] == 0
    assert list(leaf) == [True] * CLASSES + [False] * (len(synsets) - CLASSES)
    assert list(synsets["num_train_images"]) == list(np.where(leaf, PER_CLASS, 0))
    below = np.concatenate([np.atleast_1d(children) for children in synsets["children"]])
    assert sorted(below) == list(range(1, len(synsets)))  # each below one other, but for the root


def test_words_are_unique_beyond_the_thousand_known() -> None:
    mat = fixture._meta_mat([f"n{k:08d}" for k in range(2103)], per_class=1300)
    synsets = loadmat(io.BytesIO(mat), squeeze_me=True)["synsets"]
    assert len(set(synsets["words"])) == len(synsets) == 2103
    assert synsets["ILSVRC2012_ID"][2000] == 2001
    assert synsets["num_train_images"][2000] == 1300


def test_held_out_images_are_numbered_and_their_classes_shuffled(root: Path) -> None:
    names = list(members((root / VAL).read_bytes()))
    assert names == [f"ILSVRC2012_val_{k:08d}.JPEG" for k in range(1, CLASSES * HELD_OUT + 1)]
    devkit = members(gzip.decompress((root / DEVKIT).read_bytes()))
    truth = devkit["ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt"].decode().splitlines()
    assert Counter(map(int, truth)) == dict.fromkeys(range(1, CLASSES + 1), HELD_OUT)
    assert truth != sorted(truth)


def test_images_are_like_those_of_imagenet(tmp_path: Path) -> None:
    write_ilsvrc(tmp_path, classes=20, per_class=10, held_out_per_class=1)
    archives = members((tmp_path / TRAIN).read_bytes()).values()
    files = [data for archive in archives for data in members(archive).values()]
    assert len(set(files)) == 200
    headers = np.array([simplejpeg.decode_jpeg_header(data)[:2] for data in files])
    assert {simplejpeg.decode_jpeg_header(data)[2:] for data in files} == {("YCbCr", "420")}
    assert 90e3 < np.mean([len(data) for data in files]) < 130e3
    assert np.all(np.abs(np.median(headers, axis=0) - (375, 500)) < (40, 40))
    assert headers.min() < 300
    assert headers.max() > 900


def test_classes_differ_by_more_than_their_images() -> None:
    def colour(label: int) -> np.ndarray:
        images = [simplejpeg.decode_jpeg(fixture._jpeg(0, "train", label, k)) for k in range(4)]
        return np.array([image.mean(axis=(0, 1)) for image in images])

    one, other = colour(0), colour(20)  # crops of one photograph
    within = max(one.std(axis=0).max(), other.std(axis=0).max())
    assert np.abs(one.mean(axis=0) - other.mean(axis=0)).max() > within


def test_the_same_call_gives_the_same_bytes_and_another_seed_others(root: Path, tmp_path: Path) -> None:
    sizes: dict[str, Any] = {"classes": CLASSES, "per_class": PER_CLASS, "held_out_per_class": HELD_OUT}
    write_ilsvrc(tmp_path / "again", **sizes, oddities=True)
    write_ilsvrc(tmp_path / "other", **sizes, oddities=True, seed=1)
    for name in (TRAIN, VAL, DEVKIT):
        assert (tmp_path / "again" / name).read_bytes() == (root / name).read_bytes()
        assert (tmp_path / "other" / name).read_bytes() != (root / name).read_bytes()
    assert sorted(path.name for path in root.iterdir()) == sorted((TRAIN, VAL, DEVKIT))


@pytest.mark.parametrize("name", [TRAIN, VAL, DEVKIT])
def test_a_file_that_exists_is_refused_and_kept(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("precious")
    with pytest.raises(UserError, match=rf"{name} exists; remove it"):
        write_ilsvrc(tmp_path, classes=2, per_class=1)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["precious"]


@pytest.mark.parametrize(
    ("classes", "per_class", "message"), [(1, 9, "2 to 1000 classes"), (4, 2, "9 oddities")]
)
def test_a_fixture_too_small_is_refused(classes: int, per_class: int, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        write_ilsvrc(tmp_path, classes=classes, per_class=per_class, oddities=True)
    assert not list(tmp_path.iterdir())


def test_each_oddity_stands_in_for_one_training_image(
    train: dict[str, dict[str, bytes]], synsets: np.ndarray
) -> None:
    for k, data in enumerate(ODD.values()):
        assert list(train[synsets["WNID"][k % CLASSES]].values())[k // CLASSES] == data
    assert train["n02105855"]["n02105855_2933.JPEG"] == ODD["PNG named JPEG"]


def test_one_oddity_is_a_png_and_the_others_are_jpegs() -> None:
    assert {name for name in ODD if opened(name).format == "PNG"} == {"PNG named JPEG"}
    assert {opened(name).format for name in ODD} == {"PNG", "JPEG"}
    assert {name for name in ODD if opened(name).size != (400, 300)} == {"EXIF orientation 6"}


@pytest.mark.parametrize(("name", "transform"), [("CMYK", 0), ("YCCK", 2)])
def test_cmyk_with_adobes_marker_is_inverted(name: str, transform: int) -> None:
    image = opened(name)
    assert image.mode == "CMYK"
    assert image.info["adobe_transform"] == transform
    assert np.asarray(image)[..., 3].max() > 100  # there is black ink to get wrong
    assert levels_off(image) < 3  # Pillow always inverts


def test_cmyk_without_adobes_marker_is_not_inverted() -> None:
    image = opened("CMYK without Adobe marker")
    assert image.mode == "CMYK"
    assert "adobe" not in image.info
    assert levels_off(ImageChops.invert(image)) < 3


def test_the_greyscale_jpeg_has_one_component() -> None:
    image = opened("greyscale")
    assert image.mode == "L"
    assert levels_off(image) < 40


@pytest.mark.parametrize("orientation", [6, 1])
def test_the_orientation_in_the_exif_turns_the_pixels_upright(orientation: int) -> None:
    image = opened(f"EXIF orientation {orientation}")
    assert image.getexif()[ExifTags.Base.Orientation] == orientation
    assert levels_off(ImageOps.exif_transpose(image)) < 3


def test_the_damaged_exif_ends_inside_its_directory() -> None:
    with pytest.warns(UserWarning, match="Corrupt EXIF"):
        image = opened("damaged EXIF")
    assert levels_off(image) < 3


def test_the_extraneous_bytes_are_what_a_strict_decoder_stops_at() -> None:
    data = ODD["bytes before the end"]
    with pytest.raises(ValueError, match="extraneous bytes before marker 0xd9"):
        simplejpeg.decode_jpeg(data)
    assert levels_off(Image.fromarray(simplejpeg.decode_jpeg(data, strict=False))) < 3
