"""Smoothness of walks through the latent space: whether there are holes (AC-GAN, section 4.4, Fig 8 left).

The paper looks at pictures; here a walk z_1 ... z_S is measured by its steps, the Euclidean distances

    d_i = |f(G(z_i+1)) - f(G(z_i))|

between the features f of successive images. `largest_over_mean`, max d / mean d, is 1 where all steps
are equal and S - 1 where the whole way is one leap, as between two memorised images.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from safetensors import safe_open

from centigan.atomic import atomic_path
from centigan.errors import UserError
from centigan.judges.extractor import load_extractor
from centigan.judges.network import Network
from centigan.layout import Layout
from centigan.manifest import read_facts
from centigan.settings.evaluation import FeatureSettings

PATHS = ("linear", "spherical")


def measure(layout: Layout, split: str, settings: FeatureSettings) -> None:
    """Write metrics/smoothness/{split}.parquet.

    Columns: class_id, path, walk, length, largest_step, largest_over_mean.
    """
    folder = layout.latent(split)
    extractor = load_extractor(settings, layout.judge)
    classes = read_facts(folder)["classes"]
    frames = []
    with safe_open(folder / "images.safetensors", framework="np") as file:
        for path in PATHS:
            walks = file.get_tensor(path)  # uint8 (K, W, S, R, R, 3)
            frames.append(_measured(extractor, walks, classes, path, progress=f"split {split}, {path} walks"))
    with atomic_path(layout.metric("smoothness", split)) as temporary:
        pd.concat(frames, ignore_index=True).to_parquet(temporary, index=False)


def step_lengths(features: NDArray[np.float32]) -> NDArray[np.float64]:
    """Euclidean distances (..., S - 1) between successive points of walks (..., S, F)."""
    steps = np.diff(features.astype(np.float64), axis=-2)
    lengths: NDArray[np.float64] = np.sqrt(np.square(steps).sum(-1))
    return lengths


def largest_over_mean(lengths: NDArray[np.float64]) -> NDArray[np.float64]:
    """Largest step over the mean one, (...) for steps (..., S - 1); 1, even, for a walk that never moves."""
    largest, mean = lengths.max(-1), lengths.mean(-1)
    return np.divide(largest, mean, out=np.ones_like(mean), where=mean > 0)


def _measured(
    extractor: Network, walks: NDArray[np.uint8], classes: list[str], path: str, *, progress: str
) -> pd.DataFrame:
    """One row a class and walk.

    Raises:
        UserError: where a feature is not a number.
    """
    kinds, count = walks.shape[:2]
    what = f"a {path} walk"
    steps = steps_of(extractor, walks.reshape(-1, *walks.shape[2:]), what, progress=progress)
    columns = {
        "class_id": np.repeat(np.array(classes, dtype=object), count),
        "path": path,
        "walk": np.tile(np.arange(count), kinds),
    }
    return pd.DataFrame(columns | steps)


def steps_of(
    extractor: Network, walks: NDArray[np.uint8], what: str, *, progress: str
) -> dict[str, NDArray[np.float64]]:
    """Columns length, largest_step and largest_over_mean of walks uint8 (W, S, R, R, 3).

    Args:
        what: a walk is called, for messages.

    Raises:
        UserError: where a feature is not a number.
    """
    features = extractor.features(walks.reshape(-1, *walks.shape[2:]), progress=progress)
    if not np.isfinite(features).all():
        raise UserError(f"features.network {extractor.name}: a feature of {what} is not finite; use float32")
    lengths = step_lengths(features.reshape(*walks.shape[:2], -1))
    return {
        "length": lengths.sum(-1),
        "largest_step": lengths.max(-1),
        "largest_over_mean": largest_over_mean(lengths),
    }
