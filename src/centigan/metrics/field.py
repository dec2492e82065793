"""What a discriminator of points says over the plane, or on the line, and where its generator takes z.

Drawn, not scored: Goodfellow et al. (2014), Fig 1, on the line; Gulrajani et al. (2017), Fig 1, in the plane.
Rows of kind "field" are places x (x1, x2) on a grid around the training points, with D's logit or the
critic's value; those of kind "map", on the line alone, are z (x1) and the point G(z) (value), of a latent of
one dimension.
"""

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from centigan.atomic import atomic_path
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.settings.stages import TrainStage
from centigan.trained import trained_family
from centigan.types import Discriminates, Family, Latent, of_no_class

SIDE, ON_A_LINE = 81, 401  # places
MARGIN = 0.25  # of the points' range, beyond either end
REACH = 2.5  # of z, either way
CPU = torch.device("cpu")


def measure(layout: Layout, split: str, stage: TrainStage, *, device: torch.device = CPU) -> None:
    """Write metrics/field/{split}.parquet: kind, x1, x2 (NaN on a line), value.

    Raises:
        UserError: for a family without a discriminator of single points.
    """
    family, _, _ = trained_family(layout, split, stage.model, device)
    if not isinstance(family, Discriminates):
        raise UserError(f"split {split}: {stage.model.title} does not tell how real a point looks")
    places = grid_around(np.load(layout.arrays(split) / "images.npy"))
    values = family.realness(torch.from_numpy(places).to(device)).cpu().numpy()
    x2 = places[:, 1] if places.shape[1] == 2 else np.nan
    frames = [pd.DataFrame({"kind": "field", "x1": places[:, 0], "x2": x2, "value": values})]
    if places.shape[1] == 1:
        frames.append(_map(family, device))
    with atomic_path(layout.metric("field", split)) as temporary:
        pd.concat(frames, ignore_index=True).to_parquet(temporary, index=False)


def grid_around(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Places (P, d) on a grid over the range of points (N, d), d 1 or 2, and a margin beyond it."""
    low, high = points.min(0), points.max(0)
    margin = MARGIN * (high - low).max()
    count = SIDE if points.shape[1] == 2 else ON_A_LINE
    axes = [np.linspace(a - margin, b + margin, count) for a, b in zip(low, high, strict=True)]
    return np.stack([axis.ravel() for axis in np.meshgrid(*axes)], axis=1).astype(np.float32)


def _map(family: Family, device: torch.device) -> pd.DataFrame:
    """z and G(z) along a latent of one dimension; no row where it has more."""
    assert isinstance(family, Latent)
    dimensions = family.latent(1, torch.Generator().manual_seed(0)).shape[1]
    z = torch.linspace(-REACH, REACH, ON_A_LINE if dimensions == 1 else 0, device=device)
    wanted = of_no_class(len(z), device)
    drawn = family.generate(z[:, None].expand(-1, dimensions), wanted)[:, 0] if len(z) else z
    columns = {"kind": "map", "x1": z.cpu().numpy(), "x2": np.nan, "value": drawn.cpu().numpy()}
    return pd.DataFrame(columns, columns=["kind", "x1", "x2", "value"])
