"""Nats of binarised images under a trained family whose likelihood is of binary images.

Each pixel becomes 1 with the probability that is its grey value, drawn anew for every draw (Salakhutdinov &
Murray, 2008), and -log P of the whole binary image is told. That is no likelihood of bytes, and no bits a
dimension follow from it.

draws        as many binarisations of each image, over which its nats are averaged
importance   K > 1: of each binarisation log 1/K sum_k w_k (Burda et al. 2016; arXiv:1509.00519)
std_error    of the mean over images; NaN of one image
bound        exact, elbo or iwae
pixels       the same images where each pixel is drawn by itself, 1 as often as in the training images that
             are measured (one more 0 and one more 1 are counted): what a model must be better than. It is the
             mean over all binarisations, since it is linear in an image's pixels
floor        entropy of the draws themselves, given the grey values: an image costs any model as much in
             the mean. 0 of images that are black and white; on enlarged digits it is most of what is measured

Held-out images are shrunk as features' are. Sums are in float32, of weights as they were saved.
"""

import pandas as pd
import torch
from torch import Tensor

from centigan.atomic import atomic_path
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.likelihood import binarised, importance_bound
from centigan.metrics.bits_per_dim import CHUNK, by_class, measured
from centigan.seeds import counter_seed
from centigan.settings.evaluation import BitsPerDimSettings
from centigan.settings.stages import BitsPerDimStage
from centigan.trained import trained_family
from centigan.types import BinaryLikelihood

CPU = torch.device("cpu")
COLUMNS = ("class_id", "source", "images", "nats", "std_error", "bound", "pixels", "floor")


def measure(layout: Layout, split: str, stage: BitsPerDimStage, *, device: torch.device = CPU) -> None:
    """Write metrics/binary_nats/{split}.parquet: a row a source and class, and one for all classes.

    Raises:
        UserError: for a family without a likelihood of binary images.
    """
    settings, model = stage.bits_per_dim, stage.model
    family, classes, shape = trained_family(layout, split, model, device)
    if not isinstance(family, BinaryLikelihood):
        raise UserError(f"split {split}: {model.title} tells no likelihood of binarised images")
    frames, apart = [], None
    for source, images, labels in measured(layout, split, shape, settings):
        apart = apart or Pixels(images)  # training images come first
        noise = torch.Generator().manual_seed(counter_seed(settings.seed, split, source, "binary"))
        parts = [part.to(device) for part in images.split(CHUNK)]
        nats = torch.cat([nats_of(family, part, settings, noise).cpu() for part in parts])
        frame = by_class(nats.numpy(), apart.nats(images).numpy(), labels, classes)
        least = floor(images).numpy()
        frame["floor"] = by_class(least, least, labels, classes)["bits"]
        frames.append(frame.rename(columns={"bits": "nats", "gaussian": "pixels"}).assign(source=source))
    bound = "iwae" if settings.importance > 1 else family.bound
    table = pd.concat(frames, ignore_index=True).assign(bound=bound)
    with atomic_path(layout.metric("binary_nats", split)) as temporary:
        table[list(COLUMNS)].to_parquet(temporary, index=False)


def nats_of(
    family: BinaryLikelihood, images: Tensor, settings: BitsPerDimSettings, rng: torch.Generator
) -> Tensor:
    """-log P (N,) of images (N, C, H, W) in [-1, 1], binarised: the mean over the draws."""
    draws = []
    for _ in range(settings.draws):
        binary = binarised(images, rng)
        if settings.importance > 1:
            weights = [family.binary_log_weight(binary, rng) for _ in range(settings.importance)]
            draws.append(importance_bound(torch.stack(weights)))
        else:
            draws.append(family.binary_log_likelihood(binary, rng))
    return -torch.stack(draws).mean(0)


class Pixels:
    """Independent pixels, with the means that they have in images."""

    def __init__(self, images: Tensor) -> None:
        """Images (N, C, H, W) in [-1, 1]."""
        self.chance = ((images + 1) / 2).double().sum(0).add(1) / (len(images) + 2)

    def nats(self, images: Tensor) -> Tensor:
        """-log P (N,) of images (N, C, H, W) in [-1, 1], the mean over their binarisations."""
        grey = ((images + 1) / 2).double()
        log_p = grey * self.chance.log() + (1 - grey) * (1 - self.chance).log()
        return -log_p.flatten(1).sum(1).float()


def floor(images: Tensor) -> Tensor:
    """Entropy (N,) of the binarisations of images (N, C, H, W) in [-1, 1], nats."""
    grey = (images.double() + 1) / 2
    return -(torch.xlogy(grey, grey) + torch.xlogy(1 - grey, 1 - grey)).flatten(1).sum(1).float()
