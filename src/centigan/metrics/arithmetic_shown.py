"""What the figure of arithmetic shows of one model: pictures of a few trials, and of z along a direction.

The counterparts of Radford et al. (2015), Figs 7 and 8. Of a trial: the images of A, B and C, three each,
those of their mean latents, Y = A - B + C with eight others around it, and the same of pixels. Of the
direction from small to large, the mean of four latents less that of four others: random z + t d.

Nothing is selected: trials are the first of those counted, and z the first that were drawn.
"""

from collections.abc import Iterable
from io import BytesIO

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch import Generator, Tensor

from centigan.arithmetic import analogy, around, concept, turn, turned
from centigan.judges import Judge
from centigan.judges.images import Images
from centigan.metrics.concepts import (
    CPU,
    OF_PIXELS,
    Rows,
    Trials,
    images_of_latents,
    name_images,
    of_size,
    summed_pixels,
)
from centigan.types import Latent

EXAMPLE, TURN = "example", "turn"  # what the column `kind` says
EXAMPLES = 2  # trials
AROUND = 8  # of Y, which is the fifth of nine
OF_AN_END = 4  # latents at either end of the direction
TURNED = 6  # z
STEPS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)  # t
Picture = tuple[str, Images]  # its place, and itself


def pictures(
    family: Latent,
    judge: Judge,
    latents: Tensor,
    images: Images,
    trials: Trials,
    pools: dict[str, Rows],
    rng: Generator,
    device: torch.device = CPU,
) -> list[pd.DataFrame]:
    """A row a picture, a PNG in `image`. `wanted` is what Y is to be; A, B and C are as they are `named`."""
    of_pixels = summed_pixels(images, trials)
    frames = []
    for number, wanted in enumerate(trials.wanted[:EXAMPLES]):
        shown = example(family, latents, images, trials.rows[:, number, :OF_PIXELS], rng, device)
        table = _rows(judge, [*shown, ("pixels", of_pixels[number])])
        frames.append(table.assign(kind=EXAMPLE, n=OF_PIXELS, trial=number, wanted=wanted))
    small, large = (of_size(pools, size) for size in ("small", "large"))
    if min(len(small), len(large)) >= OF_AN_END:
        frames += _turned(family, judge, latents, images, (small, large), rng, device)
    return frames


def example(
    family: Latent, latents: Tensor, images: Images, rows: Rows, rng: Generator, device: torch.device = CPU
) -> list[Picture]:
    """A/0, A/1, A/2, A/mean and so on of rows (3, n); Y/0 to Y/8, of which Y/4 is A - B + C itself."""
    means = [concept(latents[own]) for own in rows]
    y = analogy(*means)
    others = around(y, AROUND, rng)
    points = torch.stack([*means, *others[: AROUND // 2], y, *others[AROUND // 2 :]])
    places = [*(f"{name}/mean" for name in "ABC"), *(f"Y/{at}" for at in range(AROUND + 1))]
    picked = [
        (f"{name}/{at}", images[row])
        for name, own in zip("ABC", rows, strict=True)
        for at, row in enumerate(own)
    ]
    return [*picked, *zip(places, images_of_latents(family, points, device), strict=True)]


def _turned(
    family: Latent,
    judge: Judge,
    latents: Tensor,
    images: Images,
    ends: tuple[Rows, Rows],
    rng: Generator,
    device: torch.device,
) -> Iterable[pd.DataFrame]:
    """Pictures of both ends, then a frame a z: t and the probability of large beside each."""
    small, large = (rows[torch.randperm(len(rows), generator=rng)[:OF_AN_END].numpy()] for rows in ends)
    for name, rows in (("small", small), ("large", large)):
        mean = images_of_latents(family, concept(latents[rows])[None], device)
        shown = [*((f"{name}/{at}", images[row]) for at, row in enumerate(rows)), (f"{name}/mean", mean[0])]
        yield _rows(judge, shown).assign(kind=TURN, n=OF_AN_END, trial=-1)
    paths = turned(latents[:TURNED], turn(latents[small], latents[large]), torch.tensor(STEPS))
    for number, path in enumerate(paths):
        drawn = images_of_latents(family, path, device)
        table = _rows(judge, [(f"z/{at}", picture) for at, picture in enumerate(drawn)])
        yield table.assign(kind=TURN, n=OF_AN_END, trial=number, t=STEPS)


def _rows(judge: Judge, shown: list[Picture]) -> pd.DataFrame:
    found = name_images(judge, np.stack([picture for _, picture in shown]))
    return pd.DataFrame(
        {
            "place": [place for place, _ in shown],
            "image": [as_png(picture) for _, picture in shown],
            "named": found.classes,
            "value": found.large.astype(np.float64),
        }
    )


def as_png(picture: Images) -> bytes:
    """uint8 (H, W, 3) as the bytes of a file."""
    file = BytesIO()
    Image.fromarray(picture).save(file, format="PNG")
    return file.getvalue()
