"""GRAN: its networks against those of its authors' code, its canvas, its step."""

from math import log

import pytest
import torch
from torch import Tensor, nn

from centigan.families.gran import (
    GRAN,
    Discriminator,
    ImageGenerator,
    as_images,
    plan,
    share_of_first,
)
from centigan.settings.families.gran import GranConfig
from centigan.types import Batch, Given, Shape


def family(**change: object) -> GRAN:
    config = GranConfig.model_validate({"width": 0.02, "latent": 6} | change)
    return GRAN(config, Shape(3, 32), torch.Generator().manual_seed(0))


def batch(count: int = 6) -> Batch:
    images = torch.rand(count, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return Batch(images, Given(torch.full((count,), -1)), torch.tensor(1))


def latents(gran: GRAN, count: int = 5) -> Tensor:
    return gran.latent(count, torch.Generator().manual_seed(3))


def sizes(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def test_the_networks_are_those_of_the_authors_for_cifar_10() -> None:
    assert plan(32, 1.0) == [1024, 512, 256]
    taps = 25 * (1024 * 512 + 512 * 256 + 256 * 3)
    with torch.device("meta"):
        generator = ImageGenerator(GranConfig(), Shape(10, 32))
        discriminator = Discriminator(GranConfig(), Shape(10, 32))
    embed = 100 * 100 + 100 + 2 * 100
    decode = 201 * 1024 * 16 + taps + (512 + 256 + 3) + 2 * (1024 + 512 + 256)
    encode = taps + (256 + 512 + 1024) + 2 * (256 + 512) + (1024 * 16 + 1) * 100
    assert sizes(generator) == embed + decode + encode
    convolutions = 25 * (3 * 1024 + 1024 * 512 + 512 * 256) + 3 * (1024 + 512 + 256)
    assert sizes(discriminator) == convolutions + (256 * 16 + 1) * 100 + 101


def test_one_step_is_a_decoder_whose_other_half_sees_zeros() -> None:
    gran = family(steps=1)
    assert gran.generator.encode is None
    z = latents(gran)
    generator = gran.generator.eval()
    of_latent = generator.embed(z)
    alone = generator.decode(of_latent, torch.zeros_like(of_latent), 0)
    assert torch.equal(generator(z), as_images(alone))


def test_the_image_is_the_sum_of_what_the_steps_add() -> None:
    gran = family(steps=3)
    z = latents(gran)
    added = gran.increments(z)
    assert added.shape == (3, 5, 3, 32, 32)
    image = gran.generate(z, Given(torch.full((5,), -1)))
    assert torch.equal(as_images(added[0] + added[1] + added[2]), image)
    canvas, _ = gran.demonstrate(batch().images, [], torch.Generator().manual_seed(3))
    drawn = gran.latent(8, torch.Generator().manual_seed(3))
    last = gran.generate(drawn, Given(torch.full((8,), -1)))
    assert torch.allclose(canvas.images[:, -1], last, atol=1e-6)


def test_every_step_changes_the_image() -> None:
    gran = family(steps=4)
    partial = as_images(gran.increments(latents(gran)).cumsum(0))
    changes = (partial[1:] - partial[:-1]).abs().flatten(1).mean(1)
    assert (changes > 0).all()


def test_the_encoder_reads_the_last_addition_and_not_the_canvas(monkeypatch: pytest.MonkeyPatch) -> None:
    gran = family(steps=3)
    seen: list[Tensor] = []
    encode = gran.generator.encode
    assert encode is not None
    monkeypatch.setattr(
        encode, "forward", lambda x, step, own=encode.forward: (seen.append(x), own(x, step))[1]
    )
    added = gran.increments(latents(gran))
    assert len(seen) == 2  # what the last step adds is read by nothing
    assert all(torch.equal(x, part) for x, part in zip(seen, added, strict=False))


def test_z_is_drawn_once_and_reaches_every_step() -> None:
    """Steps that saw no z would add the same for all latents, where the encoder is cut off."""
    gran = family(steps=3)
    encode = gran.generator.encode
    assert encode is not None
    nn.init.zeros_(encode.head.weight)
    added = gran.increments(latents(gran))
    assert all((part - part[:1]).abs().max() > 0 for part in added)


def test_running_statistics_are_of_each_step() -> None:
    gran = family(steps=2)
    gran.step(batch(), torch.Generator().manual_seed(0))
    for norm in gran.generator.decode.norms:
        first, second = (of.running_mean for of in norm.of_step)
        assert not torch.equal(first, second)
    sampled = gran.generate(latents(gran), Given(torch.full((5,), -1)))
    alone = gran.generate(latents(gran)[:1], Given(torch.full((1,), -1)))
    assert torch.allclose(sampled[:1], alone, atol=1e-6)


def test_d_that_is_never_sure_costs_log_4_and_g_log_2() -> None:
    gran = family(discriminator_lr=1e-12)
    nn.init.zeros_(gran.discriminator.dense[2].weight)
    losses = gran.step(batch(), torch.Generator().manual_seed(0))
    assert losses["loss_discriminator"].item() == pytest.approx(2 * log(2))
    assert losses["loss_generator"].item() == pytest.approx(log(2))


def test_l2_is_of_ds_dense_layers_alone() -> None:
    gran = family(weight_decay=0.5)
    blocks, dense = gran.optimizers["discriminator"].param_groups
    assert (blocks["weight_decay"], dense["weight_decay"]) == (0, 0.5)
    assert len(dense["params"]) == 4
    assert gran.optimizers["generator"].param_groups[0]["weight_decay"] == 0


def test_the_share_of_the_first_step_by_hand() -> None:
    increments = torch.tensor([[[-3.0]], [[1.0]]])
    assert share_of_first(increments).item() == 0.75
