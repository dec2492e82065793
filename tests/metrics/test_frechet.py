from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from sklearn.datasets import load_digits
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

from centigan.errors import UserError
from centigan.metrics import frechet
from centigan.metrics.frechet import frechet_distance, gaussian


def fid(one: np.ndarray, other: np.ndarray) -> float:
    return frechet_distance(gaussian(one), gaussian(other))


def drawn(count: int, width: int, seed: int) -> np.ndarray:
    """Correlated features, as float32."""
    rng = np.random.default_rng(seed)
    mixed = rng.standard_normal((count, width)) @ rng.standard_normal((width, width)) / width**0.5
    return (mixed + rng.standard_normal(width)).astype(np.float32)


def with_moments(mean: np.ndarray, covariance: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Features whose sample mean and covariance are these, not merely near them."""
    free = np.random.default_rng(seed).standard_normal((count, len(mean)))
    white = np.linalg.qr(free - free.mean(0))[0] * (count - 1) ** 0.5
    return white @ np.linalg.cholesky(covariance).T + mean


def by_torch_fidelity(one: np.ndarray, other: np.ndarray) -> float:
    moments = [fid_features_to_statistics(torch.from_numpy(x)) for x in (one, other)]
    return fid_statistics_to_metric(*moments, verbose=False)["frechet_inception_distance"]


@pytest.mark.parametrize(("count", "width"), [(500, 20), (15, 40)])
def test_fid_of_shifted_sets_is_the_squared_shift(count: int, width: int) -> None:
    x = drawn(count, width, 0).astype(np.float64)
    shift = np.random.default_rng(1).standard_normal(width)
    assert fid(x, x + shift) == pytest.approx(shift @ shift, rel=1e-10)


@pytest.mark.parametrize(("count", "width"), [(500, 20), (20, 20), (21, 20), (15, 40), (2, 40)])
def test_fid_of_a_set_with_itself_is_zero(count: int, width: int) -> None:
    x = drawn(count, width, 0)
    assert fid(x, x) == pytest.approx(0, abs=1e-10)


def test_fid_of_stretched_sets_is_the_trace_times_the_squared_stretch() -> None:
    """tr(S + 4 S - 2 (4 S^2)^(1/2)) = tr S about equal means."""
    x = with_moments(np.zeros(6), np.diag([1.0, 2, 3, 4, 5, 6]), 50, 0)
    assert fid(x, 2 * x) == pytest.approx(21, rel=1e-10)


def test_fid_of_sets_with_known_moments_is_the_closed_form() -> None:
    rng = np.random.default_rng(0)
    means, factors = rng.standard_normal((2, 8)), rng.standard_normal((2, 8, 8))
    one, other = (factor @ factor.T + np.eye(8) for factor in factors)
    shared = np.trace(sqrtm(one @ other)).real
    expected = ((means[0] - means[1]) ** 2).sum() + np.trace(one) + np.trace(other) - 2 * shared
    sets = [
        with_moments(mean, S, 60, seed) for mean, S, seed in zip(means, (one, other), (1, 2), strict=True)
    ]
    assert fid(*sets) == pytest.approx(expected, rel=1e-10)


def test_fid_of_draws_from_two_gaussians_tends_to_the_closed_form() -> None:
    """N(0, 1) and N(3, 2^2) in each of 4 dimensions: 4 (9 + 1 + 4 - 2 * 2) = 40; 1 % at 200,000 draws."""
    rng = np.random.default_rng(0)
    one, other = rng.normal(0, 1, (200_000, 4)), rng.normal(3, 2, (200_000, 4))
    assert fid(one, other) == pytest.approx(40, rel=0.01)


@pytest.mark.parametrize(("one", "other"), [(900, 800), (900, 40), (40, 900), (50, 40)])
def test_equal_to_torch_fidelity_on_drawn_features(one: int, other: int) -> None:
    """Fewer images than the 64 features too, of either set or of both."""
    x, y = drawn(one, 64, 0), drawn(other, 64, 1)
    assert fid(x, y) == pytest.approx(by_torch_fidelity(x, y), rel=1e-5)


def test_equal_to_torch_fidelity_on_digits_some_of_whose_pixels_never_change() -> None:
    pixels, labels = load_digits(return_X_y=True)
    x, y = (pixels[labels < 5].astype(np.float32), pixels[labels >= 5].astype(np.float32))
    assert fid(x, y) == pytest.approx(by_torch_fidelity(x, y), rel=1e-6)


def test_the_roots_of_few_and_of_many_images_agree() -> None:
    """As many images as features take the symmetric root; with a further feature of zeros, their own rows."""
    x, y = drawn(30, 30, 0), drawn(30, 30, 1)
    wider = [np.pad(features, ((0, 0), (0, 1))) for features in (x, y)]
    assert fid(*wider) == pytest.approx(fid(x, y), rel=1e-6)


def test_chunks_change_nothing_but_the_last_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = drawn(300, 20, 0), drawn(300, 20, 1)
    whole = fid(x, y)
    monkeypatch.setattr(frechet, "CHUNK", 7)
    assert fid(x, y) == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize("width", [20, 400])
def test_features_may_stay_in_their_file(width: int, tmp_path: Path) -> None:
    x, y = drawn(300, width, 0), drawn(300, width, 1)
    np.save(tmp_path / "x.npy", x)
    assert fid(np.load(tmp_path / "x.npy", mmap_mode="r"), y) == fid(x, y)


def test_a_single_image_has_no_covariance() -> None:
    with pytest.raises(UserError, match="FID needs 2 images, there is 1"):
        gaussian(np.ones((1, 4), np.float32))
