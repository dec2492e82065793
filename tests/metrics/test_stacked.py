"""Rows of stacked parts are the rows of the parts below each other, however they are asked for."""

from pathlib import Path

import numpy as np
import pytest

from centigan.metrics.stacked import InFile, Stacked

PARTS = [
    np.arange(6, dtype=np.float32).reshape(3, 2),
    np.zeros((0, 2), np.float32),
    np.ones((4, 2), np.float32),
]
WHOLE = np.concatenate(PARTS)


@pytest.mark.parametrize(
    "rows",
    [slice(None), slice(2, 5), slice(0, 0), np.array([6, 0, 2, 2]), np.arange(7) % 2 == 0],
    ids=["all", "across", "none", "shuffled", "mask"],
)
def test_rows_are_those_of_the_whole(rows: slice | np.ndarray) -> None:
    stacked = Stacked(PARTS)
    assert stacked.shape == WHOLE.shape == (len(stacked), 2)
    np.testing.assert_array_equal(stacked[rows], WHOLE[rows])


def test_parts_in_files_are_open_only_while_rows_are_read(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.npy" for number in range(len(PARTS))]
    for path, part in zip(paths, PARTS, strict=True):
        np.save(path, part)
    before = len(list(Path("/proc/self/fd").iterdir()))
    stacked = Stacked([InFile(path) for path in paths])
    assert np.array_equal(stacked[:], np.concatenate(PARTS))
    assert len(list(Path("/proc/self/fd").iterdir())) == before
