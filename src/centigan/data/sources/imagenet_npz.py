"""ImageNet at 32 or 64 px as Chrabaszcz et al. (2017) shrank it, read in place in NumPy's archives.

train_data_batch_1.npz to _10 and val_data.npz each hold `data` (N, 3 * side * side) bytes, all of red, then
green, then blue, and `labels` (N,) from 1. map_clsloc.txt says which class a label is; their order is not
that of the WordNet ids. An npz that is not compressed, as these are, is a zip of stored members: an image is
a range of its bytes. Their pickled batches hold the same, and pickles are never run. The ImageNet of 64 px
that PixelRNN and real NVP have was shrunk in another way, and is not this one. https://image-net.org/download-images
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from centigan.data.by_hand import lacks_all
from centigan.data.ilsvrc2012 import IDS, IMAGES, OF_SUBSET
from centigan.data.sources.captioned import refuse, told
from centigan.data.sources.class_names import is_no_name
from centigan.data.sources.listing import Encoding, Listing, Subset, in_order, printable, record_frame
from centigan.data.sources.npz import ADVICE, stored_arrays
from centigan.data.sources.sift import Sieve
from centigan.data.sources.texts import lines_of
from centigan.errors import UserError, plural

TRAINING, HELD_OUT, NAMES = "train_data_batch_{}.npz", "val_data.npz", "map_clsloc.txt"
PICKLED = TRAINING.format(1).removesuffix(".npz")
SIGNS = (TRAINING.format(1), PICKLED, NAMES)
ARRAYS = ("data", "labels")
BATCHES = "train_data_batch_*.npz"
NUMBERED = re.compile(r"train_data_batch_([1-9][0-9]{0,2})\.npz")  # the published ones end with 10
ENCODINGS: dict[int, Encoding] = {32: "planar32", 64: "planar64"}  # side of an image -> how it is stored
NUMBER = re.compile(r"[0-9]{1,9}")


class Batch(NamedTuple):
    """The images of a file: where the first lies, how wide they are, the label of each, a checksum of all."""

    path: Path
    offset: int
    side: int
    labels: NDArray[np.int64]
    crc: int


def list_imagenet_npz(root: Path) -> Listing:
    """All images of the files at `root`.

    Raises:
        UserError: for a file that is missing, damaged, compressed, there twice or of another size, a label of
            no class.
    """
    files = files_at(root)
    names = _names(root / NAMES)
    sieve = Sieve(root)
    sieve.outside(root, {NAMES, *(path.name for paths in files.values() for path in paths)})
    batches = {
        subset: [_read(path) for path in tqdm(paths, desc=f"index {subset}", unit="file", disable=None)]
        for subset, paths in files.items()
    }
    side = _side(root, [batch for of in batches.values() for batch in of])
    frames = [_frame(batch, subset, names, root / NAMES) for subset, of in batches.items() for batch in of]
    images = in_order(pd.concat(frames))
    classes = sorted(images["class_id"].unique())
    return Listing(
        source=f"ImageNet of {side} px as npz",
        found=[
            f"{subset}: {len(of)} {plural('file', len(of))}, "
            f"{told(sum(len(one.labels) for one in of), OF_SUBSET[subset])}"
            for subset, of in batches.items()
        ],
        classes=classes,
        images=images,
        encoding=ENCODINGS[side],
        published=IMAGES,
        words={class_id: names.words[class_id] for class_id in classes},
        rejected=sieve.rejected,
        passed_over=sieve.passed_over,
        checksummed=len(names.ids) == len(IDS),
    )


def files_at(root: Path) -> dict[Subset, list[Path]]:
    """All files that there should be: those of training up to the last one that is there.

    Raises:
        UserError: for one that is missing, and for training files of other numbers.
    """
    there = sorted(root.glob(BATCHES))
    if not there and (root / PICKLED).is_file():
        raise UserError(
            f"{root / PICKLED} is a pickle, which may run code and is never read; fetch the same images as "
            f"npz files ({TRAINING.format(1)}, ...)"
        )
    if not there and not (root / HELD_OUT).is_file():
        raise lacks_all("imagenet_npz", root, f"{TRAINING.format(1)}, ImageNet as npz files")
    numbers = {path: NUMBERED.fullmatch(path.name) for path in there}
    found = {int(match[1]) for match in numbers.values() if match}
    odd = [printable(str(path)) for path, match in numbers.items() if not match]
    wanted = range(1, max(found, default=1) + 1)
    refuse(
        [
            f"{path} has no number from 1, as {TRAINING.format(1)} has; rename it or move it away"
            for path in odd
        ]
        + [f"{root / TRAINING.format(n)} is missing; fetch it" for n in wanted if n not in found]
    )
    return {"train": [root / TRAINING.format(n) for n in wanted], "held_out": [root / HELD_OUT]}


def _read(path: Path) -> Batch:
    """Where a file's images lie, and their labels."""
    data, labels = stored_arrays(path, ARRAYS)
    side = next((side for side in ENCODINGS if data.shape[1:] == (3 * side**2,)), 0)
    if not side or data.dtype != np.uint8:
        raise UserError(
            f"{path}: `data` is {data.dtype} {data.shape}, not a row of bytes for each image of 32 or 64 px; "
            f"{ADVICE}"
        )
    images = data.shape[0]
    if labels.shape != (images,) or labels.dtype.kind not in "iu":
        raise UserError(
            f"{path}: {images:,} images, and `labels` is {labels.dtype} {labels.shape}, not a whole number "
            f"each; {ADVICE}"
        )
    return Batch(path, data.offset, side, labels.read().astype(np.int64), data.crc)


