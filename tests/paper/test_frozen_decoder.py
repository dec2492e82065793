"""Bits of a frozen generator (Wu et al., 2017): what moves, and a linear decoder, whose density is known."""

from math import log, log2, pi

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import MultivariateNormal

from centigan.families import build
from centigan.families.frozen_decoder import FrozenDecoder
from centigan.families.wgan_gp import WGANGP
from centigan.likelihood import bits_per_dim, dequantised, divergence, middles
from centigan.settings.families.cq import CqConfig
from centigan.settings.families.frozen_decoder import FrozenDecoderConfig
from centigan.settings.families.wgan_gp import WganGpConfig
from centigan.types import Batch, Code, Given, of_no_class

LATENT, LEVELS = 3, 17
GAN = WganGpConfig(width=0.05, latent=LATENT, critic_steps=1)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def family(**change: object) -> FrozenDecoder:
    shape = {"resolution": 32, "channels": 1} | {k: change.pop(k) for k in ("dimensions",) if k in change}
    config = FrozenDecoderConfig.model_validate(
        {"net": "dense", "units": 16, "decoder": GAN.model_dump()} | change
    )
    made = build(config, classes=1, **shape, rng=rng())
    assert isinstance(made, FrozenDecoder)
    return made


def batch(count: int = 8) -> Batch:
    images = torch.randint(256, (count, 1, 32, 32), generator=rng(1)) / 127.5 - 1
    return Batch(images, Given(torch.full((count,), -1)), torch.tensor(1))


def state(made: FrozenDecoder) -> dict[str, Tensor]:
    return {
        f"{name}.{key}": value.clone()
        for name, network in made.networks.items()
        for key, value in network.state_dict().items()
    }


def test_the_encoder_and_the_noise_move_and_g_rests_with_all_its_statistics() -> None:
    made = family()
    before = state(made)
    for n in range(2):
        made.step(batch(), rng(n))
    moved = {key for key, value in state(made).items() if not torch.equal(value, before[key])}
    encoder = {key for key in before if key.startswith("encoder")}
    assert moved == encoder | {"decoder.log_sigma"}
    assert any("running_mean" in key for key in before)
    assert made.networks["decoder"].training


def test_what_is_drawn_is_what_the_gan_draws() -> None:
    gan = build(GAN, classes=1, resolution=32, channels=1, rng=rng(5))
    assert isinstance(gan, WGANGP)
    made = family()
    made.started["generator"].load_state_dict(gan.networks["generator"].state_dict())
    wanted = of_no_class(4, torch.device("cpu"))
    assert torch.equal(made.sample(wanted, rng(7)), gan.sample(wanted, rng(7)))
    assert "critic" not in made.started


def test_of_g_itself_with_noise_of_one_there_are_8_33_bits() -> None:
    """7 bits of the bins of w, and those of a normal density at its top."""
    made = family(sigma_floor=1e-9)
    made.networks["decoder"].log_sigma.data.zero_()
    z = made.latent(4, rng(3))
    made.networks["encoder"] = Told(torch.zeros_like(z), torch.zeros_like(z), z)
    of_image, code = made._one_draw(made.of.middles(made.other.decode(z).detach()), rng(0))
    bits = bits_per_dim(made.of.nats(of_image), made.of.dimensions)
    torch.testing.assert_close(bits, torch.full_like(bits, 7 + log2(2 * pi) / 2), rtol=1e-6, atol=0)
    assert float(bits.detach()[0]) == pytest.approx(8.3257, abs=1e-4)
    assert torch.equal(code.z, z)


class Told(nn.Module):
    """An encoder that tells what it is told."""

    def __init__(self, mean: Tensor, log_variance: Tensor, z: Tensor | None = None) -> None:
        super().__init__()
        self.mean, self.log_variance, self.z = mean, log_variance, z

    def forward(self, w: Tensor, noise: Tensor) -> Code:
        z = self.mean + (self.log_variance / 2).exp() * noise if self.z is None else self.z
        return Code(self.mean, self.log_variance, z, z, None)


