"""A few held-out images of a split, for what is drawn of real images that no training saw."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from centigan.data.decode import Pixels
from centigan.data.held_out import at_training_size
from centigan.errors import UserError
from centigan.sheets import evenly


def some_held_out(arrays: Path, most: int, side: int, *, least: int = 1) -> tuple[Pixels, Tensor]:
    """At most so many held-out images (N, R, R, 3), evenly from the list, at the model's R; labels (N,).

    The list stands in the order of the classes.

    Raises:
        UserError: for fewer than `least` images.
    """
    path = arrays / "held_out_images.npy"
    images = np.load(path, mmap_mode="r")
    rows = evenly(len(images), most)
    if len(rows) < least:
        raise UserError(f"{path} has {len(rows)} image(s), and {least} are needed")
    small = at_training_size(images[rows], side)
    labels = np.load(arrays / "held_out_labels.npy")[rows]
    return np.ascontiguousarray(small), torch.from_numpy(labels.astype(np.int64))
