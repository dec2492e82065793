"""Images with captions, as the arrays folders of a protocol hold them."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from centigan.data.captions import captions_of
from centigan.data.held_out import at_training_size
from centigan.errors import UserError
from centigan.judges.images import resized, to_bytes
from centigan.manifest import read_facts, unseen_of

LARGEST_SIDE = 64  # larger images are shrunk to it, as for the judge small-cnn
CHUNK = 512  # images resized at a time


class Captioned(NamedTuple):
    """Images of all splits and what is said of each, under labels of all classes."""

    images: Tensor  # uint8 (N, side, side, 3), or what else stands for images: features (N, F)
    labels: NDArray[np.int64]  # (N,) position in `classes`
    captions: list[list[str]]  # one sentence at least an image
    classes: tuple[str, ...]  # sorted ids
    unseen: tuple[int, ...]  # positions of the classes that nothing may be trained on

    def of(self, rows: NDArray[np.int64]) -> "Captioned":
        """Some of the images."""
        return self._replace(
            images=self.images[torch.from_numpy(rows)],
            labels=self.labels[rows],
            captions=[self.captions[row] for row in rows],
        )


def read_captioned(
    arrays: Sequence[Path], features: Sequence[Path] = (), *, held_out: bool = False
) -> Captioned:
    """The training images of all splits, or the held-out ones, with their captions.

    Args:
        arrays: the arrays folder of every split.
        features: folders of training.npy and held_out.npy, features of these images, in the same order of
            splits; none: the images themselves, at most LARGEST_SIDE.

    Raises:
        UserError: when a split has no captions, or not one at least for each image.
    """
    prefix = "held_out_" if held_out else ""
    facts = [read_facts(folder) for folder in arrays]
    classes = sorted(name for each in facts for name in each["classes"])
    unseen = sorted(classes.index(name) for each in facts for name in unseen_of(each))
    images, labels, captions = [], [], []
    for folder, about in zip(arrays, facts, strict=True):
        own = np.load(folder / f"{prefix}labels.npy")
        labels.append(np.array([classes.index(name) for name in about["classes"]], np.int64)[own])
        captions += captions_of(folder, prefix, images=len(own))
        if not features:
            images.append(_small(folder / f"{prefix}images.npy", int(about["resolution"])))
    for folder in features:
        images.append(torch.from_numpy(np.load(folder / ("held_out.npy" if held_out else "training.npy"))))
    every = Captioned(torch.cat(images), np.concatenate(labels), captions, tuple(classes), tuple(unseen))
    if len(every.images) != len(every.labels):
        raise UserError(f"{arrays[0].parent}: {len(every.labels)} labels, but {len(every.images)} images")
    return every


def _small(file: Path, resolution: int) -> Tensor:
    """uint8 (N, side, side, 3): held-out images come to the size of training images by their filter.

    Images larger than LARGEST_SIDE are shrunk to that, both alike.
    """
    stored, side = np.load(file, mmap_mode="r"), min(resolution, LARGEST_SIDE)
    parts = []
    for start in range(0, len(stored), CHUNK):
        part = at_training_size(stored[start : start + CHUNK], resolution)
        smaller = part if resolution == side else to_bytes(resized(part, side))
        parts.append(torch.from_numpy(np.array(smaller)))
    return torch.cat(parts) if parts else torch.zeros(0, side, side, 3, dtype=torch.uint8)
