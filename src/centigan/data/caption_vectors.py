"""Embeddings of a split's captions, as `centigan embed` wrote them: of minibatches, and to ask a model by."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor

from centigan.data.captions import captions_of
from centigan.errors import UserError
from centigan.sheets import evenly


def load_vectors(folder: Path, prefix: str = "", *, images: int | None = None) -> Tensor:
    """float16 (N, M, E), of M captions of each of N images.

    Args:
        images: how many there are, where that is known.

    Raises:
        UserError: when the file is missing, damaged, or of another number of images.
    """
    path = folder / f"{prefix}embeddings.npy"
    try:
        vectors = np.load(path)
    except FileNotFoundError:
        raise UserError(f"{path} is missing; `centigan embed` or `snakemake` makes it") from None
    except (ValueError, EOFError) as error:
        raise UserError(f"{path} is damaged ({error}); remove it and run again") from None
    if vectors.ndim != 3 or vectors.dtype != np.float16:
        raise UserError(f"{path} is damaged (it holds no embeddings of captions); remove it and run again")
    if images is not None and len(vectors) != images:
        raise UserError(
            f"{path} has captions of {len(vectors)} images, and there are {images}; remove it and run again"
        )
    return torch.from_numpy(vectors)


class CaptionVectors:
    """Of each training image some captions, others each time: the mean of their embeddings."""

    def __init__(self, folder: Path, averaged: int, *, images: int | None = None) -> None:
        """`images`: how many there are; of another number embeddings are refused."""
        self.vectors, self.averaged = load_vectors(folder, images=images), averaged
        # of held-out ones, too: by these a class is asked for
        self.files = [folder / f"{prefix}embeddings.npy" for prefix in ("", "held_out_")]

    @property
    def embedding(self) -> int:
        """E."""
        return self.vectors.shape[2]

    def of(self, rows: Tensor, rng: Generator) -> Tensor:
        """(B, E) float32 of images (B,) int64, each of different captions where it has as many."""
        order = torch.rand(len(rows), self.vectors.shape[1], generator=rng).argsort(1)
        return self.vectors[rows[:, None], order[:, : self.averaged]].float().mean(1)


class Asked(NamedTuple):
    """Captions of held-out images, to draw by."""

    vectors: Tensor  # (N, E) float32
    texts: list[str]  # N


def class_vectors(captions: Path, arrays: Path, classes: int) -> Tensor:
    """(K, E) float32: of each class the mean over all captions of its held-out images."""
    labels = torch.from_numpy(np.load(arrays / "held_out_labels.npy")).long()
    vectors = load_vectors(captions, "held_out_", images=len(labels)).float().mean(1)
    return torch.stack([vectors[labels == label].mean(0) for label in range(classes)])


def asked_of_images(captions: Path, arrays: Path, most: int) -> Asked:
    """The first caption of each of at most so many held-out images: those of `some_held_out`."""
    said = captions_of(arrays, "held_out_")
    vectors = load_vectors(captions, "held_out_", images=len(said))
    rows = evenly(len(said), most)
    return Asked(vectors[rows, 0].float(), [said[row][0] for row in rows])


def asked_of_classes(captions: Path, arrays: Path, labels: Tensor) -> Asked:
    """For each label (N,) a caption of a held-out image of that class, in turn.

    The n-th of a class has the first caption of its n-th image; once all images had their turn, the second.
    """
    said = captions_of(arrays, "held_out_")
    vectors = load_vectors(captions, "held_out_", images=len(said))
    held_out = torch.from_numpy(np.load(arrays / "held_out_labels.npy")).long()
    of_class = {label: (held_out == label).nonzero()[:, 0] for label in labels.unique().tolist()}
    turns = dict.fromkeys(of_class, 0)
    rows, numbers = [], []
    for label in labels.tolist():
        images, turn = of_class[label], turns[label]
        rows.append(int(images[turn % len(images)]))
        numbers.append(turn // len(images) % vectors.shape[1])
        turns[label] += 1
    texts = [said[row][number % len(said[row])] for row, number in zip(rows, numbers, strict=True)]
    return Asked(vectors[rows, numbers].float(), texts)
