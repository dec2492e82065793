"""Stacked digits as a source: images of 8 x 8 pixels, 192 bytes each, in the order of their classes.

`data.embedded` writes the two files and says what is in them.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from centigan.data.sources.listing import Listing, Subset, record_frame
from centigan.errors import UserError

CHANNELS = 3  # a digit each
SIDE = 8
IMAGE = CHANNELS * SIDE**2  # bytes: red, then green, then blue
CLASSES = [f"{number:0{CHANNELS}d}" for number in range(10**CHANNELS)]
STACKS: dict[Subset, int] = {"train": 10, "held_out": 2}  # images of a class
FILES: dict[Subset, str] = {"train": "train.bin", "held_out": "held_out.bin"}


def list_stacked_digits(root: Path) -> Listing:
    """All images of the two files under `root`.

    Raises:
        UserError: for a file of another length than is written.
    """
    return Listing(
        source="stacked digits",
        found=[f"{FILES[subset]}: {count} images of each class" for subset, count in STACKS.items()],
        classes=CLASSES,
        images=pd.concat([_frame(root / FILES[subset], subset) for subset in STACKS], ignore_index=True),
        encoding="planar8",
        official={subset: dict.fromkeys(CLASSES, count) for subset, count in STACKS.items()},
    )


def _frame(path: Path, subset: Subset) -> pd.DataFrame:
    rows = np.arange(len(CLASSES) * STACKS[subset])
    size = path.stat().st_size
    if size != len(rows) * IMAGE:
        raise UserError(
            f"{path} has {size} bytes instead of {len(rows) * IMAGE}; make it anew by `centigan raw`"
        )
    return record_frame(path, rows * IMAGE, IMAGE, subset, np.repeat(CLASSES, STACKS[subset]))
