"""SNGAN: spectral normalisation and both losses by algebra, tables 3 and 4, and slips of public code."""

from math import sqrt
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrize import is_parametrized
from torch.optim import Adam

from centigan.families import build
from centigan.families.sngan import SNGAN
from centigan.losses import hinge_fake, hinge_real
from centigan.nets.plain import PlainDiscriminator, PlainGenerator
from centigan.nets.residual import (
    DownBlock,
    ResidualDiscriminator,
    ResidualGenerator,
    UpBlock,
    initialise_residual,
)
from centigan.nets.spectral import SpectralNorm, normalise_spectrally
from centigan.settings.families.sngan import SnganConfig
from centigan.trained import load_networks
from centigan.training.engine import autocast
from centigan.types import Batch, Given, Shape


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def family(**change: object) -> SNGAN:
    config = SnganConfig.model_validate({"width": 0.05, "discriminator_steps": 1} | change)
    made = build(config, classes=3, resolution=32, rng=rng())
    assert isinstance(made, SNGAN)
    return made


def images(count: int, side: int = 32) -> Tensor:
    return torch.rand(count, 3, side, side, generator=rng(1)) * 2 - 1


def step(sngan: SNGAN, real: Tensor, iteration: int = 1) -> dict[str, Tensor]:
    return sngan.step(Batch(real, Given(torch.full((len(real),), -1)), torch.tensor(iteration)), rng())


def directions(sngan: SNGAN) -> list[Tensor]:
    layers = sngan.networks["discriminator"].modules()
    return [layer.u.clone() for layer in layers if isinstance(layer, SpectralNorm)]


@pytest.mark.parametrize(
    ("matrix", "greatest"), [([[3.0, 0.0], [0.0, 1.0]], 3.0), ([[1.0, 1.0], [0.0, 1.0]], (1 + sqrt(5)) / 2)]
)
def test_power_iterations_find_the_greatest_singular_value(
    matrix: list[list[float]], greatest: float
) -> None:
    """diag(3, 1) has 3; [[1, 1], [0, 1]] has the golden ratio, 1.618034."""
    weight, norm = torch.tensor(matrix), SpectralNorm(2, rng())
    for _ in range(30):
        normalised = norm(weight)
    torch.testing.assert_close(normalised, weight / greatest)


@pytest.mark.parametrize("layer", [nn.Linear(7, 5), nn.Conv2d(4, 6, 3), nn.Conv2d(4, 6, 3, bias=False)])
def test_a_layer_that_has_converged_has_norm_1(layer: nn.Module) -> None:
    """Of a convolution the matrix (out, in k k)."""
    normalise_spectrally(layer, rng())
    x = torch.randn(2, 7) if isinstance(layer, nn.Linear) else torch.randn(2, 4, 5, 5)
    for _ in range(200):
        layer(x)
    matrix = layer.eval().weight.detach().flatten(1)
    assert torch.linalg.matrix_norm(matrix, 2).item() == pytest.approx(1, rel=1e-4)


def test_a_network_is_lipschitz_with_the_product_of_its_layers_norms() -> None:
    """1 for points, with ReLUs; it does not matter how large its weights are."""
    config = SnganConfig(discriminator_steps=1)
    made = build(config, classes=1, resolution=0, dimensions=2, rng=rng())
    discriminator = made.networks["discriminator"]
    for name, parameter in discriminator.named_parameters():
        if name.endswith("original"):
            parameter.data *= 10
    x = torch.randn(64, 2, generator=rng())
    for _ in range(100):
        discriminator(x)
    x.requires_grad_()
    (slope,) = torch.autograd.grad(discriminator(x).sum(), x)
    assert slope.norm(dim=1).max() <= 1 + 1e-4


