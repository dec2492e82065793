"""A small data set in the format of SVHN's cropped digits, of photographs that ship with the dependencies.

For trying and testing the reader without the data. A class is crops of one photograph: what the pictures show
are no digits.
"""

from pathlib import Path

import numpy as np

from centigan.data.captioned_fixture import matlab
from centigan.data.crops import crop, photographs
from centigan.data.small_set import require_another_set, require_empty
from centigan.data.svhn_raw import CLASSES, DATA_SET, FILES, IMAGES, SIDE

SEED = 0


def write_svhn(out: Path, *, classes: int, per_class: int, held_out_per_class: int) -> None:
    """Write the two .mat files into `out`, compressed as the published ones; the same call, the same bytes.

    Raises:
        UserError: where something lies at `out`, for another number of classes, and for as many images as
            were published, which would be taken for a damaged copy.
    """
    require_empty(out)
    counts = {"train": CLASSES * per_class, "held_out": CLASSES * held_out_per_class}
    require_another_set(
        DATA_SET,
        classes=classes,
        published_classes=CLASSES,
        counts=((count, sum(IMAGES[subset])) for subset, count in counts.items()),
    )
    out.mkdir(parents=True, exist_ok=True)
    pictures = photographs()
    for stream, (subset, file) in enumerate(FILES.items()):
        rng = np.random.default_rng([SEED, stream])
        digits = rng.permutation(np.arange(counts[subset]) % CLASSES)
        images = np.stack([crop(pictures[digit], SIDE, rng) for digit in digits], axis=-1)
        labels = np.where(digits == 0, CLASSES, digits).astype(np.uint8)[:, None]
        (out / f"{file}.mat").write_bytes(matlab({"X": images, "y": labels}, compressed=True))
