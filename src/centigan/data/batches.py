"""Seeded minibatches of one split: any iteration's batch is computed without history."""

from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from mmap import MADV_DONTNEED, mmap
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from centigan.data.caption_vectors import CaptionVectors
from centigan.data.held_out import at_training_size
from centigan.errors import UserError
from centigan.manifest import read_facts
from centigan.seeds import counter_seed
from centigan.settings.training import SupervisionSettings
from centigan.sheets import Images
from centigan.types import UNLABELLED, Batch, Given, Shape, to_network

Placement = Literal["auto", "device", "mapped"]


def _load(path: Path, mmap_mode: Literal["r"] | None = None) -> NDArray[Any]:
    try:
        return np.load(path, mmap_mode)
    except (ValueError, EOFError) as error:
        raise UserError(f"{path} is damaged ({error}); remove it and run again") from None


def images_of(path: Path, shape: Shape, rows: NDArray[np.int64] | slice = slice(None)) -> Tensor:
    """(N, C, R, R) in [-1, 1] of these rows of a file of images, at the model's resolution."""
    images: Images = np.load(path, mmap_mode="r")
    # writable, as torch asks: of rows that are not shrunk it would be the mapped file itself
    small = np.require(at_training_size(images[rows], shape.resolution), requirements=["C", "W"])
    return to_network(torch.from_numpy(small), shape.channels)


def labelled(labels: Tensor, supervision: SupervisionSettings, split: str) -> Tensor:
    """Labels (N,), of which so many of each class are kept, and the others become -1.

    Raises:
        UserError: when a class has fewer.
    """
    wanted = supervision.labelled_per_class
    if wanted is None:
        return labels
    kept = torch.full_like(labels, UNLABELLED)
    for label in labels.unique().tolist():
        rows = (labels == label).nonzero()[:, 0]
        if len(rows) < wanted:
            raise UserError(
                f"split {split}: supervision.labelled_per_class is {wanted}, and class {label} of the split "
                f"has {len(rows)} training images; lower it, or set it to null for all labels"
            )
        rng = torch.Generator().manual_seed(counter_seed(supervision.seed, split, "labelled", label))
        kept[rows[torch.randperm(len(rows), generator=rng)[:wanted]]] = label
    return kept


def seen_rows(folder: Path, labels: Tensor) -> Tensor:
    """The rows (M,) of the images that a model may be trained on: all, but for those of unseen classes.

    Raises:
        UserError: where none is left.
    """
    facts = read_facts(folder)
    unseen = [facts["classes"].index(class_id) for class_id in facts.get("unseen", [])]
    rows = (~torch.isin(labels, torch.tensor(unseen, dtype=labels.dtype))).nonzero()[:, 0]
    if not len(rows):
        raise UserError(f"{folder} has images of unseen classes alone, and no model may be trained on them")
    return rows


