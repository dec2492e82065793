"""A small data set in the format of MNIST or of Fashion-MNIST, from pictures that ship with the dependencies.

For trying and testing the reader without the data. Of `mnist` the images are scikit-learn's digits, enlarged
from 8 x 8. Of `fashion_mnist` a class is grey crops of one photograph: the names of the classes are those of
what is worn, and what the pictures show is not.
"""

import gzip
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from centigan.data.crops import crop, photographs
from centigan.data.idx_file import BYTES
from centigan.data.idx_raw import CLASSES, DATA_SETS, IMAGES, PARTS, SIDE, Name
from centigan.data.small_set import require_another_set, require_empty
from centigan.errors import UserError

SEED = 0


def write_idx(name: Name, out: Path, *, classes: int, per_class: int, held_out_per_class: int) -> None:
    """Write the four .gz files into `out`, as they are published; the same call gives the same bytes.

    Raises:
        UserError: where something lies at `out`, and for another number of classes, more images than there
            are digits, or as many as were published, which would be taken for a damaged copy.
    """
    require_empty(out)
    counts = {"train": per_class, "held_out": held_out_per_class}
    require_another_set(
        DATA_SETS[name],
        classes=classes,
        published_classes=CLASSES,
        counts=((CLASSES * count, sum(IMAGES[name][subset])) for subset, count in counts.items()),
    )
    images = _digits(sum(counts.values())) if name == "mnist" else _crops(sum(counts.values()))
    rng = np.random.default_rng(SEED)
    out.mkdir(parents=True, exist_ok=True)
    for subset, part in PARTS.items():
        of_subset = images[:, :per_class] if subset == "train" else images[:, per_class:]
        order = rng.permutation(CLASSES * counts[subset])
        labels = np.repeat(np.arange(CLASSES, dtype=np.uint8), counts[subset])[order]
        for file, values in zip(part, (of_subset.reshape(-1, SIDE, SIDE)[order], labels), strict=True):
            (out / f"{file}.gz").write_bytes(gzip.compress(idx(values), mtime=0))


def idx(values: NDArray[np.uint8]) -> bytes:
    """An array of bytes as an IDX file."""
    return struct.pack(f">{1 + values.ndim}I", BYTES + values.ndim, *values.shape) + values.tobytes()


def _digits(count: int) -> NDArray[np.uint8]:
    """(10, count, 28, 28)."""
    from sklearn.datasets import load_digits  # takes a second to import

    loaded = load_digits()
    levels = np.rint(loaded.images * (255 / 16)).astype(np.uint8)  # (1797, 8, 8), was 0..16
    shipped = [levels[loaded.target == label] for label in range(CLASSES)]
    fewest = min(map(len, shipped))
    if count > fewest:
        raise UserError(f"{fewest} images of each digit ship, and {count} are asked for")
    return np.stack([[_enlarged(image) for image in images[:count]] for images in shipped])


def _enlarged(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def _crops(count: int) -> NDArray[np.uint8]:
    """(10, count, 28, 28)."""
    rng = np.random.default_rng([SEED, 1])
    return np.stack(
        [[_grey(crop(picture, SIDE, rng)) for _ in range(count)] for picture in photographs()[:CLASSES]]
    )


def _grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(image).convert("L"))
