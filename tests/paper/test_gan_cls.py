"""GAN-CLS and its variants (Reed et al., 2016): terms and pairs by algebra, a step by hand, networks."""

from collections.abc import Callable
from copy import deepcopy
from math import log

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from centigan.families.gan_cls import GANCLS, between, mismatched
from centigan.losses import log_fake, log_real
from centigan.nets.blocks import evaluated
from centigan.nets.described import Bottleneck, DescribedDiscriminator, DescribedGenerator, plan
from centigan.settings.families.gan_cls import GanClsConfig
from centigan.types import Batch, Given, Shape
from centigan.updates import HalvingAdam

EMBEDDING, COUNT = 6, 8
LABELS = torch.tensor([0, 0, 1, 2, 2, 0, 1, 1])
VARIANTS = {
    "GAN": (0, 0),
    "GAN-CLS": (0.5, 0),
    "GAN-INT": (0, 1),
    "GAN-INT-CLS": (0.5, 1),
    "other": (0.3, 0.6),
}


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def family(**change: object) -> GANCLS:
    config = GanClsConfig.model_validate({"width": 0.05, "text_units": 5, "latent": 4} | change)
    return GANCLS(config, Shape(3, 32, embedding=EMBEDDING), rng())


def batch(seed: int = 1, iteration: int = 1) -> Batch:
    images = torch.rand(COUNT, 3, 32, 32, generator=rng(seed)) * 2 - 1
    captions = torch.randn(COUNT, EMBEDDING, generator=rng(seed + 100))
    return Batch(images, Given(LABELS, captions), torch.tensor(iteration))


def values(network: nn.Module) -> list[Tensor]:
    return [value.clone() for value in network.state_dict().values()]


class Table(nn.Module):
    """D as a table: a logit for each time that it is asked, and what it was asked."""

    def __init__(self, *logits: float) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.tensor(logits, dtype=torch.float32))
        self.asked: list[tuple[Tensor, Tensor]] = []

    def forward(self, x: Tensor, captions: Tensor) -> Tensor:
        self.asked.append((x, captions))
        return self.logits[len(self.asked) - 1] + 0 * x.flatten(1).sum(1)


def with_table(made: GANCLS, *logits: float) -> Table:
    table = Table(*logits)
    made.networks["discriminator"] = table
    made.optimizers["discriminator"].param_groups[0]["params"] = [table.logits]
    return table


@pytest.mark.parametrize(("cls", "interpolation"), VARIANTS.values())
def test_an_undecided_discriminator_costs_2_log_2_and_its_generator_log_2(
    cls: float, interpolation: float
) -> None:
    """log 2 (1 + 1/2 + 1/2) = 1.386294."""
    made = family(cls=cls, interpolation=interpolation)
    with_table(made, 0, 0, 0, 0)
    losses = made.step(batch(), rng())
    assert losses["loss_discriminator"].item() == pytest.approx(1.386294, abs=1e-6)
    assert losses["loss_generator"].item() == pytest.approx(log(2), abs=1e-6)


def test_real_pairs_weigh_1_mismatched_ones_cls_and_drawn_ones_the_rest() -> None:
    made = family(cls=0.3)
    table = with_table(made, 1, 2, 3, 4)
    losses = made.step(batch(), rng())
    right, wrong, drawn, judged = (F.logsigmoid(torch.tensor(n)) for n in (1.0, -2.0, -3.0, 4.0))
    assert losses["loss_discriminator"].item() == pytest.approx(-(right + 0.3 * wrong + 0.7 * drawn).item())
    assert losses["loss_generator"].item() == pytest.approx(-judged.item())
    assert table.logits.grad is not None
    slopes = -table.logits.grad  # of what D ascends: sigmoid(-1), -.3 sigmoid(2), -.7 sigmoid(3)
    expected = torch.tensor([-1.0, 2.0, 3.0]).sigmoid() * torch.tensor([1, -0.3, -0.7])
    torch.testing.assert_close(slopes, torch.cat([expected, torch.zeros(1)]))


