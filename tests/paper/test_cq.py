"""Coverage- and quality-driven training (Lucas et al., 2019): who is moved by what, and values by algebra."""

from math import log

import pytest
import torch
from torch import Tensor

from centigan.families import build
from centigan.families.cq import CQ
from centigan.likelihood import (
    dequantised,
    divergence,
    divergence_from_standard,
    gaussian_nats,
    log_ratio,
    nats_of_bytes,
)
from centigan.nets.coupling import Coupling, logit
from centigan.settings.families.cq import CqConfig
from centigan.types import UNLABELLED, Batch, Given

FLOW = {"maps": 4, "blocks": 1, "norm": "none"}
LEVELS = 17


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def family(**change: object) -> CQ:
    config = CqConfig.model_validate({"net": "dense", "units": 16, "latent": 4, "clip": 0} | change)
    made = build(config, classes=1, resolution=8, channels=1, levels=LEVELS, rng=rng())
    assert isinstance(made, CQ)
    return made


def images(count: int = 8) -> Tensor:
    stored = torch.randint(LEVELS, (count, 1, 8, 8), generator=rng(1))
    return stored * 2 / (LEVELS - 1) - 1


def batch(count: int = 8) -> Batch:
    return Batch(images(count), Given(torch.full((count,), UNLABELLED)), torch.tensor(1))


def weights(made: CQ) -> dict[str, Tensor]:
    """Every parameter, by the name that the table of the docstring gives its owner."""
    owners = {"q": made.encoder, "mu": made.decoder.mean, "f": made.decoder.flow}
    owners["D"] = made.networks.get("discriminator")
    found = {
        f"{owner}.{name}": parameter.detach().clone()
        for owner, network in owners.items()
        if network is not None
        for name, parameter in network.named_parameters()
    }
    return found | {"sigma.log": made.decoder.log_sigma.detach().clone()}


def moved(made: CQ) -> set[str]:
    """Who is moved by two steps: f begins at the identity, where some of it has no gradient yet."""
    before = weights(made)
    for n in range(2):
        made.step(batch(), rng(n))
    return {
        name.split(".")[0] for name, value in weights(made).items() if not torch.equal(value, before[name])
    }


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"quality_weight": 0}, {"q", "mu", "sigma"}),
        ({"quality_weight": 0, "flow": FLOW}, {"q", "mu", "sigma", "f"}),
        ({}, {"q", "mu", "sigma", "D"}),
        ({"flow": FLOW}, {"q", "mu", "sigma", "f", "D"}),
        ({"coverage_weight": 0, "flow": FLOW}, {"q", "mu", "sigma", "f", "D"}),
    ],
)
def test_each_model_moves_its_own_networks(change: dict[str, object], expected: set[str]) -> None:
    assert moved(family(**change)) == expected


def gradients_of_quality(made: CQ, *, noisy: bool = False) -> dict[str, float]:
    """The greatest gradient of L_Q, by owner."""
    with torch.no_grad():
        for parameter in made.decoder.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=rng(2)) * 0.1)
    fake = made.drawn(made.latent(8, rng()), rng(), noisy=noisy)
    (-made.networks["discriminator"](fake).mean()).backward()
    owners = {"q": made.encoder, "mu": made.decoder.mean, "f": made.decoder.flow}
    greatest = {
        owner: max(
            (p.grad.abs().max().item() for p in network.parameters() if p.grad is not None), default=0.0
        )
        for owner, network in owners.items()
        if network is not None
    }
    sigma = made.decoder.log_sigma.grad
    return greatest | {"sigma": 0.0 if sigma is None else sigma.abs().max().item()}


def test_quality_reaches_the_map_through_its_inverse_and_the_encoder_not_at_all() -> None:
    found = gradients_of_quality(family(flow=FLOW))
    assert found["f"] > 0
    assert found["mu"] > 0
    assert found["q"] == found["sigma"] == 0


def test_where_d_judges_draws_quality_moves_sigma_too() -> None:
    assert gradients_of_quality(family(flow=FLOW, noisy=True), noisy=True)["sigma"] > 0


@pytest.mark.parametrize("coverage_weight", [0.0, 1.0])
def test_without_coverage_the_bound_moves_no_decoder(coverage_weight: float) -> None:
    """Then mu is where quality alone takes it: the images have no say but through D, which is frozen here."""
    one, other = (family(coverage_weight=coverage_weight, discriminator_lr=1e-30) for _ in range(2))
    one.step(batch(), rng(7))
    darker = batch()._replace(images=-batch().images)
    other.step(darker, rng(7))
    same = all(
        torch.equal(a, b)
        for a, b in zip(one.decoder.mean.parameters(), other.decoder.mean.parameters(), strict=True)
    )
    assert same == (coverage_weight == 0)


