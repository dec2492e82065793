"""SVHN's cropped digits as a source: 32 x 32 in colour, read from the plain files that `centigan raw` makes.

The test images are held out. The further training images of extra_32x32.mat are told, and not used. A class
is called by its digit, an image by its file and its row there.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from centigan.data.sources.listing import Listing, in_order, record_frame
from centigan.data.svhn_raw import (
    CLASSES,
    DATA_SET,
    EXTRA,
    FILES,
    IMAGE,
    Published,
    as_published,
    read_part,
)

CLASS_IDS = [str(digit) for digit in range(CLASSES)]


def list_svhn(root: Path, *, published: Published | None = None) -> Listing:
    """All images of the two plain files under `root`.

    A set of this format with other numbers of images than were published is read, and told.

    Args:
        published: what to check against, instead of what the authors published.

    Raises:
        UserError: for a file that is missing, not made yet, damaged or of another .mat than lies beside.
    """
    expected = published or as_published()
    parts = {subset: read_part(root, subset, expected) for subset in FILES}
    images = pd.concat(
        record_frame(
            part.path,
            part.start + IMAGE * np.arange(len(part.digits)),
            IMAGE,
            subset,
            np.array(CLASS_IDS)[part.digits],
        )
        for subset, part in parts.items()
    )
    unused = [f"{EXTRA}: lies there, and no training uses it"] if (root / EXTRA).exists() else []
    return Listing(
        source=DATA_SET,
        found=[part.told for part in parts.values()] + unused,
        classes=CLASS_IDS,
        images=in_order(images),
        encoding="columns32",
        official={
            subset: dict(zip(CLASS_IDS, counts, strict=True)) for subset, counts in expected.images.items()
        },
        checksummed=all(part.published for part in parts.values()),
    )
