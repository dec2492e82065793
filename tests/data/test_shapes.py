"""Drawn shapes: a class's attributes are what its images show."""

from itertools import combinations
from math import pi
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from centigan.data.embedded import put_in_place
from centigan.data.index import build_index
from centigan.data.shapes import (
    CLASSES,
    COLOURS,
    FARTHEST,
    GREY,
    JITTER,
    SHAPES,
    SIDE,
    SIZES,
    attributes_of,
    outline,
)
from centigan.layout import Layout
from centigan.manifest import read_object
from centigan.settings.data import DataSettings
from centigan.settings.sources import ABOUT

FILLED = {"circle": pi / 4, "square": 1.0, "triangle": 0.5}  # of the box around it


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("raw") / "shapes"
    put_in_place("shapes", root)
    return root


def images(root: Path, subset: str, class_id: str) -> np.ndarray:
    """(N, 32, 32, 3)."""
    paths = sorted((root / subset / class_id).glob("*.png"))
    return np.stack([np.asarray(Image.open(path)) for path in paths]).astype(float)


def cover(image: np.ndarray, colour: str) -> np.ndarray:
    """(32, 32): how much of each pixel is of the colour, the rest being grey."""
    towards = np.subtract(COLOURS[colour], GREY)
    return (image - GREY) @ towards / (towards @ towards)


@pytest.mark.parametrize("class_id", CLASSES)
def test_a_class_shows_its_colour_shape_and_size(shapes: Path, class_id: str) -> None:
    colour, shape, size = attributes_of(class_id)
    for image in images(shapes, "train", class_id):
        part = cover(image, colour)
        assert np.abs(image - GREY - part[..., None] * np.subtract(COLOURS[colour], GREY)).max() < 3
        assert part.sum() == pytest.approx(pi * SIZES[size] ** 2, rel=2.5 * JITTER)  # squared
        wide, high = (part.max(axis).sum() for axis in (0, 1))
        filled = part.sum() / wide / high
        assert min(FILLED, key=lambda name: abs(FILLED[name] - filled)) == shape


def test_there_are_36_classes_of_60_and_12_images_all_different(shapes: Path) -> None:
    assert len(set(CLASSES)) == len(COLOURS) * len(SHAPES) * len(SIZES) == ABOUT["shapes"].classes == 36
    for class_id in CLASSES:
        train, held_out = (images(shapes, subset, class_id) for subset in ("train", "val"))
        assert (len(train), len(held_out)) == (60, 12)
        assert len({image.tobytes() for image in (*train, *held_out)}) == 72


def test_sizes_and_colours_lie_apart_and_no_shape_is_cut() -> None:
    assert (1 + JITTER) * SIZES["small"] < 0.7 * (1 - JITTER) * SIZES["large"]
    for one, other in combinations(COLOURS.values(), 2):
        assert np.abs(np.subtract(one, other)).max() >= 130
    for shape in SHAPES:
        reach = SIZES["large"] * (1 + JITTER) * np.abs(outline(shape)).max()
        assert reach + FARTHEST <= SIDE / 2


def test_the_same_bytes_each_time(shapes: Path, tmp_path: Path) -> None:
    put_in_place("shapes", tmp_path / "again")
    assert (tmp_path / "again/manifest.json").read_bytes() == (shapes / "manifest.json").read_bytes()


def test_the_index_tells_that_classes_are_attributes(shapes: Path, tmp_path: Path) -> None:
    layout = Layout("shapes/gan", root=tmp_path)
    data = DataSettings(source="shapes", root=str(shapes), classes=36, split_size=36)
    build_index(layout.shared, data)
    assert read_object(layout.source)["has"] == ["attributes", "images"]
