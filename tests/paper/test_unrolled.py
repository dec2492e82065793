"""Unrolled GAN by its algebra, torch's own Adam as reference, and how its second term is lost."""

from collections.abc import Callable, Iterator
from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn
from torch.optim import Adam

from centigan.families.gan import GAN
from centigan.families.unrolled import (
    AdamAhead,
    ImageDiscriminator,
    ImageGenerator,
    UnrolledGAN,
    looked_ahead,
    objective,
    plan,
)
from centigan.lean_start import spare_compiler_import
from centigan.losses import log_real
from centigan.settings.families.contract import PointNetworks
from centigan.settings.families.gan import GanConfig
from centigan.settings.families.unrolled import UnrolledConfig
from centigan.training.engine import autocast
from centigan.types import Batch, Given, Shape

spare_compiler_import()  # which the first optimiser would bring
POINTS, IMAGES = Shape(8, 0, dimensions=2), Shape(10, 32)
FEW = PointNetworks(generator_units=16, discriminator_units=16, discriminator_layers=1, scale=4.0)
U, V, ETA = 0.7, -0.4, 0.1


def family(shape: Shape = POINTS, **change: object) -> UnrolledGAN:
    config = {"latent": 4, "points": FEW, "width": 0.25, "generator_lr": 1e-3, "discriminator_lr": 1e-2}
    config = UnrolledConfig.model_validate(config | change)
    return UnrolledGAN(config, shape, torch.Generator().manual_seed(0))


def batch(shape: Shape = POINTS, count: int = 8) -> Batch:
    rng = torch.Generator().manual_seed(1)
    sides = (2,) if shape.dimensions else (3, shape.resolution, shape.resolution)
    real = torch.rand(count, *sides, generator=rng) * 2 - 1
    return Batch(real, Given(torch.full((count,), -1)), torch.tensor(1))


def step(unrolled: UnrolledGAN | GAN, real: Batch, seed: int = 0) -> dict[str, Tensor]:
    return unrolled.step(real, torch.Generator().manual_seed(seed))


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """All numbers as float64, so that differences of losses tell a slope."""
    torch.set_default_dtype(torch.float64)
    monkeypatch.setattr(Tensor, "float", Tensor.double)  # losses are of float32
    yield
    torch.set_default_dtype(torch.float32)


def trained(**change: object) -> UnrolledGAN:
    """A family whose Adam has moments of steps that were made."""
    unrolled = family(**change)
    for seed in (5, 6):
        step(unrolled, batch(), seed)
    return unrolled


def slope(steps: int, descend: Callable[[Tensor, Tensor], Tensor]) -> float:
    """df_K/du of f = uv, where v makes K steps up f."""
    u, v = torch.tensor(U, requires_grad=True), torch.tensor([V])
    ahead = looked_ahead(lambda row: -(u * row).sum(), v, -u.view(1), descend, steps)
    (found,) = torch.autograd.grad((u * ahead).sum(), u)
    return found.item()


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_the_slope_of_uv_holds_the_second_term(steps: int) -> None:
    """v + 2 K eta u, of which a v that is cut from its graph leaves v + K eta u."""
    found = slope(steps, lambda row, gradient: row - ETA * gradient)
    assert found == pytest.approx(V + 2 * steps * ETA * U)


def adam_of(value: Tensor, **state: float) -> Adam:
    optimizer = Adam([value], ETA, (0.5, 0.999))
    if state:
        optimizer.state[value] = {name: torch.tensor(number) for name, number in state.items()}
        for name in ("exp_avg", "exp_avg_sq"):
            optimizer.state[value][name] = optimizer.state[value][name].view(1)
    return optimizer


def test_adams_first_step_is_eta_long_whatever_u_is() -> None:
    """v + eta sign(u): the normalised step has no derivative."""
    assert slope(1, AdamAhead(adam_of(nn.Parameter(torch.tensor([V]))))) == pytest.approx(V + ETA, rel=1e-5)


def test_adams_later_step_has_the_derivative_that_is_found_by_hand() -> None:
    """From m = .3, s = .2, two steps made, gradient -u: the step depends on u by both moments."""
    adam = AdamAhead(adam_of(nn.Parameter(torch.tensor([V])), step=2.0, exp_avg=0.3, exp_avg_sq=0.2))
    mean, square = (0.5 * 0.3 - 0.5 * U) / (1 - 0.5**3), (0.999 * 0.2 + 0.001 * U**2) / (1 - 0.999**3)
    of_mean, of_square = -0.5 / (1 - 0.5**3), 2 * 0.001 * U / (1 - 0.999**3)
    moved = V - ETA * mean / square**0.5
    of_moved = -ETA * (of_mean / square**0.5 - mean * of_square / (2 * square**1.5))
    assert slope(1, adam) == pytest.approx(moved + U * of_moved, rel=1e-5)


