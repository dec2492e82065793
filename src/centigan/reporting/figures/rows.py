"""Rows of pictures with words around them; every picture lies on whole pixels, unsmoothed."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate
from textwrap import wrap
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from centigan.reporting.figures.axes import MUTED
from centigan.reporting.results import Images
from centigan.sheets import resized

DPI = 144
WIDEST = 1340  # pixels that the pictures of a row may take: ten of 128
LARGEST_TILE = 128
GAP, APART = 4, 20  # pixels between neighbours, and between what does not belong together
LETTER, LINE = 9, 19  # pixels that a letter and a line take at 8 points
TITLE, TITLE_LETTER, SUBTITLE_LETTER = 36, 16, 10  # height of the title; of 12 and 9 points
MARGIN = 14
LEAST_LETTERS = 90  # in a line of a block's caption, however narrow its pictures are


@dataclass(frozen=True)
class Row:
    """Pictures side by side, uint8 (R, R, 3)."""

    name: str  # left of them; lines may be broken
    pictures: Sequence[Images] | Images  # or one array of them
    notes: Sequence[str] = ()  # under each picture
    after: str = ""  # right of them
    apart: bool = False  # with space above


@dataclass(frozen=True)
class Block:
    """Rows under a title of their own, one of several in a figure."""

    title: str
    caption: str  # quiet, broken into lines as they fit
    rows: Sequence[Row]
    heads: Sequence[str] = ()  # words above each column
    breaks: Collection[int] = ()  # columns with space to the left of them


@dataclass(frozen=True)
class _Plan:
    """Where everything stands, in pixels from the upper left."""

    xs: list[int]  # of the columns, within the block of pictures
    ys: list[int]  # of the rows
    left: int  # of the block
    top: int
    body_width: int
    body_height: int
    width: int
    height: int


def rows_of_pictures(
    rows: Sequence[Row],
    *,
    title: str,
    tile: int,
    heads: Sequence[str] = (),
    breaks: Collection[int] = (),
    subtitle: str = "",
) -> Figure:
    """A figure of these rows.

    Args:
        rows: one or more.
        title: bold, at the top.
        tile: side of every picture, pixels (`fitting_tile`).
        heads: words above each column.
        breaks: columns with space to the left of them.
        subtitle: a quiet line under the title.
    """
    plan = _plan(rows, tile, breaks, title=title, subtitle=subtitle, heads=heads)
    figure = Figure(figsize=(plan.width / DPI, plan.height / DPI), dpi=DPI)
    write = partial(_write, figure, plan.width, plan.height)
    write(MARGIN, MARGIN, title, va="top", fontsize=12, fontweight="bold")
    write(MARGIN, MARGIN + TITLE, subtitle, va="top", fontsize=9, color=MUTED)
    _draw(figure, (plan.width, plan.height), rows, plan, tile)
    _write_around(write, rows, plan, tile, heads)
    return figure


def blocks_of_pictures(blocks: Sequence[Block], *, title: str, tile: int, subtitle: str) -> Figure:
    """A figure of blocks of rows, one under the other; arguments as of `rows_of_pictures`."""
    without_words = [_plan(block.rows, tile, block.breaks, heads=block.heads) for block in blocks]
    letters = max([LEAST_LETTERS, *(plan.width // SUBTITLE_LETTER for plan in without_words)])
    left = max((plan.left for plan in without_words), default=0)  # pictures of all blocks begin at one line
    captions = ["\n".join(wrap(block.caption, letters)) for block in blocks]
    top, plans = MARGIN + TITLE + LINE + APART, []
    for block, caption in zip(blocks, captions, strict=True):
        own = _plan(block.rows, tile, block.breaks, title=block.title, subtitle=caption, heads=block.heads)
        plans.append(replace(own, top=top + own.top, left=left, width=own.width + left - own.left))
        top += own.height
    page = max([_words(title, subtitle), *(plan.width for plan in plans)]), top
    figure = Figure(figsize=(page[0] / DPI, page[1] / DPI), dpi=DPI)
    write = partial(_write, figure, *page)
    write(MARGIN, MARGIN, title, va="top", fontsize=12, fontweight="bold")
    write(MARGIN, MARGIN + TITLE, subtitle, va="top", fontsize=9, color=MUTED)
    for block, caption, plan in zip(blocks, captions, plans, strict=True):
        above = plan.top + plan.body_height + MARGIN - plan.height  # of the block itself
        write(MARGIN, above + MARGIN, block.title, va="top", fontsize=10, fontweight="bold")
        write(MARGIN, above + MARGIN + TITLE, caption, va="top", fontsize=9, color=MUTED)
        _draw(figure, page, block.rows, plan, tile)
        _write_around(write, block.rows, plan, tile, block.heads)
    return figure


def fitting_tile(side: int, across: int, *, largest: int = LARGEST_TILE) -> int:
    """Displayed side of a picture: a whole multiple of `side`, or a whole part where there is no room."""
    room = min(largest, WIDEST // across - GAP)
    return side * (room // side) if room >= side else side // -(-side // room)


def broken(name: str, letters: int) -> str:
    """A long name in lines of at most so many letters, three of them; it breaks at `_` and `/`, too."""
    if len(name) <= letters:
        return name
    lines = wrap(name.replace("_", "_ ").replace("/", "/ "), letters, max_lines=3, placeholder="…")
    return "\n".join(line.replace("_ ", "_").replace("/ ", "/") for line in lines)


def _plan(
    rows: Sequence[Row],
    tile: int,
    breaks: Collection[int],
    *,
    title: str = "",
    subtitle: str = "",
    heads: Sequence[str],
) -> _Plan:
    across = max(len(row.pictures) for row in rows)
    under = [note for row in rows for note in row.notes]
    cell = max(tile, LETTER * max(map(_letters, [*heads, *under]), default=0))  # no words overlap
    starts = accumulate((cell + (APART if k in breaks else GAP) for k in range(1, across)), initial=0)
    xs = [start + (cell - tile) // 2 for start in starts]
    tall = [tile + LINE * max(map(_lines, row.notes), default=0) for row in rows]
    gaps = [APART if row.apart else GAP for row in rows[1:]]
    ys = list(accumulate((a + b for a, b in zip(tall, gaps, strict=False)), initial=0))
    left = MARGIN + LETTER * max(_letters(row.name) for row in rows) + 2 * GAP
    right = LETTER * max(_letters(row.after) for row in rows) + 2 * GAP
    above = LINE * max(map(_lines, heads), default=0)
    under_title = (LINE * _lines(subtitle) + 2 * GAP) * bool(subtitle)
    top = MARGIN + TITLE + under_title + above + 2 * GAP * bool(above)
    body_width, body_height = xs[-1] + (tile + cell + 1) // 2, ys[-1] + tall[-1]
    return _Plan(
        xs=xs,
        ys=ys,
        left=left,
        top=top,
        body_width=body_width,
        body_height=body_height,
        width=max(left + body_width + right + MARGIN, _words(title, subtitle)),
        height=top + body_height + MARGIN,
    )


def _words(title: str, subtitle: str) -> int:
    """Pixels across that a figure needs for these words."""
    return 2 * MARGIN + max(TITLE_LETTER * len(title), SUBTITLE_LETTER * _letters(subtitle))


def _draw(figure: Figure, page: tuple[int, int], rows: Sequence[Row], plan: _Plan, tile: int) -> None:
    """The pictures, on a page so wide and high."""
    body = np.zeros((plan.body_height, plan.body_width, 4), np.uint8)  # clear where no picture is
    for row, y in zip(rows, plan.ys, strict=True):
        for picture, x in zip(row.pictures, plan.xs, strict=False):
            body[y : y + tile, x : x + tile, :3] = resized(picture, tile)
            body[y : y + tile, x : x + tile, 3] = 255
    width, height = page
    bottom = height - plan.top - plan.body_height
    place = plan.left / width, bottom / height, plan.body_width / width, plan.body_height / height
    axes = figure.add_axes(place, frameon=False, xticks=[], yticks=[])
    axes.imshow(body, interpolation="none", aspect="auto")


def _write_around(
    write: Callable[..., None], rows: Sequence[Row], plan: _Plan, tile: int, heads: Sequence[str]
) -> None:
    """Words above the columns, left and right of the rows, under the pictures."""
    for head, x in zip(heads, plan.xs, strict=False):
        write(plan.left + x + tile / 2, plan.top - GAP, head, ha="center", va="bottom", color=MUTED)
    for row, y in zip(rows, plan.ys, strict=True):
        middle = plan.top + y + tile / 2
        write(plan.left - 2 * GAP, middle, row.name, ha="right")
        write(plan.left + plan.body_width + 2 * GAP, middle, row.after, color=MUTED)
        for text, x in zip(row.notes, plan.xs, strict=False):
            below = plan.top + y + tile + GAP / 2
            write(plan.left + x + tile / 2, below, text, ha="center", va="top", color=MUTED)


def _write(figure: Figure, width: int, height: int, x: float, y: float, text: str, **look: Any) -> None:
    if text:
        style: dict[str, Any] = {"fontsize": 8, "va": "center", "linespacing": 1.1} | look
        figure.text(x / width, 1 - y / height, text, **style)


def _letters(text: str) -> int:
    return max(map(len, text.split("\n")))


def _lines(text: str) -> int:
    return 1 + text.count("\n")
