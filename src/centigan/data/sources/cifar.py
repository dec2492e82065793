"""CIFAR-10 and CIFAR-100 as a source, read in place in both published versions.

The files for Python are pickles, which `pickles` only parses. An image is named by its file and its row
there, the same in both versions.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from tqdm import tqdm

from centigan.data.cifar_raw import (
    DATA_SET,
    IMAGE,
    Name,
    Published,
    Version,
    as_published,
    find_version,
    require_published,
)
from centigan.data.published_archive import reading
from centigan.data.sources.listing import Listing, in_order, record_frame
from centigan.data.sources.pickles import Blob, Unbuilt, read_dictionary
from centigan.errors import UserError


class Batch(NamedTuple):
    """One file: image i lies at offset + i * stride."""

    labels: list[int] | np.ndarray
    offset: int
    stride: int


def list_cifar(name: Name, root: Path, *, published: Published | None = None) -> Listing:
    """All images of the CIFAR folder under `root`; where both versions lie, of the one for Python.

    Args:
        published: what to check against, instead of what the authors published.

    Raises:
        UserError: for a file that is missing or not as published.
    """
    version = find_version(name, root)
    expected = published or as_published(name)
    require_published(version, root, expected)
    *paths, meta = version.files(root)
    classes = _read_names(meta, version, expected.classes)
    frames = []
    for path in tqdm(paths, desc=name, unit="file", disable=None):
        with reading(path, DATA_SET):
            batch = _read_batch(path, version)
        subset = version.batches[path.name]
        frames.append(_frame(path, batch, subset, classes, expected.images[subset]))
    totals = {s: expected.images[s] * list(version.batches.values()).count(s) for s in expected.images}
    training = "5 training files" if len(paths) == 6 else "1 training file"
    checked = "MD5 as published" if version.pickled else "sizes and labels checked, no MD5s published"
    return Listing(
        source={"cifar10": "CIFAR-10", "cifar100": "CIFAR-100"}[name],
        found=[f"{version.folder}: {training} and 1 test file, {checked}"],
        classes=sorted(classes),
        images=in_order(pd.concat(frames, ignore_index=True)),
        encoding="planar32",
        words={class_id: class_id.replace("_", " ") for class_id in classes},
        official={s: dict.fromkeys(classes, total // len(classes)) for s, total in totals.items()},
        checksummed=True,
    )


def _read_names(meta: Path, version: Version, number: int) -> list[str]:
    with reading(meta, DATA_SET):
        if version.pickled:
            names = read_dictionary(meta)[f"{version.prefix}label_names"]
        else:
            names = meta.read_text(encoding="ascii").split()
    if not all(isinstance(name, str) for name in names) or not len(names) == len(set(names)) == number:
        raise UserError(f"{meta} does not name {number} different classes; fetch it anew")
    return names


def _frame(path: Path, batch: Batch, subset: str, classes: list[str], images: int) -> pd.DataFrame:
    labels = np.asarray(batch.labels)
    if len(labels) != images:
        raise UserError(f"{path} holds {len(labels)} images, not {images} as published; fetch it anew")
    wrong = np.flatnonzero((labels < 0) | (labels >= len(classes)))
    if len(wrong):
        raise UserError(
            f"{path}: image {wrong[0]} has label {labels[wrong[0]]}, not one of 0 to {len(classes) - 1}; "
            "fetch it anew"
        )
    offsets = batch.offset + batch.stride * np.arange(images)
    return record_frame(path, offsets, IMAGE, subset, np.array(classes)[labels])


def _read_batch(path: Path, version: Version) -> Batch:
    if version.pickled:
        return _read_pickle(path, f"{version.prefix}labels")
    stride = version.label_bytes + IMAGE  # label bytes, the finest last, then the pixels
    records = np.memmap(path, np.uint8, "r").reshape(-1, stride)
    return Batch(records[:, version.label_bytes - 1].copy(), version.label_bytes, stride)


def _read_pickle(path: Path, key: str) -> Batch:
    batch = read_dictionary(path)
    labels, data = batch.get(key), batch.get("data")
    if not isinstance(labels, list) or not all(type(label) is int for label in labels):
        raise UserError(f"{path} has no list of whole numbers {key!r}; fetch it anew")
    match data.state if isinstance(data, Unbuilt) else None:
        # numpy's version of the format, shape, type, whether column by column, content
        case (_, _, _, False, Blob(offset, size)):
            pass
        case _:
            raise UserError(f"{path} has no array 'data' of bytes, row by row; take the binary version")
    if size != len(labels) * IMAGE:
        raise UserError(f"{path} has {size} bytes of pixels for {len(labels)} images; fetch it anew")
    return Batch(labels, offset, IMAGE)