def ahead_by_torch(unrolled: UnrolledGAN, real: Tensor, fake: Tensor, steps: int) -> nn.Module:
    """D after so many steps of torch's Adam, from D's own moments; made on copies."""
    ahead = deepcopy(unrolled.networks["discriminator"])
    own = unrolled.optimizers["discriminator"]
    optimizer = Adam(ahead.parameters(), unrolled.config.discriminator_lr, (0.5, 0.999))
    optimizer.load_state_dict(deepcopy(own.state_dict()))
    for _ in range(steps):
        optimizer.zero_grad()
        (-objective(ahead(real), ahead(fake))).backward()
        optimizer.step()
    return ahead


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("saturating", [True, False])
@pytest.mark.parametrize("steps", [0, 1, 5])
def test_the_gradient_of_g_is_that_of_the_objective_after_steps_of_torchs_adam(
    steps: int, saturating: bool
) -> None:
    """By differences along the gradient, where every nudge of G lets D make its steps anew."""
    unrolled, real = trained(steps=steps, saturating=saturating), batch()
    before, generator = deepcopy(unrolled), unrolled.networks["generator"]
    z = unrolled.latent(8, torch.Generator().manual_seed(0))  # of the step
    step(unrolled, real)
    gradient = [p.grad.clone() for p in generator.parameters()]

    def loss(nudge: float) -> float:
        generator.load_state_dict(before.networks["generator"].state_dict())
        with torch.no_grad():
            for p, g in zip(generator.parameters(), gradient, strict=True):
                p.add_(g, alpha=nudge)
            fake = generator(z)
        ahead = ahead_by_torch(before, real.images, fake, steps)
        logits = ahead(real.images), ahead(fake)
        return (objective(*logits) if saturating else -log_real(logits[1])).item()

    along = (loss(1e-6) - loss(-1e-6)) / 2e-6
    assert along == pytest.approx(float(sum(g.square().sum() for g in gradient)), rel=1e-4)


@pytest.mark.usefixtures("double")
def test_without_the_second_term_that_gradient_is_another() -> None:
    """So that the test above tells: with D_5 held fixed it differs by percents."""
    unrolled, real = trained(steps=5), batch()
    generator = unrolled.networks["generator"]
    fake = generator(unrolled.latent(8, torch.Generator().manual_seed(0)))
    ahead = ahead_by_torch(unrolled, real.images, fake.detach(), 5)
    cut = torch.autograd.grad(objective(ahead(real.images), ahead(fake)), list(generator.parameters()))
    step(unrolled, real)
    whole = [p.grad for p in generator.parameters()]
    apart = sum((a - b).square().sum() for a, b in zip(whole, cut, strict=True)) ** 0.5
    assert apart > 0.02 * sum(a.square().sum() for a in whole) ** 0.5


@pytest.mark.parametrize("shape", [POINTS, IMAGES])
def test_a_look_ahead_leaves_d_and_its_adam_as_one_plain_step_does(shape: Shape) -> None:
    plain, looking, real = family(shape, steps=0), family(shape, steps=5), batch(shape)
    for seed in (0, 1):
        looking.networks["generator"].load_state_dict(plain.networks["generator"].state_dict())
        step(plain, real, seed)
        step(looking, real, seed)
    own, other = (each.networks["discriminator"].state_dict() for each in (plain, looking))
    torch.testing.assert_close(other, own, rtol=1e-6, atol=1e-7)
    states = [each.optimizers["discriminator"].state_dict()["state"] for each in (plain, looking)]
    torch.testing.assert_close(states[1], states[0], rtol=1e-5, atol=1e-7)
    assert {int(state["step"]) for state in states[1].values()} == {2}


def test_no_step_ahead_is_the_gan_to_the_bit() -> None:
    for saturating in (True, False):
        gan = GAN(
            GanConfig(
                latent=4,
                points=FEW,
                saturating=saturating,
                weight_decay=0,
                generator_lr=1e-3,
                discriminator_lr=1e-2,
            ),
            POINTS,
            torch.Generator().manual_seed(0),
        )
        unrolled = family(steps=0, saturating=saturating)
        for name, network in gan.networks.items():
            network.load_state_dict(unrolled.networks[name].state_dict())
        for seed in range(3):
            losses, of_gan = step(unrolled, batch(), seed), step(gan, batch(), seed)
            assert torch.equal(losses["loss_discriminator"], of_gan["loss_discriminator"])
        for name, network in gan.networks.items():
            own = unrolled.networks[name].state_dict()
            assert all(torch.equal(own[key], value) for key, value in network.state_dict().items())


