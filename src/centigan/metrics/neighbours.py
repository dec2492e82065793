"""Nearest training images of samples (AC-GAN, Fig 7 by L1 in pixels, Fig 10 by MS-SSIM), by exact search.

The same is done for held-out real images: how near is a new image of a class to the training images, when
it cannot be a copy? `memorisation` compares the two. Every training image is compared; OpenCV adds up
absolute differences of bytes, which are exact.
"""

from collections.abc import Callable, Iterator
from mmap import MADV_DONTNEED, mmap
from pathlib import Path
from typing import Literal, NamedTuple

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from centigan.atomic import atomic_path
from centigan.data.held_out import at_training_size
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.manifest import read_facts
from centigan.metrics.labels import class_ids_of
from centigan.settings.evaluation import NeighbourSettings
from centigan.sheets import Images  # the judges' load every network
from centigan.similarity import ms_ssim_of_all, prepare
from centigan.threads import allowed_threads

MEGABYTE = 2**20
CHUNK = 64  # training images compared at a time: 3 MB at 128 px, which the processor's caches hold
COLUMNS = ["source", "class_id", "image", "metric", "scope", "neighbour", "neighbour_class", "distance"]

# Training images (M, R, R, 3) -> of each query, the lowest of the nearest rows, and its distance.
Nearest = Callable[[Images], tuple[NDArray[np.int64], NDArray[np.float64]]]


class Found(NamedTuple):
    """Of each query, the nearest row and its distance, among a class's or a split's images."""

    neighbour: NDArray[np.int64]
    distance: NDArray[np.float64]

    def part(self, where: slice) -> "Found":
        """Of some queries, in the same memory."""
        return Found(self.neighbour[where], self.distance[where])


class Training(NamedTuple):
    """The training images of a split, which are searched."""

    images: Images
    labels: NDArray[np.int64]
    classes: list[str]


class Queries(NamedTuple):
    """The images of one source whose neighbours are sought."""

    source: str
    images: Images  # of the whole file
    rows: NDArray[np.int64]  # in it
    labels: NDArray[np.int64]  # of those rows; -1: of no class

    def pixels(self, side: int) -> Images:
        """uint8 (Q, side, side, 3)."""
        return at_training_size(self.images[self.rows], side)

    def part(self, where: slice) -> "Queries":
        return self._replace(rows=self.rows[where], labels=self.labels[where])


def measure(layout: Layout, split: str, settings: NeighbourSettings) -> None:
    """Write metrics/neighbours/{split}.parquet.

    Columns: source (generated), class_id, image (row in the source's file), metric (l1 | ms_ssim), scope
    (class | split), neighbour (row in the training images), neighbour_class, distance (l1: mean absolute
    difference in levels of 0..255; ms_ssim: 1 - MS-SSIM). Samples of no class have no class_id and no
    neighbour in one.

    Raises:
        UserError: for too few samples, a class without real images, samples of other classes or size.
    """
    training = _training(layout, split)
    _write(
        training,
        lambda per_class: _generated(layout.samples(split), training, per_class),
        settings,
        layout.metric("neighbours", split),
    )


def measure_real(layout: Layout, split: str, settings: NeighbourSettings) -> None:
    """Write the same of held-out images ("held_out")."""
    training = _training(layout, split)
    _write(
        training,
        lambda per_class: _held_out(layout.arrays(split), training.classes, per_class),
        settings,
        layout.real_metric("neighbours", split),
    )


def _training(layout: Layout, split: str) -> Training:
    arrays = layout.arrays(split)
    images, labels = _load(arrays, "")
    classes = read_facts(arrays)["classes"]
    _require_all(labels, classes, arrays / "labels.npy", at_least=1)
    return Training(images, labels, classes)


def _write(
    training: Training, queries_of: Callable[[int], Queries], settings: NeighbourSettings, path: Path
) -> None:
    if settings.ms_ssim_per_class > settings.per_class:
        raise UserError(
            f"neighbours.ms_ssim_per_class {settings.ms_ssim_per_class} exceeds neighbours.per_class "
            f"{settings.per_class}; lower it"
        )
    images, labels, _ = training
    frames = []
    for metric, per_class, of, growth in (
        ("l1", settings.per_class, l1, 1.0),
        ("ms_ssim", settings.ms_ssim_per_class, by_ms_ssim, _growth(images)),
    ):
        # One half for the queries, one for the training images.
        block = max(1, int(settings.memory_mb * MEGABYTE / (2 * growth * images[0].nbytes)))
        queries = queries_of(per_class)
        found = search(queries, images, labels, of=of, block=block, name=f"{queries.source}, {metric}")
        frames.append(_table(queries, found, training).assign(metric=metric))
    with atomic_path(path) as temporary:
        pd.concat(frames, ignore_index=True)[COLUMNS].to_parquet(temporary, index=False)


def search(
    queries: Queries,
    images: Images,
    labels: NDArray[np.int64],
    *,
    of: Callable[[Images], Nearest],
    block: int,
    name: str = "neighbours",
) -> dict[str, Found]:
    """The nearest training images of each query, among its class ("class") and among all ("split").

    Args:
        queries: where they are sought for.
        images: uint8 (N, R, R, 3), may be mapped from a file; its pages are let go.
        labels: (N,), a class that queries have must be there.
        of: `l1` or `by_ms_ssim`.
        block: queries held at a time, and training images at most.
        name: of the progress bar.
    """
    count = len(queries.rows)
    best = {scope: Found(np.full(count, len(images)), np.full(count, np.inf)) for scope in ("class", "split")}
    blocks = list(_blocks(labels, min(block, CHUNK)))
    parts = [slice(start, start + block) for start in range(0, count, block)]
    bar = tqdm(total=len(parts) * len(images), desc=name, unit="image", leave=False, disable=None)
    with bar:
        for where in parts:
            part = queries.part(where)
            nearest = of(part.pixels(images.shape[1]))
            for label, rows in blocks:
                position, distance = nearest(images[rows])
                _let_go(images)
                new = Found(rows[position], distance)
                _improve(best["split"].part(where), new)
                _improve(best["class"].part(where), new, only=part.labels == label)
                bar.update(len(rows))
    return best


