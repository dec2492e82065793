"""Crops of the photographs that ship with the dependencies, for small data sets in published formats."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from centigan.data.embedded import PHOTOGRAPHS, packaged


def photographs() -> list[NDArray[np.uint8]]:
    """(H, W, 3) of each, in the order of PHOTOGRAPHS."""
    return [_photograph(*place) for place in PHOTOGRAPHS.values()]


def crop(photograph: NDArray[np.uint8], side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """(side, side, 3) from a random place."""
    return part_of(photograph, side, side, rng)


def part_of(
    photograph: NDArray[np.uint8], height: int, width: int, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """(height, width, 3) from a random place."""
    top = rng.integers(photograph.shape[0] - height + 1)
    left = rng.integers(photograph.shape[1] - width + 1)
    return photograph[top : top + height, left : left + width]


def encoded(picture: NDArray[np.uint8], kind: str, quality: int) -> bytes:
    """A whole file of a picture (H, W, 3), such as a JPEG."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, kind, quality=quality)
    return file.getvalue()


def _photograph(package: str, file: str) -> NDArray[np.uint8]:
    with Image.open(packaged(package, file)) as photograph:
        return np.array(photograph.convert("RGB"))
