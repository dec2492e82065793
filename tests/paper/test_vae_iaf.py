"""VAE-IAF by its algebra: triangular flows, a posterior that is known, and the errors of public code."""

from math import exp, log

import pytest
import torch
from torch import Tensor, nn
from torch.autograd.functional import jacobian
from torch.distributions import MultivariateNormal, Normal

from centigan.families import vae_iaf
from centigan.families.vae_iaf import VaeIaf
from centigan.likelihood import LEVELS, bits_per_dim
from centigan.logistic import discretised_logistic
from centigan.nets.inverse_autoregressive import InverseAutoregressiveFlow, flow_of_codes, flow_of_maps
from centigan.nets.ladder import Half, OfConstant, Posterior
from centigan.nets.made import Made, MaskedConvolutions, ranks
from centigan.nets.weight_norm import WeightNormed, initialise_normed
from centigan.settings.families.vae_iaf import VaeIafConfig
from centigan.types import Batch, Given, Shape

RIDGES = torch.tensor([[1.0, 0.0], [0.5, 2.0], [-1.0, 0.3]])  # W of a linear model: D = 3, L = 2
SEEN = torch.tensor([0.9, 2.2, -0.8])  # x - b
VARIANCE = 0.25
PRECISION = RIDGES.T @ RIDGES + VARIANCE * torch.eye(2)  # M; the posterior is N(M^-1 W'(x - b), s^2 M^-1)
EVIDENCE, DIAGONAL = -4.0399804, -4.0630869  # log p(x), and the bound of the best independent latents


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def family(resolution: int = 8, channels: int = 1, **change: object) -> VaeIaf:
    small = {"maps": 8, "latent": 3, "blocks": 2, "steps": 2}
    return VaeIaf(VaeIafConfig.model_validate(small | change), Shape(3, resolution, channels), rng())


def batch(count: int = 6, resolution: int = 8, channels: int = 1) -> Batch:
    levels = torch.randint(0, 256, (count, channels, resolution, resolution), generator=rng(1))
    return Batch(levels / 127.5 - 1, Given(torch.zeros(count, dtype=torch.int64)), torch.tensor(1))


def primed(**change: object) -> VaeIaf:
    made = family(**change)
    made.prime(batch(), rng(2))
    return made


def shaken(flow: InverseAutoregressiveFlow) -> InverseAutoregressiveFlow:
    """With weights that are far from the identity."""
    for parameter in flow.parameters():
        nn.init.normal_(parameter, 0, 0.7, generator=rng(3))
    return flow


def of_codes(
    steps: int = 1, hidden: tuple[int, ...] = (9, 7)
) -> tuple[InverseAutoregressiveFlow, Tensor, Tensor]:
    return shaken(flow_of_codes(5, hidden, 2, steps)), torch.randn(1, 5, generator=rng(4)), torch.ones(1, 2)


def of_maps(steps: int = 1) -> tuple[InverseAutoregressiveFlow, Tensor, Tensor]:
    flow = shaken(flow_of_maps(2, 6, 2, steps))
    return flow, torch.randn(1, 2, 3, 4, generator=rng(4)), torch.ones(1, 6, 3, 4)


def by_rank(z: Tensor) -> Tensor:
    """z (1, L), or (1, Z, H, W) pixel after pixel, as one vector."""
    return z[0] if z.ndim == 2 else z[0].permute(1, 2, 0).flatten()


def slopes(flow: nn.Module, z: Tensor, h: Tensor) -> Tensor:
    """d z_T / d z_0 by autograd, both in the order of ranks."""

    def moved(flat: Tensor) -> Tensor:
        size = (1, *z.shape[2:], z.shape[1]) if z.ndim == 4 else z.shape
        given = flat.view(size).permute(0, 3, 1, 2) if z.ndim == 4 else flat.view(size)
        return by_rank(flow(given, h)[0])

    return jacobian(moved, by_rank(z))


# The flow