def l1(queries: Images) -> Nearest:
    """Mean absolute difference in levels of 0..255, exact."""
    flat = queries.reshape(len(queries), -1)

    def nearest(images: Images) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        cv2.setNumThreads(allowed_threads())
        # With 32-bit sums: 256 px a side have 5e7, and float32 counts to 2^24.
        distance, position = cv2.batchDistance(
            flat, images.reshape(len(images), -1), cv2.CV_32S, normType=cv2.NORM_L1, K=1
        )
        return position[:, 0].astype(np.int64), distance[:, 0] / flat.shape[1]

    return nearest


def by_ms_ssim(queries: Images) -> Nearest:
    """1 - MS-SSIM."""
    prepared = prepare(queries)

    def nearest(images: Images) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        distance = 1 - ms_ssim_of_all(prepared, prepare(images))
        position = distance.argmin(1)
        return position, distance[np.arange(len(position)), position]

    return nearest


def _blocks(labels: NDArray[np.int64], size: int) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Label and rows of at most `size` images of one class."""
    for label in np.unique(labels).tolist():
        own = np.flatnonzero(labels == label)
        for start in range(0, len(own), size):
            yield label, own[start : start + size]


def _improve(best: Found, new: Found, *, only: NDArray[np.bool_] | Literal[True] = True) -> None:
    """Take what is nearer; of equals, the lower row."""
    equal = (new.distance == best.distance) & (new.neighbour < best.neighbour)
    where = only & ((new.distance < best.distance) | equal)
    best.neighbour[where] = new.neighbour[where]
    best.distance[where] = new.distance[where]


def _let_go(images: Images) -> None:
    """The kernel keeps a mapped file's pages as long as it has room; this process holds none of them."""
    if isinstance(images.base, mmap):
        images.base.madvise(MADV_DONTNEED)


def _growth(images: Images) -> float:
    """Memory that MS-SSIM needs for an image, over that of its bytes."""
    return prepare(images[:1]).nbytes / images[:1].nbytes


def _generated(folder: Path, training: Training, per_class: int) -> Queries:
    """The first samples of each class; of a model without classes the first of all, as many together."""
    samples, labels = _load(folder, "")
    if read_facts(folder)["classes"] != training.classes or samples.shape[1:] != training.images.shape[1:]:
        raise UserError(
            f"{folder}: samples of other classes or of another size than the arrays; draw them again"
        )
    if (labels < 0).all():
        wanted = per_class * len(training.classes)
        if len(samples) < wanted:
            raise UserError(
                f"{folder}: {len(samples)} samples, neighbours.per_class asks for {wanted} of the "
                f"{len(training.classes)} classes together; lower it, or raise sample.per_class"
            )
        return Queries("generated", samples, np.arange(wanted), labels[:wanted])
    _require_all(labels, training.classes, folder / "labels.npy", at_least=per_class)
    return _first("generated", samples, labels, per_class)


def _held_out(folder: Path, classes: list[str], per_class: int) -> Queries:
    """The first held-out images of each class; where there are fewer, all of them."""
    images, labels = _load(folder, "held_out_")
    _require_all(labels, classes, folder / "held_out_labels.npy", at_least=1)
    return _first("held_out", images, labels, per_class)


def _first(source: str, images: Images, labels: NDArray[np.int64], per_class: int) -> Queries:
    rows = np.flatnonzero(pd.Series(labels).groupby(labels).cumcount() < per_class)
    return Queries(source, images, rows, labels[rows])


def _load(folder: Path, prefix: str) -> tuple[Images, NDArray[np.int64]]:
    images = np.load(folder / f"{prefix}images.npy", mmap_mode="r")
    if images.dtype != np.uint8:
        raise UserError(f"{folder}/{prefix}images.npy: holds {images.dtype}, not bytes; make it again")
    return images, np.load(folder / f"{prefix}labels.npy").astype(np.int64)


def _require_all(labels: NDArray[np.int64], classes: list[str], file: Path, *, at_least: int) -> None:
    counts = np.bincount(labels, minlength=len(classes))
    for class_id, count in zip(classes, counts.tolist(), strict=True):
        if count == 0:
            raise UserError(f"{file}: class {class_id} has no image, so no neighbours; add some")
        if count < at_least:
            raise UserError(
                f"{file}: class {class_id} has {count} samples, neighbours.per_class asks for {at_least}; "
                "lower it, or raise sample.per_class"
            )


def _table(queries: Queries, found: dict[str, Found], training: Training) -> pd.DataFrame:
    names = np.array(training.classes, dtype=object)
    columns = {
        "source": queries.source,
        "class_id": class_ids_of(queries.labels, training.classes),
        "image": queries.rows,
    }
    frames = [
        pd.DataFrame(
            {**columns, "scope": scope, "neighbour_class": names[training.labels[of.neighbour]]}
        ).assign(neighbour=of.neighbour, distance=of.distance)
        for scope, of in found.items()
        if scope == "split" or (queries.labels >= 0).all()
    ]
    return pd.concat(frames, ignore_index=True)