def linear() -> tuple[FrozenDecoder, Tensor, MultivariateNormal]:
    """G(z) = A z + b of points: p(w) = N(b, A A' + sigma^2 I). Columns of A are apart: so are the codes."""
    made = family(dimensions=4, sigma_floor=1e-9)
    a = torch.diag(torch.tensor([1.5, 0.5, 0.7, 0.0]))[:, :LATENT]
    b = torch.tensor([0.3, -0.2, 0.0, 1.0])
    g = made.other.networks["generator"] = nn.Linear(LATENT, 4)
    g.weight.data, g.bias.data = a, b
    sigma = torch.tensor([0.4, 0.3, 0.2, 0.5])
    made.networks["decoder"].log_sigma.data = sigma.log()
    points = torch.randn(6, 4, generator=rng(2))
    exact = MultivariateNormal(b, a @ a.T + sigma.square().diag())
    return made, points, exact


def posterior(made: FrozenDecoder, points: Tensor) -> Told:
    """The exact one: precision I + A' S^-1 A, which is diagonal here."""
    g, sigma = made.other.networks["generator"], made.sigma.detach()
    a, b = g.weight.detach(), g.bias.detach()
    precision = 1 + (a / sigma[:, None]).square().sum(0)
    mean = ((points - b) / sigma.square()) @ a / precision
    return Told(mean, (-precision.log()).expand(len(points), -1))


