"""GAN by its algebra, its networks against those of the authors' code, its optimiser step by step."""

from math import exp, log, sqrt

import pytest
import torch
from torch import nn

from centigan.families.gan import GAN
from centigan.losses import log_fake, log_real
from centigan.nets.dense import maxout
from centigan.settings.descent import SgdSettings
from centigan.settings.families.gan import GanConfig
from centigan.types import Batch, Given, Shape
from centigan.updates import ScheduledSGD


def family(**change: object) -> GAN:
    config = GanConfig.model_validate({"width": 0.05} | change)
    return GAN(config, Shape(3, 32), torch.Generator().manual_seed(0))


def batch(count: int = 4, iteration: int = 1) -> Batch:
    images = torch.rand(count, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return Batch(images, Given(torch.full((count,), -1)), torch.tensor(iteration))


def step(gan: GAN, real: Batch) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)  # dropout
    return gan.step(real, torch.Generator().manual_seed(0))


def weights(network: nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in network.parameters()])


@pytest.mark.parametrize("net", ["dense", "convolution"])
@pytest.mark.parametrize("update", ["simultaneous", "alternating"])
@pytest.mark.parametrize(("saturating", "generator"), [(False, log(2)), (True, -log(2))])
def test_an_undecided_discriminator_is_worth_minus_two_log_two(
    net: str, update: str, saturating: bool, generator: float
) -> None:
    """D = 1/2 everywhere: V = -log 4, and G's term is half of that."""
    rates = {"discriminator_lr": 1e-30, "sgd": {"discriminator_lr": 1e-30}}
    gan = family(net=net, update=update, saturating=saturating, **rates)
    for parameter in gan.networks["discriminator"].parameters():
        nn.init.zeros_(parameter)
    losses = step(gan, batch())
    assert losses["loss_discriminator"].item() == pytest.approx(2 * log(2), rel=1e-6)
    assert losses["loss_generator"].item() == pytest.approx(generator, rel=1e-6)


def test_the_value_of_the_best_discriminator_is_the_divergence_of_jensen_and_shannon() -> None:
    """Proposition 1, theorem 1: p = (.5, .5, 0), q = (0, .5, .5) -> D* = (1, .5, 0), V = -log 2."""
    p, q = torch.tensor([0.5, 0.5, 0.0]), torch.tensor([0.0, 0.5, 0.5])
    best = (p / (p + q)).double().clamp(1e-15, 1 - 1e-15)
    assert best.tolist() == pytest.approx([1, 0.5, 0])
    logits, points = best.logit(), torch.arange(3)
    real, fake = (points.repeat_interleave((2 * of).long()) for of in (p, q))
    value = log_real(logits[real]) + log_fake(logits[fake])
    mean = (p + q) / 2
    divergence = sum(torch.xlogy(of, of / mean).nansum().item() for of in (p, q)) / 2
    assert value.item() == pytest.approx(-log(2), rel=1e-6)
    assert value.item() == pytest.approx(-log(4) + 2 * divergence, rel=1e-6)


def test_where_fakes_are_found_out_equation_1_has_hardly_a_gradient() -> None:
    """At a logit of -5: of log(1 - D) .0067, of log D .9933; their ratio is e^5 (section 3)."""
    gradients = []
    for saturating in (True, False):
        logits = torch.tensor([-5.0], requires_grad=True)
        (gradient,) = torch.autograd.grad(-family(saturating=saturating).objective(logits), logits)
        gradients.append(gradient.item())
    assert gradients == pytest.approx([-1 / (1 + exp(5)), -1 / (1 + exp(-5))], rel=1e-5)
    assert gradients[1] / gradients[0] == pytest.approx(exp(5), rel=1e-4)


def test_simultaneous_gradients_are_of_the_discriminator_before_its_update() -> None:
    """With the same masks of dropout: G's loss is that of the logits that D's is of."""
    gan, seen = family(), []
    gan.networks["discriminator"].register_forward_hook(lambda *call: seen.append(call[2].detach()))
    losses = step(gan, batch())
    assert len(seen) == 2
    assert torch.equal(losses["loss_generator"], -log_real(seen[1]))
    still = family(sgd={"discriminator_lr": 1e-30})  # whose D does not move
    step(still, batch())
    assert torch.equal(weights(gan.networks["generator"]), weights(still.networks["generator"]))


def test_an_alternating_generator_asks_the_discriminator_after_its_update() -> None:
    free = {"update": "alternating", "input_dropout": 0.0, "hidden_dropout": 0.0}
    gan, calls = family(**free, sgd={"discriminator_lr": 0.5}), []
    discriminator = gan.networks["discriminator"]
    discriminator.register_forward_hook(lambda _, given, logits: calls.append((given[0].detach(), logits)))
    step(gan, batch())
    (_, before), (fakes, after) = calls[1:]
    assert not torch.equal(before, after)
    assert torch.equal(gan.judge(fakes), after)


