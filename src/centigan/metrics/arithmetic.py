"""Arithmetic on latents, counted (Radford et al. 2015, section 6.3.2): the judge names what A - B + C shows.

Classes are attributes: colour, shape and size. A is (c1, s1, large), B (c1, s1, small) and C (c2, s2, small),
each the mean of n latents whose images the judge is sure to be of that class. An image of A - B + C is right
where the judge gives it the colour c2 and the size large; a guess among 6 colours and 2 sizes is so 1 in 12.

The same is counted of pixels: the mean image of A, less that of B, plus that of C. And from random z along
the direction of size, which leads from the mean latent of small images to that of large ones, the
probability of large is told.

Decisions
    1. The paper picks latents by eye. Here they are random ones, of whose class the judge is more than SURE.
    2. (c1, s1) is another than (c2, s2); both are drawn uniformly among those that have latents enough. What
       a model does not draw is in no trial: `pairs` tells how many pairs of colour and shape are C in one.
    3. A trial's mean of one latent is the first of those behind its mean of ten. Pixels are those of three
       images, the paper's number.
    4. Models that draw images of a class are left out: there the attributes come from the class.
"""

import logging
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from centigan.arithmetic import analogy, turn, turned
from centigan.atomic import atomic_path
from centigan.data.shapes import attributes_of
from centigan.errors import UserError
from centigan.judges import Judge, load_judge
from centigan.judges.images import Images
from centigan.layout import Layout
from centigan.seeds import counter_seed
from centigan.settings.stages import LatentStage
from centigan.trained import trained_family
from centigan.types import UNLABELLED, Given, Latent, to_uint8

LATENTS, PIXELS, WALK = "latents", "pixels", "walk"  # what the column `kind` says
COLUMNS = ("kind", "n", "t", "trial", "wanted", "named", "value")
MEANS = (1, 3, 10)  # latents behind a concept
OF_PIXELS = 3
DRAWN = 6_000  # latents to pick from: 167 of each class, were all drawn alike
SURE = 0.9
TRIALS = 300
STARTS = 100  # random z that are moved along the direction
SHARES = (-1.0, -0.67, -0.33, 0.0, 0.33, 0.67, 1.0)  # t
CHUNK = 250  # images a forward pass
CPU = torch.device("cpu")
Rows = NDArray[np.int64]
log = logging.getLogger(__name__)


class Trials(NamedTuple):
    """T times A - B + C: rows of the latents behind each, and the class whose colour and size are right."""

    rows: Rows  # (3, T, MEANS[-1]): of A, B, C
    wanted: list[str]


class Named(NamedTuple):
    """What the judge says of N images."""

    classes: list[str]
    sure: NDArray[np.float32]  # (N,) of that class
    large: NDArray[np.float32]  # (N,) of all large ones together


def measure(layout: Layout, split: str, stage: LatentStage, *, device: torch.device = CPU) -> None:
    """Write metrics/arithmetic/{split}.parquet: a row for each trial, kind and n, then for each z and t.

    `value` is 1 where colour and size are right, else 0; of a walk the probability of large. A model that
    draws too few kinds of images for a trial, or for a direction of size, has no such rows.

    Raises:
        UserError: for a split that is not trained, a family without latents, or a missing judge.
    """
    family, _, _ = trained_family(layout, split, stage.model, device)
    if not isinstance(family, Latent):
        raise UserError(f"split {split}: {stage.model.title} has no latent space")
    judge = load_judge(layout.judge)
    seed = counter_seed(stage.latent.seed, split, "arithmetic")
    latents = family.latent(DRAWN, Generator().manual_seed(seed))
    images = images_of_latents(family, latents, device)
    found = name_images(judge, images)
    pools = sure_rows(found, judge.classes)
    trials = draw_trials(pools, np.random.default_rng(seed))
    log.info(
        "split %s: the judge is sure of %d among %d images, of %d classes; %d trials",
        split,
        sum(map(len, pools.values())),
        DRAWN,
        sum(len(rows) > 0 for rows in pools.values()),
        len(trials.wanted),
    )
    frames = [pd.DataFrame(columns=list(COLUMNS))]
    if trials.wanted:
        for n in MEANS:
            drawn = images_of_latents(family, summed(latents, trials, n), device)
            frames.append(answers(judge, drawn, trials, LATENTS, n))
        levels = summed(torch.from_numpy(images).float(), trials, OF_PIXELS).round().clamp(0, 255)
        frames.append(answers(judge, levels.byte().numpy(), trials, PIXELS, OF_PIXELS))
    frames.append(walked(family, judge, latents, pools, device))
    with atomic_path(layout.metric("arithmetic", split)) as temporary:
        table = pd.concat([frame for frame in frames if len(frame)] or frames, ignore_index=True)
        table[list(COLUMNS)].to_parquet(temporary, index=False)


def images_of_latents(family: Latent, latents: Tensor, device: torch.device = CPU) -> Images:
    """Images uint8 (N, H, W, 3) of latents (N, L), of no class."""
    parts = [
        to_uint8(family.generate(part.to(device), Given(torch.full((len(part),), UNLABELLED, device=device))))
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


def answers(judge: Judge, images: Images, trials: Trials, kind: str, n: int) -> pd.DataFrame:
    """A row a trial: does the judge give its image of (T, H, W, 3) the colour and the size wanted?"""
    found = name_images(judge, images)
    right = [
        (is_.colour, is_.size) == (asked.colour, asked.size)
        for is_, asked in zip(
            map(attributes_of, found.classes), map(attributes_of, trials.wanted), strict=True
        )
    ]
    table = pd.DataFrame({"wanted": trials.wanted, "named": found.classes, "value": np.array(right, float)})
    return table.assign(kind=kind, n=n, t=np.nan, trial=range(len(table)))


def walked(
    family: Latent, judge: Judge, latents: Tensor, pools: dict[str, Rows], device: torch.device = CPU
) -> pd.DataFrame:
    """A row for each of STARTS latents and each t: P(large) at z + t (mean of large - mean of small)."""
    small, large = (
        np.concatenate([rows for name, rows in pools.items() if attributes_of(name).size == size])
        for size in ("small", "large")
    )
    if not (len(small) and len(large)):
        return pd.DataFrame(columns=list(COLUMNS))
    direction = turn(latents[small], latents[large])
    paths = turned(latents[:STARTS], direction, torch.tensor(SHARES)).flatten(0, 1)
    found = name_images(judge, images_of_latents(family, paths, device))
    table = pd.DataFrame({"named": found.classes, "value": found.large.astype(np.float64)})
    starts, shares = np.repeat(np.arange(STARTS), len(SHARES)), np.tile(SHARES, STARTS)
    return table.assign(kind=WALK, n=1, t=shares, trial=starts, wanted=None)
