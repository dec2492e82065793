"""Bits a dimension of real images under a trained family, which tells a likelihood or a bound on it.

Of each image the bound on log2 P(bytes) over the number of bytes (`likelihood`), held-out images beside
training images: a model that knows its training images by heart is better on those alone. Held-out images
are shrunk as features' are, to bytes: of values between bytes there is no probability.

draws        the bound is a mean over noises; so many of each image are averaged
importance   K > 1: each draw is log 1/K sum_k w_k, a bound that is tighter with K (Burda et al. 2016;
             arXiv:1509.00519), from a family that tells the weights
std_error    of the mean over images; NaN of one image
bound        exact, dequantised, elbo or iwae: numbers of two kinds are not compared without a word
gaussian     the same images under one Gaussian for all pixels of the training images measured, mean and
             variance by channel: what a model must be better than

Sums are in float32, of weights as they were saved, with batch norm's running statistics.
"""

from collections.abc import Iterator
from math import log, log2, pi

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from centigan.atomic import atomic_path
from centigan.data.batches import images_of
from centigan.errors import UserError
from centigan.layout import WHOLE, Layout
from centigan.likelihood import LEVELS, bits_per_dim, importance_bound, middles
from centigan.seeds import counter_seed
from centigan.settings.evaluation import BitsPerDimSettings
from centigan.settings.stages import BitsPerDimStage
from centigan.trained import trained_family
from centigan.types import Likelihood, Shape, Weighs

SOURCES = {"training": "", "held_out": "held_out_"}  # source -> prefix of its files among the arrays
CHUNK = 100  # images a forward pass; part of what the seed means
CPU = torch.device("cpu")
COLUMNS = ("class_id", "source", "images", "bits", "std_error", "bound", "gaussian")


def measure(layout: Layout, split: str, stage: BitsPerDimStage, *, device: torch.device = CPU) -> None:
    """Write metrics/bits_per_dim/{split}.parquet: a row a source and class, and one for all classes.

    Columns are COLUMNS; `images` counts those measured, at most so many as the settings say.

    Raises:
        UserError: for a family without a likelihood, or without the weights that importance samples need.
    """
    settings, model = stage.bits_per_dim, stage.model
    family, classes, shape = trained_family(layout, split, model, device)
    if not isinstance(family, Likelihood):
        raise UserError(f"split {split}: {model.title} tells no likelihood, so no bits a dimension")
    if settings.importance > 1 and not isinstance(family, Weighs):
        raise UserError(
            f"split {split}: {model.title} has no importance samples; set bits_per_dim.importance: 1"
        )
    frames, fitted = [], None
    for source, images, labels in measured(layout, split, shape, settings):
        fitted = fitted or Gaussian(images, shape.levels)  # training images come first
        noise = torch.Generator().manual_seed(counter_seed(settings.seed, split, source, "noise"))
        parts = [part.to(device) for part in images.split(CHUNK)]
        bits = torch.cat([bits_of(family, part, settings, noise).cpu() for part in parts])
        frame = by_class(bits.numpy(), fitted.bits(images).numpy(), labels, classes)
        frames.append(frame.assign(source=source))
    bound = "iwae" if settings.importance > 1 else family.bound
    table = pd.concat(frames, ignore_index=True).assign(bound=bound)
    with atomic_path(layout.metric("bits_per_dim", split)) as temporary:
        table[list(COLUMNS)].to_parquet(temporary, index=False)


def measured(
    layout: Layout, split: str, shape: Shape, settings: BitsPerDimSettings
) -> Iterator[tuple[str, Tensor, NDArray[np.int16]]]:
    """Of training images, then of held-out ones: source, at most so many images (N, C, H, W), labels (N,)."""
    for source, prefix in SOURCES.items():
        labels = np.load(layout.arrays(split) / f"{prefix}labels.npy")
        rows = chosen(len(labels), settings.images, counter_seed(settings.seed, split, source, "rows"))
        yield source, images_of(layout.arrays(split) / f"{prefix}images.npy", shape, rows), labels[rows]


def bits_of(family: Likelihood, images: Tensor, settings: BitsPerDimSettings, rng: torch.Generator) -> Tensor:
    """Bits a dimension (N,) of images (N, C, H, W) in [-1, 1]: the mean over the draws."""

    def draws() -> Iterator[Tensor]:
        for _ in range(settings.draws):
            if settings.importance > 1:
                assert isinstance(family, Weighs)
                weights = [family.log_weight(images, rng) for _ in range(settings.importance)]
                yield importance_bound(torch.stack(weights))
            else:
                yield family.log_likelihood(images, rng)

    return bits_per_dim(torch.stack(list(draws())).mean(0), images[0].numel())


class Gaussian:
    """One Gaussian a channel, fitted to the bytes of images, each spread over its bin."""

    def __init__(self, images: Tensor, levels: int = LEVELS) -> None:
        """Images (N, C, H, W) in [-1, 1], of so many levels."""
        self.levels, self.bin = levels, 2 / levels
        variance, self.mean = torch.var_mean(middles(images, levels), (0, 2, 3), correction=0, keepdim=True)
        self.variance = variance + self.bin**2 / 12

    def bits(self, images: Tensor) -> Tensor:
        """Bits a dimension (N,) of images (N, C, H, W), in closed form: the mean over what is within bins."""
        squares = (middles(images, self.levels) - self.mean).square() + self.bin**2 / 12
        nats = squares / (2 * self.variance) + (2 * pi * self.variance).log() / 2
        return nats.flatten(1).mean(1) / log(2) - log2(self.bin)


def chosen(count: int, most: int, seed: int) -> NDArray[np.int64]:
    """Positions of at most so many images, in their order."""
    return np.sort(np.random.default_rng(seed).permutation(count)[:most])


def by_class(
    bits: NDArray[np.float32],
    gaussian: NDArray[np.float32],
    labels: NDArray[np.int16],
    classes: list[str],
) -> pd.DataFrame:
    """A row a class that has an image, and one of all; without the columns that do not depend on images."""
    names = np.array(classes, dtype=object)[labels]
    frame = pd.DataFrame({"class_id": names, "bits": bits, "gaussian": gaussian}).astype(
        {"bits": float, "gaussian": float}
    )
    both = pd.concat([frame, frame.assign(class_id=WHOLE)], ignore_index=True)
    return (
        both.groupby("class_id", sort=False)
        .agg(
            images=("bits", "size"),
            std_error=("bits", "sem"),
            bits=("bits", "mean"),
            gaussian=("gaussian", "mean"),
        )
        .reset_index()
    )
