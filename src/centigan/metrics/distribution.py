"""Distances between all real and all generated images, and between real images that should have none.

FID, KID, precision, recall, density and coverage of the samples against the training images; and of the
held-out images against the training images, which is what a perfect generator would reach at their count.
Formulas: `frechet`, `kernel`, `manifold`. None is the paper's.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from centigan.atomic import atomic_path
from centigan.errors import UserError
from centigan.layout import WHOLE, Layout
from centigan.metrics.features import read_all_features
from centigan.metrics.frechet import Gaussian, frechet_distance, gaussian
from centigan.metrics.kernel import kernel_distances
from centigan.metrics.manifold import Manifold, manifold, precision_and_recall
from centigan.metrics.stacked import Features
from centigan.seeds import counter_seed
from centigan.settings.evaluation import DistributionSettings


def measure(layout: Layout, splits: Sequence[str], settings: DistributionSettings) -> None:
    """Write metrics/distribution/all.parquet: source, metric, value, std, training, images.

    std is that of KID's subsets (ddof = 0), else NaN; training and images are how many were compared, for KID
    those that subsets were drawn from.
    """
    _write(layout, splits, settings, "generated", layout.metric("distribution", WHOLE))


def measure_real(layout: Layout, splits: Sequence[str], settings: DistributionSettings) -> None:
    """Write the same of held-out images."""
    _write(layout, splits, settings, "held_out", layout.real_metric("distribution", WHOLE))


def _write(
    layout: Layout, splits: Sequence[str], settings: DistributionSettings, source: str, path: Path
) -> None:
    stored = read_all_features(layout, splits, ["training", source])
    real, images = stored["training"].features, stored[source].features
    of_real, balls = described(real, settings, "training")
    own, own_balls = described(images, settings, source)
    with named(source, "training"):
        kid = kernel_distances(images, real, settings)
    whole = {"source": source, "std": np.nan, "training": len(real), "images": len(images)}
    rows = [
        {**whole, "metric": "fid", "value": frechet_distance(own, of_real)},
        {**whole, "metric": "kid", "value": kid.mean(), "std": kid.std()},
    ]
    chosen = {**whole, "training": len(balls.points), "images": len(own_balls.points)}
    shares = precision_and_recall(own_balls, balls)
    rows += [{**chosen, "metric": metric, "value": value} for metric, value in shares.items()]
    table = pd.DataFrame(rows)[["source", "metric", "value", "std", "training", "images"]]
    with atomic_path(path) as temporary:
        table.to_parquet(temporary, index=False)


def described(features: Features, settings: DistributionSettings, *words: str) -> tuple[Gaussian, Manifold]:
    """The moments of a set, and the balls around its images or around those that seed and words choose."""
    chosen: NDArray[np.int64] | slice = slice(None)
    if len(features) > settings.manifold_images:
        rng = np.random.default_rng(counter_seed(settings.seed, *words))
        chosen = np.sort(rng.choice(len(features), settings.manifold_images, replace=False))
    with named(*words):
        return gaussian(features), manifold(features[chosen], settings.neighbours)


@contextmanager
def named(*words: str) -> Iterator[None]:
    """Say in an error which images it is about."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{', '.join(words)}: {error}") from None
