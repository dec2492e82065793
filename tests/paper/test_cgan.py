"""CGAN by its algebra, and its networks against those that its docstring names."""

from math import log

import pytest
import torch
from torch import nn

from centigan import params
from centigan.families.cgan import CGAN
from centigan.families.gan import GAN
from centigan.losses import log_fake, log_real
from centigan.nets.convolution import ConvolutionalDiscriminator, ConvolutionalGenerator, plan
from centigan.nets.dense import DenseDiscriminator, DenseGenerator, Units
from centigan.settings.families.cgan import CganConfig
from centigan.settings.families.gan import GanConfig
from centigan.types import Batch, Given, Shape

CLASSES = 10


def family(**change: object) -> CGAN:
    config = CganConfig.model_validate({"width": 0.1} | change)
    return CGAN(config, Shape(3, 32), torch.Generator().manual_seed(0))


def batch() -> Batch:
    images = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return Batch(images, Given(torch.tensor([0, 1, 2, 0])), torch.tensor(1))


def zero(network: nn.Module) -> None:
    for parameter in network.parameters():
        nn.init.zeros_(parameter)


@pytest.mark.parametrize("net", ["dense", "convolution"])
@pytest.mark.parametrize(("saturating", "generator"), [(False, log(2)), (True, -log(2))])
def test_an_undecided_discriminator_costs_what_equation_2_says(
    net: str, saturating: bool, generator: float
) -> None:
    """D = 1/2 everywhere: log D + log(1 - D) = -2 log 2."""
    rates = {"discriminator_lr": 1e-30, "sgd": {"discriminator_lr": 1e-30}}
    cgan = family(net=net, saturating=saturating, **rates)
    zero(cgan.networks["discriminator"])
    losses = cgan.step(batch(), torch.Generator().manual_seed(0))
    assert losses["loss_discriminator"].item() == pytest.approx(2 * log(2), rel=1e-6)
    assert losses["loss_generator"].item() == pytest.approx(generator, rel=1e-6)


def test_the_best_discriminator_of_a_table_is_that_of_each_class() -> None:
    """D*(x|y) = p(x|y) / (p(x|y) + q(x|y)) is where 2 ascends to: two classes, a row each, two images."""
    real, fake = torch.tensor([[7, 3], [2, 8]]), torch.tensor([[5, 5], [6, 4]])  # tenths
    seen, drawn = (torch.arange(4).repeat_interleave(of.flatten()) for of in (real, fake))
    logits = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    for _ in range(500):
        (gradient,) = torch.autograd.grad(log_real(logits[seen]) + log_fake(logits[drawn]), logits)
        logits.data += 4 * gradient
    assert torch.allclose(logits.sigmoid().view(2, 2).float(), real / (real + fake), atol=1e-5)


@pytest.mark.parametrize("net", ["dense", "convolution"])
def test_labels_that_change_places_with_their_images_change_nothing_else(net: str) -> None:
    cgan, (images, (labels, *_), *_) = family(net=net), batch()
    discriminator, order = cgan.networks["discriminator"].eval(), torch.tensor([2, 0, 3, 1])
    logits = discriminator(images, cgan.one_hot(labels))
    assert torch.allclose(discriminator(images[order], cgan.one_hot(labels[order])), logits[order], atol=1e-6)


@pytest.mark.parametrize("net", ["dense", "convolution"])
def test_the_discriminator_judges_the_image_and_its_class_together(net: str) -> None:
    cgan, (images, (labels, *_), *_) = family(net=net), batch()
    discriminator = cgan.networks["discriminator"].eval()
    of_own, of_other = (discriminator(images, cgan.one_hot((labels + n) % 3)) for n in range(2))
    assert (of_own - of_other).abs().min() > 0


def test_a_class_that_is_not_known_is_the_zero_vector() -> None:
    assert family().one_hot(torch.tensor([2, -1])).tolist() == [[0, 0, 1], [0, 0, 0]]


@pytest.mark.parametrize(("net", "least"), [("convolution", -1), ("dense", 0)])
def test_latents_are_uniform(net: str, least: int) -> None:
    z = family(net=net).latent(200, torch.Generator().manual_seed(0))
    assert z.min() >= least
    assert z.max() <= 1
    assert z.std().item() == pytest.approx((1 - least) / 12**0.5, rel=0.02)


@pytest.mark.parametrize(
    ("resolution", "maps"), [(32, [64, 128, 256]), (64, [64, 128, 256, 512]), (128, [64, 128, 256, 512, 512])]
)
def test_a_layer_halves_the_side_down_to_4(resolution: int, maps: list[int]) -> None:
    assert plan(resolution, 1.0) == maps


