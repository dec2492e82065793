"""BiGAN by its algebra: which pair moves which network, what a D of 1/2 gives, what an exact inverse."""

from itertools import pairwise
from math import log, prod

import pytest
import torch
from torch import Tensor, nn

from centigan.families.bigan import BiGAN
from centigan.losses import log_fake, log_real
from centigan.nets.bidirectional import bidirectional_networks
from centigan.settings.families.bigan import BiganConfig
from centigan.types import Batch, Given, Shape
from centigan.updates import DecayingAdam

STILL = {"generator_lr": 1e-30, "discriminator_lr": 1e-30}  # Adam moves by the rate, whatever the gradient
NETS = pytest.mark.parametrize("net", ["dense", "convolution"])


def family(**change: object) -> BiGAN:
    config = BiganConfig.model_validate({"width": 0.05, "latent": 6} | change)
    return BiGAN(config, Shape(3, 32, 1), rng())


def informed(**change: object) -> BiGAN:
    """One whose D has an opinion: the weights of its last layer are not 0."""
    bigan = family(**change)
    nn.init.normal_(bigan.networks["discriminator"].head.weight, 0.0, 0.5, generator=rng(3))
    return bigan


def batch(count: int = 8, iteration: int = 1) -> Batch:
    images = torch.rand(count, 1, 32, 32, generator=rng(1)) * 2 - 1
    return Batch(images, Given(torch.zeros(count, dtype=torch.int64)), torch.tensor(iteration))


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def gradients(network: nn.Module) -> list[Tensor]:
    return [parameter.grad for parameter in network.parameters()]


def logits(bigan: BiGAN) -> tuple[Tensor, Tensor]:
    """Of the real and of the generated pairs of `step(batch(), rng())`, with their graphs."""
    encoder, generator, discriminator = bigan.networks.values()
    z = bigan.latent(8, rng())
    images = batch().images
    return discriminator(images, encoder(images)), discriminator(generator(z), z)


@NETS
def test_a_discriminator_of_one_half_gives_log_2_to_all(net: str) -> None:
    """The first line of the authors' log: JD, E and G 0.6932."""
    losses = family(net=net).step(batch(), rng())
    assert losses["loss_discriminator"].item() == pytest.approx(log(2), abs=1e-6)
    assert losses["loss_generator"].item() == pytest.approx(log(2), abs=1e-6)


@NETS
def test_encoder_and_generator_have_the_labels_swapped(net: str) -> None:
    bigan = informed(net=net, **STILL)
    losses = bigan.step(batch(), rng())
    real, fake = logits(bigan)
    torch.testing.assert_close(losses["loss_discriminator"], -(log_real(real) + log_fake(fake)) / 2)
    torch.testing.assert_close(losses["loss_generator"], -(log_fake(real) + log_real(fake)) / 2)


