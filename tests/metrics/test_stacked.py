"""Rows of stacked parts are the rows of the parts below each other, however they are asked for."""

import numpy as np
import pytest

from centigan.metrics.stacked import Stacked

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