def test_with_the_exact_posterior_each_weight_is_the_exact_density() -> None:
    made, points, exact = linear()
    made.networks["encoder"] = posterior(made, points)
    expected = exact.log_prob(points)
    for seed in range(3):
        told = made.log_weight(points, rng(seed))
        torch.testing.assert_close(told, expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(made.log_density(points, rng(0)), expected, rtol=1e-4, atol=1e-4)


def test_the_bound_is_below_the_density_by_the_divergence_of_a_wrong_posterior() -> None:
    """A mean that is wrong by d costs sum d^2 / (2 variance), on average over z."""
    made, points, exact = linear()
    right = posterior(made, points)
    wrong = made.networks["encoder"] = Told(right.mean + 0.1, right.log_variance)
    bound = torch.stack([made.log_likelihood(points, rng(seed)) for seed in range(4000)])
    gap = (0.01 / (2 * wrong.log_variance.exp())).sum(1)
    error = bound.std(0) / 4000**0.5
    assert ((bound.mean(0) - (exact.log_prob(points) - gap)).abs() < 5 * error).all()


def test_a_trained_encoder_reaches_the_density_of_a_linear_decoder() -> None:
    made, _, exact = linear()
    rested = made.networks["decoder"].log_sigma
    made.optimizers["encoder"] = torch.optim.Adam(made.networks["encoder"].parameters(), 0.01)
    points = exact.sample((256,))
    real = Batch(points, Given(torch.full((256,), -1)), torch.tensor(1))
    losses = [made.step(real, rng(n)) for n in range(400)]
    least = -exact.log_prob(points).mean() / (4 * log(2))
    told = torch.stack([one["bits"] for one in losses[-50:]]).mean()
    assert 0 < told - least < 0.05
    assert losses[0]["bits"] - least > 0.3
    assert rested.grad is None


def test_draws_with_noise_have_the_spread_of_the_model() -> None:
    made, _, exact = linear()
    drawn = made.sample_noisy(of_no_class(20_000, torch.device("cpu")), rng(0))
    torch.testing.assert_close(drawn.T.cov(), exact.covariance_matrix, rtol=0, atol=0.06)
    torch.testing.assert_close(drawn.mean(0), exact.mean, rtol=0, atol=0.05)


def test_points_are_moved_in_nats_a_dimension() -> None:
    made, points, _ = linear()
    sigma = made.networks["decoder"].log_sigma
    real = Batch(points, Given(torch.full((len(points),), -1)), torch.tensor(1))
    of_w, code = made._one_draw(points, rng(1))
    bound = -made.log_likelihood(points, rng(1)).mean() / 4
    gradient = torch.autograd.grad(-(of_w - divergence(code)).mean() / 4, sigma)[0]
    made.optimizers["encoder"] = torch.optim.SGD([*made.networks["encoder"].parameters(), sigma], 1.0)
    before = sigma.detach().clone()
    told = made.step(real, rng(1))
    assert told["bits"] * log(2) == pytest.approx(float(bound), rel=1e-5)
    torch.testing.assert_close(before - sigma, gradient)


def of_digits(x: Tensor, sigma: float) -> FrozenDecoder:
    """A G that draws x (N, 1, 8, 8) of 17 levels, whatever z is, with noise sigma; codes cost nothing."""
    gan = CqConfig(net="dense", units=8, latent=LATENT, coverage_weight=0)
    config = FrozenDecoderConfig(net="dense", units=8, decoder=gan.model_dump(), sigma_floor=1e-9)
    made = build(config, classes=1, resolution=8, channels=1, levels=LEVELS, rng=rng())
    assert isinstance(made, FrozenDecoder)
    made.other.decode = lambda z: x + 0 * z.sum()  # type: ignore[method-assign]
    made.networks["decoder"].log_sigma.data.fill_(log(sigma))
    nothing = torch.zeros(len(x), LATENT)
    made.networks["encoder"] = Told(nn.Parameter(nothing), nothing)
    return made


def digits(count: int = 4) -> Tensor:
    return torch.randint(LEVELS, (count, 1, 8, 8), generator=rng(1)) * 2 / (LEVELS - 1) - 1


@pytest.mark.parametrize("sigma", [0.05, 0.3])
def test_bits_of_images_are_those_of_their_bins_by_hand(sigma: float) -> None:
    """w of an image lies in its bin, whose middle a perfect G draws: u / 17 away, u ~ U(-1, 1)."""
    x = digits()
    made = of_digits(x, sigma)
    away = dequantised(x, rng(5), LEVELS) - middles(x, LEVELS)
    assert away.abs().max() <= 1 / LEVELS
    squares = (away / sigma).square().flatten(1).sum(1) / 2
    density = -squares - 64 * (log(sigma) + log(2 * pi) / 2)
    nats = density + 64 * log(2 / LEVELS)
    for told in (made.log_likelihood(x, rng(5)), made.log_weight(x, rng(5))):
        torch.testing.assert_close(told, nats, rtol=1e-5, atol=1e-3)
    made.optimizers["encoder"] = torch.optim.SGD([made.networks["decoder"].log_sigma], 0.0)
    losses = made.step(Batch(x, Given(torch.full((len(x),), -1)), torch.tensor(1)), rng(5))
    assert float(losses["bits"]) == pytest.approx(float(-nats.mean() / (64 * log(2))), rel=1e-5)
    assert float(losses["bits_code"]) == 0


def test_draws_without_noise_are_what_the_gan_draws() -> None:
    x = digits()
    made = of_digits(x, 1e-8)
    torch.testing.assert_close(made.sample_noisy(of_no_class(4, x.device), rng()), x)


def test_codes_are_of_the_middles_of_bins_and_means_without_noise() -> None:
    x, seen = digits(), list[Tensor]()
    made = of_digits(x, 0.1)
    made.networks["encoder"].register_forward_hook(lambda _, given, out: seen.extend(given))
    assert torch.equal(made.encode(x), torch.zeros(4, LATENT))
    torch.testing.assert_close(seen[0], middles(x, LEVELS))
    assert not seen[1].any()


def test_the_noise_has_a_rate_and_a_floor_of_its_own() -> None:
    made = family(lr=0.25, sigma_lr=0.5, sigma_floor=0.125, beta1=0.75, beta2=0.875)
    adam = made.optimizers["encoder"]
    assert [group["lr"] for group in adam.param_groups] == [0.25, 0.5]
    assert [group["betas"] for group in adam.param_groups] == [(0.75, 0.875)] * 2
    (noise,) = adam.param_groups[1]["params"]
    assert noise is made.networks["decoder"].log_sigma
    torch.testing.assert_close(made.sigma, noise.exp() + 0.125)


def test_a_density_of_a_wrong_posterior_comes_near_by_many_draws() -> None:
    made, points, exact = linear()
    right = posterior(made, points)
    made.networks["encoder"] = Told(right.mean + 0.1, right.log_variance)
    one = made.log_weight(points, rng(1)) - exact.log_prob(points)
    many = made.log_density(points, rng(1)) - exact.log_prob(points)
    assert many.abs().max() < 0.1 < one.abs().max()
