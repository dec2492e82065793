"""What a model of points says of their density, over the plane, and of points that it was not trained on.

The mean log density of held-out points is minus their cross-entropy in nats: but for a constant of the data
it is -KL(data || model), the direction of KL that a model pays for points that it does not cover (Lucas et
al. 2019, section 3). Real NVP tells it exactly, CQ a bound below it by 100 draws of its encoder. Beside it
stands what one Gaussian of full covariance tells of the same held-out points, fitted to the training points
by maximum likelihood.

Rows of kind "field" are places on the grid of `field`, with the log density; those of kind "held_out" and
"training" are points, at most 2,000 of either, evenly from their list; "gaussian": held-out points again.
"""

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from centigan.atomic import atomic_path
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.metrics.field import grid_around
from centigan.seeds import counter_seed
from centigan.settings.families.contract import FamilySettings
from centigan.sheets import evenly
from centigan.trained import trained_family
from centigan.types import TellsDensity

MOST = 2000  # points of a kind
CPU = torch.device("cpu")
Points = NDArray[np.float32]
Nats = NDArray[np.float64]


def measure(layout: Layout, split: str, model: FamilySettings, *, device: torch.device = CPU) -> None:
    """Write metrics/density/{split}.parquet: kind, x1, x2 (NaN on a line), value in nats.

    Raises:
        UserError: for a family that tells no density of points.
    """
    family, _, shape = trained_family(layout, split, model, device)
    if not isinstance(family, TellsDensity) or not shape.dimensions:
        raise UserError(f"split {split}: {model.title} does not tell the density of a point")
    rng = torch.Generator().manual_seed(counter_seed(0, split, "density"))
    training = np.load(layout.arrays(split) / "images.npy")
    held_out = some_of(np.load(layout.arrays(split) / "held_out_images.npy"))
    places = {"field": grid_around(training), "held_out": held_out, "training": some_of(training)}
    frames = [rows(kind, points, told(family, points, rng, device)) for kind, points in places.items()]
    frames.append(rows("gaussian", held_out, gaussian_nats(held_out, training)))
    with atomic_path(layout.metric("density", split)) as temporary:
        pd.concat(frames, ignore_index=True).to_parquet(temporary, index=False)


def told(family: TellsDensity, points: Points, rng: torch.Generator, device: torch.device) -> Nats:
    """The model's log density, nats (N,), of points (N, d)."""
    return family.log_density(torch.from_numpy(points).to(device), rng).cpu().numpy().astype(np.float64)


def gaussian_nats(points: Points, training: Points) -> Nats:
    """Log density (N,) of points (N, d) under the Gaussian that fits points (M, d) best."""
    mean = training.mean(0, dtype=np.float64)
    covariance = np.atleast_2d(np.cov(training.astype(np.float64), rowvar=False, bias=True))
    away = points.astype(np.float64) - mean
    squares = (away * np.linalg.solve(covariance, away.T).T).sum(1)
    _, log_determinant = np.linalg.slogdet(2 * np.pi * covariance)
    nats: Nats = -(squares + log_determinant) / 2
    return nats


def rows(kind: str, points: Points, value: Nats) -> pd.DataFrame:
    """A row a point (N, d) with its value (N,)."""
    x2 = points[:, 1] if points.shape[1] == 2 else np.nan
    return pd.DataFrame({"kind": kind, "x1": points[:, 0], "x2": x2, "value": value})


def some_of(points: Points) -> Points:
    """At most MOST of them, evenly."""
    return points[evenly(len(points), MOST)]