def test_without_quality_its_weight_is_nothing_to_the_byte() -> None:
    """A VAE-F is CQ-F with a quality of weight 0: coverage's gradient has no part of D's."""
    alone, both = family(quality_weight=0, flow=FLOW), family(quality_weight=1e-30, flow=FLOW)
    w = dequantised(images(), rng(), LEVELS)
    for made in (alone, both):
        of_image, code = made._one_draw(w, rng(4))
        made._descend(-(of_image - divergence(code)).mean() / 64, torch.zeros(()))
    for a, b in zip(alone.decoder.parameters(), both.decoder.parameters(), strict=True):
        assert torch.equal(a, b)


def test_quality_is_minus_the_mean_logit() -> None:
    """-[ln D - ln(1 - D)]: the saturating and the non-saturating loss added."""
    made = family()
    fake = made.drawn(made.latent(64, rng()), rng(), noisy=False)
    logits = made._logits_at_rest(fake)
    told = logits.sigmoid()
    torch.testing.assert_close(-(told.log() - (1 - told).log()).mean(), -logits.mean(), rtol=0, atol=1e-6)
    told_by_step = family().step(batch(64), rng())["loss_quality"]
    assert told_by_step.abs() < 5
    torch.testing.assert_close(told_by_step, -_after_update(64), rtol=1e-4, atol=1e-5)


def _after_update(count: int) -> Tensor:
    """D's mean logit of the first fakes of a step, after its update."""
    made = family()
    w = dequantised(batch(count).images, noise := rng(), LEVELS)
    fake = made.drawn(made.latent(count, noise), noise, noisy=False)
    made._judged(w, fake.detach())
    return made._logits_at_rest(fake).detach().mean()


def test_at_the_best_d_of_two_normals_quality_is_their_divergence() -> None:
    """p = N(0, 1), q = N(m, 1): logit D* = m^2 / 2 - m x, and L_Q = m^2 / 2 = KL(q || p)."""
    m = 1.5
    x = m + torch.randn(200_000, generator=rng(), dtype=torch.float64)
    quality = -(m**2 / 2 - m * x).mean()
    assert quality.item() == pytest.approx(m**2 / 2, abs=0.01)


def test_with_the_map_at_the_logit_the_bound_is_a_gaussian_of_logits() -> None:
    made, x = family(quality_weight=0, flow=FLOW), images()
    bound = made.log_likelihood(x, rng(3))
    noise = rng(3)
    w = dequantised(x, noise, LEVELS)
    mean, log_variance = made.encoder.head(made.encoder.layers(w))
    z = mean + (log_variance / 2).exp() * torch.randn(mean.shape, generator=noise)
    y, slope = logit(w)
    density = gaussian_nats(y, made.decoder(z), made.decoder.sigma) + slope
    expected = nats_of_bytes(density - divergence_from_standard(mean, log_variance), 64, LEVELS)
    torch.testing.assert_close(bound, expected)


def test_with_a_standard_decoder_and_no_code_the_bound_is_real_nvps() -> None:
    """mu = 0, sigma = 1, q the prior: ln N(f(w); 0, I) + ln |det|."""
    made, x = family(quality_weight=0, flow=FLOW, sigma_floor=1e-12), images()
    with torch.no_grad():
        made.decoder.log_sigma.zero_()
        made.encoder.head.weight.zero_()
        made.encoder.head.bias.zero_()
        for parameter in made.decoder.mean.parameters():
            parameter.zero_()
        for coupling in made.decoder.flow.modules():
            if isinstance(coupling, Coupling):
                coupling.network.last.weight.normal_(0, 0.1, generator=rng(8))
    y, log_det = made.decoder.flow(dequantised(x, rng(3), LEVELS))
    density = gaussian_nats(y, torch.zeros(()), torch.ones(())) + log_det
    torch.testing.assert_close(made.log_likelihood(x, rng(3)), nats_of_bytes(density, 64, LEVELS))


def test_the_mean_weight_of_importance_samples_bounds_above_the_bound() -> None:
    made, x = family(quality_weight=0), images()
    with torch.no_grad():
        weights = torch.stack([made.log_weight(x, rng(n)) for n in range(200)])
        bounds = torch.stack([made.log_likelihood(x, rng(n)) for n in range(200)])
    assert (weights.logsumexp(0) - log(200) > bounds.mean(0)).all()
    torch.testing.assert_close(weights.mean(0), bounds.mean(0), rtol=0.01, atol=0.5)


