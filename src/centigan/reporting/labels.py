"""Names beside points and lines without hiding one another."""

from collections.abc import Sequence
from math import hypot
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

MOST_NAMES = 20  # more cannot be read
MOST_HIDDEN = 0.25  # of a name; one that is hidden further hides others too, and is left out
TIED = 10  # points from its own: a name further away is tied to it by a line
LINE_OF_NAMES = 0.042  # of the axes' height, that a name takes
PLACES = [  # (dx, dy) in points, horizontal and vertical alignment; tried in this order
    (7, 0, "left", "center"),
    (-7, 0, "right", "center"),
    (0, 7, "center", "bottom"),
    (0, -7, "center", "top"),
    (6, 6, "left", "bottom"),
    (-6, 6, "right", "bottom"),
    (6, -6, "left", "top"),
    (-6, -6, "right", "top"),
    (16, 12, "left", "bottom"),
    (-16, 12, "right", "bottom"),
    (16, -12, "left", "top"),
    (-16, -12, "right", "top"),
    (24, 0, "left", "center"),
    (0, 22, "center", "bottom"),
    (0, -22, "center", "top"),
    (28, 26, "left", "bottom"),
    (-28, 26, "right", "bottom"),
    (28, -26, "left", "top"),
]


def name_points(
    axes: Axes,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    names: Sequence[str],
    *,
    lines: Sequence[float] = (),
    color: str = "#444444",
) -> None:
    """Write each name at the free place nearest its point, also free of the horizontal `lines` at these y.

    A name stands nearer to its own point than to any other, or is tied to it. Nothing is written for more
    than MOST_NAMES, nor a name that has no place.
    """
    if len(names) > MOST_NAMES:
        return
    figure = axes.get_figure(root=True)
    assert isinstance(figure, Figure)
    figure.draw_without_rendering()  # settles limits and layout, which places are measured in
    points = axes.transData.transform(np.column_stack([x, y]))  # (N, 2) pixels
    taken: list[Bbox] = [Bbox.from_bounds(px - 5, py - 5, 10, 10) for px, py in points]
    for height in axes.transData.transform([(0, y) for y in lines]) if lines else ():
        taken.append(Bbox.from_extents(axes.bbox.x0, height[1] - 4, axes.bbox.x1, height[1] + 4))
    for (px, py), name, at_x, at_y in zip(points, names, np.asarray(x), np.asarray(y), strict=True):
        boxes = [_box(figure, px, py, place, name) for place in PLACES]
        costs = [
            _cost(box, taken, axes.bbox) + _area(box) * (not _is_told(box, place, (px, py), points))
            for box, place in zip(boxes, PLACES, strict=True)
        ]
        best = int(np.argmin(costs))
        if costs[best] > MOST_HIDDEN * _area(boxes[best]):
            continue
        dx, dy, horizontal, vertical = PLACES[best]
        axes.annotate(
            name,
            (at_x, at_y),
            xytext=(dx, dy),
            textcoords="offset points",
            ha=horizontal,
            va=vertical,
            fontsize=8,
            color=color,
            arrowprops={"arrowstyle": "-", "color": color, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 4}
            if hypot(dx, dy) > TIED
            else None,
        )
        taken.append(boxes[best])


class LineEnd(NamedTuple):
    """Where a line ends, in data coordinates, what it is called, and how both look."""

    x: float
    y: float
    name: str
    line: str  # colour
    text: str
    stands_out: bool = False


def name_line_ends(axes: Axes, ends: Sequence[LineEnd]) -> None:
    """Names right of the lines, spread so that none overlap, each tied to its line by a thin one."""
    if not ends or len(ends) > MOST_NAMES:
        return
    low, high = axes.get_ylim()
    gap = (high - low) * LINE_OF_NAMES
    ordered = sorted(ends, key=lambda end: end.y)
    for end, height in zip(ordered, _spread([end.y for end in ordered], gap, high), strict=True):
        axes.annotate(
            end.name,
            (end.x, end.y),
            xytext=(1.03, height),
            textcoords=axes.get_yaxis_transform(),  # x of the axes' width, y of the data
            va="center",
            fontsize=8,
            color=end.text,
            fontweight="bold" if end.stands_out else None,
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": end.line, "linewidth": 0.9, "shrinkA": 1, "shrinkB": 0},
        )


def _spread(heights: Sequence[float], gap: float, top: float) -> list[float]:
    """Rising heights, moved up to stand `gap` apart, and down again where they would pass the top."""
    spread: list[float] = []
    for height in heights:
        spread.append(max(height, spread[-1] + gap) if spread else height)
    for number in reversed(range(len(spread))):
        spread[number] = min(spread[number], top - (len(spread) - 1 - number) * gap)
    return spread


def _box(figure: Figure, px: float, py: float, place: tuple[float, float, str, str], name: str) -> Bbox:
    """Where the name would stand, in pixels, from the usual width of a letter of 8 points."""
    scale = figure.dpi / 72
    width, height = 5.2 * len(name) * scale, 9 * scale
    dx, dy, horizontal, vertical = place
    left = px + dx * scale - {"left": 0.0, "center": width / 2, "right": width}[horizontal]
    bottom = py + dy * scale - {"bottom": 0.0, "center": height / 2, "top": height}[vertical]
    return Bbox.from_bounds(left, bottom, width, height)


def _is_told(
    box: Bbox,
    place: tuple[float, float, str, str],
    own: tuple[float, float],
    points: npt.NDArray[np.float64],
) -> bool:
    """Whether a name in this box is read as its own point's: by a line, or since no other is nearer."""
    if hypot(*place[:2]) > TIED:
        return True
    middle = np.array([(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2])
    distances = np.hypot(*(points - middle).T)
    return bool(np.hypot(*(np.array(own) - middle)) <= distances.min())


def _cost(box: Bbox, taken: Sequence[Bbox], frame: Bbox) -> float:
    """Pixels hidden by what is there already, and pixels outside the axes, which weigh more."""
    hidden = sum(_area(Bbox.intersection(box, other)) for other in taken)
    return hidden + 3 * (_area(box) - _area(Bbox.intersection(box, frame)))


def _area(box: Bbox | None) -> float:
    return 0.0 if box is None else box.width * box.height
