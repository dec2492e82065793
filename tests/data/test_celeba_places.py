"""Where CelebA's images may lie, what is said of those that lie elsewhere, and odd members of its zip."""

import shutil
import zipfile
from functools import partial
from pathlib import Path

import pytest
import refused

from centigan.data.celeba_fixture import write_celeba
from centigan.data.sources import list_source
from centigan.data.sources.celeba import FOLDER, ZIP
from centigan.data.sources.celeba_lists import ATTRIBUTES, PARTITION
from centigan.data.sources.listing import Listing
from centigan.settings.data import DataSettings


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small set; never written to."""
    root = tmp_path_factory.mktemp("celeba")
    write_celeba(root, classes=1, per_class=4, held_out_per_class=2)
    return root


def listing(root: Path) -> Listing:
    return list_source(DataSettings(root=str(root), source="celeba"))


refusal = partial(refused.refusal, source="celeba")


def unpack(root: Path, place: str) -> Path:
    """Move the images from the zip into a folder below the root."""
    folder = root / place
    with zipfile.ZipFile(root / ZIP) as archive:
        archive.extractall(root / "kept")
    (root / ZIP).unlink()
    folder.mkdir(parents=True, exist_ok=True)
    for image in (root / "kept" / FOLDER).iterdir():
        image.rename(folder / image.name)
    shutil.rmtree(root / "kept")
    return folder


@pytest.mark.parametrize("name", ["", "."])
def test_a_member_without_a_name_is_passed_over(root: Path, name: str) -> None:
    with zipfile.ZipFile(root / ZIP, "a") as archive:
        archive.writestr(zipfile.ZipInfo("x"), archive.read(f"{FOLDER}/000001.jpg"))
        archive.getinfo("x").filename = name
    found = listing(root)
    assert len(found.images) == 6
    assert found.passed_over == {"no image": [f"{ZIP}/{name}"]}


@pytest.mark.parametrize("place", [FOLDER, f"Img/{FOLDER}", f"{FOLDER}/{FOLDER}"])
def test_beside_an_empty_folder_the_zip_is_read_and_that_is_told(root: Path, place: str) -> None:
    (root / place).mkdir(parents=True)
    (root / place / "readme.txt").touch()
    found = listing(root)
    assert (len(found.images), found.encoding) == (6, "zipped")
    assert found.found[:2] == [f"{ZIP}: 8 images", f"{place}/ holds no images, so {ZIP} is read"]


def test_a_folder_with_images_is_read_rather_than_the_zip_or_an_empty_one(root: Path) -> None:
    shutil.copy(root / ZIP, root / "again.zip")
    unpack(root, f"Img/{FOLDER}/{FOLDER}")
    (root / "again.zip").rename(root / ZIP)
    (root / FOLDER).mkdir()
    found = listing(root)
    assert (len(found.images), found.encoding) == (6, "image")
    assert found.found[0] == f"Img/{FOLDER}/{FOLDER}: 8 images"


@pytest.mark.parametrize("place", ["", "faces", "Img/images"])
def test_images_that_lie_elsewhere_are_named(root: Path, place: str) -> None:
    folder = unpack(root, place)
    said = refusal(root)
    assert f"{root} holds no {ZIP}: put there {ZIP} (or {FOLDER}/, which is in it)" in said
    assert said.endswith(f"; {folder} holds images of these names; move those to {root / FOLDER}")
    (root / FOLDER).mkdir()
    assert refusal(root) == (
        f"{root / FOLDER} holds none of 6 images that {root / PARTITION} names, such as 000001.jpg: {folder} "
        f"holds images of these names; move those to {root / FOLDER}"
    )


def test_images_that_are_nowhere_are_told_by_where_they_are_looked_for(root: Path) -> None:
    folder = unpack(root, FOLDER)
    for image in sorted(folder.iterdir())[:4]:
        image.unlink()
    assert refusal(root).startswith(f"{folder} holds none of 4 images that {root / PARTITION} names, such as")
    for image in folder.iterdir():
        image.unlink()
    assert refusal(root).endswith("names, such as 000001.jpg; put them there")
    shutil.rmtree(folder)
    (root / ATTRIBUTES).rename(root / "000009.png")
    assert refusal(root).endswith(".html")


def test_images_of_other_names_are_told_by_an_example_of_both(root: Path) -> None:
    folder = unpack(root, FOLDER)
    for image in folder.iterdir():
        image.rename(image.with_suffix(".png"))
    assert "such as 000001.jpg; images in" in refusal(root)
    assert f"{folder} are called otherwise, such as 000001.png: fetch images and list of" in refusal(root)


def test_a_zip_of_other_images_is_named(root: Path) -> None:
    with zipfile.ZipFile(root / ZIP, "w") as archive:
        archive.writestr(f"{FOLDER}/x.jpg", b"")
    assert refusal(root).startswith(f"{root / ZIP} holds none of 6 images that {root / PARTITION} names")