def test_the_gradient_is_that_of_equation_12() -> None:
    """(g - <g, W_bar> u v') / sigma, with u and v for constants; g is the gradient of W_bar."""
    norm, weight, g = SpectralNorm(3, rng()), torch.randn(3, 2, 2, generator=rng()), torch.randn(3, 2, 2)
    for _ in range(200):
        norm(weight)
    weight.requires_grad_()
    normalised = norm(weight)
    (got,) = torch.autograd.grad(normalised, weight, g)
    left, values, right = torch.linalg.svd(weight.detach().flatten(1))
    outer = torch.outer(left[:, 0], right[0]).view_as(weight)
    wanted = (g - (g * normalised.detach()).sum() * outer) / values[0]
    torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-5)


def test_u_and_v_are_constants_to_the_gradient_before_they_have_converged_too() -> None:
    """Once they have, sigma does not change with them, and no gradient would show."""
    norm, weight, g = SpectralNorm(3, rng()), torch.randn(3, 4, generator=rng(1)), torch.randn(3, 4)
    v = F.normalize(weight.T @ norm.u, dim=0)
    u = F.normalize(weight @ v, dim=0)
    (got,) = torch.autograd.grad(norm(weight.requires_grad_()), weight, g)
    sigma = (u @ weight @ v).detach()
    wanted = (g - (g * weight.detach()).sum() / sigma * torch.outer(u, v)) / sigma
    torch.testing.assert_close(got, wanted.detach())


def test_normalisation_has_no_number_of_its_own_to_learn() -> None:
    """No gain: D would no longer be Lipschitz with 1."""
    assert not list(SpectralNorm(3, rng()).parameters())


def test_a_pass_is_one_power_iteration_and_none_in_evaluation() -> None:
    norm, weight = SpectralNorm(3, rng()), torch.randn(3, 4, generator=rng(1))
    u = norm.u.clone()
    v = F.normalize(weight.T @ u, dim=0)
    moved = F.normalize(weight @ v, dim=0)
    norm(weight)
    torch.testing.assert_close(norm.u, moved)
    norm.eval()
    still = norm.u.clone()
    v = F.normalize(weight.T @ still, dim=0)
    torch.testing.assert_close(norm(weight), weight / (still @ weight @ v))
    assert torch.equal(norm.u, still)


@pytest.mark.parametrize("net", ["convolution", "residual"])
def test_the_power_iteration_goes_on_once_for_each_update_of_d(net: str) -> None:
    """Neither in G's update nor where images are judged: as far as three passes with these weights."""
    sngan = family(net=net, discriminator_steps=3, discriminator_lr=1e-30)
    by_hand = family(net=net).networks["discriminator"]
    step(sngan, images(6))
    sngan.realness(images(2))
    for _ in range(3):
        by_hand(images(2))
    wanted = [layer.u for layer in by_hand.modules() if isinstance(layer, SpectralNorm)]
    for got, u in zip(directions(sngan), wanted, strict=True):
        torch.testing.assert_close(got, u)
    assert sngan.networks["discriminator"].training


@pytest.mark.parametrize("net", ["convolution", "residual"])
def test_every_weight_of_d_is_normalised_and_none_of_g(net: str) -> None:
    networks = family(net=net).networks
    weighing = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
    assert all(is_parametrized(m) for m in networks["discriminator"].modules() if isinstance(m, weighing))
    assert not any(is_parametrized(m) for m in networks["generator"].modules())


def test_sigma_is_of_full_precision_in_bfloat16_too() -> None:
    layer = nn.Linear(64, 64)
    normalise_spectrally(layer, rng())
    layer.eval()
    plain = layer.weight
    with autocast(torch.device("cpu"), torch.bfloat16):
        assert torch.equal(layer.weight, plain)


def test_hinge_losses_count_what_is_on_the_wrong_side_of_the_margin() -> None:
    """f = 0: D's loss is 2. f = +2 and -2: 0. f = +.5 and -.5: .5 each."""
    for real, fake, loss in ((0.0, 0.0, 2.0), (2.0, -2.0, 0.0), (0.5, -0.5, 1.0), (-1.0, 1.0, 4.0)):
        value = hinge_real(torch.tensor([real])) + hinge_fake(torch.tensor([fake]))
        assert value.item() == pytest.approx(-loss)


