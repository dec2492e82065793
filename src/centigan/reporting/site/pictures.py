"""Pictures of a class as sheets of its images: one file a kind, with transparent gaps.

Small images keep every pixel; from 64 px on they are lossy WebP, since a thousand classes at 128 px
would take a gigabyte: 85 looks the same at 2 to 3 bits a pixel (benchmarks/report.py).
"""

import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from centigan.sheets import Images, resized

LOSSLESS_BELOW = 64
QUALITY = 85
EFFORT = 2  # of 6: twice as fast as the default, files 2 % larger
SHOWN = 132  # side of an image on a page, its gap included


class Picture(NamedTuple):
    """A WebP file and the size it is shown at, in pixels of the page."""

    content: bytes
    width: int
    height: int
    pixelated: bool  # few pixels, shown as they are
    across: int  # images of a row


def picture(rows: Sequence[Images], *, across: int, tile: int, quality: int = QUALITY) -> Picture:
    """Rows of up to `across` images side by side, each shrunk to `tile` if it is larger.

    `quality` is that of a lossy WebP.
    """
    gap = max(1, tile // 32)
    pitch = tile + gap
    sheet = np.zeros((len(rows) * pitch - gap, across * pitch - gap, 4), np.uint8)
    for row, images in enumerate(rows):
        for column, image in enumerate(images[:across]):
            place = sheet[row * pitch : row * pitch + tile, column * pitch : column * pitch + tile]
            place[..., :3] = image if len(image) == tile else resized(image, tile)
            place[..., 3] = 255
    zoom = max(1, SHOWN // pitch)
    height, width = (side * zoom for side in sheet.shape[:2])
    content = _webp(sheet, lossless=tile < LOSSLESS_BELOW, quality=quality)
    return Picture(content, width, height, zoom > 2, across)


def in_rows(images: Images, *, rows: int, across: int) -> list[Images]:
    """The first rows * across images; a row may be empty."""
    return [images[start : start + across] for start in range(0, rows * across, across)]


def _webp(sheet: Images, *, lossless: bool, quality: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(sheet).save(buffer, "WEBP", lossless=lossless, quality=quality, method=EFFORT)
    return buffer.getvalue()