@pytest.mark.parametrize("of", [of_codes, of_maps])
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_the_sum_of_ln_sigma_is_the_log_determinant(of: object, steps: int) -> None:
    """Equation 11, of as many steps as there are."""
    flow, z, h = of(steps)  # type: ignore[operator]
    sign, log_determinant = torch.linalg.slogdet(slopes(flow, z, h))
    assert sign == 1
    torch.testing.assert_close(flow(z, h)[1].sum(), log_determinant, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("of", [of_codes, of_maps])
def test_a_variable_moves_by_those_of_lower_rank_alone(of: object) -> None:
    flow, z, h = of()  # type: ignore[operator]
    slope = slopes(flow, z, h)
    assert torch.equal(slope.triu(1), torch.zeros_like(slope))
    torch.testing.assert_close(slope.diagonal(), by_rank(flow(z, h)[1]).exp())
    assert (slope.tril(-1) != 0).sum() > len(slope)


@pytest.mark.parametrize("of", [of_codes, of_maps])
def test_ranks_are_reversed_between_steps(of: object) -> None:
    flow, z, h = of(2)  # type: ignore[operator]
    first, second = (InverseAutoregressiveFlow([network], 2.0) for network in flow.networks)
    assert not slopes(first, z, h).triu(1).any()
    assert slopes(first, z, h).tril(-1).any()
    assert not slopes(second, z, h).tril(-1).any()
    assert slopes(second, z, h).triu(1).any()


class Told(nn.Module):
    """m and s that are the same everywhere."""

    def __init__(self, m: float, s: float) -> None:
        super().__init__()
        self.m, self.s = m, s

    def forward(self, z: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        return torch.full_like(z, self.m), torch.full_like(z, self.s)


def test_a_step_is_the_identity_where_sigma_is_1_and_m_is_0() -> None:
    z = torch.randn(2, 4, generator=rng())
    moved, log_sigmas = InverseAutoregressiveFlow([Told(0, 100)], 2.0)(z, z)
    assert torch.equal(moved, z)
    torch.testing.assert_close(log_sigmas, torch.zeros_like(z))


def test_a_step_goes_from_z_to_m_by_1_minus_sigma() -> None:
    """Equations 13 and 14: of z = 3, m = 1 and sigma = sigmoid(-2 + 2) = 1/2 it makes 2."""
    moved, log_sigmas = InverseAutoregressiveFlow([Told(1, -2)], 2.0)(torch.tensor([[3.0]]), torch.ones(1, 1))
    assert moved.item() == pytest.approx(2)
    assert log_sigmas.item() == pytest.approx(log(1 / 2))


def test_a_step_begins_near_the_identity() -> None:
    """sigma = sigmoid(2) = 0.88 where s is small."""
    flow = flow_of_maps(3, 8, 2, 1)
    initialise_normed(flow, 0.05, rng())
    z = torch.randn(64, 3, 4, 4, generator=rng())
    for layer in flow.modules():
        if isinstance(layer, WeightNormed):
            nn.init.constant_(layer.length, 0.1)
    _, log_sigmas = flow(z, torch.zeros(64, 8, 4, 4))
    assert log_sigmas.exp().mean().item() == pytest.approx(0.88, abs=0.01)


@pytest.mark.parametrize("hidden", [(), (8,), (12, 9), (3, 20, 5)])
@pytest.mark.parametrize("reverse", [False, True])
def test_the_product_of_masks_is_strictly_lower_triangular(hidden: tuple[int, ...], reverse: bool) -> None:
    """Of all paths from a variable to an output; each lower rank has one where units are enough."""
    made = Made(5, hidden, 0, reverse=reverse)
    paths = torch.eye(5)
    for layer in made.layers:
        paths = layer.mask @ paths
    order = ranks(5, reverse=reverse).argsort()
    for of_outputs in paths.chunk(2):
        ranked = of_outputs[order][:, order]
        assert not ranked.triu().any()
        if all(units >= 5 for units in hidden):
            assert (ranked + torch.ones(5, 5).triu() > 0).all()


@pytest.mark.parametrize("of", [of_codes, of_maps])
def test_the_context_is_seen_by_every_variable(of: object) -> None:
    flow, z, h = of()  # type: ignore[operator]
    assert (flow(z, h)[0] != flow(z, 2 * h)[0]).all()


def test_a_masked_convolution_sees_all_that_its_window_has_before_a_pixel() -> None:
    """Maps of the pixel itself by rank, all maps of pixels before: here of one hidden layer, 5 x 5 taps."""
    network = MaskedConvolutions(2, 6, 1, std=0.1)
    for parameter in network.parameters():
        nn.init.normal_(parameter, generator=rng())
    z = torch.randn(1, 2, 5, 5, generator=rng())
    seen = (
        jacobian(lambda z: network(z, torch.zeros(1, 6, 5, 5))[0][0, :, 2, 2], z)[:, 0] != 0
    )  # (2, 2, 5, 5)
    before = torch.zeros(5, 5, dtype=torch.bool)
    before[:2], before[2, :2] = True, True
    before[1, 4] = before[0, 4] = before[0, 0] = before[0, 0] | True
    assert not (seen & ~before).any(1)[0].any()  # of map 1 nothing of its own pixel
    assert seen[1, 0, 2, 2]
    assert not seen[1, 1, 2, 2]
    assert seen[:, :, 1, 1:4].all()
    assert seen[:, :, 2, 1].all()


# A posterior that is known


def test_a_linear_flow_makes_the_posterior_of_correlated_codes() -> None:
    """With m = W z_0, W strictly lower: q is the posterior, and the bound log p(x)."""
    covariance = VARIANCE * torch.linalg.inv(PRECISION)
    wanted = torch.linalg.solve(PRECISION, RIDGES.T @ SEEN)
    cholesky, sigma = torch.linalg.cholesky(covariance), 1 / (1 + exp(-2.0))
    flow = flow_of_codes(2, (), 0, 1)
    layer, scales = flow.networks[0].layers[0], cholesky.diagonal() / sigma
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.zero_()
        layer.weight[1, 0] = cholesky[1, 0] / scales[0] / (1 - sigma)
        mean = wanted / sigma
        mean[1] -= (1 - sigma) * layer.weight[1, 0] * mean[0] / sigma
    eps = torch.randn(7, 2, generator=rng())
    z, log_q = drawn(flow, mean, scales.log(), eps)
    torch.testing.assert_close(
        log_q, MultivariateNormal(wanted, covariance).log_prob(z), rtol=1e-4, atol=1e-4
    )
    torch.testing.assert_close(joint(z) - log_q, torch.full((7,), EVIDENCE), rtol=0, atol=1e-4)


def test_a_step_closes_the_gap_that_independent_codes_leave() -> None:
    """By a training of seconds more than 80 % of the 0.0231 nats; without a step none of them."""
    bounds = [trained_bound(flow_of_codes(2, (8,), 0, steps)) for steps in (0, 1)]
    assert bounds[0] == pytest.approx(DIAGONAL, abs=2e-3)
    assert (bounds[1] - DIAGONAL) / (EVIDENCE - DIAGONAL) > 0.8
    assert bounds[1] < EVIDENCE + 2e-3


def drawn(flow: nn.Module, mean: Tensor, log_sigma: Tensor, eps: Tensor) -> tuple[Tensor, Tensor]:
    """z (N, 2) and log q(z) (N,) of standard noise."""
    z, log_sigmas = flow(mean + log_sigma.exp() * eps, eps)
    return z, (Normal(0, 1).log_prob(eps) - log_sigma - log_sigmas).sum(1)


def joint(z: Tensor) -> Tensor:
    """log p(x, z) (N,) of the linear model."""
    of_image = Normal(z @ RIDGES.T, VARIANCE**0.5).log_prob(SEEN).sum(1)
    return of_image + Normal(0, 1).log_prob(z).sum(1)


def trained_bound(flow: InverseAutoregressiveFlow) -> float:
    """The bound on log p(x) that q has after a short training."""
    torch.manual_seed(0)
    for parameter in flow.parameters():
        nn.init.normal_(parameter, 0, 0.3, generator=rng())
    mean, log_sigma = nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(2))
    adam = torch.optim.Adam([mean, log_sigma, *flow.parameters()])
    for iteration in range(500):
        adam.param_groups[0]["lr"] = 0.05 * (1 - iteration / 500)
        half = torch.randn(128, 2)
        z, log_q = drawn(flow, mean, log_sigma, torch.cat([half, -half]))
        adam.zero_grad()
        (log_q - joint(z)).mean().backward()
        adam.step()
    with torch.no_grad():
        half = torch.randn(50_000, 2)
        z, log_q = drawn(flow, mean, log_sigma, torch.cat([half, -half]))
        return (joint(z) - log_q).mean().item()


# The discretised logistic


@pytest.mark.parametrize("levels", [2, 17, LEVELS])
@pytest.mark.parametrize(("mean", "log_scale"), [(0.9, -2.3), (0.0, -6.9), (-1.4, 0.0), (0.3, 2.0)])
def test_probabilities_of_all_levels_add_up_to_1(levels: int, mean: float, log_scale: float) -> None:
    """Known error: without the tails at both ends, as in the authors' code, they do not."""
    x = 2 * torch.arange(levels) / (levels - 1) - 1
    nats = discretised_logistic(x, torch.tensor(mean), torch.tensor(log_scale), levels)
    assert nats.exp().sum().item() == pytest.approx(1, abs=2e-5)
    assert (nats < 0).all()


def test_the_tails_belong_to_the_ends() -> None:
    """P(1) = 1 - sigmoid((1 - 1/255 - m) / s): .2729 for m = .9 and s = .1, of which the bin has .0019."""
    last = discretised_logistic(torch.tensor(1.0), torch.tensor(0.9), torch.tensor(0.1).log(), LEVELS)
    assert last.exp().item() == pytest.approx(1 - 1 / (1 + exp(-(0.1 - 1 / 255) / 0.1)), rel=1e-5)
    first = discretised_logistic(torch.tensor(-1.0), torch.tensor(-0.9), torch.tensor(0.1).log(), LEVELS)
    assert first.item() == pytest.approx(last.item(), rel=1e-5)


def test_a_level_has_what_the_logistic_has_within_half_a_level() -> None:
    x, mean, log_scale = (torch.tensor(v, dtype=torch.float64) for v in (2 * 100 / 255 - 1, -0.2, -3.0))
    ends = torch.stack([x + 1 / 255, x - 1 / 255])
    above, below = torch.sigmoid((ends - mean) / log_scale.exp())
    assert discretised_logistic(x, mean, log_scale, LEVELS).item() == pytest.approx(
        (above - below).log().item(), rel=1e-5
    )


def test_far_from_the_mean_nothing_is_lost_and_gradients_are_finite() -> None:
    """Known error: 1e-7 within the logarithm ends the slope at -16 nats. Here log P goes on by 1/s."""
    mean, log_scale = torch.tensor([0.9, 0.8], requires_grad=True), torch.tensor(-6.5, requires_grad=True)
    nats = discretised_logistic(torch.full((2,), 1 / 255 - 1), mean, log_scale, LEVELS)
    assert (nats[1] - nats[0]).item() == pytest.approx(0.1 * exp(6.5), rel=1e-3)
    nats.sum().backward()
    assert mean.grad is not None
    torch.testing.assert_close(mean.grad, torch.full((2,), -exp(6.5)), rtol=1e-3, atol=0)
    assert log_scale.grad is not None
    assert log_scale.grad.isfinite()


# The ladder


def test_a_posterior_is_of_the_sums_of_both_ways() -> None:
    """Deviations are exp(ln sigma), and log q that of z: known error, exp(2 ln sigma) for a deviation."""
    up, down = (Half(*torch.randn(3, 4, 2, 3, 3, generator=rng(seed))) for seed in (5, 6))
    eps, contexts = torch.randn(4, 2, 3, 3, generator=rng(7)), []
    plain = Posterior(InverseAutoregressiveFlow([], 2.0))
    z, log_q = plain(up, down, eps)
    mean, log_sigma = up.mean + down.mean, (up.log_sigma + down.log_sigma).clamp(-4, 4)
    torch.testing.assert_close(z, mean + log_sigma.exp() * eps)
    torch.testing.assert_close(log_q, Normal(mean, log_sigma.exp()).log_prob(z))

    bent = Posterior(InverseAutoregressiveFlow([Told(0.5, 0)], 1.0))
    bent.flow.register_forward_pre_hook(lambda _, given: contexts.append(given[1]))
    moved, log_q_moved = bent(up, down, eps)
    gate = torch.tensor(1.0).sigmoid()
    torch.testing.assert_close(moved, gate * z + (1 - gate) * 0.5)
    torch.testing.assert_close(log_q_moved, log_q - gate.log())
    torch.testing.assert_close(contexts[0], up.context + down.context)


@pytest.mark.parametrize("posterior", ["iaf", "diagonal"])
def test_a_map_costs_log_q_minus_log_p_of_what_is_drawn(posterior: str) -> None:
    """Known error of a port: a prior whose deviation is exp(2 ln sigma)."""
    made, images, found = primed(posterior=posterior), batch().images, []
    for down, of_block in zip(made.ladder.downs, made.ladder.posteriors, strict=True):
        of_block.register_forward_hook(lambda _, given, out: found.append(out[1]))
        down.register_forward_hook(lambda _, given, out: found.append(given[1:]))
    noise = made.latent(len(images), rng(8))
    with torch.no_grad():
        _, costs = made.ladder(images, noise)
    assert costs.shape == (6, 4 * 3)
    for n, (log_q, (z, told)) in enumerate(zip(found[::2], found[1::2], strict=True)):
        prior = Normal(told.prior.mean, told.prior.log_sigma.exp())
        expected = (log_q - prior.log_prob(z)).sum((2, 3))
        torch.testing.assert_close(costs[:, 3 * n : 3 * n + 3], expected, rtol=1e-4, atol=1e-4)


def z_of(made: VaeIaf) -> list[Tensor]:
    """Where the z of all blocks will be, from the top down."""
    seen: list[Tensor] = []
    for down in made.ladder.downs:
        down.register_forward_hook(lambda _, given, out: seen.append(given[1]))
    return seen


@pytest.mark.parametrize("change", [{}, {"posterior": "diagonal"}, {"bidirectional": False}, {"scales": 3}])
def test_a_code_is_the_noise_that_draws_the_posteriors_z(change: dict[str, object]) -> None:
    made, real = primed(**change), batch()
    seen = z_of(made)
    code = made.encode(real.images)
    of_posterior, seen[:] = list(seen), []
    made.ladder(real.images, torch.zeros_like(code))
    for wanted, z in zip(seen, of_posterior, strict=True):
        torch.testing.assert_close(z, wanted)
    seen.clear()
    again = made.generate(code, real.given)
    for wanted, z in zip(of_posterior, seen, strict=True):
        torch.testing.assert_close(z, wanted, rtol=1e-4, atol=1e-4)
    assert torch.equal(made.reconstruct(real.images, rng()), again)


def test_z_is_drawn_of_the_prior_that_all_above_decide() -> None:
    made, latent = primed(), family().latent(2, rng())
    seen = z_of(made)
    made.generate(latent, Given(torch.zeros(2)))
    first = made.ladder.downs[0].told(made.ladder.top.expand(2, -1, 2, 2)).prior
    eps = latent[:, : 3 * 4].view(2, 3, 2, 2)
    torch.testing.assert_close(seen[0], first.mean + first.log_sigma.exp() * eps)
    before, other = list(seen), latent.clone()
    other[:, :12] += 1
    seen.clear()
    made.generate(other, Given(torch.zeros(2)))
    assert all(not torch.allclose(a, b, atol=1e-6) for a, b in zip(before, seen, strict=True))


@pytest.mark.parametrize("bidirectional", [True, False])
def test_a_posterior_sees_the_way_down_where_it_is_asked_to(bidirectional: bool) -> None:
    made = primed(bidirectional=bidirectional)
    seen, noise = z_of(made), made.latent(6, rng())
    made.ladder(batch().images, noise)
    before, other = list(seen), noise.clone()
    other[:, :12] += 1  # of the uppermost block alone
    seen.clear()
    made.ladder(batch().images, other)
    assert not torch.allclose(seen[0], before[0])
    same = [torch.equal(a, b) for a, b in zip(before[1:], seen[1:], strict=True)]
    assert not any(same) if bidirectional else all(same)


def test_codes_have_the_sides_of_their_blocks() -> None:
    """At 32 px two scales of ten blocks: ten times 8 x 8, then ten times 16 x 16, of 32 maps each."""
    config = VaeIafConfig(width=0.05)
    made = VaeIaf(config, Shape(10, 32, 3), rng())
    assert made.ladder.latents == [(32, 8, 8)] * 10 + [(32, 16, 16)] * 10
    assert made.latent(1, rng()).shape == (1, 10 * 32 * (64 + 256))


# Training


def test_data_set_what_the_layers_then_have() -> None:
    """Known error of the authors' code: it computes with a scale, and keeps a third of its logarithm."""
    made, images = family(), batch(64).images
    made.prime(batch(64), rng(2))
    units = []
    for layer in made.ladder.modules():
        if isinstance(layer, WeightNormed) and not isinstance(layer, OfConstant):
            layer.register_forward_hook(
                lambda layer, _, y: units.append(
                    (layer.length.flatten(), *torch.std_mean(y, (0, 2, 3), correction=0))
                )
            )
    with torch.no_grad():
        made.ladder(images, made.latent(64, rng(2)))
    for length, deviation, mean in units:
        torch.testing.assert_close(mean, torch.zeros_like(mean), atol=1e-5, rtol=0)
        wanted = torch.full_like(deviation, 0.1)
        torch.testing.assert_close(deviation[length < 1], wanted[length < 1], rtol=1e-3, atol=0)
        assert (deviation < 0.1001).all()
    assert sum((length < 1).sum() for length, *_ in units) > 100


@pytest.mark.parametrize("scales", [2, 3])
def test_a_top_that_is_the_same_for_all_images_is_not_divided_by_its_deviation(scales: int) -> None:
    """Nor are units that hardly vary blown up: their lengths would be 100 to 1e5."""
    made = primed(scales=scales)
    lengths = [layer.length for layer in made.ladder.modules() if isinstance(layer, WeightNormed)]
    assert max(length.max() for length in lengths) <= 1
    torch.testing.assert_close(made.ladder.downs[0].tell.length, torch.full((18 + 4 + 6, 1, 1, 1), 0.1))


def test_losses_are_the_mean_of_the_bounds_of_images_and_free_bits_are_not_in_them() -> None:
    """Known error of a port: a mean over as many images as there are, and one more."""
    real, told = batch(), []
    for free_bits in (0.0, 1e3):
        made = primed(free_bits=free_bits)
        bound = bits_per_dim(made.log_likelihood(real.images, rng(9)), made.dimensions)
        losses = made.step(real, rng(9))
        torch.testing.assert_close(losses["loss_image"] + losses["loss_code"], bound.mean())
        told.append(losses)
    torch.testing.assert_close(told[0]["loss_code"], told[1]["loss_code"])
    assert told[1]["free_maps"] == 1


def test_a_map_costs_lambda_at_least_by_its_mean_over_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Equation 15: not by image, not by site, and not by all maps of a block together."""
    ascended: list[Tensor] = []
    monkeypatch.setattr(vae_iaf, "ascend", lambda objective, _: ascended.append(objective) or objective)
    made, costs = primed(free_bits=0.5), torch.tensor([[0.0, 3.0, 0.2], [0.8, 1.0, 0.4]])
    monkeypatch.setattr(VaeIaf, "_one_draw", lambda *_: (torch.tensor([-5.0, -7.0]), costs))
    losses = made.step(batch(2), rng())
    assert ascended[0].item() == pytest.approx(-6 - (0.5 + 2.0 + 0.5))
    assert losses["loss_code"].item() * made.dimensions * log(2) == pytest.approx(0.4 + 2.0 + 0.3)
    assert losses["free_maps"].item() == pytest.approx(2 / 3)


def test_without_free_bits_the_bound_itself_is_ascended(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cost of one draw may be below 0, and counts."""
    ascended: list[Tensor] = []
    monkeypatch.setattr(vae_iaf, "ascend", lambda objective, _: ascended.append(objective) or objective)
    monkeypatch.setattr(VaeIaf, "_one_draw", lambda *_: (torch.tensor([-5.0]), torch.tensor([[-1.0, 3.0]])))
    primed(free_bits=0).step(batch(1), rng())
    assert ascended[0].item() == pytest.approx(-7)


def test_of_free_maps_nothing_is_learnt_by_their_cost() -> None:
    """With lambda above every cost the prior's deviations have no gradient where z is not drawn of it."""
    made = primed(free_bits=1e6)
    made.step(batch(), rng())
    for down in made.ladder.downs:
        bias = down.tell.bias
        assert bias.grad is not None
        assert not bias.grad[: 2 * 3].any()  # mean and ln sigma of the prior
        assert bias.grad[6:].any()


def test_the_likelihood_is_of_bytes_without_noise() -> None:
    """Of z that nothing hangs on: only the levels' own probabilities are left, the same for every draw."""
    made, images = primed(posterior="diagonal"), batch().images
    with torch.no_grad():
        made.ladder.last.length.zero_()
        made.ladder.last.bias.fill_(0.2)
    of_image, _ = made._one_draw(images, rng())
    expected = discretised_logistic(images, torch.tensor(0.2), made.ladder.scale, LEVELS).flatten(1).sum(1)
    torch.testing.assert_close(of_image, expected)


def test_importance_weights_are_the_bound_of_a_draw() -> None:
    made, images = primed(), batch().images
    assert torch.equal(made.log_weight(images, rng(3)), made.log_likelihood(images, rng(3)))


def test_one_adamax_moves_all_and_ln_s_at_its_own_rate() -> None:
    made = family(lr=1e-3, scale_lr=1e-2)
    weights, scale = made.optimizers["both"].param_groups
    assert {id(p) for p in [*weights["params"], *scale["params"]]} == {
        id(p) for p in made.ladder.parameters()
    }
    assert (weights["lr"], scale["lr"]) == (1e-3, 1e-2)
    made.prime(batch(), rng())
    before = made.ladder.log_scale.item()
    made.step(batch(), rng())
    assert abs(made.ladder.log_scale.item() - before) == pytest.approx(1e-2, rel=1e-3)
    assert all(p.grad is not None for p in made.ladder.parameters())