class Batches:
    """The training images of one split as an endless stream of shuffled epochs, on a device.

    Images of unseen classes (`facts.json`) are left out: no batch has one.
    Where the images are changes no bit of a batch. `device`: all of them on the device, from where a batch is
    gathered. `mapped`: in the file, whose pages the kernel keeps once for all processes; a thread gathers the
    next batch meanwhile. `auto`: on a GPU with twice the memory free, else mapped.
    """

    def __init__(
        self,
        folder: Path,
        *,
        batch_size: int,
        seed: int,
        split: str,
        device: torch.device,
        flips: bool = False,
        channels: int = 3,
        supervision: SupervisionSettings | None = None,
        labelled_apart: int = 0,
        captions: CaptionVectors | None = None,
        placement: Placement = "auto",
    ) -> None:
        """`batch_size`: images an iteration; `channels`: of them, as `to_network` takes them.

        `labelled_apart`: further images an iteration, all of known class, drawn with replacement.
        `captions`: what the images are given with, beside their labels.

        Raises:
            UserError: when a class has fewer images than are to be labelled, or all classes are unseen.
        """
        self.file = _load(folder / "images.npy", mmap_mode="r")  # uint8 NHWC, or points
        if placement == "auto":
            roomy = device.type == "cuda" and torch.cuda.mem_get_info(device)[0] > 2 * self.file.nbytes
            placement = "device" if roomy else "mapped"
        resident = placement == "device"
        self.images = torch.from_numpy(_load(folder / "images.npy")).to(device) if resident else None
        labels = torch.from_numpy(_load(folder / "labels.npy")).long()
        self.seen = seen_rows(folder, labels)
        seen = labels[self.seen]
        known = torch.full_like(labels, UNLABELLED)
        known[self.seen] = labelled(seen, supervision, split) if supervision else seen
        self.labels, self.known = known.to(device), (known != UNLABELLED).nonzero()[:, 0]
        self.labelled_apart, self.captions = labelled_apart, captions
        self.batch_size, self.seed, self.split = batch_size, seed, split
        self.device, self.flips, self.channels = device, flips, channels
        self.epoch = lru_cache(2)(self._permuted)  # the one that is read, and the next: 10 MB of ImageNet
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="batches")
        self.next: tuple[int, Future[Tensor]] | None = None  # iteration, its images

    @property
    def resolution(self) -> int:
        """Side of the images in pixels; 0 of points."""
        return 0 if self.dimensions else int(self.file.shape[1])

    @property
    def dimensions(self) -> int:
        """d of points (N, d); 0 of images."""
        return int(self.file.shape[1]) if self.file.ndim == 2 else 0

    def at(self, iteration: int) -> Batch:
        """The batch of an iteration, counted from 1."""
        rows = self._rows(iteration)
        there = self._there(rows)
        images = self._gathered(iteration) if self.images is None else self.images[there]
        batch = self._batch(images, rows, there, iteration, "flips")
        return batch._replace(labelled=self._labelled(iteration)) if self.labelled_apart else batch

    def _labelled(self, iteration: int) -> Batch:
        rng = self._rng("labelled", iteration)
        rows = self.known[torch.randint(len(self.known), (self.labelled_apart,), generator=rng)]
        there = self._there(rows)
        images = (
            torch.from_numpy(self.file[rows.numpy()]).to(self.device)
            if self.images is None
            else self.images[there]
        )
        return self._batch(images, rows, there, iteration, "labelled flips")

    def _batch(self, images: Tensor, rows: Tensor, there: Tensor, iteration: int, purpose: str) -> Batch:
        """A batch of images; of their rows `rows` are on the CPU, as captions are, `there` on the device."""
        if self.flips:
            chosen = torch.rand(len(images), generator=self._rng(purpose, iteration)).lt(0.5)
            images = torch.where(self._there(chosen).view(-1, 1, 1, 1), images.flip(2), images)
        given = Given(self.labels[there])
        if self.captions is not None:
            of_images = self.captions.of(rows, self._rng(f"captions of {purpose}", iteration))
            given = given._replace(captions=self._there(of_images))
        return Batch(to_network(images, self.channels), given, self._there(torch.tensor(iteration)))

    def _rng(self, purpose: str, number: int) -> torch.Generator:
        return torch.Generator().manual_seed(counter_seed(self.seed, self.split, purpose, number))

    def _gathered(self, iteration: int) -> Tensor:
        """The images of an iteration from the file; those of the next are read while these are used."""
        ready = self.next[1].result() if self.next and self.next[0] == iteration else self._read(iteration)
        self.next = iteration + 1, self.thread.submit(self._read, iteration + 1)
        return ready.to(self.device, non_blocking=True)

    def _there(self, values: Tensor) -> Tensor:
        """The values on the device; a GPU is not waited for, so that it computes meanwhile."""
        return (
            values.pin_memory().to(self.device, non_blocking=True) if self.device.type == "cuda" else values
        )

    def _read(self, iteration: int) -> Tensor:
        images = torch.from_numpy(self.file[self._rows(iteration).numpy()])
        mapping = self.file.base
        assert isinstance(mapping, mmap)
        mapping.madvise(MADV_DONTNEED)  # the kernel keeps the pages, this process lets go
        return images.pin_memory() if self.device.type == "cuda" else images

    def _rows(self, iteration: int) -> Tensor:
        """The batch_size rows of the endless stream that an iteration takes; they may span epochs."""
        total, start = len(self.seen), (iteration - 1) * self.batch_size
        stop = start + self.batch_size
        taken = [
            self.epoch(epoch)[max(0, start - epoch * total) : stop - epoch * total]
            for epoch in range(start // total, (stop - 1) // total + 1)
        ]
        return self.seen[torch.cat(taken)]

    def _permuted(self, epoch: int) -> Tensor:
        return torch.randperm(len(self.seen), generator=self._rng("epoch", epoch))
