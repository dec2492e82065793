"""The features of all splits as one array, read from their files only as rows are asked for.

ImageNet's training images have 10 GB of 2048 features: no score needs them in memory at once.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = slice | NDArray[np.integer[Any]] | NDArray[np.bool_]


class InFile:
    """An array (N, F) in a .npy file, which is open only while rows are read.

    A mapped file keeps a descriptor: 100 splits of four sources would hold 400, and macOS gives 256.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.shape: tuple[int, int] = np.load(path, mmap_mode="r").shape

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = np.load(self.path, mmap_mode="r")[rows]  # a copy: the rows are numbers
        return found


class Stacked:
    """Parts (N_i, F), each perhaps in a file, below each other: (N, F); `[rows]` is an array."""

    def __init__(self, parts: Sequence[NDArray[np.float32] | InFile]) -> None:
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
