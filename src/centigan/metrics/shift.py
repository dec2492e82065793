"""What a distance makes of an image that is moved by a pixel or two: that of pixels, and that of features.

To the eye a shifted image is the same; pixel by pixel it may be as far away as another image, and square
error punishes it so (Larsen et al. 2016, arXiv:1512.09300, section 1). Where a model has features of images,
as of its discriminator, both distances are measured:

    ratio = mean of |f(x) - f(x shifted)| / mean of |f(x) - f(y)|,  y any other image

Euclidean, of held-out images, at most MOST, evenly from their list, at the model's resolution; of shifts to
the left, right, up and down the mean. What comes in at a border repeats the border's pixels.
"""

import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional as F

from centigan.atomic import atomic_path
from centigan.data.some_held_out import some_held_out
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.metrics.own_features import CPU, represented
from centigan.settings.families.contract import FamilySettings
from centigan.trained import trained_family
from centigan.types import Represents, to_network

MOST = 200  # images of a split
SHIFTS = (1, 2, 3, 4)  # pixels
COLUMNS = ("distance", "shift", "ratio", "images")


def measure(layout: Layout, split: str, model: FamilySettings, *, device: torch.device = CPU) -> None:
    """Write metrics/shift/{split}.parquet: a row a distance (pixels, features) and shift.

    Raises:
        UserError: for a family without features, fewer than two held-out images, or images all the same.
    """
    family, _, shape = trained_family(layout, split, model, device)
    if not isinstance(family, Represents):
        raise UserError(f"split {split}: {model.title} has no features of images")
    pixels, _ = some_held_out(layout.arrays(split), MOST, shape.resolution, least=2)
    images = to_network(torch.from_numpy(pixels), shape.channels)
    still = {"pixels": images.flatten(1), "features": torch.from_numpy(represented(family, images, device))}
    scale = {name: between(values) for name, values in still.items()}
    if not all(scale.values()):
        raise UserError(f"split {split}: held-out images, or their features, are all the same")
    rows = []
    for shift in SHIFTS:
        moved = [shifted(images, across, down) for across, down in _directions(shift)]
        for name, values in still.items():
            there = (
                each.flatten(1) if name == "pixels" else torch.from_numpy(represented(family, each, device))
                for each in moved
            )
            apart = torch.stack([(values - each).norm(dim=1) for each in there])
            rows.append((name, shift, float(apart.mean()) / scale[name], len(images)))
    with atomic_path(layout.metric("shift", split)) as temporary:
        pd.DataFrame(rows, columns=list(COLUMNS)).to_parquet(temporary, index=False)


def between(values: Tensor) -> float:
    """Mean Euclidean distance of two different rows of (N, F)."""
    return float(F.pdist(values.double()).mean())


def shifted(images: Tensor, across: int, down: int) -> Tensor:
    """Images (N, C, H, W) moved so many pixels to the right and down; borders repeat."""
    height, width = images.shape[2:]
    margin = max(abs(across), abs(down))
    padded = F.pad(images, (margin,) * 4, mode="replicate")
    top, left = margin - down, margin - across
    return padded[:, :, top : top + height, left : left + width]


def _directions(shift: int) -> list[tuple[int, int]]:
    return [(shift, 0), (-shift, 0), (0, shift), (0, -shift)]
