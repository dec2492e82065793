"""The figure of a study whose numbers are shown against its axes: curves over one, maps over two or three."""

from itertools import cycle
from textwrap import fill
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from centigan.reporting.figures.axes import ALARM, BESIDE, GENERATED, MUTED
from centigan.reporting.figures.rows import broken
from centigan.reporting.studies.columns import Column, column
from centigan.reporting.studies.results import StudyResults, chosen
from centigan.settings.claims import Cell

ACROSS = 3  # panels side by side
LETTERS = 38  # of a line above a panel
LETTER = 0.07  # inches that one takes beside a map
COLOURS = (GENERATED, *BESIDE)
BETTER = {"lower": " (lower is better)", "higher": " (higher is better)", "": ""}


def curves(results: StudyResults) -> Figure:
    """A panel a column: each point as a dot, means as a line, over the values of one axis."""
    (key,) = results.study.against
    columns = [column(name) for name in results.study.columns]
    across = 2 if len(columns) == 4 else min(ACROSS, len(columns))
    down = -(-len(columns) // across)
    figure = Figure(figsize=(0.6 + 3.2 * across, 0.3 + 2.7 * down), layout="constrained")
    panels = list(figure.subplots(down, across, squeeze=False).flat)
    values = _values(results, key)
    lines = rows_over(results, key).reshape(-1, len(values)).tolist()
    for axes, own in zip(panels, columns, strict=False):
        for colour, rows in zip(cycle(COLOURS), lines, strict=False):
            _curve(axes, results, own, rows, values, {"color": colour, "label": _name(results, rows[0], key)})
        _mark(axes, results, own)
        axes.set_title(fill(own.label + BETTER[own.better], LETTERS), fontsize=9)
        axes.set_xlabel(key, fontsize=9)
        axes.yaxis.set_major_formatter(lambda value, _, own=own: own.written(value))
    for axes in panels[len(columns) :]:
        axes.set_visible(False)
    if len(lines) > 1:
        panels[0].legend(fontsize=8)
    return figure


def rows_over(results: StudyResults, *keys: str) -> NDArray[np.object_]:
    """The names of the rows, which are the product of the compared axes: these axes last, others before."""
    axes = [results.study.axes[position] for position in results.study.compared]
    counts = [len(next(iter(axis.values()))) for axis in axes]
    places = [next(place for place, axis in enumerate(axes) if key in axis) for key in keys]
    rows = np.array(results.rows, dtype=object).reshape(counts)
    return np.moveaxis(rows, places, range(len(counts) - len(keys), len(counts)))


def maps(results: StudyResults) -> Figure:
    """A line of maps a column: means in colour over two axes, a map for each value of a third."""
    across_key, up_key, *third = results.study.against
    across, up = _values(results, across_key), _values(results, up_key)
    panels = _values(results, third[0]) if third else [None]
    rows = rows_over(results, *third, up_key, across_key).reshape(len(panels), len(up), len(across))
    columns = [column(name) for name in results.study.columns]
    wide, high = 0.75 * len(across) + 0.9, 0.55 * len(up) + 0.9
    figure = Figure(figsize=(wide * len(panels) + 0.8, high * len(columns) + 0.3), layout="constrained")
    grid = figure.subplots(len(columns), len(panels), squeeze=False, sharex=True, sharey=True)
    for line, own in zip(grid, columns, strict=True):
        for axes, of_panel, value in zip(line, rows, panels, strict=True):
            _map(axes, results, own, of_panel)
            axes.set_xticks(range(len(across)), list(map(str, across)))
            axes.set_yticks(range(len(up)), list(map(str, up)))
            if third:
                axes.set_title(f"{third[0].split('.')[-1]} {value}", fontsize=9)
            axes.set_xlabel(across_key.split(".")[-1], fontsize=8)
        line[0].set_ylabel(f"{broken(own.label, int(high / LETTER))}\n\n{up_key.split('.')[-1]}", fontsize=8)
    return figure


def _map(axes: Axes, results: StudyResults, own: Column, rows: NDArray[np.object_]) -> None:
    """The means of a column as colours, rows (up, across); the scale is that of all rows of the study."""
    every = results.means[own.name]
    low, high = (0.0, 1.0) if every.isna().all() else (every.min(), every.max())
    means = every.reindex(rows.ravel()).to_numpy(dtype=float).reshape(rows.shape)
    best = list(chosen(results).values())
    colours = matplotlib.colormaps["viridis_r" if own.better == "lower" else "viridis"]
    axes.imshow(means, cmap=colours, vmin=low, vmax=high, aspect="auto", origin="lower")
    for (line, at), row in np.ndenumerate(rows):
        bright = (means[line, at] - low) / ((high - low) or 1) > 0.6
        dark = bright != (own.better == "lower") or np.isnan(means[line, at])  # on white where there is none
        axes.text(at, line, own.written(float(means[line, at])), ha="center", va="center", fontsize=8,
                  fontweight="bold" if row in best else "normal",
                  bbox={"boxstyle": "round,pad=0.25", "fill": False, "edgecolor": ALARM, "linewidth": 1.5}
                  if row in best else None,
                  color="black" if dark else "white")  # fmt: skip
    axes.tick_params(labelsize=8)
    axes.grid(visible=False)


def _curve(
    axes: Axes, results: StudyResults, own: Column, rows: list[str], values: list[Any], style: dict[str, Any]
) -> None:
    """Rows that differ in their value of one axis: a dot a point, a line through the means."""
    places = values if all(map(_is_number, values)) else list(range(len(values)))
    means = [results.mean(Cell(own.name, row)) for row in rows]
    for place, row in zip(places, rows, strict=True):
        numbers = results.numbers.loc[[point.own for point in results.points_of(row)], own.name].dropna()
        axes.plot([place] * len(numbers), numbers, "o", color=style["color"], alpha=0.45, markeredgewidth=0,
                  markersize=5)  # fmt: skip
    in_order = sorted(zip(places, means, strict=True))
    axes.plot(*zip(*in_order, strict=True), "-", linewidth=1.6, **style)
    if np.isnan(means).all():
        axes.annotate("not measured", (0.5, 0.5), xycoords="axes fraction", ha="center", color=MUTED,
                      fontsize=8)  # fmt: skip
    axes.set_xticks(places, list(map(str, values)))


def _mark(axes: Axes, results: StudyResults, own: Column) -> None:
    """A line at another number, the largest there is of it."""
    if (name := results.study.marks.get(own.name)) is not None:
        height = float(results.numbers[name].max())
        axes.axhline(height, color=ALARM, linewidth=1.2)
        told = f"{column(name).label}: {own.written(height)}"
        axes.annotate(told, (0.99, height), xycoords=("axes fraction", "data"), ha="right", va="bottom",
                      fontsize=7, color=ALARM)  # fmt: skip


def _values(results: StudyResults, key: str) -> list[Any]:
    return list(next(axis[key] for axis in results.study.axes if key in axis))


def _name(results: StudyResults, row: str, key: str) -> str:
    """A line by the values of the row on all compared axes but that of the curve."""
    compared = [next(iter(results.study.axes[position])) for position in results.study.compared]
    values = results.points_of(row)[0].values
    return ", ".join(str(values[other]) for other in compared if other != key)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
