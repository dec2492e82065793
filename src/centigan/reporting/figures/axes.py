"""What the figures with axes share: colours, points, the words around them."""

from typing import Any

import pandas as pd
from matplotlib import color_sequences
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from centigan.reporting.labels import MOST_NAMES

REAL, GENERATED, ALARM = "#222222", "#0072B2", "#C62828"  # this blue and red differ to all eyes
BESIDE = ("#E69F00", "#009E73", "#CC79A7")  # other experiments; Okabe and Ito, as is the blue
QUIET, MUTED = "#888888", "#555555"
COLORS = {"training": REAL, "held_out": REAL, "generated": GENERATED}
MARKERS = {"held_out": "s", "generated": "o"}


def titled_axes(title: str, *, square: bool = False) -> tuple[Figure, Axes]:
    """A figure of one pair of axes."""
    figure = Figure(figsize=(5.0, 5.2) if square else None, layout="constrained")
    axes = figure.subplots()
    axes.set_title(title)
    if square:
        axes.set_aspect("equal")
    return figure, axes


def subtitle(axes: Axes, text: str) -> None:
    """Quiet lines between title and axes."""
    axes.set_title(axes.get_title(loc="left"), pad=24 + 13 * text.count("\n"))
    axes.annotate(
        text,
        (0, 1),
        xycoords="axes fraction",
        xytext=(0, 9),
        textcoords="offset points",
        color=MUTED,
        fontsize=9,
    )


def legend_above(axes: Axes, *, columns: int = 4) -> None:
    """The legend between title and axes, where it hides nothing."""
    lines = -(-len(axes.get_legend_handles_labels()[1]) // columns)
    axes.set_title(axes.get_title(loc="left"), pad=10 + 16 * lines)
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=columns,
        borderpad=0.2,
        borderaxespad=0.3,
        handlelength=1.5,
    )


def points(axes: Axes, x: "pd.Series[float]", y: "pd.Series[float]") -> None:
    """A point a class: large where a few have names, small where there are a thousand."""
    few = len(x) <= MOST_NAMES
    axes.scatter(x, y, s=34 if few else 9, color=GENERATED, alpha=0.9 if few else 0.5, linewidths=0)


def class_lines(count: int) -> list[dict[str, Any]]:
    """Looks of that many lines: Petroff's ten colours (arXiv:2107.02270), then the same dashed."""
    colors = color_sequences["petroff10"]
    return [
        {"color": colors[number % len(colors)], "linestyle": ("-", "--")[number // len(colors) % 2]}
        for number in range(count)
    ]


def diagonal(axes: Axes, top: float) -> None:
    """The line where both numbers are equal."""
    axes.plot([0, top], [0, top], color=QUIET, linewidth=1)


def percent(axes: Axes, which: str, label: str) -> None:
    """Shares of one on the "x" or "y" axis, written as per cents."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda share, _: f"{round(100 * share, 6):g}%"))
    axis.set_label_text(label)
