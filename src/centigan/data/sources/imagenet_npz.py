"""ImageNet at 32 or 64 px as Chrabaszcz et al. (2017) shrank it, read in place in NumPy's archives.

train_data_batch_1.npz to _10 and val_data.npz each hold `data` (N, 3 * side * side) bytes, all of red, then
green, then blue, and `labels` (N,) from 1. map_clsloc.txt says which class a label is; their order is not
that of the WordNet ids. An npz that is not compressed, as these are, is a zip of stored members: an image is
a range of its bytes. Their pickled batches hold the same, and pickles are never run. The ImageNet of 64 px
that PixelRNN and real NVP have was shrunk in another way, and is not this one. https://image-net.org/download-images
"""

import re
import zipfile
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from centigan.data.sources.captioned import refuse, told
from centigan.data.sources.listing import Encoding, Listing, Subset, in_order, record_frame
from centigan.data.sources.sift import Sieve
from centigan.data.sources.zips import content_at
from centigan.errors import UserError

TRAINING, HELD_OUT, NAMES = "train_data_batch_{}.npz", "val_data.npz", "map_clsloc.txt"
PICKLED = TRAINING.format(1).removesuffix(".npz")
SIGNS = (TRAINING.format(1), PICKLED, NAMES)
NUMBER = re.compile(r"train_data_batch_(\d+)\.npz")
ENCODINGS: dict[int, Encoding] = {32: "planar32", 64: "planar64"}  # side of an image -> how it is stored
PUBLISHED: dict[Subset, int] = {"train": 1_281_167, "held_out": 50_000}
ADVICE = "fetch it anew"


class Batch(NamedTuple):
    """The images of a file: where the first lies, how wide they are, and the label of each."""

    path: Path
    offset: int
    side: int
    labels: NDArray[np.int64]


def list_imagenet_npz(root: Path) -> Listing:
    """All images of the files at `root`.

    Raises:
        UserError: for a file that is missing, damaged, compressed or of another size, a label of no class.
    """
    files: dict[Subset, list[Path]] = {"train": _training(root), "held_out": [root / HELD_OUT]}
    names = _names(root / NAMES)
    sieve = Sieve(root)
    sieve.outside(root, {NAMES, *(path.name for paths in files.values() for path in paths)})
    frames, found = [], []
    sides: set[int] = set()
    for subset, paths in files.items():
        batches = [_read(path) for path in tqdm(paths, desc=f"index {subset}", unit="file", disable=None)]
        sides.update(batch.side for batch in batches)
        frames += [_frame(batch, subset, names, root / NAMES) for batch in batches]
        count = sum(len(batch.labels) for batch in batches)
        found.append(f"{subset}: {len(paths)} files, {told(count, PUBLISHED[subset])}")
    if len(sides) > 1:
        raise UserError(f"{root} has images of {' and '.join(map(str, sorted(sides)))} px; move one set away")
    images = in_order(pd.concat(frames))
    classes = sorted(images["class_id"].unique())
    return Listing(
        source=f"ImageNet of {min(sides)} px as npz",
        found=found,
        classes=classes,
        images=images,
        encoding=ENCODINGS[min(sides)],
        words={class_id: names.words[class_id] for class_id in classes},
        rejected=sieve.rejected,
        passed_over=sieve.passed_over,
    )


def _training(root: Path) -> list[Path]:
    """All training files that there should be up to the last one that is there."""
    found = (NUMBER.fullmatch(path.name) for path in root.iterdir()) if root.is_dir() else ()
    numbers = {int(match[1]) for match in found if match}
    if not numbers and (root / PICKLED).is_file():
        raise UserError(
            f"{root / PICKLED} is a pickle, which may run code and is never read; fetch the same images as "
            f"npz files ({TRAINING.format(1)}, ...)"
        )
    wanted = range(1, max(numbers, default=1) + 1)
    refuse([f"{root / TRAINING.format(n)} is missing; fetch it" for n in wanted if n not in numbers])
    return [root / TRAINING.format(number) for number in wanted]


def _read(path: Path) -> Batch:
    """Where a file's images lie, and their labels."""
    try:
        with zipfile.ZipFile(path) as archive:
            member = archive.getinfo("data.npy")
            if member.compress_type != zipfile.ZIP_STORED:
                raise UserError(
                    f"{path} is compressed, and images are read where they lie: fetch the published file, or "
                    "write its arrays anew with numpy.savez"
                )
            with archive.open(member) as file:
                shape = _shape(path, file)
                header = file.tell()
            labels = _labels(path, archive, shape[0])
        offset = content_at(path, member) + header
    except FileNotFoundError:
        raise UserError(f"{path} is missing; fetch it") from None
    except KeyError:
        raise UserError(f"{path} holds no `data` and `labels`; {ADVICE}") from None
    except (zipfile.BadZipFile, ValueError, EOFError) as error:
        raise UserError(f"{path} is damaged ({error}); {ADVICE}") from None
    side = next((side for side in ENCODINGS if shape[1] == 3 * side**2), 0)
    if not side or member.file_size != header + shape[0] * shape[1]:
        raise UserError(f"{path}: `data` is not of images of 32 or 64 px, a row each, but {shape}; {ADVICE}")
    return Batch(path, offset, side, labels)


def _shape(path: Path, file: IO[bytes]) -> tuple[int, int]:
    """Rows and columns of `data`, by the header of its .npy."""
    version = np.lib.format.read_magic(file)
    reader = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in reader:
        raise UserError(f"{path}: `data` is of NumPy's format {version}, which is not read; {ADVICE}")
    shape, by_column, dtype = reader[version](file)
    if len(shape) != 2 or by_column or dtype != np.uint8:
        raise UserError(f"{path}: `data` is not rows of bytes, but {dtype} {shape}; {ADVICE}")
    return shape


def _labels(path: Path, archive: zipfile.ZipFile, images: int) -> NDArray[np.int64]:
    with archive.open("labels.npy") as file:
        labels = np.lib.format.read_array(file, allow_pickle=False)
    if labels.shape != (images,) or labels.dtype.kind not in "iu":
        raise UserError(
            f"{path}: {images:,} images, and `labels` is {labels.dtype} {labels.shape}, not a whole number "
            f"each; {ADVICE}"
        )
    return labels.astype(np.int64)


class Names(NamedTuple):
    """Label -> class, and class -> its name in words."""

    ids: dict[int, str]
    words: dict[str, str]


def _names(file: Path) -> Names:
    """What map_clsloc.txt says, a line a label: n02119789 1 kit_fox."""
    try:
        lines = [line.split(maxsplit=2) for line in file.read_text(encoding="utf-8-sig").splitlines() if line]
        ids = {int(number): class_id for class_id, number, _ in lines}
    except FileNotFoundError:
        raise UserError(
            f"{file} is missing: it says which class a label is (lines such as n02119789 1 kit_fox); fetch "
            "it from where the images are"
        ) from None
    except ValueError:
        raise UserError(f"{file} is not lines of an id, a number and a name; {ADVICE}") from None
    if len(ids) != len(lines) or len(set(ids.values())) != len(lines):
        raise UserError(f"{file} names a label or a class twice; {ADVICE}")
    return Names(ids, {class_id: words.replace("_", " ") for class_id, _, words in lines})


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
