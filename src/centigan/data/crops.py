"""Crops of the photographs that ship with the dependencies, for small data sets in published formats."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from centigan.data.embedded import PHOTOGRAPHS, packaged


def photographs() -> list[NDArray[np.uint8]]:
    """(H, W, 3) of each, in the order of PHOTOGRAPHS."""
    return [_photograph(*place) for place in PHOTOGRAPHS.values()]


def crop(photograph: NDArray[np.uint8], side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """(side, side, 3) from a random place."""
    height, width, _ = photograph.shape
    top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
    return photograph[top : top + side, left : left + side]


def _photograph(package: str, file: str) -> NDArray[np.uint8]:
    with Image.open(packaged(package, file)) as photograph:
        return np.array(photograph.convert("RGB"))