def test_d_is_asked_of_real_pairs_of_wrong_images_with_the_right_captions_and_of_drawn_pairs() -> None:
    made, (images, (labels, captions), *_) = family(interpolation=1), batch()
    assert captions is not None
    told: list[tuple[Tensor, Tensor]] = []
    made.networks["generator"].register_forward_hook(lambda _, given, drawn: told.append((*given, drawn)))
    table = with_table(made, 0, 0, 0, 0)
    made.step(batch(), rng())
    assert [len(x) for x, _ in table.asked] == [8, 8, 8, 12]
    assert all(torch.equal(asked, captions) for _, asked in table.asked[:3])
    real, wrong, drawn, judged = (x for x, _ in table.asked)
    assert torch.equal(real, images)
    for n, image in enumerate(wrong):
        (place,) = (m for m, other in enumerate(images) if torch.equal(image, other))
        assert labels[place] != labels[n]
    (z, own, of_own), (other_z, with_between, of_both) = told
    assert torch.equal(drawn, of_own)
    assert not drawn.requires_grad
    assert torch.equal(own, captions)
    assert torch.equal(judged, of_both)
    assert judged.requires_grad
    assert torch.equal(table.asked[3][1], with_between)
    assert torch.equal(with_between, torch.cat([captions, (captions[:4] + captions[4:]) / 2]))
    assert (z.shape, other_z.shape) == ((8, 4), (12, 4))
    assert not torch.equal(z, other_z[:8])


def test_the_wrong_image_is_the_next_one_in_a_circle_of_another_class() -> None:
    assert mismatched(torch.tensor([0, 0, 1, 1])).tolist() == [2, 2, 0, 0]
    assert mismatched(torch.tensor([0, 1, 2, 0])).tolist() == [1, 2, 3, 1]


@pytest.mark.parametrize("label", [2, -1])
def test_where_no_class_is_known_to_be_another_the_wrong_image_is_the_next(label: int) -> None:
    assert mismatched(torch.full((3,), label)).tolist() == [1, 2, 0]


def test_an_image_of_no_known_class_is_wrong_for_none_of_a_known_one() -> None:
    assert mismatched(torch.tensor([-1, 0, 1])).tolist() == [1, 2, 1]
    assert mismatched(torch.tensor([-1, -1, 0])).tolist() == [1, 2, 0]


def test_no_image_is_wrong_for_its_own_caption_nor_of_its_class() -> None:
    for seed in range(20):
        labels = torch.randint(4, (9,), generator=rng(seed))
        wrong = mismatched(labels)
        assert (wrong != torch.arange(9)).all()
        assert (labels[wrong] != labels).all() or len(labels.unique()) == 1


def test_captions_between_two_of_beta_1_are_the_first_and_of_beta_0_the_second() -> None:
    captions = torch.randn(5, EMBEDDING, generator=rng())
    assert torch.equal(between(captions, 1.0), captions[:2])
    assert torch.equal(between(captions, 0.0), captions[2:4])
    torch.testing.assert_close(between(captions, 0.25), 0.25 * captions[:2] + 0.75 * captions[2:4])


def test_with_beta_1_gan_int_asks_for_pairs_of_the_minibatch_itself() -> None:
    made, captions = family(interpolation=1, beta=1), batch().given.captions
    assert captions is not None
    table = with_table(made, 0, 0, 0, 0)
    made.step(batch(), rng())
    assert torch.equal(table.asked[3][1], captions[[*range(8), *range(4)]])


def test_captions_between_weigh_lambda_in_a_mean_over_all() -> None:
    """With lambda = 1 the mean over 3 B / 2 of the authors' code."""
    logits = torch.tensor([0.0, 1, 2, 3, 5, -4])
    own, others = F.logsigmoid(logits[:4]).sum(), F.logsigmoid(logits[4:]).sum()
    for weight in (0.5, 1.0, 3.0):
        told = family(interpolation=weight)._weighed(logits, 4)
        torch.testing.assert_close(told, (own + weight * others) / (4 + weight * 2))
    torch.testing.assert_close(family(interpolation=1)._weighed(logits, 4), log_real(logits))