@NETS
def test_each_network_is_moved_by_its_own_pair_and_the_encoder_by_the_real_one(net: str) -> None:
    """The commonest fault: an encoder that has no gradient of the real pair has none at all."""
    bigan = informed(net=net, **STILL)
    encoder, generator, discriminator = bigan.networks.values()
    bigan.step(batch(), rng())
    moved = [gradients(network) for network in (encoder, generator, discriminator)]
    real, fake = logits(bigan)
    wanted = {
        encoder: -log_fake(real) / 2,
        generator: -log_real(fake) / 2,
        discriminator: -(log_real(real) + log_fake(fake)) / 2,
    }
    for found, (network, loss) in zip(moved, wanted.items(), strict=True):
        own = torch.autograd.grad(loss, list(network.parameters()), retain_graph=True)
        assert max(gradient.abs().max() for gradient in own) > 1e-4
        torch.testing.assert_close(found, list(own), atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("moved", ["generator_lr", "discriminator_lr"])
def test_all_are_moved_by_the_networks_from_before_the_step(moved: str) -> None:
    """Simultaneous: how far D moves changes nothing of what E and G are moved by, and the other way round."""
    losses = [informed(**STILL | {moved: rate}).step(batch(), rng()) for rate in (1e-30, 0.5)]
    for name in losses[0]:
        assert torch.equal(losses[0][name], losses[1][name]), name


def test_an_encoder_that_inverts_the_generator_leaves_a_discriminator_nothing_to_tell() -> None:
    """The pairs are the same, so their logits are, and no D is below log 2."""
    bigan = informed(latent=16)
    mixing = torch.linalg.qr(torch.randn(1024, 16, generator=rng(2))).Q

    class Draws(nn.Module):
        def forward(self, z: Tensor) -> Tensor:
            return (z @ mixing.T).view(-1, 1, 32, 32)

    class Inverts(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return images.flatten(1) @ mixing

    bigan.networks |= {"generator": Draws(), "encoder": Inverts()}
    z, discriminator = bigan.latent(64, rng()), bigan.networks["discriminator"]
    drawn = Draws()(z)
    real, fake = discriminator(drawn, Inverts()(drawn)), discriminator(drawn, z)
    torch.testing.assert_close(real, fake, atol=1e-5, rtol=1e-5)
    assert -(log_real(real) + log_fake(fake)).item() / 2 > log(2)
    torch.testing.assert_close(bigan.reconstruct(drawn, rng()), drawn, atol=1e-5, rtol=0)


@NETS
def test_the_discriminator_weighs_the_code_and_each_kind_of_pair_by_its_own_statistics(net: str) -> None:
    bigan = informed(net=net, **STILL)
    seen: list[int] = []
    bigan.networks["discriminator"].register_forward_hook(lambda _, x, y: seen.append(len(y)))
    first = bigan.step(batch(), rng())
    assert seen == [8, 8]
    other = bigan.step(batch(), rng(9))  # of other z
    assert not torch.equal(first["loss_discriminator"], other["loss_discriminator"])
    discriminator, images = bigan.networks["discriminator"], batch().images
    one, two = (discriminator(images, bigan.latent(8, rng(seed))) for seed in (0, 1))
    assert not torch.allclose(one, two, atol=1e-3)


def test_z_goes_into_the_second_layer_of_the_dense_networks_too() -> None:
    """With no other way in, an image still depends on z, and a logit on the code."""
    bigan = informed()
    _, generator, discriminator = bigan.networks.values()
    nn.init.zeros_(generator.first.weight)
    first, second = generator(bigan.latent(8, rng()))[:2]
    assert not torch.allclose(first, second, atol=1e-3)
    nn.init.zeros_(discriminator.first[1].weight)
    assert discriminator(batch().images, bigan.latent(8, rng())).std() > 1e-3


def test_codes_lie_where_the_prior_does() -> None:
    """U(-1, 1) ends at 1, and so does an encoder for it; N(0, I) has no end, and the encoder is linear."""
    for prior, linear in (("uniform", False), ("normal", True)):
        bigan = family(prior=prior)
        encoder = bigan.networks["encoder"]
        assert (bigan.latent(5000, rng()).abs().max() > 1) == linear
        nn.init.normal_(encoder.head.weight, 0.0, 3.0, generator=rng(5))
        assert (bigan.encode(batch().images).abs().max() > 1) == linear
    one, two = family(prior="normal"), family(prior="uniform")
    codes = one.encode(batch().images)
    torch.testing.assert_close(two.encode(batch().images), 2 * codes.sigmoid() - 1)


def test_step_sizes_are_constant_then_fall_to_a_hundredth() -> None:
    optimizer = DecayingAdam(
        [nn.Parameter(torch.zeros(1))], 1.0, (0.5, 0.999), 0.0, constant_for=200, over=200, last=0.01
    )
    rates = {1: 1.0, 200: 1.0, 201: 0.01 ** (1 / 200), 300: 0.1, 400: 0.01, 999: 0.01}
    for iteration, rate in rates.items():
        optimizer.at(torch.tensor(iteration))
        assert optimizer.rate.item() == pytest.approx(rate, rel=1e-5)


def test_a_step_is_as_long_as_its_rate() -> None:
    lengths = {}
    for iteration in (100, 300):
        bigan = informed(constant_for=200, decay_over=200)
        before = [p.clone() for network in bigan.networks.values() for p in network.parameters()]
        bigan.step(batch(iteration=iteration), rng())
        after = [p for network in bigan.networks.values() for p in network.parameters()]
        lengths[iteration] = sum((a - b).abs().sum().item() for a, b in zip(after, before, strict=True))
    assert lengths[300] / lengths[100] == pytest.approx(0.1, rel=0.01)


def test_what_a_model_is_asked_leaves_its_training_as_it_was() -> None:
    bigan, images = family(), batch().images
    bigan.step(batch(), rng())
    state = {name: network.state_dict() for name, network in bigan.networks.items()}
    kept = {(name, key): value.clone() for name, own in state.items() for key, value in own.items()}
    apart = torch.cat([bigan.reconstruct(image, rng()) for image in images.split(1)])
    torch.testing.assert_close(bigan.reconstruct(images, rng()), apart, atol=1e-5, rtol=0)
    bigan.realness(images)
    bigan.represent(images)
    assert all(torch.equal(value, state[name][key]) for (name, key), value in kept.items())
    assert all(network.training for network in bigan.networks.values())


@NETS
def test_codes_are_a_linear_function_of_the_features(net: str) -> None:
    bigan, images = family(net=net), batch().images
    codes = bigan.networks["encoder"].head(bigan.represent(images))
    torch.testing.assert_close(codes, bigan.encode(images))


def test_parameters_are_those_of_the_layers() -> None:
    """MNIST's: 784 pixels, z of 50, hidden layers of 1024, no biases; and the form for 64 px."""
    dense = bidirectional_networks(Shape(10, 28, 1), 50, 1.0, rng(), dense=True, squashed=True)
    assert {name: count(network) for name, network in dense.items()} == {
        "encoder": 784 * 1024 + 1024**2 + 1024 * 50,
        "generator": 50 * 1024 + 1024**2 + 50 * 1024 + 1024 * 784,
        "discriminator": 784 * 1024 + 1024**2 + 50 * 1024 + 1024,
    }
    other = bidirectional_networks(Shape(10, 64), 200, 1.0, rng(), dense=False, squashed=True)
    maps = (3, 64, 128, 256, 512)
    taps = 25 * sum(a * b for a, b in pairwise(maps))
    trunk = taps + sum(maps[1:]) + 2 * sum(maps[2:])  # biases; gains and shifts, but of the first layer
    of_pair = (200 + 1) * 512 + (512 + 1) * 512 + (prod((512, 4, 4)) + 512 + 1) * 512 + 2 * 512 + 512 + 1
    assert {name: count(network) for name, network in other.items()} == {
        "encoder": trunk + (8192 + 1) * 200,
        "generator": (200 + 1) * 8192 + taps + sum(maps[:-1]) + 2 * sum(maps[1:]),
        "discriminator": trunk + of_pair,
    }


def count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())
