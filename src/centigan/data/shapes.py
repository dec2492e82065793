"""Drawn shapes whose classes are their attributes: red_circle_large, in all 6 x 3 x 2 = 36 combinations.

One shape of one colour on a grey ground, 32 x 32 pixels, PNG. The shapes of a size have equal areas: a large
one covers a quarter of the image, a small one a third of that. Each image has its shape at a place of its
own, a little larger or smaller than others. All are different, so what is held out was never learnt.
"""

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


class Attributes(NamedTuple):
    """What a class is named by, in this order."""

    colour: str
    shape: str
    size: str


def attributes_of(class_id: str) -> Attributes:
    """red_circle_large -> red, circle, large."""
    return Attributes(*class_id.split("_"))


def write_shapes(root: Path) -> None:
    """Write root/train/<class>/*.png and root/val/<class>/*.png."""
    for label, class_id in enumerate(CLASSES):
        rng, seen = np.random.default_rng([SEED, label]), set()
        for subset, count in COUNTS.items():
            folder = root / subset / class_id
            folder.mkdir(parents=True)
            for number in range(count):
                while (image := draw(class_id, rng)).tobytes() in seen:  # places and sizes are of a grid
                    pass
                seen.add(image.tobytes())
                image.save(folder / f"{number:04d}.png")


def draw(class_id: str, rng: np.random.Generator) -> Image.Image:
    """An image of a class, (SIDE, SIDE) in RGB."""
    colour, shape, size = attributes_of(class_id)
    radius = SIZES[size] * rng.uniform(1 - JITTER, 1 + JITTER)
    middle = SIDE / 2 + rng.uniform(-FARTHEST, FARTHEST, 2)
    image = Image.new("RGB", (SIDE * FINER, SIDE * FINER), GREY)
    pen = ImageDraw.Draw(image)
    corners = [tuple(point) for point in (middle + radius * outline(shape)) * FINER]
    pen.polygon(corners, fill=COLOURS[colour])
    return image.resize((SIDE, SIDE), Image.Resampling.BOX)


def outline(shape: str) -> NDArray[np.float64]:
    """Corners (N, 2) of a shape of area pi about the middle of its bounding box; y points down."""
    if shape == "circle":
        angles = np.linspace(0, 2 * pi, 64, endpoint=False)
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)
    if shape == "square":
        return np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * sqrt(pi) / 2
    side = sqrt(4 * pi / sqrt(3))  # of an equilateral triangle
    return np.array([[-0.5, sqrt(3) / 4], [0.5, sqrt(3) / 4], [0, -sqrt(3) / 4]]) * side