def _side(root: Path, batches: Sequence[Batch]) -> int:
    """Width of all images.

    Raises:
        UserError: where there are two, and for a file that is the copy of another.
    """
    sides = sorted({batch.side for batch in batches})
    if len(sides) > 1:
        raise UserError(f"{root} has images of {' and '.join(map(str, sides))} px; move one set away")
    first: dict[int, Path] = {}
    refuse(
        [
            f"{batch.path} holds the same images as {first[batch.crc].name}; fetch both anew"
            for batch in batches
            if first.setdefault(batch.crc, batch.path) != batch.path
        ]
    )
    return sides[0]


class Names(NamedTuple):
    """Label -> class, and class -> its name in words."""

    ids: dict[int, str]
    words: dict[str, str]


def _names(file: Path) -> Names:
    """What map_clsloc.txt says, a line a label: n02119789 1 kit_fox."""
    if not file.is_file():
        raise UserError(
            f"{file} is missing: it says which class a label is (lines such as n02119789 1 kit_fox); fetch "
            "it from where the images are"
        )
    ids: dict[int, str] = {}
    words: dict[str, str] = {}
    faults = []
    for row, line in enumerate(lines_of(file), 1):
        if not (parts := line.split(maxsplit=2)):
            continue
        if len(parts) < 3 or not NUMBER.fullmatch(parts[1]) or is_no_name(parts[0]):
            faults.append(f"{file}, line {row}: {line[:60]!r} is no id, number and name; {ADVICE}")
        elif int(parts[1]) in ids or parts[0] in words:
            faults.append(f"{file}, line {row}, names a label or a class again; {ADVICE}")
        else:
            ids[int(parts[1])] = parts[0]
            words[parts[0]] = printable(parts[2].replace("_", " "))
    refuse(faults)
    if not ids:
        raise UserError(f"{file} names no class; {ADVICE}")
    return Names(ids, words)


def _frame(batch: Batch, subset: Subset, names: Names, file: Path) -> pd.DataFrame:
    unknown = np.flatnonzero(~np.isin(batch.labels, list(names.ids)))
    if len(unknown):
        raise UserError(
            f"{batch.path}: image {unknown[0]} has label {batch.labels[unknown[0]]}, which {file} does not "
            f"name; fetch both anew"
        )
    size = 3 * batch.side**2
    class_ids = pd.Series(batch.labels).map(names.ids).to_numpy()
    offsets = batch.offset + size * np.arange(len(batch.labels))
    return record_frame(batch.path, offsets, size, subset, class_ids)
