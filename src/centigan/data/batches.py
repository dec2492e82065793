"""Seeded minibatches of one split: any iteration's batch is computed without history."""

import hashlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from centigan.types import Batch, to_network


def counter_seed(*parts: int | str) -> int:
    """A 63-bit seed from a seed, a split, a purpose, an iteration: the same on every machine."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


class Batches:
    """The training images of one split on the device, as an endless stream of shuffled epochs."""

    def __init__(self, folder: Path, *, batch_size: int, seed: int, split: str, device: torch.device) -> None:
        self.images = torch.from_numpy(np.load(folder / "images.npy")).to(device)  # uint8 NHWC
        self.labels = torch.from_numpy(np.load(folder / "labels.npy")).long().to(device)
        self.batch_size, self.seed, self.split = batch_size, seed, split

    @property
    def resolution(self) -> int:
        """Side of the images in pixels."""
        return int(self.images.shape[1])

    def at(self, iteration: int) -> Batch:
        """The batch of an iteration, counted from 1."""
        rows = self._rows((iteration - 1) * self.batch_size).to(self.images.device)
        return Batch(to_network(self.images[rows]), self.labels[rows])

    def _rows(self, start: int) -> Tensor:
        """The next batch_size rows of the endless stream; a batch may span epochs."""
        total = len(self.labels)
        stop = start + self.batch_size
        epochs = range(start // total, (stop - 1) // total + 1)
        stream = torch.cat([self._epoch(epoch) for epoch in epochs])
        offset = start - epochs[0] * total
        return stream[offset : offset + self.batch_size]

    def _epoch(self, epoch: int) -> Tensor:
        rng = torch.Generator().manual_seed(counter_seed(self.seed, self.split, "epoch", epoch))
        return torch.randperm(len(self.labels), generator=rng)