def test_the_networks_have_the_layers_of_the_conditional_dcgan() -> None:
    """Every layer sees y: in (maps + classes), out maps, 5 x 5; batch norm has two numbers a map."""
    generator = ConvolutionalGenerator(Shape(CLASSES, 32), 100, 1.0)
    first = (100 + 10) * 8192 + 8192
    doublings = (522 * 256 + 266 * 128 + 138 * 3) * 25 + 256 + 128 + 3
    assert sum(p.numel() for p in generator.parameters()) == first + doublings + 2 * (512 + 256 + 128)
    discriminator = ConvolutionalDiscriminator(Shape(CLASSES, 32), 1.0)
    halvings = (13 * 64 + 74 * 128 + 138 * 256) * 25 + 64 + 128 + 256
    assert sum(p.numel() for p in discriminator.parameters()) == halvings + 2 * (128 + 256) + 4096 + 10 + 1


def test_the_dense_networks_have_the_layers_of_section_4() -> None:
    """z 100 -> 200, y 10 -> 1000, together 1200 -> 1200 -> pixels; 240 x 5 and 50 x 5, then 240 x 4 -> 1."""
    cgan = CGAN(CganConfig(net="dense"), Shape(CLASSES, 28, 1), torch.Generator())
    generator, discriminator = (
        sum(p.numel() for p in cgan.networks[name].parameters()) for name in ("generator", "discriminator")
    )
    assert generator == 100 * 200 + 200 + 10 * 1000 + 1000 + 1200 * 1200 + 1200 + 1200 * 784 + 784
    assert discriminator == 784 * 1200 + 1200 + 10 * 250 + 250 + 290 * 960 + 960 + 240 + 1


def ignoring_the_class() -> tuple[CGAN, GAN]:
    """A dense CGAN whose joint layers never weigh y; a GAN of its other weights and latents."""
    free = {"width": 0.1, "net": "dense", "hidden_dropout": 0.0, "sgd": {"decay": 1.0}}  # masks are random
    cgan, without = family(**free), Shape(0, 32)
    config = GanConfig.model_validate(free | {"input_dropout": 0.0, "update": "alternating"})
    gan = GAN(config, without, torch.Generator())
    gan.networks = {
        "generator": DenseGenerator(without, 100, Units(20, 0, 120)),
        "discriminator": DenseDiscriminator(
            without, Units(24, 0, 24), joint_pieces=4, input_dropout=0.0, dropout=0.0
        ),
    }
    for name, network in gan.networks.items():
        nn.init.zeros_(cgan.networks[name].joint_of_class.weight)
        network.load_state_dict(shared(cgan.networks[name].state_dict()))
        gan.optimizers[name].param_groups[0]["params"] = list(network.parameters())
        moving = shared(dict(cgan.networks[name].named_parameters()))
        cgan.optimizers[name].param_groups[0]["params"] = list(moving.values())
    cgan.latent = gan.latent = lambda count, rng: torch.rand(count, 100, generator=torch.Generator())
    return cgan, gan


def shared(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {key: value for key, value in tensors.items() if "of_class" not in key}


def test_with_the_class_ignored_it_is_gan_bit_for_bit() -> None:
    cgan, gan = ignoring_the_class()
    for _ in range(3):
        losses, of_gan = (f.step(batch(), torch.Generator().manual_seed(0)) for f in (cgan, gan))
        assert torch.equal(losses["loss_discriminator"], of_gan["loss_discriminator"])
        assert torch.equal(losses["loss_generator"], of_gan["loss_generator"])
    for name, network in gan.networks.items():
        own = shared(cgan.networks[name].state_dict())
        assert all(torch.equal(own[key], value) for key, value in network.state_dict().items())


def test_a_class_that_is_ignored_has_a_gradient_nevertheless() -> None:
    cgan, (images, (labels, *_), *_) = ignoring_the_class()[0], batch()
    y = cgan.one_hot(labels)
    judged = cgan.networks["discriminator"](cgan.networks["generator"](cgan.latent(4, None), y), y)
    (log_real(cgan.networks["discriminator"](images, y)) - log_real(judged)).backward()
    assert all(network.joint_of_class.weight.grad.abs().max() > 0 for network in cgan.networks.values())


@pytest.mark.parametrize("change", [{}, {"width": 0.5}])
def test_a_convolutional_training_is_identified_as_before_there_was_a_dense_form(change: object) -> None:
    known = params.canonical_json(CganConfig.model_validate(change))
    assert not any(key in known for key in ("net", "dropout", "sgd"))
    assert CganConfig.model_validate_json(known) == CganConfig.model_validate(change)


def test_a_dense_training_is_identified_by_all_that_it_depends_on() -> None:
    config = CganConfig(net="dense", hidden_dropout=0.25)
    written = config.model_dump(mode="json")
    assert (written["net"], written["hidden_dropout"], written["input_dropout"]) == ("dense", 0.25, 0.0)
    assert written["sgd"]["decay"] == 1.00004
    assert CganConfig.model_validate(written) == config
