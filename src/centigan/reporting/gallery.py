"""The contact sheet of all classes: one labelled row of samples a class (Appendix E of AC-GAN).

Ten classes fill one column with enlarged, crisp pixels. More classes stand in several columns, read
downwards, as many as bring the sheet nearest to the shape of a page; a thousand classes make a sheet
whose samples are shrunk until the whole stays below MOST_PIXELS.
"""

from math import ceil

import numpy as np
from matplotlib.figure import Figure

from centigan.reporting.results import Images
from centigan.sheets import GAP, contact_sheet

MOST_PIXELS = 16_000_000  # a thousand classes of ten at 40 px; PNG of about 20 MB
LARGEST_TILE = 96  # small images are enlarged up to this
PAGE_SHAPE = 1.2  # width by height
DPI = 100
LETTER = 7  # pixels that a letter of a label takes at 8 points


def gallery(samples: dict[str, Images], *, title: str) -> Figure:
    """A figure whose every sample lies on whole pixels: class_id -> uint8 (n, R, R, 3)."""
    names = list(samples)
    side, across = next(iter(samples.values())).shape[1], max(len(s) for s in samples.values())
    tile = tile_side(len(names), across, side)
    margin = LETTER * max(len(name) for name in names) + 12
    columns = column_count(len(names), row_width=across * (tile + GAP) + margin, row_height=tile + GAP)
    rows = ceil(len(names) / columns)

    top, gutter = 40, 14
    strip_width, strip_height = across * (tile + GAP), rows * (tile + GAP)
    width = columns * (strip_width + margin + gutter)
    height = strip_height + top + gutter
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
    figure.text(8 / width, 1 - 12 / height, title, fontsize=12, fontweight="bold", va="top")
    for column in range(columns):
        here = names[column * rows : (column + 1) * rows]
        left = column * (strip_width + margin + gutter) + margin
        sheet = _clear_sheet([samples[name] for name in here], across=across, tile=tile)
        bottom = height - top - len(sheet)
        axes = figure.add_axes((left / width, bottom / height, strip_width / width, len(sheet) / height))
        axes.imshow(sheet, interpolation="none", aspect="auto")
        axes.set_axis_off()
        for row, name in enumerate(here):
            middle = height - top - (row + 0.5) * (tile + GAP)
            figure.text((left - 6) / width, middle / height, name, ha="right", va="center", fontsize=8)
    return figure


def tile_side(classes: int, across: int, side: int) -> int:
    """Displayed side of a sample: a whole multiple of `side` if there is room, else what fits."""
    room = int((MOST_PIXELS / (classes * across)) ** 0.5) - GAP
    largest = min(LARGEST_TILE, room)
    return side * (largest // side) if largest >= side else min(side, max(8, room))


def column_count(classes: int, *, row_width: int, row_height: int) -> int:
    """Columns that bring the sheet nearest to PAGE_SHAPE."""
    shapes = [
        columns * row_width / (ceil(classes / columns) * row_height) for columns in range(1, classes + 1)
    ]
    best = 1 + int(np.argmin(np.abs(np.log(np.array(shapes) / PAGE_SHAPE))))
    return ceil(classes / ceil(classes / best))  # no empty last column


def _clear_sheet(rows: list[Images], *, across: int, tile: int) -> Images:
    """The contact sheet as RGBA, clear where no sample is, so that it stands on dark pages too."""
    sheet = contact_sheet(rows, across=across, tile=tile)
    between = contact_sheet([np.zeros_like(images) for images in rows], across=across, tile=tile)[..., :1]
    return np.concatenate([sheet, 255 - between], axis=-1)
