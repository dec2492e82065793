"""A study's table: a row for each setting that is compared, a mean and a deviation for each column."""

from typing import NamedTuple

import pandas as pd

from centigan.reporting.studies.bounds import mark
from centigan.reporting.studies.columns import Column, column
from centigan.reporting.studies.results import STORED, StudyResults
from centigan.settings.claims import Cell


class Shown(NamedTuple):
    """A cell as a person reads it."""

    text: str
    best: bool
    why: str  # it is empty, or of fewer points than its row


def points_table(results: StudyResults) -> pd.DataFrame:
    """A row a point: its name, its values on the axes, every number it has.

    The study's own columns come first: MLflow's parallel coordinates begin with the first number.
    """
    values = pd.DataFrame([written_values(point.values) for point in results.points])
    values.insert(0, "point", [point.own for point in results.points])
    numbers = results.numbers.reset_index(drop=True)
    order = dict.fromkeys([*results.study.columns, *numbers.columns])
    return pd.concat([values, numbers[list(order)]], axis=1)


def mean_table(results: StudyResults) -> pd.DataFrame:
    """A row a setting: its name, its values, its points; of each column mean, <column>/std, <column>/n."""
    compared = [key for axis in results.study.compared for key in results.study.axes[axis]]
    rows = []
    for row in results.rows:
        points = results.points_of(row)
        values = written_values({key: points[0].values[key] for key in compared})
        rows.append({"row": row, **values, "points": len(points), STORED: results.means.loc[row, STORED]})
    table = pd.DataFrame(rows)
    for name in results.study.columns:
        table[name] = results.means.loc[results.rows, name].to_numpy()
        table[f"{name}/std"] = results.deviations.loc[results.rows, name].to_numpy()
        table[f"{name}/n"] = results.counts.loc[results.rows, name].to_numpy()
    return table


def shown_table(results: StudyResults) -> pd.DataFrame:
    """The same for a paper: a row's name, and each column as mean ± deviation under its label."""
    table = pd.DataFrame({"": results.rows})
    for name in results.study.columns:
        own = column(name)
        table[own.label] = [text(results, row, own) for row in results.rows]
    return table


def cells(results: StudyResults, row: str) -> list[Shown]:
    """A row of the page, cell by cell."""
    found = []
    for name in results.study.columns:
        own, count = column(name), results.count(Cell(name, row))
        of = len(results.points_of(row))
        why = results.why_absent(Cell(name, row)) if not count else f"{count} of {of}" if count < of else ""
        found.append(Shown(text(results, row, own), row in best_rows(results, own), why))
    return found


def best_rows(results: StudyResults, own: Column) -> list[str]:
    """The rows with the best mean; none where neither is better, or where all are equal."""
    means = results.means[own.name].dropna()
    if not own.better or means.nunique() < 2:
        return []
    best = means.min() if own.better == "lower" else means.max()
    return [str(row) for row in means.index[means == best]]


def written_values(values: dict[str, object]) -> dict[str, object]:
    """Values of axes for a table: what is no number or text is written as a text."""
    return {
        key: value if isinstance(value, str | int | float) and not isinstance(value, bool) else str(value)
        for key, value in values.items()
    }


def text(results: StudyResults, row: str, own: Column) -> str:
    """Mean and deviation, for a person; a bound is marked."""
    cell = Cell(own.name, row)
    return mark(results, row, own.name) + own.with_spread(results.mean(cell), results.deviation(cell))
