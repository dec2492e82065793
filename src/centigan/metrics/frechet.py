"""Fréchet inception distance, FID (Heusel et al. 2017, equation 6).

|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)) of the Gaussians with the two sets' moments. With S = A^T A the
last trace is the nuclear norm of A1 A2^T, for any such A: the centred features themselves where there are
fewer images than features, else Cholesky's factor. No square root of a matrix without symmetry is taken, so
nothing needs a ridge, and sets far smaller than the network's features are exact.
All sums are in float64; features are read in chunks, so they may be larger than memory.
FID falls as images are added, also between two sets of one distribution: compare equal counts.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from centigan.errors import UserError
from centigan.metrics.stacked import Features
from centigan.settings.limits import FID_IMAGES

CHUNK = 4096  # images in float64 at a time: 64 MB of 2048 features


@dataclass(frozen=True)
class Gaussian:
    """Moments of a set of features: `mean` (F,); `root` (min(N, F), F), root^T root being the covariance."""

    mean: NDArray[np.float64]
    root: NDArray[np.float64]


def gaussian(features: Features) -> Gaussian:
    """The Gaussian with the moments of features (N, F), whose covariance divides by N - 1.

    Raises:
        UserError: for fewer than two images, or a feature that is not finite.
    """
    count, width = features.shape
    if count < FID_IMAGES:
        raise UserError(f"FID needs {FID_IMAGES} images, there is {count}; add some")
    chunks = [slice(start, start + CHUNK) for start in range(0, count, CHUNK)]
    mean = sum((features[rows].sum(0, dtype=np.float64) for rows in chunks), np.zeros(width)) / count
    if not np.isfinite(mean).all():
        raise UserError("features hold NaN or infinity, so no FID; make them again")
    if count < width:
        return Gaussian(mean, (features[:] - mean) / np.sqrt(count - 1))
    scatter = np.zeros((width, width))
    for rows in chunks:
        centred = features[rows] - mean
        scatter += centred.T @ centred
    return Gaussian(mean, _root(scatter / (count - 1)))


def frechet_distance(one: Gaussian, other: Gaussian) -> float:
    """FID of two sets, 0 or more."""
    apart = ((one.mean - other.mean) ** 2).sum()
    spread = (one.root**2).sum() + (other.root**2).sum()
    shared = np.linalg.svd(one.root @ other.root.T, compute_uv=False).sum()
    return max(0.0, float(apart + spread - 2 * shared))


def _root(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    try:
        return np.asarray(np.linalg.cholesky(covariance).T, np.float64)
    except np.linalg.LinAlgError:  # semidefinite, such as with a feature that never changes
        values, vectors = np.linalg.eigh(covariance)
        return np.sqrt(values.clip(0))[:, None] * vectors.T
