"""Conditional DCGAN: its networks, what it is told of a class, its learning rate, its three panels."""

from math import log, sqrt

import pytest
import torch
from torch import nn

from centigan.families.cdcgan import CDCGAN
from centigan.families.cgan import CGAN
from centigan.settings.families.cdcgan import CdcganConfig
from centigan.settings.families.cgan import CganConfig
from centigan.types import Batch, Given, Shape
from centigan.updates import FallingAdam

CLASSES = 100


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def family(classes: int = 3, **change: object) -> CDCGAN:
    return CDCGAN(CdcganConfig.model_validate({"width": 0.1} | change), Shape(classes, 32), rng())


def batch(labels: tuple[int, ...] = (0, 1, 2, 0), iteration: int = 1) -> Batch:
    images = torch.rand(len(labels), 3, 32, 32, generator=rng(1)) * 2 - 1
    return Batch(images, Given(torch.tensor(labels)), torch.tensor(iteration))


def used(cdcgan: CDCGAN, network: str) -> list[torch.Tensor]:
    """The vectors y that a network is given from now on."""
    seen: list[torch.Tensor] = []
    cdcgan.networks[network].register_forward_pre_hook(lambda _, given: seen.append(given[1].clone()))
    return seen


def test_the_networks_have_the_recommended_layers_at_32_px() -> None:
    """G: z and y -> 512 x 4 x 4, y beside 512, 256, 128; D: y beside 3, 64, 128 and 256; all 5 x 5."""
    networks = CDCGAN(CdcganConfig(), Shape(CLASSES, 32), rng()).networks
    generator, discriminator = (
        sum(p.numel() for p in networks[name].parameters()) for name in ("generator", "discriminator")
    )
    first = 200 * 8192 + 8192
    doublings = (612 * 256 + 356 * 128 + 228 * 3) * 25 + 256 + 128 + 3
    assert generator == first + doublings + 2 * (512 + 256 + 128)
    halvings = (103 * 64 + 164 * 128 + 228 * 256) * 25 + 64 + 128 + 256
    assert discriminator == halvings + 2 * (128 + 256) + 4096 + 100 + 1


def test_the_first_layer_of_the_discriminator_has_no_batch_norm_and_the_last_of_the_generator_none() -> None:
    cdcgan = family()
    norms = [
        [isinstance(layer, nn.BatchNorm2d) for layer in block].count(True)
        for block in cdcgan.networks["discriminator"].blocks
    ]
    assert norms == [0, 1, 1]
    assert [norm.num_features for norm in cdcgan.networks["generator"].norms] == [51, 26, 13]


def test_weights_begin_as_those_of_dcgan() -> None:
    weights = CDCGAN(CdcganConfig(), Shape(CLASSES, 32), rng()).networks["generator"].project.weight
    assert weights.std().item() == pytest.approx(0.02, rel=0.01)
    config = CdcganConfig()
    adam = (config.generator_lr, config.discriminator_lr, config.beta1, config.beta2, config.weight_decay)
    assert adam == (2e-4, 2e-4, 0.5, 0.999, 2.5e-5)


def test_an_undecided_discriminator_costs_2_log_2() -> None:
    cdcgan = family(discriminator_lr=1e-30)
    for parameter in cdcgan.networks["discriminator"].parameters():
        nn.init.zeros_(parameter)
    losses = cdcgan.step(batch(), rng())
    assert losses["loss_discriminator"].item() == pytest.approx(2 * log(2), rel=1e-6)
    assert losses["loss_generator"].item() == pytest.approx(log(2), rel=1e-6)


def test_while_the_rate_is_constant_a_step_is_that_of_cgan() -> None:
    cdcgan = family(rate_zero_at=4)
    cgan = CGAN(CganConfig(width=0.1), Shape(3, 32), rng())
    for n in range(1, 5):
        losses, of_cgan = (each.step(batch(iteration=n), rng(n)) for each in (cdcgan, cgan))
        same = [torch.equal(losses[key], of_cgan[key]) for key in of_cgan]
        assert all(same) == (n < 4)  # in the fourth G's term is of a D that moved half as far


@pytest.mark.parametrize(
    ("iteration", "rate"), [(1, 1), (4, 1), (5, 1), (6, 0.75), (7, 0.5), (9, 0), (99, 0)]
)
def test_the_rate_is_constant_and_then_falls_on_a_line_to_0(iteration: int, rate: float) -> None:
    """Against torch's Adam at that rate, from the same state."""
    start = torch.randn(50, generator=rng())
    ours, theirs = (nn.Parameter(start.clone()) for _ in range(2))
    falling = FallingAdam([ours], 0.1, (0.5, 0.999), 0.01, zero_at=8)
    adam = torch.optim.Adam([theirs], 0.1, (0.5, 0.999), weight_decay=0.01, fused=True)
    for n in (1, iteration):
        falling.at(torch.tensor(n))
        adam.param_groups[0]["lr"] = 0.1 if n == 1 else 0.1 * rate
        for parameter, optimizer in ((ours, falling), (theirs, adam)):
            parameter.grad = (parameter.detach() - 3).pow(3)
            optimizer.step()
    torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=0)
    if rate in (0, 1):
        assert torch.equal(ours, theirs)


