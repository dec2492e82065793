"""MNIST and Fashion-MNIST as sources, read in place: grey images of 28 x 28 in IDX files.

The test images are held out. A class is called by its digit, or by what is worn. An image is named by its
file, as it was published, and its row there.
"""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from centigan.data.idx_raw import DATA_SETS, PARTS, SIDE, Name, Published, as_published, read_part
from centigan.data.sources.listing import Listing, in_order, record_frame

IMAGE = SIDE**2  # bytes


def list_idx(name: Name, root: Path, *, published: Published | None = None) -> Listing:
    """All images of the four files under `root`, which must be unpacked.

    A set of this format with other numbers of images than were published is read, and told.

    Args:
        published: what to check against, instead of what the authors published.

    Raises:
        UserError: for a file that is missing, packed, damaged or in contradiction to another.
    """
    expected = published or as_published(name)
    words = {_class_id(word): word for word in expected.words}
    classes = list(words)
    parts = {subset: read_part(name, root, subset, expected) for subset in PARTS}
    images = pd.concat(
        record_frame(
            part.path,
            part.start + IMAGE * np.arange(len(part.labels)),
            IMAGE,
            subset,
            np.array(classes)[part.labels],
            called=PARTS[subset].images,
        )
        for subset, part in parts.items()
    )
    return Listing(
        source=DATA_SETS[name],
        found=[part.told for part in parts.values()],
        classes=sorted(classes),
        images=in_order(images),
        encoding="grey28",
        words=words,
        official={
            subset: dict(zip(classes, counts, strict=True)) for subset, counts in expected.images.items()
        },
        checksummed=all(part.published for part in parts.values()),
    )


def _class_id(word: str) -> str:
    """A word as part of file names: T-shirt/top is t_shirt_top."""
    return re.sub(r"[^a-z0-9]+", "_", word.lower())
