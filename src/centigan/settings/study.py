"""A study: a grid of experiments under one protocol, the columns of its table, and what papers claim of them.

Axes multiply; the keys of one axis vary together, and its first key names the values. A key is a setting of
`model` or `train`, or `experiment`: another file of the same protocol as the base. Families are compared by
`experiment`, since each has settings of its own, which its file tells; `model.family` is no axis.
"""

from math import prod
from typing import Annotated, Any

from pydantic import Field

from centigan.settings.claims import parse_claim
from centigan.settings.frozen import COLUMN, Frozen, Line, Name

EXPERIMENT = "experiment"  # the axis over files of experiments/
Column = Annotated[str, Field(pattern=COLUMN)]
Axis = Annotated[dict[str, Annotated[list[Any], Field(min_length=1)]], Field(min_length=1)]


class Select(Frozen):
    """Choose one row by one number, and report another that nothing was chosen by."""

    highest: Column | None = Field(None, description="choose the row where this is highest")
    lowest: Column | None = Field(None, description="choose the row where this is lowest")
    report: Column = Field(description="the number told of the chosen row")
    within: tuple[str, ...] = Field((), description="axes: one row is chosen for each of their values")


class Claim(Frozen):
    """What a paper says, and how the study's numbers would show it."""

    says: Line = Field(description="in words")
    source: Line = Field(description="paper and section")
    check: Line = Field(
        description="such as fid/generated[wgan_gp] < fid/generated[gan] (settings/claims.py)"
    )


class Study(Frozen):
    """What a file of studies/ says."""

    title: Line | None = Field(None, description="heading of the page; null: the study's name")
    of: Name = Field(
        description="base of every point, such as digits/acgan; with an axis `experiment` the protocol alone"
    )
    axes: tuple[Axis, ...] = Field(min_length=1)
    columns: tuple[Column, ...] = Field(min_length=1, description="names of summary.json")
    against: tuple[str, ...] = Field(
        (),
        max_length=3,
        description="axes that the figure shows columns against: one as a curve, two as a map of colours, a "
        "third as maps side by side; none: dots, a line a row",
    )
    marks: dict[Column, Column] = Field(
        default_factory=dict,
        description="a line in a column's panel: another number, its largest in the study; such as the most "
        "uniform real class beside MS-SSIM",
    )
    over: tuple[str, ...] = Field((), description="axes that mean and standard deviation are taken over")
    select: Select | None = None
    battle: bool = Field(
        False, description="the discriminators of every two rows judge each other's samples (Im et al. 2016)"
    )
    claims: tuple[Claim, ...] = ()

    @property
    def protocol(self) -> str:
        """What all points share."""
        return self.of.split("/")[0]

    @property
    def number_names(self) -> list[str]:
        """The name of every number of summary.json that it asks for, once."""
        found = [*self.columns, *self.marks.values()]
        if select := self.select:
            found += [name for name in (select.highest, select.lowest, select.report) if name]
        for claim in self.claims:
            found += [cell.column for comparison in parse_claim(claim.check) for cell in comparison.cells]
        return list(dict.fromkeys(found))

    @property
    def keys(self) -> list[str]:
        """Every key of every axis."""
        return [key for axis in self.axes for key in axis]

    @property
    def count(self) -> int:
        """How many points there are."""
        return prod(len(next(iter(axis.values()))) for axis in self.axes)

    def axes_of(self, keys: tuple[str, ...]) -> list[int]:
        """Positions of the axes that hold any of these keys."""
        return [position for position, axis in enumerate(self.axes) if axis.keys() & set(keys)]

    @property
    def compared(self) -> list[int]:
        """Positions of the axes that the table's rows differ in: all that no mean is taken over."""
        averaged = self.axes_of(self.over)
        return [position for position in range(len(self.axes)) if position not in averaged]
