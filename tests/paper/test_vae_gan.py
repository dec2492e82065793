"""VAE/GAN by what each network may learn from, and its networks against those of the authors' code."""

from collections.abc import Iterable
from math import log, pi

import pytest
import torch
from torch import Tensor, nn

from centigan.catalogue import METRICS, subject_of, why_not
from centigan.families.vae_gan import EQUILIBRIUM, MARGIN, VAEGAN, gates
from centigan.likelihood import divergence_from_standard
from centigan.nets.learnt_similarity import Discriminator, plan
from centigan.settings.families.vae_gan import VaeGanConfig
from centigan.types import Batch, Given, Shape
from centigan.updates import GatedAdam

NETWORKS = ("encoder", "decoder", "discriminator")


class Identity(nn.Module):
    """A discriminator whose Dis_l is the image, and whose logit its mean."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x.flatten(1), x.mean((1, 2, 3)) + self.unused


def family(**change: object) -> VAEGAN:
    config = VaeGanConfig.model_validate({"width": 0.05, "latent": 8} | change)
    return VAEGAN(config, Shape(3, 32), rng())


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch(count: int = 6) -> Batch:
    levels = torch.randint(0, 256, (count, 3, 32, 32), generator=rng(1))
    return Batch(levels / 127.5 - 1, Given(torch.zeros(count, dtype=torch.int64)), torch.tensor(1))


def parameters(model: VAEGAN, name: str) -> list[nn.Parameter]:
    return list(model.networks[name].parameters())


def gradients(of: Tensor, model: VAEGAN, name: str) -> list[Tensor | None]:
    return list(torch.autograd.grad(of, parameters(model, name), retain_graph=True, allow_unused=True))


def assert_same(found: Iterable[Tensor | None], wanted: Iterable[Tensor | None]) -> None:
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("moved", NETWORKS)
def test_what_moves_one_network_reaches_no_other(moved: str) -> None:
    model = family()
    objective = model.objectives(model.terms(batch().images, rng()))[moved]
    optimizer = model.optimizers[moved]
    (-objective).backward(inputs=[p for group in optimizer.param_groups for p in group["params"]])
    for name in NETWORKS:
        assert {p.grad is None for p in parameters(model, name)} == {name != moved}


def test_a_step_gives_the_encoder_nothing_of_the_game_and_the_discriminator_nothing_of_the_likeness() -> None:
    model = family(encoder_lr=1e-30, decoder_lr=1e-30, discriminator_lr=1e-30)
    terms = model.terms(batch().images, rng())
    game = terms.real + terms.fake
    wanted = {
        "encoder": gradients(terms.prior - terms.likeness, model, "encoder"),
        "decoder": gradients(terms.fake - terms.likeness / terms.features, model, "decoder"),
        "discriminator": gradients(-game, model, "discriminator"),
    }
    model.step(batch(), rng())
    for name in NETWORKS:
        assert_same((p.grad for p in parameters(model, name)), wanted[name])
    of_game = gradients(game, model, "encoder")
    assert any(g is not None and g.abs().max() > 1e-4 for g in of_game)  # there is something to keep out
    of_likeness = gradients(terms.likeness, model, "discriminator")
    assert any(g is not None and g.abs().max() > 1e-4 for g in of_likeness)


def test_one_forward_pass_serves_all_three() -> None:
    model, calls = family(), []
    for name, network in model.networks.items():
        network.register_forward_hook(lambda _, seen, __, name=name: calls.append((name, len(seen[0]))))
    model.step(batch(), rng())
    assert calls == [("encoder", 6), ("decoder", 12), ("discriminator", 18)]


def test_likeness_is_a_gaussian_of_unit_variance_about_the_features_of_what_is_drawn_again() -> None:
    """L_llike = 1/2 ||Dis_l(x) - Dis_l(x~)||^2 + F/2 ln 2 pi; where Dis_l is the image, that of a VAE."""
    model, images = family(), batch().images
    model.networks["discriminator"] = Identity()
    terms = model.terms(images, rng())
    mean, log_variance = model.networks["encoder"](images)
    noise = torch.randn(mean.shape, generator=(same := rng()))
    z = torch.cat([mean + (log_variance / 2).exp() * noise, model.latent(len(images), same)])
    again = model.networks["decoder"](z)[: len(images)]
    squares = (images - again).flatten(1).square().sum(1).mean()
    assert terms.features == 3072
    torch.testing.assert_close(-terms.likeness, squares / 2 + 3072 / 2 * log(2 * pi))
    torch.testing.assert_close(terms.prior, divergence_from_standard(mean, log_variance).mean())
    assert_same(
        gradients(model.objectives(terms)["encoder"], model, "encoder"),
        gradients(-squares / 2 - terms.prior, model, "encoder"),
    )


def test_the_decoder_weighs_the_mean_over_features_by_gamma_and_the_encoder_sums_them() -> None:
    model = family(gamma=5.0)
    terms = model.terms(batch().images, rng())
    objectives = model.objectives(terms)
    torch.testing.assert_close(objectives["decoder"], 5 * terms.likeness / terms.features - terms.fake)
    torch.testing.assert_close(objectives["encoder"], terms.likeness - terms.prior)


def test_without_saturation_the_decoder_ascends_what_the_discriminator_believes() -> None:
    model = family(gamma=0.0, saturating=False)
    terms = model.terms(batch().images, rng())
    torch.testing.assert_close(model.objectives(terms)["decoder"], terms.believed)
    assert terms.believed != -terms.fake


def test_the_discriminator_is_shown_what_is_drawn_again_and_what_is_drawn_of_the_prior() -> None:
    """By one that is undecided log 1/2 stands three times in L_GAN."""
    model = family()
    for parameter in model.networks["discriminator"].above[-1].parameters():
        nn.init.zeros_(parameter)
    terms = model.terms(batch().images, rng())
    assert terms.real.item() == pytest.approx(-log(2))
    assert terms.fake.item() == pytest.approx(-2 * log(2))


@pytest.mark.parametrize(
    ("real", "fake", "dis_moves", "dec_moves"),
    [
        (0.68, 0.68, True, True),
        (0.2, 0.68, False, True),  # Dis is sure of real images: it waits
        (0.68, 0.2, False, True),
        (1.2, 0.68, True, False),  # Dis is fooled: Dec waits
        (0.68, 1.2, True, False),
        (0.2, 1.2, True, True),  # both would wait: none does
    ],
)
def test_who_is_far_ahead_waits(real: float, fake: float, dis_moves: bool, dec_moves: bool) -> None:
    found = gates(torch.tensor(real), torch.tensor(fake))
    assert [gate.item() for gate in found] == [dis_moves, dec_moves]
    assert (round(EQUILIBRIUM - MARGIN, 2), round(EQUILIBRIUM + MARGIN, 2)) == (0.33, 1.03)


class Brightness(nn.Module):
    """A discriminator by nothing but how bright an image is."""

    def __init__(self, slope: float, offset: float) -> None:
        super().__init__()
        self.slope, self.offset = (nn.Parameter(torch.tensor(value)) for value in (slope, offset))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x.flatten(1), self.slope * x.mean((1, 2, 3)) + self.offset


@pytest.mark.parametrize(
    ("slope", "offset", "waits"),
    [
        (6.0, -3.0, {"discriminator"}),  # white images are real, and what is drawn of no training is grey
        (0.0, 0.7, {"decoder"}),  # costs .40 and 1.10
        (0.0, 0.0, set()),
        (0.0, 3.0, set()),  # costs .05 and 3.05: both would wait
    ],
)
def test_who_waits_keeps_weights_moments_and_count(slope: float, offset: float, waits: set[str]) -> None:
    model, white = family(gated=True), batch()._replace(images=torch.ones(6, 3, 32, 32))
    model.networks["discriminator"] = Brightness(slope, offset)
    of_brightness = GatedAdam(model.networks["discriminator"].parameters(), 1e-5, fused=True)
    model.movers["discriminator"] = model.optimizers["discriminator"] = of_brightness
    for _ in range(2):  # the first makes moments and counts
        before = snapshot(model)
        model.step(white, rng())
    after = snapshot(model)
    for name in NETWORKS:
        same = [torch.equal(a, b) for a, b in zip(before[name], after[name], strict=True)]
        assert all(same) if name in waits else not any(same)


def test_a_family_that_is_not_gated_always_moves() -> None:
    model, white = family(), batch()._replace(images=torch.ones(6, 3, 32, 32))
    model.networks["discriminator"] = Brightness(6.0, -3.0)
    model.optimizers["discriminator"] = GatedAdam(model.networks["discriminator"].parameters(), 1e-5)
    model.step(white, rng())
    assert model.networks["discriminator"].slope != 6


def snapshot(model: VAEGAN) -> dict[str, list[Tensor]]:
    """Of each network its weights, and all that its optimiser remembers of them."""
    return {
        name: [
            value.clone()
            for p in parameters(model, name)
            for value in (p.detach(), *model.optimizers[name].state[p].values())
        ]
        for name in NETWORKS
    }


@pytest.mark.parametrize(
    ("resolution", "encoder", "decoder", "discriminator", "side"),
    [
        (32, [64, 128, 256], [256, 192, 128, 32], [128, 192, 256], 4),
        (64, [64, 128, 256], [256, 256, 128, 32], [128, 256, 256], 8),
        (128, [64, 128, 256, 256], [256, 256, 256, 128, 32], [128, 256, 256, 256], 8),
    ],
)
def test_maps_are_those_of_the_authors_code(
    resolution: int, encoder: list[int], decoder: list[int], discriminator: list[int], side: int
) -> None:
    assert plan(resolution, 1) == (encoder, decoder, discriminator, side)


@pytest.mark.parametrize(("resolution", "convolutions"), [(32, 3), (64, 4), (128, 5)])
def test_similarity_is_told_by_the_raw_convolution_at_8_px(resolution: int, convolutions: int) -> None:
    """The third convolution of the code's layers for 32 px, depth 6; the fourth of those for 64, depth 9."""
    config = VaeGanConfig(width=0.05)
    discriminator = Discriminator(config, Shape(3, resolution))
    found = [layer for layer in discriminator.below.modules() if isinstance(layer, nn.Conv2d)]
    assert len(found) == convolutions
    assert discriminator.below[-1] is found[-1]
    assert discriminator.below(torch.zeros(2, 3, resolution, resolution)).shape[2:] == (8, 8)


def test_a_decoder_without_a_density_of_pixels_has_no_bits_per_dimension() -> None:
    asked = subject_of(VaeGanConfig(), classes_of_a_split=5)
    assert why_not(METRICS["bits_per_dim"], asked) == (
        "needs a model that tells a density of images; VAE/GAN tells none"
    )
    assert why_not(METRICS["reconstruction"], asked) is None
