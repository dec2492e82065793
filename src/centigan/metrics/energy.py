"""How far generated points lie from real ones: energy distance, precision and recall of the points.

The energy distance of Szekely & Rizzo (2013) between two sets,

    2 E|X - Y| - E|X - X'| - E|Y - Y'|,

each mean over all pairs of two different points, is 0 in expectation for two sets of one law. Precision and
recall are those of `manifold`. Real points are the training points; of held-out ones the same is measured,
which is what a perfect generator would reach at their count.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from centigan.atomic import atomic_path
from centigan.layout import WHOLE, Layout
from centigan.metrics.manifold import manifold, precision_and_recall
from centigan.seeds import counter_seed
from centigan.settings.evaluation import DistributionSettings

MOST = 2000  # points of a set: their pairs are 32 MB of distances
COLUMNS = ["source", "metric", "value", "training", "points"]
Points = NDArray[np.float32]


def measure(layout: Layout, splits: Sequence[str], settings: DistributionSettings) -> None:
    """Write metrics/energy/all.parquet: source, metric, value, training, points."""
    points = np.concatenate([np.load(layout.samples(split) / "images.npy") for split in splits])
    _write(layout, splits, points, "generated", settings, layout.metric("energy", WHOLE))


def measure_real(layout: Layout, splits: Sequence[str], settings: DistributionSettings) -> None:
    """Write the same of held-out points."""
    points = np.concatenate([np.load(layout.arrays(split) / "held_out_images.npy") for split in splits])
    _write(layout, splits, points, "held_out", settings, layout.real_metric("energy", WHOLE))


def _write(
    layout: Layout,
    splits: Sequence[str],
    points: Points,
    source: str,
    settings: DistributionSettings,
    path: Path,
) -> None:
    training = np.concatenate([np.load(layout.arrays(split) / "images.npy") for split in splits])
    real = chosen(training, counter_seed(settings.seed, "training"))
    own = chosen(points, counter_seed(settings.seed, source))
    balls = (manifold(own, settings.neighbours), manifold(real, settings.neighbours))
    values = {"energy": energy_distance(own, real)} | precision_and_recall(*balls)
    rows = [
        {"source": source, "metric": name, "value": values[name], "training": len(real), "points": len(own)}
        for name in ("energy", "precision", "recall")
    ]
    with atomic_path(path) as temporary:
        pd.DataFrame(rows)[COLUMNS].to_parquet(temporary, index=False)


def chosen(points: Points, seed: int) -> Points:
    """At most MOST of the points, seeded."""
    if len(points) <= MOST:
        return points
    return points[np.sort(np.random.default_rng(seed).choice(len(points), MOST, replace=False))]


def energy_distance(x: Points, y: Points) -> float:
    """The energy distance of points (N, d) and (M, d), with no pair of a point and itself."""

    def within(z: Points) -> float:
        return float(cdist(z, z).sum() / (len(z) * (len(z) - 1)))

    return 2 * float(cdist(x, y).mean()) - within(x) - within(y)
