"""Precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020).

Every image has a ball that reaches to its k-th nearest neighbour in its own set. Precision: the share of
generated images within a real ball; recall: of real images within a generated ball; density: generated
images within real balls, a ball expecting k; coverage: the share of real balls that hold a generated image.
An image on a ball's rim is outside, as in the `prdc` package; torch-fidelity counts it as inside.
Squared distances in float64, a block of rows at a time.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from centigan.errors import UserError
from centigan.settings.limits import images_with_balls

BLOCK = 1024  # rows of distances at a time: 80 MB against 10,000 images


@dataclass(frozen=True)
class Manifold:
    """Balls around the images of a set: `points` (N, F), `radii` squared (N,), and the k they reach to."""

    points: NDArray[np.float64]
    radii: NDArray[np.float64]
    neighbours: int


def manifold(features: NDArray[np.floating], neighbours: int) -> Manifold:
    """The balls of features (N, F).

    Raises:
        UserError: for a set of no more images than `neighbours`, or a feature that is not finite.
    """
    if len(features) < images_with_balls(neighbours):
        raise UserError(
            f"precision, recall, density and coverage with distribution.neighbours = {neighbours} need "
            f"{images_with_balls(neighbours)} images, there are {len(features)}; lower it"
        )
    if not np.isfinite(features).all():
        raise UserError("features hold NaN or infinity, so no precision and recall; make them again")
    points = np.asarray(features, np.float64)
    radii = np.empty(len(points))
    for start, squared in _distances(points, points):
        own = np.arange(len(squared))
        squared[own, start + own] = 0.0  # the image itself comes first
        radii[start + own] = np.partition(squared, neighbours, axis=1)[:, neighbours]
    return Manifold(points, radii, neighbours)


def precision_and_recall(generated: Manifold, real: Manifold) -> dict[str, float]:
    """{"precision", "recall", "density", "coverage"}; all but density between 0 and 1."""
    held_by = np.zeros(len(generated.points), dtype=np.int64)  # real balls around each generated image
    recalled = covered = 0
    for start, squared in _distances(real.points, generated.points):
        inside = squared < real.radii[start : start + len(squared), None]
        held_by += inside.sum(0)
        covered += int(inside.any(1).sum())
        recalled += int((squared < generated.radii).any(1).sum())
    return {
        "precision": float((held_by > 0).mean()),
        "recall": recalled / len(real.points),
        "density": float(held_by.mean()) / real.neighbours,
        "coverage": covered / len(real.points),
    }


def _distances(x: NDArray[np.float64], y: NDArray[np.float64]) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """First row, and squared distances (rows, M), of each block of rows of x (N, F) to y (M, F)."""
    norms = (y * y).sum(1)
    for start in range(0, len(x), BLOCK):
        rows = x[start : start + BLOCK]
        squared = (rows * rows).sum(1)[:, None] + norms - 2 * (rows @ y.T)
        yield start, squared.clip(0)
