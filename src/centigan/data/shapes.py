"""Drawn shapes whose classes are their attributes: red_circle_large, in all 6 x 3 x 2 = 36 combinations.

One shape of one colour on a grey ground, 32 x 32 pixels, PNG. The shapes of a size have equal areas: a large
one covers a quarter of the image, a small one a third of that. Each image has its shape at a place of its
own, a little larger or smaller than others. All are different, so what is held out was never learnt.
`shape_captions` says the same of more of them in words.
"""

from collections.abc import Iterator
from itertools import product
from math import pi, sqrt
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

COLOURS = {
    "red": (220, 40, 40),
    "green": (40, 180, 60),
    "blue": (50, 70, 220),
    "yellow": (230, 210, 40),
    "cyan": (40, 200, 210),
    "magenta": (210, 50, 200),
}
SHAPES = ("circle", "square", "triangle")
SIZES = {"small": 5.2, "large": 9.0}  # pixels: radius of the circle of equal area
GREY = (128, 128, 128)
SIDE = 32
FINER = 16  # drawn so many times as large, and shrunk, so that borders are smooth
JITTER = 0.06  # of the size, either way
FARTHEST = 3.0  # pixels from the middle, along each axis
COUNTS = {"train": 60, "val": 12}  # images of a class
SEED = 0
CLASSES = ["_".join(named) for named in product(COLOURS, SHAPES, SIZES)]
# Pairs that no model learns from captions, though judges know them: each colour is seen with two shapes or
# three, each shape with four colours or five.
UNSEEN_PAIRS = (("red", "square"), ("blue", "triangle"), ("yellow", "circle"), ("cyan", "triangle"))
UNSEEN = tuple("_".join((*pair, size)) for pair in UNSEEN_PAIRS for size in SIZES)


class Attributes(NamedTuple):
    """What a class is named by, in this order."""

    colour: str
    shape: str
    size: str


def attributes_of(class_id: str) -> Attributes:
    """red_circle_large -> red, circle, large."""
    return Attributes(*class_id.split("_"))


class Drawn(NamedTuple):
    """An image, (SIDE, SIDE) in RGB, and where the middle of its shape lies: x and y in pixels, y down."""

    image: Image.Image
    middle: NDArray[np.float64]


def write_shapes(root: Path) -> None:
    """Write root/train/<class>/*.png and root/val/<class>/*.png."""
    for class_id in CLASSES:
        images = all_different(class_id)
        for subset, count in COUNTS.items():
            folder = root / subset / class_id
            folder.mkdir(parents=True)
            for number in range(count):
                next(images).image.save(folder / f"{number:04d}.png")


def all_different(class_id: str) -> Iterator[Drawn]:
    """Images of a class without end, the same each time."""
    rng, seen = np.random.default_rng([SEED, CLASSES.index(class_id)]), set()
    while True:
        drawn = draw(class_id, rng)
        if (content := drawn.image.tobytes()) not in seen:  # places and sizes are of a grid
            seen.add(content)
            yield drawn


def draw(class_id: str, rng: np.random.Generator) -> Drawn:
    """An image of a class."""
    colour, shape, size = attributes_of(class_id)
    radius = SIZES[size] * rng.uniform(1 - JITTER, 1 + JITTER)
    middle = SIDE / 2 + rng.uniform(-FARTHEST, FARTHEST, 2)
    image = Image.new("RGB", (SIDE * FINER, SIDE * FINER), GREY)
    pen = ImageDraw.Draw(image)
    corners = [tuple(point) for point in (middle + radius * outline(shape)) * FINER]
    pen.polygon(corners, fill=COLOURS[colour])
    return Drawn(image.resize((SIDE, SIDE), Image.Resampling.BOX), middle)


def outline(shape: str) -> NDArray[np.float64]:
    """Corners (N, 2) of a shape of area pi about the middle of its bounding box; y points down."""
    if shape == "circle":
        angles = np.linspace(0, 2 * pi, 64, endpoint=False)
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)
    if shape == "square":
        return np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * sqrt(pi) / 2
    side = sqrt(4 * pi / sqrt(3))  # of an equilateral triangle
    return np.array([[-0.5, sqrt(3) / 4], [0.5, sqrt(3) / 4], [0, -sqrt(3) / 4]]) * side
