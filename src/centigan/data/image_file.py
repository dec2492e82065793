"""An .npy file of images that come in any order, and some of them never."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import BinaryIO

import numpy as np

from centigan.data.decode import Pixels

MOVED = 1 << 24  # bytes moved at once


class ImageFile:
    """uint8 (count, side, side, 3) in a file that is open for reading and writing; each image has its row."""

    def __init__(self, file: BinaryIO, count: int, side: int) -> None:
        self._file, self._side = file, side
        self._write_header(count)
        self._start = file.tell()
        self._size = side * side * 3  # bytes of an image

    def write(self, rows: Sequence[int], pixels: Pixels) -> None:
        """Write each image to its row."""
        for row, begin, end in _runs(rows):
            self._file.seek(self._place(row))
            self._file.write(pixels[begin:end].data)

    def keep(self, rows: Sequence[int]) -> None:
        """Keep these rows, in ascending order, one behind the other, and nothing else."""
        for row, begin, end in _runs(rows):
            if row != begin:
                self._move(self._place(row), self._place(row + end - begin), self._place(begin))
        self._file.truncate(self._place(len(rows)))
        self._file.seek(0)
        self._write_header(len(rows))

    def _move(self, begin: int, end: int, target: int) -> None:
        """Move bytes towards the beginning of the file."""
        for place in range(begin, end, MOVED):
            self._file.seek(place)
            content = self._file.read(min(MOVED, end - place))
            self._file.seek(target + place - begin)
            self._file.write(content)

    def _place(self, row: int) -> int:
        return self._start + row * self._size

    def _write_header(self, count: int) -> None:
        """The .npy header; numpy pads it, so that its length is the same for every count."""
        header = {"descr": "|u1", "fortran_order": False, "shape": (count, self._side, self._side, 3)}
        np.lib.format.write_array_header_1_0(self._file, header)


def _runs(rows: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Of each run of rows without a gap: its first row, and the positions where it begins and ends."""
    steps = np.flatnonzero(np.diff(np.asarray(rows, np.int64)) != 1) + 1
    for begin, end in pairwise([0, *steps.tolist(), len(rows)]):
        if begin < end:
            yield rows[begin], begin, end
