"""Drawn shapes whose classes are their attributes: red_circle_large, in all 6 x 3 x 2 = 36 combinations.

One shape of one colour on a grey ground, 32 x 32 pixels, PNG. The shapes of a size have equal areas, so that size is
told by no shape: a large one covers about a quarter of the image, a small one a third of that. Every image
has its shape at a place and of a size a little of its own, drawn by a generator of its class and subset.
"""

from itertools import product
from math import pi, sqrt
from pathlib import Path

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
FINER = 8  # drawn so many times as large, and shrunk, so that borders are smooth
JITTER = 0.06  # of the size, either way
FARTHEST = 3.5  # pixels from the middle, along each axis
COUNTS = {"train": 60, "val": 12}  # images of a class
SEED = 0
CLASSES = ["_".join(named) for named in product(COLOURS, SHAPES, SIZES)]


def write_shapes(root: Path) -> None:
    """Write root/train/<class>/*.png and root/val/<class>/*.png."""
    for label, class_id in enumerate(CLASSES):
        for stream, (subset, count) in enumerate(COUNTS.items()):
            folder = root / subset / class_id
            folder.mkdir(parents=True)
            rng = np.random.default_rng([SEED, label, stream])
            for number in range(count):
                draw(class_id, rng).save(folder / f"{number:04d}.png")


def draw(class_id: str, rng: np.random.Generator) -> Image.Image:
    """An image of a class, (SIDE, SIDE) in RGB."""
    colour, shape, size = class_id.split("_")
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
