import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch_fidelity.metric_kid import kid_features_to_metric

from centigan.errors import UserError
from centigan.metrics.kernel import kernel_distances, squared_mmd
from centigan.settings.evaluation import DistributionSettings


def subsets(count: int, size: int, seed: int = 0) -> DistributionSettings:
    return DistributionSettings(kid_subsets=count, kid_subset_size=size, seed=seed)


def by_torch_fidelity(generated: np.ndarray, real: np.ndarray, settings: DistributionSettings) -> list[float]:
    found = kid_features_to_metric(
        *map(torch.from_numpy, (generated, real)),
        kid_subsets=settings.kid_subsets,
        kid_subset_size=settings.kid_subset_size,
        rng_seed=settings.seed,
        verbose=False,
    )
    return [found["kernel_inception_distance_mean"], found["kernel_inception_distance_std"]]


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Pixels of the low and of the high digits."""
    pixels, labels = load_digits(return_X_y=True)
    return pixels[labels < 5].astype(np.float32), pixels[labels >= 5].astype(np.float32)


def test_two_sets_of_two_numbers_by_hand() -> None:
    """k(0, 2) = 1; k(1, 1) = 8; k(0, 1) = 1; k(2, 1) = 27: 1 + 8 - 2 (1 + 1 + 27 + 27) / 4 = -19."""
    assert squared_mmd(np.array([[0.0], [2.0]]), np.array([[1.0], [1.0]])) == pytest.approx(-19)


def test_equal_to_a_double_loop() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((7, 3)), rng.standard_normal((5, 3)) + 1
    within = [
        np.mean([(a @ b / 3 + 1) ** 3 for i, a in enumerate(z) for j, b in enumerate(z) if i != j])
        for z in (x, y)
    ]
    across = np.mean([(a @ b / 3 + 1) ** 3 for a in x for b in y])
    assert squared_mmd(x, y) == pytest.approx(sum(within) - 2 * across, rel=1e-12)


def test_unbiased_the_mean_over_pairs_of_sets_of_one_distribution_is_zero() -> None:
    rng = np.random.default_rng(0)
    values = [squared_mmd(*rng.standard_normal((2, 12, 4))) for _ in range(4000)]
    error = np.std(values) / len(values) ** 0.5
    assert abs(np.mean(values)) < 3 * error
    assert error < 0.02  # the biased estimate of such sets is 1.6 on average


def test_unbiased_about_the_distance_of_two_distributions_too() -> None:
    """x = -1 or 1, y = 0: E k(x, x') = (0 + 8) / 2, k(y, y') = 1 = k(x, y), so the distance is 3."""
    rng = np.random.default_rng(0)
    values = [squared_mmd(rng.choice([-1.0, 1.0], (6, 1)), np.zeros((4, 1))) for _ in range(4000)]
    assert np.mean(values) == pytest.approx(3, abs=3 * np.std(values) / len(values) ** 0.5)


@pytest.mark.parametrize("seed", [0, 2020])
def test_equal_to_torch_fidelity_on_the_same_subsets_of_digits(seed: int) -> None:
    generated, real = digits()
    settings = subsets(10, 200, seed)
    found = kernel_distances(generated, real, settings)
    expected = by_torch_fidelity(generated, real, settings)
    np.testing.assert_allclose([found.mean(), found.std()], expected, rtol=1e-4)


def test_equal_to_torch_fidelity_to_the_last_digits_in_float64() -> None:
    rng = np.random.default_rng(0)
    generated, real = rng.standard_normal((300, 64)), rng.standard_normal((250, 64)) + 0.1
    settings = subsets(5, 100)
    found = kernel_distances(generated, real, settings)
    np.testing.assert_allclose(
        [found.mean(), found.std()], by_torch_fidelity(generated, real, settings), rtol=1e-10
    )


def test_a_set_smaller_than_a_subset_names_the_setting() -> None:
    few, many = np.zeros((9, 4), np.float32), np.zeros((20, 4), np.float32)
    for sets in ((few, many), (many, few)):
        with pytest.raises(UserError, match=r"distribution\.kid_subset_size = 10 images, of 9"):
            kernel_distances(*sets, subsets(2, 10))