def test_a_bent_posterior_is_a_density_whose_importance_weights_agree_with_a_straight_ones() -> None:
    """ln p(x) of the same decoder is the log of a mean over draws of q, whatever q is."""
    straight, bent = family(quality_weight=0), family(quality_weight=0, posterior="iaf")
    with torch.no_grad():
        straight.decoder.log_sigma.zero_()  # so that draws of z differ little in their weights
    bent.decoder.load_state_dict(straight.decoder.state_dict())
    w, draws, found = dequantised(images(2), rng(), LEVELS), 100_000, []
    for made in (straight, bent):
        with torch.no_grad():
            of_image, code = made._one_draw(w.repeat_interleave(draws, 0), rng(1))
        weights = (of_image - log_ratio(code)).view(2, draws)
        found.append(weights.logsumexp(1) - log(draws))
    torch.testing.assert_close(*found, rtol=0, atol=0.3)
    code = bent.encoder(w, torch.randn(2, 4, generator=rng()))
    assert torch.equal(divergence(code), log_ratio(code))


def test_real_images_are_spread_over_their_bins_before_d_sees_them(monkeypatch: pytest.MonkeyPatch) -> None:
    made, seen = family(), []
    monkeypatch.setattr(made, "_judged", lambda real, fake: seen.append(real) or {})
    monkeypatch.setattr(made, "_logits_at_rest", lambda fake: fake.flatten(1).mean(1))
    made.step(batch(), rng())
    made.step(batch(), rng(1))
    for real in seen:
        within = (real + 1) * LEVELS / 2 - (images() + 1) * (LEVELS - 1) / 2
        assert within.min() >= 0
        assert within.max() <= 1
    assert (seen[0] != seen[1]).float().mean() > 0.99  # by chance, anew


def test_the_step_tells_the_bound_in_bits() -> None:
    bits = -family(quality_weight=0).log_likelihood(images(), rng(3)) / (64 * log(2))
    told = family(quality_weight=0).step(batch(), rng(3))
    torch.testing.assert_close(told["bits"], bits.mean())
    assert told["bits_code"] > 0


def test_d_learns_to_tell_real_images_and_the_generator_to_pass_for_them() -> None:
    made = family(discriminator_lr=1e-3)
    judge, z = made.networks["discriminator"], made.latent(64, rng(5))
    real = dequantised(images(64), rng(6), LEVELS)
    with torch.no_grad():
        fake = made.drawn(z, rng(), noisy=False)
        before = judge(real).mean() - judge(fake).mean()
        for _ in range(20):
            with torch.enable_grad():
                made._judged(real, fake)
        assert judge(real).mean() - judge(fake).mean() > before
        before = made._logits_at_rest(fake).mean()
    slow = family(coverage_weight=0, discriminator_lr=1e-30, lr=1e-3)
    for name, network in slow.networks.items():
        network.load_state_dict(made.networks[name].state_dict())
    for n in range(20):
        slow.step(batch(64), rng(n))
    assert slow._logits_at_rest(slow.drawn(z, rng(), noisy=False)).mean() > before


def test_both_losses_are_descended() -> None:
    """Of the same start a step by both has more quality than one by coverage alone, where D is the same."""
    found = {}
    for weight in (1e-9, 10.0):
        made = family(quality_weight=weight, discriminator_lr=1e-30, lr=1e-2, sigma_lr=1e-30)
        for n in range(10):
            made.step(batch(64), rng(n))
        found[weight] = made._logits_at_rest(made.drawn(made.latent(256, rng(9)), rng(), noisy=False)).mean()
    assert found[10.0] > found[1e-9]


def test_draws_with_noise_lie_around_the_means_by_sigma() -> None:
    made = family(quality_weight=0)
    z = torch.zeros(4000, 4)
    apart = made.drawn(z, rng(), noisy=True) - made.drawn(z, rng(), noisy=False)
    torch.testing.assert_close(apart.std(), made.decoder.sigma.mean(), rtol=0.02, atol=0)
    wanted = Given(torch.full((8,), UNLABELLED))
    assert not torch.equal(made.sample_noisy(wanted, rng()), made.sample(wanted, rng()))


def test_the_power_iteration_of_d_rests_while_the_generator_asks() -> None:
    made = family()
    state = {k: v.clone() for k, v in made.networks["discriminator"].state_dict().items() if k.endswith("u")}
    made._logits_at_rest(images())
    after = made.networks["discriminator"].state_dict()
    assert all(torch.equal(after[name], value) for name, value in state.items())
    assert made.networks["discriminator"].training