@pytest.mark.parametrize(("loss", "of_d", "of_g"), [("hinge", 2.0, 0.0), ("standard", 1.386294, 0.693147)])
def test_where_d_says_0_the_losses_are_those_of_algebra(loss: str, of_d: float, of_g: float) -> None:
    """Hinge 2 and 0; standard 2 log 2 and log 2."""
    sngan = family(loss=loss, discriminator_lr=1e-30)
    sngan.networks["discriminator"] = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 1), nn.Flatten(0))
    for parameter in sngan.networks["discriminator"].parameters():
        nn.init.zeros_(parameter)
    sngan.optimizers["discriminator"] = Adam(sngan.networks["discriminator"].parameters(), 1e-30)
    losses = step(sngan, images(4))
    assert losses["loss_discriminator"].item() == pytest.approx(of_d)
    assert losses["loss_generator"].item() == pytest.approx(of_g)


@pytest.mark.parametrize(("loss", "of_d"), [("hinge", 1.5), ("standard", 1.167224)])
def test_d_is_to_say_more_of_real_images(loss: str, of_d: float) -> None:
    """f = .5 of real points, 0 of G's: (1 - .5) + (1 + 0); log(1 + e^-.5) + log 2."""
    config = SnganConfig.model_validate({"discriminator_steps": 1, "loss": loss})
    sngan = build(config, classes=1, resolution=0, dimensions=2, rng=rng())
    assert isinstance(sngan, SNGAN)
    for parameter in sngan.networks["generator"].parameters():
        nn.init.zeros_(parameter)
    layer = nn.Linear(2, 1)
    d = nn.Sequential(layer, nn.Flatten(0))
    sngan.networks["discriminator"], sngan.optimizers["discriminator"] = d, Adam(d.parameters(), 1e-3)
    layer.weight.data, layer.bias.data = torch.tensor([[1.0, -1.0]]), torch.zeros(1)
    losses = step(sngan, torch.tensor([[0.5, 0.0]]).repeat(8, 1))
    assert losses["loss_discriminator"].item() == pytest.approx(of_d, rel=1e-5)
    assert layer.weight[0, 0].item() == pytest.approx(1.001)  # Adam's first step, to where real points lie


@pytest.mark.parametrize("loss", ["hinge", "standard"])
def test_g_moves_to_where_d_says_more(loss: str) -> None:
    """f(x) = x_1 - x_2 of points: Adam's first step is as long as its rate, so G's last biases move by it."""
    config = SnganConfig.model_validate({"discriminator_steps": 1, "loss": loss, "generator_lr": 1e-3})
    sngan = build(config, classes=1, resolution=0, dimensions=2, rng=rng())
    assert isinstance(sngan, SNGAN)
    layer = nn.Linear(2, 1)
    d = nn.Sequential(layer, nn.Flatten(0))
    sngan.networks["discriminator"], sngan.optimizers["discriminator"] = d, Adam(d.parameters(), 1e-30)
    layer.weight.data = torch.tensor([[1.0, -1.0]])
    bias = [p for name, p in sngan.networks["generator"].named_parameters() if name.endswith("bias")][-1]
    before = bias.detach().clone()
    step(sngan, torch.randn(8, 2))
    assert (bias.detach() - before).tolist() == pytest.approx([1e-3, -1e-3], rel=1e-3)


@pytest.mark.parametrize("says", [5.0, -5.0])
def test_the_standard_loss_of_g_does_not_saturate(says: float) -> None:
    """-log D: .0067 where D takes a sample for real, 5.0067 where not; log(1 - D): -5.0067 and -.0067."""
    sngan = family(loss="standard")
    d = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 1), nn.Flatten(0))
    for parameter in d.parameters():
        nn.init.zeros_(parameter)
    nn.init.constant_(d[1].bias, says)
    sngan.networks["discriminator"], sngan.optimizers["discriminator"] = d, Adam(d.parameters(), 1e-30)
    losses = step(sngan, images(4))
    assert losses["loss_generator"].item() == pytest.approx(5.0067 if says < 0 else 0.0067, abs=1e-4)