def test_a_look_ahead_moves_no_statistics() -> None:
    unrolled = family(IMAGES, steps=5)
    step(unrolled, batch(IMAGES))
    assert {int(norm.num_batches_tracked) for norm in unrolled.networks["generator"].norms} == {1}
    assert not list(unrolled.networks["discriminator"].buffers())


def test_a_dead_unit_of_d_leaves_every_gradient_finite() -> None:
    """Its gradient is 0 and stays so: the root of Adam's second moment has no derivative there."""
    unrolled = family(steps=3)
    unrolled.networks["discriminator"].layers[0].bias.data[:4] = -100
    step(unrolled, batch())
    assert all(p.grad.isfinite().all() for p in unrolled.networks["generator"].parameters())


def test_what_is_looked_at_is_the_objective_after_the_steps() -> None:
    unrolled, real = family(steps=5), batch()
    with torch.no_grad():
        fake = unrolled.networks["generator"](unrolled.latent(8, torch.Generator().manual_seed(0)))
    ahead = ahead_by_torch(unrolled, real.images, fake, 5)
    wanted = objective(ahead(real.images), ahead(fake)).detach()
    losses = step(unrolled, real)
    torch.testing.assert_close(losses["ahead"], wanted, rtol=1e-5, atol=1e-6)
    assert torch.equal(losses["ahead"], losses["loss_generator"])
    assert losses["ahead"] > losses["value"]  # D ascends


def test_in_bfloat16_d_and_its_steps_ahead_are_those_of_float32() -> None:
    """G draws zeros, as the last layer's weights are, in both precisions."""
    found = []
    for precision in (torch.float32, torch.bfloat16):
        unrolled = family(IMAGES, steps=2)
        nn.init.zeros_(unrolled.networks["generator"].convolutions[-1].weight)
        with autocast(torch.device("cpu"), precision):
            losses = step(unrolled, batch(IMAGES))
        found.append((losses["ahead"], unrolled.networks["discriminator"].state_dict()))
    torch.testing.assert_close(found[1], found[0], rtol=0, atol=0)


@pytest.mark.parametrize(
    ("resolution", "maps"),
    [(32, [8, 16, 32, 64]), (64, [8, 16, 32, 64, 128]), (128, [8, 16, 32, 64, 128, 256])],
)
def test_a_layer_halves_the_side_down_to_4(resolution: int, maps: list[int]) -> None:
    assert plan(resolution, 1.0) == maps


def test_the_networks_have_the_layers_of_stacked_mnist() -> None:
    """Kernels 3 x 3; of D at X = 1/4 only 2, 4 and 8 maps are left."""
    config = UnrolledConfig()
    generator = ImageGenerator(config, IMAGES)
    taps = 9 * (64 * 32 + 32 * 16 + 16 * 8 + 8 * 3)
    first = 256 * 1024 + 1024
    counts = first + taps + (32 + 16 + 8 + 3) + 2 * (64 + 32 + 16 + 8)
    assert sum(p.numel() for p in generator.parameters()) == counts
    quarter = ImageDiscriminator(config, IMAGES)
    assert sum(p.numel() for p in quarter.parameters()) == 9 * (6 + 8 + 32) + 14 + 8 * 16 + 1
    half = ImageDiscriminator(UnrolledConfig(discriminator_share=0.5), IMAGES)
    assert [layer.out_channels for layer in half.layers if isinstance(layer, nn.Conv2d)] == [4, 8, 16]


def test_the_networks_of_the_ring_are_the_papers() -> None:
    """G 256, 128, 128, 2; D sees x / 4 and has one layer of 128; orthogonal weights with gain .8."""
    networks = UnrolledGAN(UnrolledConfig(), POINTS, torch.Generator().manual_seed(0)).networks
    sizes = {
        name: [tuple(layer.weight.shape) for layer in network.layers if isinstance(layer, nn.Linear)]
        for name, network in networks.items()
    }
    assert sizes == {
        "generator": [(128, 256), (128, 128), (2, 128)],
        "discriminator": [(128, 2), (1, 128)],
    }
    assert networks["discriminator"].scale == 4
    weight = networks["generator"].layers[0].weight
    torch.testing.assert_close(weight @ weight.T, 0.64 * torch.eye(128), atol=1e-5, rtol=0)
    assert not any(p.any() for net in networks.values() for n, p in net.named_parameters() if "bias" in n)
