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

import numpy as np
import pandas as pd
import torch
from torch import Generator, Tensor

from centigan.arithmetic import turn, turned
from centigan.atomic import atomic_path
from centigan.data.shapes import attributes_of
from centigan.errors import UserError
from centigan.judges import Judge, load_judge
from centigan.judges.images import Images
from centigan.layout import Layout
from centigan.metrics.arithmetic_shown import pictures
from centigan.metrics.concepts import (
    CPU,
    MEANS,
    OF_PIXELS,
    Rows,
    Trials,
    draw_trials,
    images_of_latents,
    name_images,
    of_size,
    summed,
    summed_pixels,
    sure_rows,
)
from centigan.seeds import counter_seed
from centigan.settings.stages import LatentStage
from centigan.trained import trained_family
from centigan.types import Latent

LATENTS, PIXELS, WALK = "latents", "pixels", "walk"  # what the column `kind` says
COLUMNS = ("kind", "n", "t", "trial", "wanted", "named", "value", "place", "image")
DRAWN = 6_000  # latents to pick from: 167 of each class, were all drawn alike
STARTS = 100  # random z that are moved along the direction
SHARES = (-1.0, -0.67, -0.33, 0.0, 0.33, 0.67, 1.0)  # t
log = logging.getLogger(__name__)


def measure(layout: Layout, split: str, stage: LatentStage, *, device: torch.device = CPU) -> None:
    """Write metrics/arithmetic/{split}.parquet: a row for each trial, kind and n, then for each z and t, then
    for each picture of the figure.

    `value` is 1 where colour and size are right, else 0; of a walk and a picture the probability of large. A
    model that draws too few kinds of images for a trial, or for a direction of size, has no such rows.

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
        frames.append(answers(judge, summed_pixels(images, trials), trials, PIXELS, OF_PIXELS))
    frames.append(walked(family, judge, latents, pools, device))
    rng = Generator().manual_seed(counter_seed(stage.latent.seed, split, "arithmetic", "shown"))
    frames += pictures(family, judge, latents, images, trials, pools, rng, device)
    with atomic_path(layout.metric("arithmetic", split)) as temporary:
        table = pd.concat([frame for frame in frames if len(frame)] or frames, ignore_index=True)
        table.reindex(columns=COLUMNS).to_parquet(temporary, index=False)


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
    small, large = (of_size(pools, size) for size in ("small", "large"))
    if not (len(small) and len(large)):
        return pd.DataFrame(columns=list(COLUMNS))
    direction = turn(latents[small], latents[large])
    paths = turned(latents[:STARTS], direction, torch.tensor(SHARES)).flatten(0, 1)
    found = name_images(judge, images_of_latents(family, paths, device))
    table = pd.DataFrame({"named": found.classes, "value": found.large.astype(np.float64)})
    starts, shares = np.repeat(np.arange(STARTS), len(SHARES)), np.tile(SHARES, STARTS)
    return table.assign(kind=WALK, n=1, t=shares, trial=starts, wanted=None)
