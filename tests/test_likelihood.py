"""Bits per dimension, by what algebra gives."""

from itertools import product
from math import e, log, log2, pi

import pytest
import torch

from centigan.likelihood import (
    as_images,
    bernoulli_nats,
    binarised,
    bits_per_dim,
    dequantised,
    divergence_from_standard,
    gaussian_nats,
    importance_bound,
    middles,
    nats_of_bytes,
)
from centigan.types import to_network, to_uint8

BIN = 2 / 256  # width of a byte's bin
BYTES = torch.arange(256, dtype=torch.uint8).view(1, 16, 16, 1).expand(1, 16, 16, 3).contiguous()
IMAGES = to_network(BYTES)


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_a_uniform_density_costs_8_bits() -> None:
    """w is uniform over [-1, 1): p(w) = 1/2 in each dimension."""
    log_density = torch.tensor([-768 * log(2)])
    assert bits_per_dim(nats_of_bytes(log_density, 768), 768).item() == pytest.approx(8, abs=1e-6)


def test_a_uniform_density_costs_the_logarithm_of_17_levels() -> None:
    log_density = torch.tensor([-64 * log(2)])
    assert bits_per_dim(nats_of_bytes(log_density, 64, 17), 64).item() == pytest.approx(log2(17), abs=1e-6)


def test_17_levels_kept_as_bytes_fill_bins_of_their_own() -> None:
    stored = torch.arange(17).mul(255 / 16).round().to(torch.uint8).view(1, 1, 17, 1).expand(1, 17, 17, 3)
    w = dequantised(to_network(stored.contiguous()), rng(), levels=17)
    within = (w + 1) * 17 / 2 - torch.arange(17)
    assert within.min() >= 0
    assert within.max() <= 1
    torch.testing.assert_close(as_images(middles(IMAGES, 17), 17), IMAGES)


def test_dequantised_bytes_fill_their_bins_and_no_others() -> None:
    w = dequantised(IMAGES, rng())
    within = (w + 1) / BIN - BYTES.permute(0, 3, 1, 2)
    assert within.min() >= 0
    assert within.max() < 1
    assert within.mean().item() == pytest.approx(0.5, abs=0.03)
    assert within.std().item() == pytest.approx(12**-0.5, abs=0.02)


def test_every_byte_comes_back_from_the_middle_of_its_bin() -> None:
    levels = BYTES.permute(0, 3, 1, 2).float()
    torch.testing.assert_close(middles(IMAGES), (2 * levels + 1) / 256 - 1)
    assert torch.equal(to_uint8(as_images(middles(IMAGES))), BYTES)
    assert as_images(torch.tensor([-1.0, 1.0])).tolist() == [-1, 1]  # the edges of the outermost bins


def test_the_best_gaussian_costs_a_quarter_of_a_bit_where_all_images_are_the_same() -> None:
    """1/2 log2(2 pi e / 12): the price of a Gaussian for a uniform bin."""
    constant = torch.full((64, 1, 32, 32), 100 / 127.5 - 1)
    sigma = torch.tensor(BIN / 12**0.5)
    nats = gaussian_nats(dequantised(constant, rng()), middles(constant), sigma)
    bits = bits_per_dim(nats_of_bytes(nats, 1024), 1024).mean().item()
    assert log2(2 * pi * e / 12) / 2 == pytest.approx(0.2546, abs=1e-4)
    assert bits == pytest.approx(0.2546, abs=0.005)


@pytest.mark.parametrize(
    ("mean", "variance", "nats"), [(1, 4, 1.30685), (0, 0.25, 0.318147), (0, 1, 0), (3, 1, 4.5)]
)
def test_the_divergence_of_a_gaussian_from_the_standard_one(
    mean: float, variance: float, nats: float
) -> None:
    found = divergence_from_standard(torch.tensor([[mean]]).float(), torch.tensor([[variance]]).log())
    assert found.item() == pytest.approx(nats, abs=1e-5)


