"""The figure of a study whose numbers are shown against its axes: curves over one, maps over two or three."""

import json
from collections.abc import Sequence
from textwrap import fill
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from centigan.reporting.figures.axes import ALARM, BESIDE, GENERATED, MUTED
from centigan.reporting.studies.columns import Column, column
from centigan.reporting.studies.results import StudyResults, chosen
from centigan.settings.claims import Cell

ACROSS = 3  # panels side by side
LETTERS = 38  # of a line above a panel
COLOURS = (GENERATED, *BESIDE)
BETTER = {"lower": " (lower is better)", "higher": " (higher is better)", "": ""}


class Series(NamedTuple):
    """Rows of the study that differ in the axis of the curve alone."""

    name: str
    rows: list[str]
    values: list[Any]  # on the axis


def curves(results: StudyResults) -> Figure:
    """A panel a column: each point as a dot, means as a line, over the values of one axis."""
    (key,) = results.study.against
    columns = [column(name) for name in results.study.columns]
    across = 2 if len(columns) == 4 else min(ACROSS, len(columns))
    down = -(-len(columns) // across)
    figure = Figure(figsize=(0.6 + 3.2 * across, 0.3 + 2.7 * down), layout="constrained")
    panels = list(figure.subplots(down, across, squeeze=False).flat)
    found = series(results, key)
    for axes, own in zip(panels, columns, strict=False):
        for colour, one in zip(_colours(len(found)), found, strict=True):
            _curve(axes, results, one, own, colour)
        _mark(axes, results, own)
        axes.set_title(fill(own.label + BETTER[own.better], LETTERS), fontsize=9)
        axes.set_xlabel(key, fontsize=9)
        axes.yaxis.set_major_formatter(lambda value, _, own=own: own.written(value))
    for axes in panels[len(columns) :]:
        axes.set_visible(False)
    if len(found) > 1:
        panels[0].legend(fontsize=8)
    return figure


def series(results: StudyResults, key: str) -> list[Series]:
    """The rows by all that they are called but their value of one axis, in the study's order."""
    found: dict[str, Series] = {}
    compared = [next(iter(results.study.axes[axis])) for axis in results.study.compared]
    for row in results.rows:
        values = results.points_of(row)[0].values
        others = [values[other] for other in compared if other != key]
        one = found.setdefault(json.dumps(others), Series(", ".join(map(str, others)), [], []))
        one.rows.append(row)
        one.values.append(values[key])
    return list(found.values())


def maps(results: StudyResults) -> Figure:
    """A line of maps a column: means in colour over two axes, a map for each value of a third."""
    across_key, up_key, *third = results.study.against
    values = {key: _values(results, key) for key in results.study.against}
    panels = values[third[0]] if third else [None]
    columns = [column(name) for name in results.study.columns]
    wide, high = 0.75 * len(values[across_key]) + 0.9, 0.55 * len(values[up_key]) + 0.9
    figure = Figure(figsize=(wide * len(panels) + 0.8, high * len(columns) + 0.3), layout="constrained")
    grid = figure.subplots(len(columns), len(panels), squeeze=False, sharex=True, sharey=True)
    best = list(chosen(results).values())
    for line, own in zip(grid, columns, strict=True):
        tables = [_table(results, own, values, {third[0]: value} if third else {}) for value in panels]
        limits = _limits([mean for table in tables for mean, _ in table.values()])
        for axes, table, value in zip(line, tables, panels, strict=True):
            _map(axes, table, own, values[across_key], values[up_key], limits, best)
            if third:
                axes.set_title(f"{third[0].split('.')[-1]} {value}", fontsize=9)
            axes.set_xlabel(across_key.split(".")[-1], fontsize=8)
        line[0].set_ylabel(f"{own.label}\n\n{up_key.split('.')[-1]}", fontsize=8)
    return figure


Means = dict[tuple[int, int], tuple[float, str]]  # place -> mean, the row's name


def _table(results: StudyResults, own: Column, values: dict[str, list[Any]], of: dict[str, Any]) -> Means:
    """The means of the rows with these values, by their places on two axes."""
    across_key, up_key, *_ = results.study.against
    found = {}
    for row in results.rows:
        there = {key: json.dumps(value) for key, value in results.points_of(row)[0].values.items()}
        if all(there[key] == json.dumps(value) for key, value in of.items()):
            up, across = (
                list(map(json.dumps, values[key])).index(there[key]) for key in (up_key, across_key)
            )
            found[up, across] = results.mean(Cell(own.name, row)), row
    return found


def _map(
    axes: Axes,
    table: Means,
    own: Column,
    across: Sequence[Any],
    up: Sequence[Any],
    limits: tuple[float, float],
    best: list[str],
) -> None:
    means = np.full((len(up), len(across)), np.nan)
    for place, (mean, _) in table.items():
        means[place] = mean
    low, high = limits
    colours = matplotlib.colormaps["viridis_r" if own.better == "lower" else "viridis"]
    axes.imshow(means, cmap=colours, vmin=low, vmax=high, aspect="auto", origin="lower")
    for (line, at), (mean, row) in table.items():
        light = (mean - low) / ((high - low) or 1) > 0.6
        dark = light != (own.better == "lower")
        axes.text(at, line, own.written(mean), ha="center", va="center", fontsize=8,
                  fontweight="bold" if row in best else "normal",
                  bbox={"boxstyle": "round,pad=0.25", "fill": False, "edgecolor": ALARM, "linewidth": 1.5}
                  if row in best else None,
                  color="black" if dark else "white")  # fmt: skip
    axes.set_xticks(range(len(across)), list(map(str, across)))
    axes.set_yticks(range(len(up)), list(map(str, up)))
    axes.tick_params(labelsize=8)
    axes.grid(visible=False)


def _limits(means: list[float]) -> tuple[float, float]:
    there = [mean for mean in means if not np.isnan(mean)]
    return (min(there), max(there)) if there else (0.0, 1.0)


def _curve(axes: Axes, results: StudyResults, one: Series, own: Column, colour: str) -> None:
    places = one.values if all(map(_is_number, one.values)) else range(len(one.values))
    means = []
    for place, row in zip(places, one.rows, strict=True):
        numbers = results.numbers.loc[[point.own for point in results.points_of(row)], own.name].dropna()
        axes.plot(
            [place] * len(numbers), numbers, "o", color=colour, alpha=0.45, markeredgewidth=0, markersize=5
        )
        means.append(results.mean(Cell(own.name, row)))
    in_order = sorted(zip(places, means, strict=True))
    axes.plot(*zip(*in_order, strict=True), "-", color=colour, linewidth=1.6, label=one.name or None)
    if np.isnan(means).all():
        axes.annotate(
            "not measured", (0.5, 0.5), xycoords="axes fraction", ha="center", color=MUTED, fontsize=8
        )
    axes.set_xticks(list(places), [str(value) for value in one.values])


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


def _colours(count: int) -> list[str]:
    return [COLOURS[at % len(COLOURS)] for at in range(count)]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
