"""What became of the rows of an array: which are whole, what was odd, what was left out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple

from centigan.data.sources.listing import Rejected


class Found(NamedTuple):
    """The same of some rows, in the order in which they were read; each fact begins with its row."""

    kept: list[int]
    oddities: list[tuple[int, str, str]]  # (row, oddity, name)
    rejected: list[tuple[int, Rejected]]


@dataclass
class Outcome:
    """What became of the rows of one array, in their order."""

    kept: list[int] = field(default_factory=list)
    converted: dict[str, list[str]] = field(default_factory=dict)  # oddity -> names
    rejected: list[Rejected] = field(default_factory=list)


def in_order_of_rows(found: Sequence[Found]) -> Outcome:
    """The outcome of all rows, whatever the order in which they were read."""
    rejected = sorted((one for part in found for one in part.rejected), key=itemgetter(0))
    outcome = Outcome(
        kept=sorted(row for part in found for row in part.kept), rejected=[image for _, image in rejected]
    )
    for _, oddity, name in sorted((one for part in found for one in part.oddities), key=itemgetter(0)):
        outcome.converted.setdefault(oddity, []).append(name)
    return outcome
