"""The class of each image, by the label that stands in its file."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def class_ids_of(labels: NDArray[np.integer[Any]], classes: Sequence[str]) -> NDArray[np.object_]:
    """The class of each label (N,); None for -1, an image that no class was asked for."""
    ids = np.full(len(labels), None, dtype=object)
    known = labels >= 0
    ids[known] = np.array(classes, dtype=object)[labels[known]]
    return ids
