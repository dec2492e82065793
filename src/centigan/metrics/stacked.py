"""The features of all splits as one array, read from their files only as rows are asked for.

ImageNet's training images have 10 GB of 2048 features: no score needs them in memory at once.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = slice | NDArray[np.integer[Any]] | NDArray[np.bool_]


class Stacked:
    """Parts (N_i, F), each perhaps mapped from a file, below each other: (N, F); `[rows]` is an array."""

    def __init__(self, parts: Sequence[NDArray[np.float32]]) -> None:
        self.parts = parts
        self.ends = np.cumsum([len(part) for part in parts])
        self.shape = (int(self.ends[-1]), parts[0].shape[1])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Rows) -> NDArray[np.float32]:
        wanted = np.arange(len(self))[rows]
        found = np.empty((len(wanted), self.shape[1]), np.float32)
        owners = np.searchsorted(self.ends, wanted, side="right")
        for owner in np.unique(owners):
            here = owners == owner
            start = self.ends[owner] - len(self.parts[owner])
            found[here] = self.parts[owner][wanted[here] - start]
        return found


Features = NDArray[np.floating[Any]] | Stacked