def test_each_update_of_the_discriminator_is_by_other_images_and_other_fakes() -> None:
    gan, seen = family(steps=3), []
    assert gan.config.batches == 3
    gan.networks["discriminator"].register_forward_hook(lambda _, given, logits: seen.append(given[0]))
    real = batch(12)
    step(gan, real)
    assert torch.equal(torch.cat(seen[0::2]), real.images)
    fakes = torch.cat(seen[1::2]).detach()
    assert len(fakes.unique(dim=0)) == 12


def test_the_dense_networks_have_the_layers_of_the_authors() -> None:
    """mnist.yaml: 100 -> 1200 -> 1200 -> 784 and 784 -> 240 x 5 -> 240 x 5 -> 1."""
    gan = GAN(GanConfig(), Shape(10, 28, 1), torch.Generator().manual_seed(0))
    generator, discriminator = gan.networks["generator"], gan.networks["discriminator"]
    assert len(weights(generator)) == 101 * 1200 + 1201 * 1200 + 1201 * 784
    assert len(weights(discriminator)) == 785 * 1200 + 241 * 1200 + 241
    assert weights(generator).abs().max() == pytest.approx(0.05, rel=1e-4)
    assert weights(discriminator).abs().max() == pytest.approx(0.005, rel=1e-4)


def test_the_convolutional_networks_are_those_of_cgan_without_classes() -> None:
    gan = GAN(GanConfig(net="convolution"), Shape(10, 32), torch.Generator())
    doublings = (512 * 256 + 256 * 128 + 128 * 3) * 25 + 256 + 128 + 3
    expected = 101 * 8192 + doublings + 2 * (512 + 256 + 128)
    assert len(weights(gan.networks["generator"])) == expected


def test_latents_are_uniform_with_variance_1() -> None:
    z = family().latent(500, torch.Generator().manual_seed(0))
    assert z.abs().max().item() == pytest.approx(sqrt(3), rel=1e-3)
    assert z.var().item() == pytest.approx(1, rel=0.02)


def test_maxout_is_the_greatest_of_a_units_pieces() -> None:
    x = torch.tensor([[1.0, 5.0, -2.0, -4.0, -3.0, -9.0]], requires_grad=True)
    found = maxout(x, 3)
    assert found.tolist() == [[5, -3]]
    found.sum().backward()
    assert x.grad.tolist() == [[0, 1, 0, 0, 1, 0]]


def test_dropout_is_of_the_discriminator_alone_and_only_while_it_learns() -> None:
    gan, (images, *_) = family(), batch()
    z = gan.latent(4, torch.Generator().manual_seed(0))
    assert torch.equal(*(gan.networks["generator"](z, z[:, :0]) for _ in range(2)))
    assert not torch.equal(gan.judge(images), gan.judge(images))
    gan.networks["discriminator"].eval()
    assert torch.equal(gan.judge(images), gan.judge(images))


def test_a_black_pixel_is_zero_to_the_dense_discriminator() -> None:
    """So that a dropped pixel is a black one, as in the paper's [0, 1]."""
    gan = family()
    discriminator = gan.networks["discriminator"].eval()
    before = gan.judge(torch.full((1, 3, 32, 32), -1.0))
    nn.init.ones_(discriminator.first.weight)
    assert torch.equal(gan.judge(torch.full((1, 3, 32, 32), -1.0)), before)


def moved(settings: SgdSettings, gradients: list[float], first: int = 1) -> list[float]:
    """Where a weight that begins at 0 is after each gradient."""
    weight = nn.Parameter(torch.zeros(()))
    optimizer, places = ScheduledSGD([weight], 0.1, settings), []
    for iteration, gradient in enumerate(gradients, first):
        weight.grad = torch.tensor(gradient)
        optimizer.at(torch.tensor(iteration))
        optimizer.step()
        places.append(weight.item())
    return places


def test_descent_follows_the_rate_and_the_momentum_of_its_iteration() -> None:
    """v <- m v - r g: r = .1, .05, .025; m = .5, .6, .7."""
    settings = SgdSettings(decay=2, momentum=0.5, final_momentum=0.7, momentum_rise=2)
    steps = [-0.1]
    steps.append(0.6 * steps[0] - 0.05 * 2)
    steps.append(0.7 * steps[1] - 0.025 * 4)
    expected = [sum(steps[: n + 1]) for n in range(3)]
    assert moved(settings, [1.0, 2.0, 4.0]) == pytest.approx(expected, rel=1e-5)


def test_the_rate_falls_to_the_least_and_the_momentum_rises_no_further() -> None:
    """1.000004^-3e6 = 6.1e-6 of .1 is below 1e-6."""
    first, second = moved(SgdSettings(), [1.0, 0.0], first=3_000_000)
    assert first == pytest.approx(-1e-6, rel=1e-5)
    assert second - first == pytest.approx(0.7 * first, rel=1e-5)


def test_halved_rates_stay_halved() -> None:
    """As a training does that goes back after a divergence."""
    weight = nn.Parameter(torch.zeros(()))
    optimizer = ScheduledSGD([weight], 0.1, SgdSettings())
    optimizer.param_groups[0]["lr"] *= 0.5
    weight.grad = torch.tensor(1.0)
    optimizer.at(torch.tensor(1))
    optimizer.step()
    assert weight.item() == pytest.approx(-0.05)