def test_a_condition_is_a_class_or_any_vector() -> None:
    cdcgan, z = family(), family().latent(3, rng())
    labels, vectors = torch.tensor([2, 0, -1]), torch.tensor([[0.0, 0, 1], [1, 0, 0], [0, 0, 0]])
    assert torch.equal(cdcgan.condition(labels), vectors)
    assert torch.equal(cdcgan.draw(z, labels), cdcgan.draw(z, vectors))
    between = cdcgan.draw(z, torch.tensor([[0.5, 0.5, 0.0]]).expand(3, -1))
    assert not torch.allclose(between, cdcgan.draw(z, vectors))


@pytest.mark.parametrize("network", ["generator", "discriminator"])
def test_without_label_dropout_no_network_sees_the_zero_vector(network: str) -> None:
    cdcgan = family()
    seen = used(cdcgan, network)
    cdcgan.step(batch(), rng())
    assert all((y.sum(1) == 1).all() for y in seen)


def test_label_dropout_hides_the_label_of_as_many_pairs_and_of_a_fake_from_both_networks() -> None:
    cdcgan = family(label_dropout=0.25, width=0.02)
    of_generator, of_discriminator = used(cdcgan, "generator"), used(cdcgan, "discriminator")
    for seed in range(5):
        cdcgan.step(batch((0, 1, 2, 1) * 50), rng(seed))
    assert len(of_generator) == 5
    for n, y_fake in enumerate(of_generator):
        y_real, *judged = of_discriminator[3 * n : 3 * n + 3]
        assert all(torch.equal(y, y_fake) for y in judged)
        assert set(y_real.sum(1).tolist()) == set(y_fake.sum(1).tolist()) == {0.0, 1.0}
        assert not torch.equal(y_real.sum(1), y_fake.sum(1))  # each pair by itself
    hidden = 1 - torch.cat(of_discriminator).sum(1).mean().item()
    assert hidden == pytest.approx(0.25, abs=4 * sqrt(0.25 * 0.75 / 2000))


def panels(cdcgan: CDCGAN, classes: int = 3, seed: int = 5) -> dict[str, torch.Tensor]:
    names = [f"class {number}" for number in range(classes)]
    sheets = cdcgan.demonstrate(torch.zeros(2, 3, 32, 32), names, rng(seed))
    return {sheet.name: sheet.images for sheet in sheets}


@pytest.fixture
def trained() -> CDCGAN:
    """A few steps at a high rate, so that running statistics are none of any batch."""
    cdcgan = family(generator_lr=0.01, discriminator_lr=0.01)
    for n in range(1, 5):
        cdcgan.step(batch(iteration=n), rng(n))
    return cdcgan


def test_the_panels_are_rows_of_labels_by_columns_of_z(trained: CDCGAN) -> None:
    shown = panels(trained)
    assert list(shown) == ["noise_and_label", "label_only", "noise_only"]
    assert all(images.shape == (3, 10, 3, 32, 32) for images in shown.values())
    z = trained.latent(10, rng(5))
    for label, row in enumerate(shown["noise_and_label"]):
        torch.testing.assert_close(row, trained.draw(z, torch.full((10,), label)))


def test_without_noise_the_images_of_a_row_are_the_same_to_the_bit(trained: CDCGAN) -> None:
    alone = panels(trained)["label_only"]
    assert all(torch.equal(row, row[:1].expand_as(row)) for row in alone)
    assert not torch.allclose(alone[0], alone[1])


def test_an_image_without_noise_is_drawn_by_running_statistics(trained: CDCGAN) -> None:
    """A batch whose z are all 0 has no variance: its own statistics would draw nothing but G's biases."""
    one = trained.draw(torch.zeros(1, 100), torch.tensor([1]))
    torch.testing.assert_close(one, panels(trained)["label_only"][1, :1])
    generator = trained.networks["generator"].train()
    with torch.no_grad():
        of_batch = generator(torch.zeros(4, 100), trained.condition(torch.ones(4, dtype=torch.int64)))
    assert not torch.allclose(of_batch[:1], one, atol=1e-2)


def test_without_label_every_image_has_noise_of_its_own(trained: CDCGAN) -> None:
    images = panels(trained)["noise_only"].flatten(0, 1).flatten(1)
    assert (torch.cdist(images, images) + torch.eye(30) > 0).all()
    z = rng(5)
    trained.latent(10, z)
    again = trained.draw(trained.latent(30, z), torch.full((30,), -1))
    torch.testing.assert_close(images, again.flatten(1))


def test_of_many_classes_ten_are_shown_evenly_and_named() -> None:
    cdcgan = family(classes=CLASSES, width=0.02)
    names = [f"class {number}" for number in range(CLASSES)]
    labelled, alone, unlabelled = cdcgan.demonstrate(torch.zeros(2, 3, 32, 32), names, rng())
    assert labelled.rows == alone.rows == [f"class {number}" for number in range(0, 100, 11)]
    assert not unlabelled.rows
    assert labelled.images.shape[:2] == (10, 10)


def test_the_caption_says_whether_a_training_saw_the_zero_vector() -> None:
    said = [
        family(label_dropout=share).demonstrate(torch.zeros(1, 3, 32, 32), ["a", "b", "c"], rng())[2].caption
        for share in (0.0, 0.1)
    ]
    assert ["No training saw" in caption for caption in said] == [True, False]
