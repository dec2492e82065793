"""FID, KID, precision and recall, density and coverage against torch-fidelity and prdc, on the same features.

    python benchmarks/distances.py [--images 10000] [--class-images 1000] [--features 2048] [--rounds 3]

Features are drawn: rectified, correlated, with variances over four orders of magnitude. The contestants take
turns in one run; a ratio is the reference's time over ours, round by round. `off` is how far the two numbers
differ, relative to the reference's. prdc computes the four of neighbours at once, torch-fidelity two of them.
"""

import argparse
import contextlib
import io
import statistics
import time
from collections.abc import Callable

import numpy as np
import prdc
import torch
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.metric_prc import prc_features_to_metric

from centigan.metrics.frechet import frechet_distance, gaussian
from centigan.metrics.kernel import kernel_distances
from centigan.metrics.manifold import manifold, precision_and_recall
from centigan.settings.evaluation import DistributionSettings

NEIGHBOURS = 5
KID = DistributionSettings(kid_subsets=10)
Contest = tuple[Callable[..., float], Callable[..., float]]  # ours, the reference: generated, real -> number


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--class-images", type=int, default=1000)
    parser.add_argument("--features", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=3)
    words = parser.parse_args()
    rng = np.random.default_rng(0)
    mix = rng.standard_normal((words.features, words.features)) * np.geomspace(2, 0.02, words.features)
    whole = [drawn(words.images, mix, shift, rng) for shift in (0.25, 0.2)]
    alone = [features[: words.class_images] for features in whole]
    compare(f"FID, {words.images} images", (our_fid, their_fid), whole, words.rounds)
    compare(f"FID, {words.class_images} images", (our_fid, their_fid), alone, words.rounds)
    compare("KID, 10 subsets", (our_kid, their_kid), whole, words.rounds)
    compare("recall against prdc", (our_recall, prdc_recall), whole, words.rounds)
    compare("recall against torch-fidelity", (our_recall, their_recall), whole, words.rounds)


def compare(name: str, contest: Contest, sets: list[np.ndarray], rounds: int) -> None:
    ratios = []
    for _ in range(rounds):
        (ours, fast), (theirs, slow) = (timed(way, sets) for way in contest)
        ratios.append(slow / fast)
    print(
        f"{name}: {fast:.1f} s against {slow:.1f} s, {statistics.median(ratios):.2f} x "
        f"({min(ratios):.2f} to {max(ratios):.2f}), off by {abs(ours / theirs - 1):.0e}",
        flush=True,
    )


def timed(way: Callable[..., float], sets: list[np.ndarray]) -> tuple[float, float]:
    start = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):  # prdc prints counts
        value = way(*sets)
    return value, time.perf_counter() - start


def drawn(count: int, mix: np.ndarray, shift: float, rng: np.random.Generator) -> np.ndarray:
    normal = rng.standard_normal((count, len(mix)), np.float32) @ mix.T.astype(np.float32)
    return np.maximum(normal / len(mix) ** 0.5 + np.float32(shift), 0)


def our_fid(generated: np.ndarray, real: np.ndarray) -> float:
    return frechet_distance(gaussian(generated), gaussian(real))


def their_fid(generated: np.ndarray, real: np.ndarray) -> float:
    moments = [fid_features_to_statistics(torch.from_numpy(features)) for features in (generated, real)]
    return fid_statistics_to_metric(*moments, verbose=False)["frechet_inception_distance"]


def our_kid(generated: np.ndarray, real: np.ndarray) -> float:
    return float(kernel_distances(generated, real, KID).mean())


def their_kid(generated: np.ndarray, real: np.ndarray) -> float:
    tensors = map(torch.from_numpy, (generated, real))
    found = kid_features_to_metric(*tensors, kid_subsets=KID.kid_subsets, rng_seed=KID.seed, verbose=False)
    return found["kernel_inception_distance_mean"]


def our_recall(generated: np.ndarray, real: np.ndarray) -> float:
    return precision_and_recall(manifold(generated, NEIGHBOURS), manifold(real, NEIGHBOURS))["recall"]


def prdc_recall(generated: np.ndarray, real: np.ndarray) -> float:
    return float(prdc.compute_prdc(real, generated, NEIGHBOURS)["recall"])


def their_recall(generated: np.ndarray, real: np.ndarray) -> float:
    tensors = map(torch.from_numpy, (generated, real))
    return prc_features_to_metric(*tensors, prc_neighborhood=NEIGHBOURS, verbose=False)["recall"]


if __name__ == "__main__":
    main()
