"""Kernel inception distance, KID (Binkowski et al. 2018, section 4).

The unbiased estimate of the squared maximum mean discrepancy under (x.y / F + 1)^3, of random subsets.
Subsets are drawn as torch-fidelity draws them, by the same legacy generator: its `rng_seed` is our
`distribution.seed`, and its input1 the generated images. A distance near 0 may be negative.
In float64, as the terms of the difference far exceed it: in float32 torch-fidelity is off by up to 1e-6.
"""

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from centigan.errors import UserError
from centigan.metrics.stacked import Features
from centigan.settings.evaluation import DistributionSettings


def kernel_distances(
    generated: Features, real: Features, settings: DistributionSettings
) -> NDArray[np.float64]:
    """(settings.kid_subsets,) distances of subsets; KID is their mean.

    Args:
        generated: features (N, F).
        real: features (M, F).
        settings: number and size of the subsets, and the seed.

    Raises:
        UserError: when either set is smaller than a subset, or holds a feature that is not finite.
    """
    size, smaller = settings.kid_subset_size, min(len(generated), len(real))
    if smaller < size:
        raise UserError(
            f"KID takes subsets of distribution.kid_subset_size = {size} images, of {smaller}; lower it"
        )
    rng = np.random.RandomState(settings.seed)
    distances = np.empty(settings.kid_subsets)
    for number in tqdm(range(settings.kid_subsets), desc="KID", unit="subset", leave=False, disable=None):
        x = generated[rng.choice(len(generated), size, replace=False)]
        y = real[rng.choice(len(real), size, replace=False)]
        distances[number] = squared_mmd(x.astype(np.float64), y.astype(np.float64))
    if not np.isfinite(distances).all():
        raise UserError("features hold NaN or infinity, so no KID; make them again")
    return distances


def squared_mmd(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """The unbiased estimate (equation 4) from x (N, F) and y (M, F)."""
    return float(_mean_within(x) + _mean_within(y) - 2 * _kernel(x, y).mean())


def _kernel(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    affine = x @ y.T / x.shape[1] + 1
    return affine * affine * affine  # numpy's power takes ten times as long


def _mean_within(x: NDArray[np.float64]) -> float:
    """Mean kernel of two different images of a set."""
    values = _kernel(x, x)
    return float((values.sum() - np.trace(values)) / (len(x) * (len(x) - 1)))