def test_the_settings_are_those_of_the_residual_networks_for_cifar_10() -> None:
    """Setting: 5 updates of D, Adam 2e-4 with 0 and .9; Adam takes them."""
    config, sngan = SnganConfig(), family()
    assert (config.net, config.loss, config.discriminator_steps) == ("residual", "hinge", 5)
    assert config.paper["batch_size"] == 64
    for optimizer in sngan.optimizers.values():
        (group,) = optimizer.param_groups
        assert (group["lr"], group["betas"], group["weight_decay"]) == (2e-4, (0, 0.9), 0)


def test_every_update_of_d_has_a_minibatch_of_its_own() -> None:
    sngan, real, seen = family(discriminator_steps=3, generator_batches=2), images(12), []
    sngan.networks["discriminator"].register_forward_hook(lambda _, x, y: seen.append(x[0].detach()))
    step(sngan, real)
    assert torch.equal(torch.cat([x[:4] for x in seen[:3]]), real)
    assert len(torch.cat([x[4:] for x in seen[:3]]).flatten(1).unique(dim=0)) == 12
    assert len(seen[3]) == 8  # G's update, of twice as many


def test_the_step_size_falls_to_0_on_a_straight_line() -> None:
    sngan, rates = family(decay_over=4, discriminator_lr=0.4), []
    for iteration in (1, 2, 4, 5, 9):
        step(sngan, images(2), iteration)
        rates.append(float(sngan.optimizers["discriminator"].param_groups[0]["lr"]))
    assert rates == pytest.approx([0.4, 0.3, 0.1, 0.0, 0.0])
    before = [p.clone() for p in sngan.networks["discriminator"].parameters()]
    step(sngan, images(2), 5)
    assert all(map(torch.equal, before, sngan.networks["discriminator"].parameters()))


def layers(network: nn.Module) -> list[tuple[int, ...]]:
    """(in, out, kernel, stride) of every convolution in turn."""
    kinds = (nn.Conv2d, nn.ConvTranspose2d)
    found = (m for m in network.modules() if isinstance(m, kinds))
    return [(m.in_channels, m.out_channels, m.kernel_size[0], m.stride[0]) for m in found]


def test_the_plain_networks_have_the_layers_of_table_3() -> None:
    shape = Shape(1, 32)
    assert layers(PlainGenerator(shape, 128, 1)) == [
        (512, 256, 4, 2), (256, 128, 4, 2), (128, 64, 4, 2), (64, 3, 3, 1),
    ]  # fmt: skip
    assert layers(PlainDiscriminator(shape, 1)) == [
        (3, 64, 3, 1), (64, 64, 4, 2), (64, 128, 3, 1), (128, 128, 4, 2),
        (128, 256, 3, 1), (256, 256, 4, 2), (256, 512, 3, 1),
    ]  # fmt: skip
    slopes = {m.negative_slope for m in PlainDiscriminator(shape, 1).modules() if isinstance(m, nn.LeakyReLU)}
    assert slopes == {0.1}


def test_the_residual_networks_have_the_blocks_of_table_4() -> None:
    """Their numbers by hand from the table: D's last layer has no bias."""
    shape, conv = Shape(1, 32), 9 * 256 * 256 + 256
    up = 2 * conv + 256 * 256 + 256 + 4 * 256
    of_g = 128 * 4096 + 4096 + 3 * up + 2 * 256 + 9 * 256 * 3 + 3
    inner = 9 * 128 * 128 + 128
    first = 9 * 3 * 128 + 128 + inner + 3 * 128 + 128
    of_d = first + 2 * inner + 128 * 128 + 128 + 2 * 2 * inner + 128
    generator, discriminator = ResidualGenerator(shape, 128, 1), ResidualDiscriminator(shape, 1)
    assert sum(p.numel() for p in generator.parameters()) == of_g
    assert sum(p.numel() for p in discriminator.parameters()) == of_d
    assert discriminator.head.bias is None
    assert discriminator.blocks(images(1)).shape == (1, 128, 8, 8)