def by_hand(
    made: GANCLS, cls: float, interpolation: float
) -> Callable[[Batch, torch.Generator], tuple[float, float]]:
    """A step of the same networks, as lists and sums tell it; its losses of D and of G."""
    g, d = (deepcopy(made.networks[name]) for name in ("generator", "discriminator"))
    made.by_hand = {"generator": g, "discriminator": d}
    of_g, of_d = (torch.optim.Adam(net.parameters(), 2e-4, (0.5, 0.999), fused=True) for net in (g, d))

    def step(real: Batch, rng: torch.Generator) -> tuple[float, float]:
        x, (labels, h), _, _ = real
        assert h is not None
        fake = g(torch.randn(len(x), 4, generator=rng), h).detach()
        value = log_real(d(x, h))
        if cls:
            turns = [[(n + k) % COUNT for k in range(1, COUNT)] for n in range(COUNT)]
            wrong = [next(m for m in turn if labels[m] != labels[n]) for n, turn in enumerate(turns)]
            value = value + cls * log_fake(d(x[wrong], h))
        value = value + (1 - cls) * log_fake(d(fake, h))
        of_d.zero_grad()
        (-value).backward()
        of_d.step()
        told, weights = h, torch.ones(len(h))
        if interpolation:
            told = torch.cat([h, (h[:4] + h[4:]) / 2])
            weights = torch.tensor([1.0] * 8 + [interpolation] * 4)
        judged = d(g(torch.randn(len(told), 4, generator=rng), told), told)
        if interpolation:
            ones = torch.ones(len(told))
            loss = F.binary_cross_entropy(judged.sigmoid(), ones, weights, reduction="sum") / weights.sum()
        else:
            loss = -log_real(judged)
        of_g.zero_grad()
        loss.backward()
        of_g.step()
        return -value.item(), loss.item()

    return step


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_step_is_that_written_by_hand_and_of_the_conditional_gan_bit_for_bit(variant: str) -> None:
    cls, interpolation = VARIANTS[variant]
    made = family(cls=cls, interpolation=interpolation)
    step = by_hand(made, cls, interpolation)
    for n in range(3):
        losses, expected = made.step(batch(n), rng(n)), step(batch(n), rng(n))
        told = tuple(losses[f"loss_{name}"].item() for name in ("discriminator", "generator"))
        assert told == (pytest.approx(expected, rel=1e-4) if interpolation else expected)
    if interpolation:  # other last bits of a gradient, and Adam's first steps are signs
        return
    for name, network in made.networks.items():
        assert all(map(torch.equal, values(network), values(made.by_hand[name])))


def test_d_s_update_moves_d_alone_and_g_s_update_g_alone() -> None:
    made, alone = family(interpolation=1), family(interpolation=1)
    images, (labels, captions), *_ = batch()
    assert captions is not None
    before = {name: list(map(torch.clone, net.parameters())) for name, net in alone.networks.items()}
    alone._update_discriminator(images, labels, captions, rng())
    made.step(batch(), rng())
    assert all(map(torch.equal, before["generator"], alone.networks["generator"].parameters()))
    of_d = list(alone.networks["discriminator"].parameters())
    assert not any(map(torch.equal, before["discriminator"], of_d))
    assert all(map(torch.equal, made.networks["discriminator"].parameters(), of_d))
    of_g = made.networks["generator"].parameters()
    assert not any(map(torch.equal, before["generator"], of_g))


def test_captions_between_two_move_g_alone() -> None:
    plain, made = family(), family(interpolation=1)
    for each in (plain, made):
        each.step(batch(), rng())
    same = {
        name: all(map(torch.equal, plain.networks[name].parameters(), network.parameters()))
        for name, network in made.networks.items()
    }
    assert same == {"generator": False, "discriminator": True}


