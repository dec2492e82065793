"""Small drawings within a class's page, as coordinates that the template draws."""

from collections.abc import Sequence
from math import log2
from typing import Any, NamedTuple

import pandas as pd

WIDTH, HEIGHT = 440, 200
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 12, 30

Point = tuple[float, float]


class Curve(NamedTuple):
    """Accuracy against resolution; y runs from 0 to 100 %."""

    width: int
    height: int
    ticks: list[tuple[float, int]]  # x, resolution
    grid: list[tuple[float, str]]  # y, its label
    left: float
    right: float
    top: float
    bottom: float
    lines: dict[str, list[Point]]  # source -> points


def accuracy_curve(rows: Sequence[dict[str, Any]]) -> Curve:
    """Lines of real and of generated images over resolutions, which are spaced by doublings."""
    sides = [log2(row["resolution"]) for row in rows]
    span = max(sides[-1] - sides[0], 1)
    x = [LEFT + (WIDTH - LEFT - RIGHT) * (side - sides[0]) / span for side in sides]
    return Curve(
        WIDTH,
        HEIGHT,
        [(at, row["resolution"]) for at, row in zip(x, rows, strict=True)],
        [(_y(share), f"{share:.0%}") for share in (0.0, 0.5, 1.0)],
        LEFT,
        WIDTH - RIGHT,
        TOP,
        HEIGHT - BOTTOM,
        {
            source: [(at, _y(row[source])) for at, row in zip(x, rows, strict=True) if pd.notna(row[source])]
            for source in ("held_out", "generated")
        },
    )


def _y(share: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - share)