def test_the_residual_discriminator_sums_over_space() -> None:
    """Where its maps are 1 everywhere, f is 8 x 8 times the sum of the last weights, not their mean."""
    discriminator = ResidualDiscriminator(Shape(1, 32), 0.05)
    discriminator.blocks = nn.Sequential(nn.AvgPool2d(4), nn.Conv2d(3, 6, 1))
    nn.init.zeros_(discriminator.blocks[1].weight)
    nn.init.ones_(discriminator.blocks[1].bias)
    wanted = 64 * discriminator.head.weight.sum()
    torch.testing.assert_close(discriminator(images(1))[0], wanted)
    nn.init.constant_(discriminator.blocks[1].bias, -1)  # a ReLU stands before the sum
    assert discriminator(images(1)).item() == 0


def test_the_first_block_takes_the_image_itself_and_the_others_a_relu_of_their_input() -> None:
    first, *others = ResidualDiscriminator(Shape(1, 32), 0.05).blocks
    assert [block.is_first for block in (first, *others)] == [True, False, False, False]
    x = images(2)
    wanted = F.avg_pool2d(first.second(F.relu(first.first(x))), 2) + first.shortcut(F.avg_pool2d(x, 2))
    torch.testing.assert_close(first(x), wanted)


@pytest.mark.parametrize("net", ["convolution", "residual"])
def test_d_has_no_batch_norm(net: str) -> None:
    """Real and fake images go through it together; none may see another."""
    discriminator = family(net=net).networks["discriminator"].eval()
    assert not [layer for layer in discriminator.modules() if "BatchNorm" in type(layer).__name__]
    torch.testing.assert_close(discriminator(images(3))[:1], discriminator(images(3)[:1]))


def test_a_shortcut_before_a_change_of_side_is_one_after_it() -> None:
    """The paper's order: up, then 1 x 1; 1 x 1, then the mean. The first block takes the mean first."""
    up, down = UpBlock(4, 5).eval(), DownBlock(4, 5, halves=True)
    x = torch.randn(2, 4, 6, 6)
    h = F.interpolate(F.relu(up.norms[0](x)), scale_factor=2)
    wanted = up.second(F.relu(up.norms[1](up.first(h)))) + up.shortcut(F.interpolate(x, scale_factor=2))
    torch.testing.assert_close(up(x), wanted)
    h = F.avg_pool2d(down.second(F.relu(down.first(F.relu(x)))), 2)
    torch.testing.assert_close(down(x), h + F.avg_pool2d(down.shortcut(x), 2))


def test_weights_of_blocks_begin_with_a_gain_of_root_2_and_shortcuts_with_1() -> None:
    block = DownBlock(64, 128, halves=True)
    network = nn.Sequential(block, nn.Conv2d(64, 32, 3))
    initialise_residual(network, rng())
    glorot = {layer: 2 / (9 * (a + b)) for layer, a, b in ((block.first, 64, 128), (block.second, 128, 128))}
    for layer, variance in glorot.items():
        assert layer.weight.var().item() == pytest.approx(2 * variance, rel=0.05)
    assert block.shortcut.weight.var().item() == pytest.approx(2 / (64 + 128), rel=0.05)
    assert network[1].weight.var().item() == pytest.approx(2 / (9 * (64 + 32)), rel=0.05)


def test_a_saved_discriminator_is_read_back(tmp_path: Path) -> None:
    sngan, other = family(net="convolution"), family(net="convolution")
    step(sngan, images(4))
    for name, network in sngan.networks.items():
        save_file(
            {k: v.contiguous() for k, v in network.state_dict().items()}, tmp_path / f"{name}.safetensors"
        )
    load_networks(other.networks, tmp_path)
    assert torch.equal(other.realness(images(2)), sngan.realness(images(2)))
