"""The class of each image, by the label that stands in its file; how often it is named rightly."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def class_ids_of(labels: NDArray[np.integer[Any]], classes: Sequence[str]) -> NDArray[np.object_]:
    """The class of each label (N,); None for -1, an image that no class was asked for."""
    ids = np.full(len(labels), None, dtype=object)
    known = labels >= 0
    ids[known] = np.array(classes, dtype=object)[labels[known]]
    return ids


def right_answers(named: NDArray[np.object_], class_ids: NDArray[np.object_]) -> pd.DataFrame:
    """class_id, correct, count."""
    return right_of_each(class_ids, named == class_ids)


def right_of_each(
    class_ids: Sequence[str] | NDArray[np.object_], right: Sequence[bool] | NDArray[np.bool_]
) -> pd.DataFrame:
    """class_id, correct, count: how many of a class's images (N,) are right."""
    table = pd.DataFrame({"class_id": class_ids, "right": right})
    return table.groupby("class_id")["right"].agg(correct="sum", count="count").reset_index()
