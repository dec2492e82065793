"""What a study's points have measured: their numbers as one table, and means over the averaged axes.

A deviation divides by n - 1. A number that a point does not have is left out of its row's mean, and the count
beside the mean says of how many points it is.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any, cast

import pandas as pd

from centigan.errors import UserError
from centigan.layout import Layout, StudyLayout, split_names
from centigan.reporting.absent import SUMMARY
from centigan.reporting.results import Results, present
from centigan.settings import Settings
from centigan.settings.claims import Cell
from centigan.settings.mistakes import CHOSEN
from centigan.settings.points import Point
from centigan.settings.study import Study
from centigan.yaml_mapping import advice

STORED = "model/numbers"  # how many numbers the networks of one model hold
SNAPSHOTS = "snapshots.safetensors"
NAMED = 3  # points that are not measured and are named; the others are counted


@dataclass(frozen=True)
class StudyResults:
    """A study, its points in order, the settings of each, and where their files lie."""

    name: str
    study: Study
    points: list[Point]
    settings: dict[str, Settings]  # by the points' names
    root: Path = Path()

    @property
    def layout(self) -> StudyLayout:
        return StudyLayout(self.study.protocol, self.name, self.root)

    @property
    def rows(self) -> list[str]:
        """What is compared, in order."""
        return list(dict.fromkeys(point.row for point in self.points))

    @property
    def by_caption(self) -> bool:
        """Whether every model draws what a caption says."""
        return all("by_caption" in settings.model.abilities for settings in self.settings.values())

    def points_of(self, row: str) -> list[Point]:
        """The points whose mean a row is."""
        return [point for point in self.points if point.row == row]

    def of(self, point: Point) -> Results:
        """Everything that one point has made."""
        settings = self.settings[point.name]
        names = split_names(settings.data.classes, settings.data.split_size)
        return Results(settings.layout_at(self.root), names)

    @cached_property
    def numbers(self) -> pd.DataFrame:
        """Every number of every summary.json and STORED: a row a point, by its own name; NaN: it has none.

        Raises:
            UserError: naming the points that are not measured, or a column that none has.
        """
        results = {point.own: self.of(point) for point in self.points}
        if absent := [point for point in self.points if not results[point.own].layout.summary.is_file()]:
            raise _not_measured(self, absent)
        rows = {own: {STORED: stored_numbers(of), **of.summary} for own, of in results.items()}
        frame = pd.DataFrame.from_dict(rows, orient="index").astype(float)
        known = sorted(frame.columns)
        if wrong := [name for name in self.study.number_names if name not in known]:
            told = "; ".join(f"{name}: {advice(name, known)}" for name in wrong)
            raise UserError(f"{self.points[0].file}: no point has a number of this name: {told}")
        return frame

    @cached_property
    def _by_row(self) -> Any:
        return self.numbers.groupby([point.row for point in self.points], sort=False)

    @cached_property
    def means(self) -> pd.DataFrame:
        """Mean of each number, a row a row of the study."""
        found: pd.DataFrame = self._by_row.mean()
        return found

    @cached_property
    def deviations(self) -> pd.DataFrame:
        """Standard deviation, n - 1; NaN of a single point."""
        found: pd.DataFrame = self._by_row.std(ddof=1)
        return found

    @cached_property
    def counts(self) -> pd.DataFrame:
        """How many points have the number."""
        found: pd.DataFrame = self._by_row.count()
        return found

    def mean(self, cell: Cell) -> float:
        """NaN where no point of the row has the number."""
        return float(cast(float, self.means.loc[cell.row, cell.column]))

    def deviation(self, cell: Cell) -> float:
        """NaN where fewer than two points of the row have the number."""
        return float(cast(float, self.deviations.loc[cell.row, cell.column]))

    def count(self, cell: Cell) -> int:
        """How many points of the row have the number."""
        return int(cast(int, self.counts.loc[cell.row, cell.column]))

    def why_absent(self, cell: Cell) -> str:
        """Why a row has no such number: what the first of its points tells, in tables/absent."""
        point = self.points_of(cell.row)[0]
        results = self.of(point)
        if results.layout.table("absent").is_file():
            told = results.table("absent")
            found = told[(told["table"] == SUMMARY) & (told["number"] == cell.column)]["why"]
            if len(found):
                return f"{cell.row}: {found.iloc[0]}"
        return f"{cell.row} has no {cell.column}"


def stored_numbers(results: Results) -> int:
    """How many numbers the networks of the first split hold, weights and buffers, by their files' headers.

    Raises:
        UserError: when there is no network.
    """
    folder = results.layout.train(results.split_names[0])
    files = [file for file in sorted(folder.glob("*.safetensors")) if file.name != SNAPSHOTS]
    present(files[0] if files else folder / "generator.safetensors")
    return sum(prod(shape) for file in files for shape in _shapes(file))


def _shapes(file: Path) -> list[list[int]]:
    """The shape of every tensor of a safetensors file: eight bytes, the length of a header of JSON."""
    with file.open("rb") as opened:
        header = json.loads(opened.read(int.from_bytes(opened.read(8), "little")))
    return [tensor["shape"] for name, tensor in header.items() if name != "__metadata__"]


def chosen(results: StudyResults) -> dict[str, str]:
    """The row that `select` chooses, by the words of the axes it is chosen within; the first of equal ones.

    Where none of the rows has the number, none is chosen. Empty without `select`.
    """
    select = results.study.select
    if select is None:
        return {}
    column = results.means[select.highest or select.lowest]
    found: dict[str, str] = {}
    groups: dict[str, list[str]] = {}
    for row in results.rows:
        values = results.points_of(row)[0].values
        groups.setdefault(", ".join(f"{values[key]}" for key in select.within), []).append(row)
    for group, rows in groups.items():
        numbers = column.loc[rows].dropna()
        if len(numbers):
            found[group] = str(numbers.idxmax() if select.highest else numbers.idxmin())
    return found


def resolved(results: StudyResults, cell: Cell) -> Cell | None:
    """The cell itself, or that of the row that was chosen; None where none was."""
    if cell.row != CHOSEN or CHOSEN in results.rows:
        return cell
    row = chosen(results).get("")
    return None if row is None else Cell(cell.column, row)


def _not_measured(results: StudyResults, absent: list[Point]) -> UserError:
    named = ", ".join(point.own for point in absent[:NAMED])
    named += f" and {len(absent) - NAMED} more" if absent[NAMED:] else ""
    first = absent[0].name
    return UserError(
        f"study {results.name}: {len(absent)} of {len(results.points)} points are not measured: {named}; "
        f"`snakemake --config experiment={first}` makes {Layout(first, results.root).summary}"
    )
