"""Latents whose images the judge is sure of, and trials A - B + C among them (Radford et al. 2015, 6.3.2).

Classes are attributes: colour, shape and size. A is (c1, s1, large), B (c1, s1, small), C (c2, s2, small).
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from centigan.arithmetic import analogy
from centigan.data.shapes import attributes_of
from centigan.judges import Judge
from centigan.judges.images import Images
from centigan.types import Latent, of_no_class, to_uint8

MEANS = (1, 3, 10)  # latents behind a concept
OF_PIXELS = 3  # images
SURE = 0.9
TRIALS = 300
CHUNK = 250  # images a forward pass
CPU = torch.device("cpu")
Rows = NDArray[np.int64]


class Trials(NamedTuple):
    """T times A - B + C: rows of the latents behind each, and the class whose colour and size are right."""

    rows: Rows  # (3, T, MEANS[-1]): of A, B, C
    wanted: list[str]


class Named(NamedTuple):
    """What the judge says of N images."""

    classes: list[str]
    sure: NDArray[np.float32]  # (N,) of that class
    large: NDArray[np.float32]  # (N,) of all large ones together


def images_of_latents(family: Latent, latents: Tensor, device: torch.device = CPU) -> Images:
    """Images uint8 (N, H, W, 3) of latents (N, L), of no class."""
    parts = [
        to_uint8(family.generate(part.to(device), of_no_class(len(part), device)))
        for part in latents.split(CHUNK)
    ]
    images: Images = torch.cat(parts).cpu().numpy()
    return images


def name_images(judge: Judge, images: Images) -> Named:
    """What the judge says of images (N, H, W, 3)."""
    probabilities = judge.probabilities(images)
    large = [attributes_of(name).size == "large" for name in judge.classes]
    classes = [judge.classes[label] for label in probabilities.argmax(1)]
    return Named(classes, probabilities.max(1), probabilities[:, large].sum(1))


def sure_rows(found: Named, classes: tuple[str, ...]) -> dict[str, Rows]:
    """class -> the images that the judge is sure to be of it."""
    named, sure = np.array(found.classes), found.sure > SURE
    return {name: np.flatnonzero((named == name) & sure) for name in classes}


def draw_trials(pools: dict[str, Rows], rng: np.random.Generator) -> Trials:
    """TRIALS, each of MEANS[-1] different latents for A, B and C; none where there are too few classes."""
    enough = {name for name, rows in pools.items() if len(rows) >= MEANS[-1]}
    small = sorted(name for name in enough if attributes_of(name).size == "small")
    both = [name for name in small if as_large(name) in enough]
    pairs = [(a, c) for a in both for c in small if a != c]
    if not pairs:
        return Trials(np.zeros((3, 0, MEANS[-1]), np.int64), [])
    chosen = [pairs[place] for place in rng.integers(len(pairs), size=TRIALS)]
    asked = [[as_large(a) for a, _ in chosen], [a for a, _ in chosen], [c for _, c in chosen]]
    rows = [
        np.stack([rng.choice(pools[name], MEANS[-1], replace=False) for name in names]) for names in asked
    ]
    return Trials(np.stack(rows), [as_large(c) for _, c in chosen])


def as_large(class_id: str) -> str:
    """The class of the same colour and shape that is large."""
    return "_".join(attributes_of(class_id)._replace(size="large"))


def summed(things: Tensor, trials: Trials, n: int) -> Tensor:
    """A - B + C of each trial (T, ...), where each is the mean of its first n of these things (N, ...)."""
    a, b, c = (things[torch.from_numpy(rows[:, :n])].mean(1) for rows in trials.rows)
    return analogy(a, b, c)


def summed_pixels(images: Images, trials: Trials) -> Images:
    """The mean image of A, less that of B, plus that of C, of each trial: uint8 (T, H, W, 3)."""
    levels = summed(torch.from_numpy(images).float(), trials, OF_PIXELS).round().clamp(0, 255)
    pixels: Images = levels.byte().numpy()
    return pixels


def of_size(pools: dict[str, Rows], size: str) -> Rows:
    """All that show a small, or a large, thing."""
    return np.concatenate([rows for name, rows in pools.items() if attributes_of(name).size == size])
