"""Sheets that several families show: a plane of latents, images drawn again, samples, codes moved.

A family hands itself over; what it can do decides which of these it shows.
"""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Generator, Tensor

from centigan.arithmetic import concept, plane
from centigan.sheets import evenly
from centigan.types import Encodes, Latent, Sheet, of_no_class

ROWS, COLUMNS = 6, 12
REACH, STEPS = 1.5, 15  # of a plane of latents


class EncodesAndDraws(Encodes, Latent, Protocol):
    """A family that finds codes, and draws of any."""


def plane_sheet(family: Latent, prior: str, device: torch.device) -> Sheet:
    """The two-dimensional latent space on a grid; `prior`: what training draws z from, in words."""
    images = drawn(family, plane(REACH, STEPS).to(device))
    numbers = [f"{REACH * (2 * n / (STEPS - 1) - 1):.2g}" for n in range(STEPS)]
    return Sheet(
        "plane",
        "The plane of latents",
        f"What is drawn of z1 (across) and z2 (upwards) from {-REACH:g} to {REACH:g}; the prior is {prior}. "
        "Neighbours in the plane should differ little, and no part of it should be empty of images.",
        images,
        rows=numbers[::-1],
        columns=numbers,
    )


def again_sheet(real: Tensor, again: Tensor) -> Sheet:
    """Images (N, C, H, W), and below each what is drawn of its code."""
    chosen = evenly(len(real), COLUMNS)
    return Sheet(
        "reconstructions",
        "Held-out images drawn again",
        "Held-out images, and below each what is drawn of its code. They are taken evenly from their list.",
        torch.stack([real[chosen], again[chosen]]),
        rows=["image", "drawn again"],
    )


def samples_sheet(family: Latent, rng: Generator, device: torch.device) -> Sheet:
    """Draws from the prior."""
    latent = family.latent(ROWS * COLUMNS, rng).to(device)
    return Sheet(
        "samples",
        "Samples",
        "Draws from the prior; none is chosen.",
        drawn(family, latent.unflatten(0, (ROWS, COLUMNS))),
    )


def attribute_sheet(family: EncodesAndDraws, real: Tensor, labels: Tensor, classes: Sequence[str]) -> Sheet:
    """Images (N, C, H, W) whose codes are given another value of an attribute (Larsen et al. 2016, Fig 5)."""
    codes = family.encode(real)
    values, moved = moved_codes(codes, labels.tolist(), classes)
    chosen = evenly(len(real), ROWS)
    changed = drawn(family, torch.cat([codes[chosen, None], moved[chosen]], dim=1))
    return Sheet(
        "attributes",
        "Attributes changed in the code",
        "A row an image, what is drawn of its code, and then of its code with the mean code of images of "
        f"another value added and that of its own taken away; means of {len(real)} held-out images.",
        torch.cat([real[chosen, None], changed], dim=1),
        rows=[classes[label] for label in labels[chosen].tolist()],
        columns=["image", "again", *values],
    )


def moved_codes(codes: Tensor, labels: Sequence[int], classes: Sequence[str]) -> tuple[list[str], Tensor]:
    """Values of attributes, V, that these codes (N, L) show, and each code given each: (N, V, L)."""
    values: list[str] = []
    moved: list[Tensor] = []
    for named in zip(*attributes_in(classes), strict=True):  # of every class its value of one attribute
        own = [named[label] for label in labels]
        means = {
            value: concept(codes[[n for n, other in enumerate(own) if other == value]])
            for value in dict.fromkeys(named)
            if value in own
        }
        values += means
        moved += [codes + mean - torch.stack([means[value] for value in own]) for mean in means.values()]
    return values, torch.stack(moved, dim=1)


def attributes_in(classes: Sequence[str]) -> list[list[str]]:
    """The parts of classes' names between "_" where all have as many, as red_circle_large; else the names."""
    parts = [name.split("_") for name in classes]
    return parts if len({len(each) for each in parts}) == 1 else [[name] for name in classes]


def drawn(family: Latent, latent: Tensor, captions: Tensor | None = None) -> Tensor:
    """Images (R, S, C, H, W) of latents (R, S, L), of no class that is asked for; of captions (R, S, E)."""
    flat, size = latent.flatten(0, 1), latent.shape[:2]
    wanted = of_no_class(len(flat), flat.device)
    if captions is not None:
        wanted = wanted._replace(captions=captions.flatten(0, 1))
    return family.generate(flat, wanted).unflatten(0, size)
