"""Contact sheets: rows of square images side by side, white between them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from centigan.errors import UserError

Images = NDArray[np.uint8]
GAP = 2  # pixels between images


def evenly(count: int, most: int) -> list[int]:
    """Which of `count` things to show where there is room for `most`: the ends, and evenly between them."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int)).tolist()


def contact_sheet(rows: Sequence[Images], *, across: int, tile: int) -> Images:
    """uint8 (rows * (tile + GAP), across * (tile + GAP), 3), white between the samples."""
    pitch = tile + GAP
    sheet = np.full((len(rows) * pitch, across * pitch, 3), 255, np.uint8)
    for row, images in enumerate(rows):
        for column, image in enumerate(images):
            top, left = row * pitch, column * pitch
            sheet[top : top + tile, left : left + tile] = resized(image, tile)
    return sheet


def resized(image: Images, side: int) -> Images:
    """uint8 (R, R, 3) -> (side, side, 3): whole pixels when enlarged, their mean when shrunk."""
    method = Image.Resampling.NEAREST if side >= len(image) else Image.Resampling.BOX
    return np.asarray(Image.fromarray(image).resize((side, side), method))


def require_png(out: Path) -> None:
    """Make sure that a person's name of a picture is one, before anything is drawn.

    Raises:
        UserError: for a folder, or another ending.
    """
    if out.is_dir():
        raise UserError(f"{out} is a folder; name a PNG in it, such as {out / 'picture.png'}")
    if out.suffix.lower() != ".png":
        raise UserError(f"{out} is no name of a PNG; let it end with .png")
