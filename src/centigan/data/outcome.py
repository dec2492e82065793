"""What became of the rows of an array: which are whole, what was odd, what was left out."""

from dataclasses import dataclass, field
from typing import NamedTuple

from centigan.data.decode import Pixels
from centigan.data.sources.listing import Rejected


class Block(NamedTuple):
    """Decoded rows: pixels of those that are whole, the row of each, what was odd, what was left out."""

    pixels: Pixels  # (kept, side, side, 3)
    kept: list[int]
    oddities: list[tuple[str, str]]  # (oddity, name)
    rejected: list[Rejected]


@dataclass
class Outcome:
    """What became of the rows of one array."""

    kept: list[int] = field(default_factory=list)
    converted: dict[str, list[str]] = field(default_factory=dict)  # oddity -> names
    rejected: list[Rejected] = field(default_factory=list)

    def add(self, block: Block) -> None:
        self.kept += block.kept
        self.rejected += block.rejected
        for oddity, name in block.oddities:
            self.converted.setdefault(oddity, []).append(name)
