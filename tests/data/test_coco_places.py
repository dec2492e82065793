"""Where COCO's images may lie, what is said of those that lie elsewhere, and that none is in both parts."""

import json
import shutil
from functools import partial
from pathlib import Path

import pytest
import refused

from centigan.data.captioned_fixture import write_captioned
from centigan.data.index import build_index
from centigan.data.sources import list_source
from centigan.data.sources.coco_captions import annotations
from centigan.data.sources.listing import Listing
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.settings.data import DataSettings

FIRST = "COCO_train2014_000000000000.jpg"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small set; never written to."""
    root = tmp_path_factory.mktemp("coco")
    write_captioned("coco_captions", root, classes=2, per_class=2, held_out_per_class=1)
    return root


def listing(root: Path) -> Listing:
    return list_source(DataSettings(root=str(root), source="coco_captions"))


refusal = partial(refused.refusal, source="coco_captions")


def move(root: Path, place: str) -> None:
    (root / place).parent.mkdir(exist_ok=True)
    (root / Path(place).name).rename(root / place)


def test_images_may_lie_in_a_folder_for_them(made: Path, root: Path) -> None:
    before = listing(made)
    for part in ("train2014", "val2014"):
        move(root, f"images/{part}")
    (root / "train2014").mkdir()  # without images it is none
    found = listing(root)
    assert found.images.drop(columns="path").equals(before.images.drop(columns="path"))
    assert found.found[0].endswith("were published, in images/train2014/")
    assert before.found[0].endswith("were published, in train2014/")


@pytest.mark.parametrize("place", ["pictures/train2014", "train2014/train2014"])
def test_images_that_lie_elsewhere_are_named(root: Path, place: str) -> None:
    (root / "train2014").rename(root / "kept")
    (root / place).parent.mkdir(exist_ok=True)
    (root / "kept").rename(root / place)
    assert (
        f"4 images that {annotations(root, 'train', '2014')} names, such as {FIRST}: {root / place} holds "
        f"images of these names; move those to {root / 'train2014'}"
    ) in refusal(root)


def test_what_is_missing_is_said_of_both_parts_at_once(root: Path) -> None:
    (root / "images").mkdir()
    for image in (root / "train2014").iterdir():
        image.rename(root / "images" / image.name)
    (root / "train2014").rmdir()
    shutil.rmtree(root / "val2014")
    said = refusal(root)
    assert f"{root}/train2014 is missing, and should hold 4 images that" in said
    assert f"{root}/images holds images of these names; move those to {root}/train2014" in said
    assert f"{root}/val2014 is missing, and should hold 2 images that" in said
    assert said.endswith("; put them there")


@pytest.mark.parametrize("year", ["2014", "2017"])
def test_images_of_other_names_are_told_by_an_example_of_both(root: Path, year: str) -> None:
    (root / "train2014").rename(root / f"train{year}")
    for image in sorted((root / f"train{year}").iterdir()):
        image.rename(image.with_name(image.name.removeprefix("COCO_train2014_")))
    said = refusal(root)
    assert f"such as {FIRST}; images in {root}/train{year} are called otherwise, such as 000000" in said
    assert "val2014" not in said


def test_images_of_which_none_can_be_used_are_there(root: Path) -> None:
    for image in (root / "train2014").iterdir():
        image.unlink()
        image.symlink_to("nowhere")
    assert len(listing(root).rejected) == 4


def test_an_image_of_both_parts_is_refused(root: Path) -> None:
    train, val = (annotations(root, part, "2014") for part in ("train", "val"))
    copied = train.read_text()
    val.write_text(copied)
    said = refusal(root)
    assert f"{val} has 4 file names of images that {train.name} has, too, the first {FIRST}" in said
    assert f"{val} has 4 ids of images that {train.name} has, too, the first 0: what is trained on" in said
    images = json.loads(copied)
    for image in images["images"]:
        image["file_name"] = f"other_{image['file_name']}"
    val.write_text(json.dumps(images))
    said = refusal(root)
    assert "has 4 ids" in said
    assert "file names" not in said


def test_of_annotations_of_both_years_those_are_read_whose_images_are_there(root: Path) -> None:
    for part in ("train", "val"):
        shutil.copy(annotations(root, part, "2014"), annotations(root, part, "2017"))
        (root / f"{part}2014").rename(root / f"{part}2017")
    assert listing(root).found[0].startswith("captions_train2017.json: ")


def test_why_a_class_has_no_images_is_told_where_none_can_be_used(root: Path, tmp_path: Path) -> None:
    for image in (root / "train2014").iterdir():
        image.unlink()
        image.symlink_to("nowhere")
    settings = DataSettings(root=str(root), source="coco_captions", classes=1, split_size=1)
    with pytest.raises(
        UserError,
        match=r"holds no train images; .*; 4 of all cannot be used, the first: .* is a link to noth",
    ):
        build_index(Layout("coco", tmp_path / "project"), settings)
