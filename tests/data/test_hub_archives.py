"""The Hub's former archives of ImageNet: a small one, whole, gzipped, and damaged."""

from pathlib import Path

import pytest
from small_ilsvrc import CLASSES, write_tar
from source_arrays import arrays_of

from centigan.data.sources import list_source, recognise
from centigan.errors import UserError
from centigan.settings.data import DataSettings


def settings(root: Path) -> DataSettings:
    return DataSettings(root=str(root), classes=CLASSES, split_size=2)


@pytest.fixture
def root(published: Path, tmp_path: Path) -> Path:
    """The archives of the other tests, packed anew, the training images in two tars."""
    root = tmp_path / "hub"
    (root / "data").mkdir(parents=True)
    images = list_source(settings(published)).images
    files = {name: [] for name in ("train_images_0", "train_images_1", "val_images")}
    for number, row in enumerate(images.itertuples()):
        data = Path(row.path).read_bytes()[row.offset : row.offset + row.size]
        tar = f"train_images_{number % 2}" if row.subset == "train" else "val_images"
        files[tar].append((f"{Path(row.name).stem}_{row.class_id}.JPEG", data))
    for name, content in files.items():
        write_tar(root / "data" / f"{name}.tar", content)
    return root


def test_images_and_labels_are_those_of_the_archives(root: Path, published: Path, tmp_path: Path) -> None:
    assert recognise(root) == "hub_archives"
    made = [arrays_of(settings(place), tmp_path / "made" / place.name, "01") for place in (published, root)]
    for name in ("images.npy", "labels.npy", "held_out_images.npy", "held_out_labels.npy", "facts.json"):
        assert (made[0] / name).read_bytes() == (made[1] / name).read_bytes()


@pytest.mark.parametrize("name", ["train_images_0", "train_images_1", "val_images"])
def test_gzipped_tars_are_to_be_unzipped(name: str, root: Path) -> None:
    (root / f"data/{name}.tar").rename(root / f"data/{name}.tar.gz")
    assert recognise(root) == "hub_archives"
    with pytest.raises(UserError, match=rf"{name}\.tar\.gz is gzipped.*`gunzip .*data/\*_images\*\.tar\.gz`"):
        list_source(settings(root))


def test_a_missing_tar_is_named(root: Path) -> None:
    (root / "data/train_images_1.tar").rename(root / "data/train_images_2.tar")
    with pytest.raises(UserError, match=r"data/train_images_1\.tar is missing"):
        list_source(settings(root))


def test_a_folder_without_them_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"holds no train_images_0\.tar, .*: put there train_images_0"):
        list_source(DataSettings(root=str(tmp_path), source="hub_archives"))


def test_an_image_without_a_class_is_named(root: Path) -> None:
    write_tar(root / "data/train_images_1.tar", [("n01440764_1.JPEG", b"\xff\xd8\xff")])
    with pytest.raises(UserError, match=r"train_images_1\.tar: the name of n01440764_1\.JPEG does not end"):
        list_source(settings(root))
