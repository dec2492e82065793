"""A small data set in the format of STL-10, of photographs that ship with the dependencies.

For trying and testing the reader without the data. A class is crops of one photograph, the unlabelled images
are crops of all photographs; the names of the classes are STL-10's, and what the pictures show is not.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from centigan.data.crops import crop, photographs
from centigan.data.small_set import require_another_set, require_empty, write_lines
from centigan.data.sources.stl10 import FOLD_COUNT, FOLD_SHARE
from centigan.data.stl10_raw import CLASSES, DATA_SET, FOLDER, FOLDS, IMAGES, NAMES, PARTS, SIDE

CLASS_NAMES = ("airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck")
UNLABELLED = 2  # for each labelled training image; of the real set 20
SEED = 0


def write_stl10(out: Path, *, classes: int, per_class: int, held_out_per_class: int) -> None:
    """Write STL-10's seven files into a folder of `out`; the same call gives the same bytes.

    Raises:
        UserError: where something lies at `out`, and for another number of classes, or numbers of images as
            they were published, which would be taken for a damaged copy.
    """
    require_empty(out)
    counts = {"train": CLASSES * per_class, "test": CLASSES * held_out_per_class}
    counts["unlabelled"] = UNLABELLED * counts["train"]
    require_another_set(
        DATA_SET,
        classes=classes,
        published_classes=CLASSES,
        counts=((counts[name], IMAGES[part.images]) for name, part in PARTS.items()),
    )
    folder = out / FOLDER
    folder.mkdir(parents=True)
    pictures = photographs()
    for stream, (name, part) in enumerate(PARTS.items()):
        rng = np.random.default_rng([SEED, stream])
        shown = np.arange(counts[name]) % (CLASSES if part.labels else len(pictures))
        rng.shuffle(shown)
        with (folder / part.images).open("wb") as file:
            for position in shown:
                file.write(_columns(crop(pictures[position], SIDE, rng)))
        if part.labels:
            (folder / part.labels).write_bytes((shown + 1).astype(np.uint8).tobytes())
    write_lines(folder / NAMES, CLASS_NAMES)
    rng = np.random.default_rng([SEED, len(PARTS)])
    folds = [rng.permutation(counts["train"])[: counts["train"] // FOLD_SHARE] for _ in range(FOLD_COUNT)]
    write_lines(folder / FOLDS, (" ".join(map(str, sorted(fold))) for fold in folds))


def _columns(image: NDArray[np.uint8]) -> bytes:
    """(height, width, 3) as STL-10 has it: by colour, then by column, then by row."""
    return image.transpose(2, 1, 0).tobytes()