def test_dimensions_add_up() -> None:
    mean, log_variance = torch.ones(2, 5), torch.full((2, 5), log(4))
    torch.testing.assert_close(divergence_from_standard(mean, log_variance), torch.full((2,), 5 * 1.3068528))
    torch.testing.assert_close(
        gaussian_nats(torch.ones(2, 3, 4, 4), torch.zeros(()), torch.tensor(2.0)),
        torch.full((2,), -48 * (1 / 8 + log(2) + log(2 * pi) / 2)),
    )


class LinearGaussian:
    """Probabilistic PCA, whose log p(x) is known: z ~ N(0, I), x = W z + b + N(0, 1/4)."""

    w = torch.tensor([[1, 0], [0.5, 2], [-1, 0.3]])
    b = torch.tensor([0.1, -0.2, 0.3])
    x = torch.tensor([1, 2, -0.5])
    variance = 0.25
    m = w.T @ w + variance * torch.eye(2)
    mean = torch.linalg.solve(m, w.T @ (x - b))

    def log_weights(self, z: torch.Tensor, log_q: torch.Tensor) -> torch.Tensor:
        """log p(x | z) + log p(z) - log q(z) (K,) of z (K, 2)."""
        seen = gaussian_nats(
            self.x.expand(len(z), 3), z @ self.w.T + self.b, torch.tensor(self.variance**0.5)
        )
        return seen + gaussian_nats(z, torch.zeros(()), torch.ones(())) - log_q


def test_the_weight_of_the_true_posterior_is_the_likelihood_itself() -> None:
    pca = LinearGaussian()
    posterior = torch.distributions.MultivariateNormal(pca.mean, pca.variance * pca.m.inverse())
    torch.manual_seed(0)
    z = posterior.sample((100,))
    weights = pca.log_weights(z, posterior.log_prob(z))
    torch.testing.assert_close(weights, torch.full((100,), -4.0399804), atol=1e-4, rtol=0)


@pytest.mark.parametrize(("samples", "nats"), [(1, -4.0630869), (5, -4.046), (50, -4.040)])
def test_importance_samples_close_the_gap_of_a_diagonal_posterior(samples: int, nats: float) -> None:
    """Its gap is 1/2 (sum ln M_ii - ln det M) = 0.0231064 nats."""
    pca = LinearGaussian()
    sigma = (pca.variance / pca.m.diagonal()).sqrt()
    trials = 400_000 // samples
    z = pca.mean + sigma * torch.randn(samples * trials, 2, generator=rng())
    weights = pca.log_weights(z, gaussian_nats(z, pca.mean, sigma))
    found = importance_bound(weights.view(samples, trials)).mean().item()
    assert found == pytest.approx(nats, abs=1.5e-3)


def test_a_binarised_pixel_is_white_as_often_as_its_grey_value_says() -> None:
    grey = torch.tensor([0.0, 0.25, 0.8, 1.0]).view(4, 1, 1, 1).expand(4, 1, 100, 100)
    binary = binarised(2 * grey - 1, rng())
    assert set(binary.unique().tolist()) == {-1.0, 1.0}
    often = (binary > 0).float().mean((1, 2, 3))
    torch.testing.assert_close(often, grey[:, 0, 0, 0], rtol=0, atol=0.02)
    assert often[0] == 0
    assert often[3] == 1


def test_the_probabilities_of_all_binary_images_add_up_to_1_and_grey_values_have_none() -> None:
    every = torch.tensor(list(product([0.0, 1.0], repeat=4)))
    logits = torch.tensor([[-2.0, 0.3, 1.0, 30.0]])
    assert bernoulli_nats(every, logits.expand(16, 4)).exp().sum().item() == pytest.approx(1)
    assert bernoulli_nats(torch.ones(1, 4), torch.zeros(1, 4)).item() == pytest.approx(-4 * log(2))
    grid = torch.linspace(0, 1, 10_001)[:, None]  # the integral over [0, 1] of a density would be 1
    assert bernoulli_nats(grid, torch.zeros_like(grid)).exp().mean().item() == pytest.approx(0.5)