class Brightness(nn.Module):
    """A D to which bright images are real."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor, captions: Tensor) -> Tensor:
        return self.weight * x.mean((1, 2, 3))


def test_g_moves_to_be_taken_for_real() -> None:
    made = family(generator_lr=1e-3, discriminator_lr=1e-30)
    made.networks["discriminator"] = Brightness()
    made.optimizers["discriminator"].param_groups[0]["params"] = list(
        made.networks["discriminator"].parameters()
    )
    losses = [made.step(batch(), rng(n))["loss_generator"].item() for n in range(15)]
    assert losses[-1] < losses[0] - 0.02


def test_the_journal_tells_how_pairs_are_told() -> None:
    made = family()
    with_table(made, 1, 2, -3, 0)
    losses = made.step(batch(), rng())
    told = [losses[name].item() for name in ("source_real", "source_wrong", "source_fake", "matched")]
    assert told == [1, 0, 1, 0]
    with_table(made, 1, -2, 3, 0)
    losses = made.step(batch(), rng())
    told = [losses[name].item() for name in ("source_real", "source_wrong", "source_fake", "matched")]
    assert told == [1, 1, 0, 1]


def test_without_mismatched_pairs_neither_journal_nor_figure_tells_of_them() -> None:
    made = family(cls=0)
    assert not made.step(batch(), rng()).keys() & {"source_wrong", "matched"}
    assert "D tells pairs" not in made.config.curves
    assert "D tells pairs" in family().config.curves


def test_captions_reach_the_images_and_the_logits_each_its_own() -> None:
    made, (images, (_, captions), *_) = family(), batch()
    assert captions is not None
    z = made.latent(COUNT, rng())
    given = captions.clone().requires_grad_()
    networks = {name: network.eval() for name, network in made.networks.items()}
    drawn = networks["generator"](z, given)
    (of_images,) = torch.autograd.grad(drawn[0].square().sum(), given)
    (of_logits,) = torch.autograd.grad(networks["discriminator"](images, given)[0], given)
    for slope in (of_images, of_logits):
        assert slope[0].abs().min() > 0
        assert not slope[1:].any()


def test_a_pair_is_judged_as_d_judges_it_in_evaluation_mode() -> None:
    made, (images, (_, captions), *_) = family(), batch()
    assert captions is not None
    expected = evaluated(made.networks["discriminator"], images, captions)
    assert torch.equal(made.matches(images, captions), expected)
    assert made.networks["discriminator"].training


def test_latents_are_normal() -> None:
    z = family().latent(5000, rng())
    assert z.mean().item() == pytest.approx(0, abs=0.02)
    assert z.std().item() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(
    ("resolution", "maps"), [(32, [64, 128, 256]), (64, [64, 128, 256, 512]), (128, [64, 128, 256, 512, 512])]
)
def test_a_layer_of_d_halves_the_side_down_to_4(resolution: int, maps: list[int]) -> None:
    assert plan(resolution, 1.0) == maps


def bottleneck(maps: int) -> int:
    """Numbers of 1 x 1, 3 x 3, 3 x 3 layers and three batch norms."""
    few = maps // 4
    return maps * few + 9 * few * few + 9 * few * maps + 2 * (few + few + maps)


def test_the_networks_have_the_layers_of_the_authors_code() -> None:
    """No convolution has biases; batch norm has two numbers a map."""
    shape = Shape(0, 64, embedding=1024)
    generator = DescribedGenerator(shape, 100, 128, 1.0)
    of_text = 1024 * 128 + 128
    doublings = 16 * (228 * 1024 + 1024 * 512 + 512 * 256 + 256 * 128 + 128 * 3)
    norms = 2 * (1024 + 512 + 256 + 128)
    of_generator = of_text + doublings + norms + bottleneck(1024) + bottleneck(512)
    assert sum(p.numel() for p in generator.parameters()) == of_generator
    discriminator = DescribedDiscriminator(shape, 128, 1.0)
    halvings = 16 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512) + 2 * (128 + 256 + 512)
    joint = (512 + 128) * 512 + 2 * 512 + 16 * 512
    of_discriminator = of_text + 2 * 128 + halvings + bottleneck(512) + joint
    assert sum(p.numel() for p in discriminator.parameters()) == of_discriminator


def test_every_layer_but_the_last_is_rectified_in_d_by_a_leaky_relu_and_in_g_by_a_relu() -> None:
    """The first layer of D has no batch norm; bottlenecks stand at 4 x 4, in G at 8 x 8, too."""
    shape = Shape(0, 64, embedding=4)
    of_image = [type(layer).__name__ for layer in DescribedDiscriminator(shape, 3, 0.02).of_image]
    normed = ["Conv2d", "BatchNorm2d", "LeakyReLU"]
    assert of_image == ["Conv2d", "LeakyReLU", *normed, *normed, "Conv2d", "BatchNorm2d", "Bottleneck"]
    of_latent = [type(layer).__name__ for layer in DescribedGenerator(shape, 3, 3, 0.02).layers]
    up = ["ConvTranspose2d", "BatchNorm2d"]
    refined, plain = [*up, "Bottleneck"], [*up, "ReLU"]
    assert of_latent == [*refined, *refined, *plain, *plain, "ConvTranspose2d", "Tanh"]


@pytest.mark.parametrize("leaky", [True, False])
def test_a_bottleneck_that_adds_nothing_rectifies_its_input(leaky: bool) -> None:
    block, x = Bottleneck(8, leaky=leaky), torch.randn(2, 8, 4, 4, generator=rng())
    nn.init.zeros_(block.added[-1].weight)
    torch.testing.assert_close(block(x), F.leaky_relu(x, 0.2) if leaky else F.relu(x))
    assert block.added[0].out_channels == 2


def test_weights_begin_as_in_the_authors_code() -> None:
    made = GANCLS(GanClsConfig(width=0.25), Shape(3, 32, embedding=16), rng())
    for network in made.networks.values():
        layers = list(network.modules())
        convolutions = [each.weight for each in layers if isinstance(each, nn.Conv2d | nn.ConvTranspose2d)]
        gains = torch.cat([each.weight for each in layers if isinstance(each, nn.BatchNorm2d)])
        assert all(weight.std().item() == pytest.approx(0.02, rel=0.15) for weight in convolutions)
        assert gains.mean().item() == pytest.approx(1, abs=0.01)
        assert gains.std().item() == pytest.approx(0.02, rel=0.2)
        (dense,) = (each for each in layers if isinstance(each, nn.Linear))
        assert dense.weight.abs().max().item() == pytest.approx(1 / 4, rel=0.01)
        assert dense.weight.std().item() == pytest.approx(1 / 4 / 3**0.5, rel=0.05)


def test_step_sizes_are_halved_after_every_so_many_iterations() -> None:
    made = family(halve_every=2)
    moved = []
    for iteration in range(1, 6):
        made.step(batch(iteration=iteration), rng(iteration))
        moved.append([each.rate.item() for each in made.optimizers.values() if isinstance(each, HalvingAdam)])
    assert moved == [[1, 1], [1, 1], [0.5, 0.5], [0.5, 0.5], [0.25, 0.25]]


def test_halved_steps_are_half_of_those_of_adam() -> None:
    plain, halved = (nn.Parameter(torch.tensor([1.0, -2.0])) for _ in range(2))
    adam, halving = torch.optim.Adam([plain], 0.1), HalvingAdam([halved], 0.1, (0.9, 0.999), every=1)
    for parameter in (plain, halved):
        parameter.grad = torch.tensor([0.5, -0.5])
    before = plain.detach().clone()
    adam.step()
    halving.at(torch.tensor(2))
    halving.step()
    torch.testing.assert_close(halved - before, (plain - before) / 2)


def test_the_sheets_lead_from_caption_to_caption_and_from_latent_to_latent() -> None:
    made, (images, (_, captions), *_) = family(), batch()
    assert captions is not None
    for weight in made.networks["generator"].parameters():  # images that differ
        weight.data.mul_(8)
    texts = [f"text {n}" for n in range(COUNT)]
    sheets = {sheet.name: sheet for sheet in made.demonstrate_captions(images, captions, texts, rng(3))}
    chosen, z = [0, 1, 3, 4, 6, 7], made.latent(7, rng(3))

    def drawn(latent: int, caption: int) -> Tensor:
        of = Given(torch.tensor([-1]), captions[[chosen[caption]]])
        return made.generate(z[[latent]], of)[0]

    def assert_shown(image: Tensor, latent: int, caption: int) -> None:
        torch.testing.assert_close(image, drawn(latent, caption), rtol=0, atol=1e-5)

    shown = sheets["captions"]
    assert torch.equal(shown.images[:, 0], images[chosen])
    assert_shown(shown.images[2, 1 + 5], latent=5, caption=2)
    assert shown.rows == [texts[n] for n in chosen]
    steps = sheets["between_captions"]
    assert_shown(steps.images[1, 0], latent=0, caption=1)
    assert_shown(steps.images[1, -1], latent=0, caption=2)
    assert steps.rows[1] == "text 1"
    assert "the last one to “text " in steps.caption
    steps = sheets["between_latents"]
    assert_shown(steps.images[3, 0], latent=0, caption=3)
    assert_shown(steps.images[3, -1], latent=1, caption=3)
    middle = made.generate((z[:1] + 6 * z[1:2]) / 7, Given(torch.tensor([-1]), captions[[chosen[3]]]))[0]
    assert min((drawn(0, 3) - other).abs().max() for other in (drawn(0, 2), drawn(1, 3), middle)) > 0.01
    torch.testing.assert_close(steps.images[3, 6], middle, rtol=0, atol=1e-5)