@pytest.mark.parametrize("both", ["sum", "forward", "reverse"])
def test_one_normal_fitted_to_two_modes_shows_what_each_loss_forgets(both: str) -> None:
    """1/2 N(-4, 1) + 1/2 N(4, 1) by N(m, s^2): coverage spreads over both, quality takes one mode."""
    x = torch.linspace(-40, 40, 40_001, dtype=torch.float64)
    step = x[1] - x[0]

    def log_normal(mean: Tensor | float, deviation: Tensor | float) -> Tensor:
        scaled = (x - mean) / deviation
        return -scaled.square() / 2 - torch.as_tensor(deviation).log() - log(2 * torch.pi) / 2

    log_p = torch.logaddexp(log_normal(-4, 1.0), log_normal(4, 1.0)) - log(2)
    mean = torch.tensor(3.0 if both == "reverse" else 0.1, dtype=torch.float64, requires_grad=True)
    log_s = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([mean, log_s], max_iter=60, line_search_fn="strong_wolfe")

    def divergences() -> tuple[Tensor, Tensor]:
        log_q = log_normal(mean, log_s.exp())
        coverage = (log_p.exp() * (log_p - log_q)).sum() * step
        quality = (log_q.exp() * (log_q - log_p)).sum() * step
        return coverage, quality

    def closure() -> Tensor:
        optimizer.zero_grad()
        coverage, quality = divergences()
        loss = {"sum": coverage + quality, "forward": coverage, "reverse": quality}[both]
        loss.backward()
        return loss

    optimizer.step(closure)
    found = (abs(mean.item()), log_s.exp().item(), closure().item())
    expected = {
        "forward": (0.0, 17**0.5, 0.7236),
        "reverse": (4.0, 1.001, log(2)),
        "sum": (0.0, 3.561, 2.6227),
    }[both]
    assert found == pytest.approx(expected, abs=2e-3)


def of_points(**change: object) -> CQ:
    config = CqConfig.model_validate({"latent": 1, "clip": 0, "quality_weight": 0} | change)
    made = build(config, classes=1, resolution=0, dimensions=2, rng=rng())
    assert isinstance(made, CQ)
    return made


def test_coverage_of_points_is_in_nats_a_dimension_and_has_no_bins() -> None:
    made, points = of_points(), torch.randn(8, 2, generator=rng(1))
    of_point, code = made._one_draw(points, rng(2))
    assert torch.equal(made.log_likelihood(points, rng(2)), (of_point - divergence(code)).detach())
    descended: list[Tensor] = []
    made._descend = lambda coverage, quality: descended.append(coverage) or coverage.detach()  # type: ignore[method-assign,func-returns-value]
    told = made.step(Batch(points, Given(torch.full((8,), UNLABELLED)), torch.tensor(1)), rng(2))
    nats = -(of_point - divergence(code)).mean() / 2
    torch.testing.assert_close(descended[0], nats)
    torch.testing.assert_close(told["bits"] * log(2), nats.detach())


def test_the_density_of_points_is_that_of_a_linear_decoder() -> None:
    """x = a z + b + sigma eps is a Gaussian of covariance a a' + sigma^2, and 100 draws of q come near."""
    made = of_points(points={"generator_layers": 1, "generator_units": 2})
    slope, middle = torch.tensor([[0.6], [-0.3]]), torch.tensor([0.5, 1.0])
    with torch.no_grad():
        first, last = (layer for layer in made.decoder.mean if isinstance(layer, torch.nn.Linear))
        first.weight.copy_(torch.tensor([[1.0], [-1.0]]))  # z and -z, each behind a ReLU
        first.bias.zero_()
        last.weight.copy_(torch.cat([slope, -slope], dim=1))
        last.bias.copy_(middle)
    covariance = slope @ slope.T + torch.diag(made.decoder.sigma.detach() ** 2)
    law = torch.distributions.MultivariateNormal(middle, covariance)
    points = middle + torch.randn(64, 2, generator=rng(3)) * 0.4
    told = made.log_density(points, rng())
    assert (told - law.log_prob(points)).abs().mean() < 0.2
    assert (told - law.log_prob(points)).mean() < 0.02  # a bound from below


def test_samples_of_points_are_draws_where_d_sees_draws() -> None:
    wanted = Given(torch.full((5,), UNLABELLED))
    plain, noisy = of_points(), of_points(noisy=True)
    z = plain.latent(5, rng(7))
    assert torch.equal(plain.sample(wanted, rng(7)), plain.generate(z, wanted))
    assert not torch.equal(noisy.sample(wanted, rng(7)), noisy.generate(z, wanted))
    assert torch.equal(noisy.sample(wanted, rng(7)), noisy.sample_noisy(wanted, rng(7)))
