"""Which modes a generator of points covers (Metz et al. 2017, section 3.1; Gulrajani et al. 2017).

Each class of the data is a mode; its centre is the mean of its training points, its deviation sd the root of
their mean squared distance to it over the dimensions. A point belongs to the mode whose centre is nearest,
and is near it within `radius`. A mode is covered when it has the share `least` of all points near it.

kl is KL(counts || uniform) in nats, of the near points over the modes: log M where one mode has all of them.
`within_sd`: within 3 sd of the centre, where a Gaussian of the plane has 98.9 % of its points.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from centigan.atomic import atomic_path
from centigan.layout import Layout
from centigan.manifest import read_facts
from centigan.settings.evaluation import ModesSettings

DEVIATIONS = 3
Points = NDArray[np.float32]


def measure(layout: Layout, split: str, settings: ModesSettings) -> None:
    """Write metrics/modes/{split}.parquet: class_id, source, near, within_sd, points, radius, least."""
    points = np.load(layout.samples(split) / "images.npy")
    _write(layout, split, points, "generated", settings, layout.metric("modes", split))


def measure_real(layout: Layout, split: str, settings: ModesSettings) -> None:
    """Write the same of held-out points."""
    points = np.load(layout.arrays(split) / "held_out_images.npy")
    _write(layout, split, points, "held_out", settings, layout.real_metric("modes", split))


def _write(
    layout: Layout, split: str, points: Points, source: str, settings: ModesSettings, path: Path
) -> None:
    folder = layout.arrays(split)
    centres, sd = centres_of(np.load(folder / "images.npy"), np.load(folder / "labels.npy"))
    near, within = counts(points, centres, sd, settings.radius)
    table = pd.DataFrame(
        {
            "class_id": read_facts(folder)["classes"],
            "source": source,
            "near": near,
            "within_sd": within,
            "points": len(points),
            "radius": settings.radius,
            "least": settings.least,
        }
    )
    with atomic_path(path) as temporary:
        table.to_parquet(temporary, index=False)


def centres_of(points: Points, labels: NDArray[np.int16]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The centre (M, d) and deviation (M,) of each mode, of training points (N, d) with labels (N,)."""
    groups = [points[labels == label].astype(np.float64) for label in range(labels.max() + 1)]
    centres = np.array([group.mean(0) for group in groups])
    sd = [np.sqrt(np.square(group - c).mean()) for group, c in zip(groups, centres, strict=True)]
    return centres, np.array(sd)


def counts(
    points: Points, centres: NDArray[np.float64], sd: NDArray[np.float64], radius: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of each mode how many points (N, d) are near it (M,), and how many within 3 sd (M,)."""
    distances = np.linalg.norm(points[:, None].astype(np.float64) - centres, axis=2)
    mode, distance = distances.argmin(1), distances.min(1)
    near = np.bincount(mode[distance <= radius], minlength=len(centres))
    within = np.bincount(mode[distance <= DEVIATIONS * sd[mode]], minlength=len(centres))
    return near, within


def divergence_from_uniform(near: NDArray[np.int64]) -> float:
    """KL(counts || uniform) in nats of counts (M,), not all of them 0."""
    shares = near[near > 0] / near.sum()
    return float((shares * np.log(shares * len(near))).sum())
