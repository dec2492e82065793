"""CGAN by its algebra, and its networks against those that its docstring names."""

from math import log

import pytest
import torch
from torch import nn

from centigan.families.cgan import CGAN, Discriminator, ImageGenerator, plan
from centigan.settings.families.cgan import CganConfig
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


@pytest.mark.parametrize(("saturating", "generator"), [(False, log(2)), (True, -log(2))])
def test_an_undecided_discriminator_costs_what_equation_2_says(saturating: bool, generator: float) -> None:
    """D = 1/2 everywhere: log D + log(1 - D) = -2 log 2."""
    cgan = family(saturating=saturating, discriminator_lr=1e-30)
    zero(cgan.networks["discriminator"])
    losses = cgan.step(batch(), torch.Generator().manual_seed(0))
    assert losses["loss_discriminator"].item() == pytest.approx(2 * log(2), rel=1e-6)
    assert losses["loss_generator"].item() == pytest.approx(generator, rel=1e-6)


def test_labels_that_change_places_with_their_images_change_nothing_else() -> None:
    cgan, (images, (labels,), _) = family(), batch()
    discriminator, order = cgan.networks["discriminator"].eval(), torch.tensor([2, 0, 3, 1])
    logits = discriminator(images, cgan.one_hot(labels))
    assert torch.allclose(discriminator(images[order], cgan.one_hot(labels[order])), logits[order], atol=1e-6)


def test_the_discriminator_judges_the_image_and_its_class_together() -> None:
    cgan, (images, (labels,), _) = family(), batch()
    discriminator = cgan.networks["discriminator"].eval()
    of_own, of_other = (discriminator(images, cgan.one_hot((labels + n) % 3)) for n in range(2))
    assert (of_own - of_other).abs().min() > 0


def test_a_class_that_is_not_known_is_the_zero_vector() -> None:
    assert family().one_hot(torch.tensor([2, -1])).tolist() == [[0, 0, 1], [0, 0, 0]]


def test_latents_are_uniform_between_minus_one_and_one() -> None:
    z = family().latent(200, torch.Generator().manual_seed(0))
    assert z.min() >= -1
    assert z.max() <= 1
    assert z.std().item() == pytest.approx(1 / 3**0.5, rel=0.02)


@pytest.mark.parametrize(
    ("resolution", "maps"), [(32, [64, 128, 256]), (64, [64, 128, 256, 512]), (128, [64, 128, 256, 512, 512])]
)
def test_a_layer_halves_the_side_down_to_4(resolution: int, maps: list[int]) -> None:
    assert plan(resolution, 1.0) == maps


def test_the_networks_have_the_layers_of_the_conditional_dcgan() -> None:
    """Every layer sees y: in (maps + classes), out maps, 5 x 5; batch norm has two numbers a map."""
    generator = ImageGenerator(CganConfig(), Shape(CLASSES, 32))
    first = (100 + 10) * 8192 + 8192
    doublings = (522 * 256 + 266 * 128 + 138 * 3) * 25 + 256 + 128 + 3
    assert sum(p.numel() for p in generator.parameters()) == first + doublings + 2 * (512 + 256 + 128)
    discriminator = Discriminator(CganConfig(), Shape(CLASSES, 32))
    halvings = (13 * 64 + 74 * 128 + 138 * 256) * 25 + 64 + 128 + 256
    assert sum(p.numel() for p in discriminator.parameters()) == halvings + 2 * (128 + 256) + 4096 + 10 + 1
