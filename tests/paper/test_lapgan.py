"""LAPGAN by the algebra of its pyramid, its layers, and the errors that other code makes."""

import pytest
import torch
from torch import Tensor, nn

from centigan.errors import UserError
from centigan.families.lapgan import ENLARGED, LAPGAN
from centigan.nets.levels import Discriminators, Generators, initialise
from centigan.nets.pyramid import Level, down, levels_of, sides_of, up
from centigan.settings.families.lapgan import LapganConfig
from centigan.types import Batch, Discriminates, Given, Shape
from centigan.updates import ScheduledSGD


def family(resolution: int = 32, **change: object) -> LAPGAN:
    config = LapganConfig.model_validate({"width": 0.05} | change)
    return LAPGAN(config, Shape(3, resolution), torch.Generator().manual_seed(0))


def images(count: int, side: int = 32) -> Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(1)) * 2 - 1


def step(lapgan: LAPGAN, real: Tensor, labels: list[int] | None = None) -> dict[str, Tensor]:
    torch.manual_seed(0)
    given = Given(torch.tensor(labels or [-1] * len(real)))
    return lapgan.step(Batch(real, given, torch.tensor(1)), torch.Generator().manual_seed(0))


def none(count: int) -> Given:
    return Given(torch.full((count,), -1))


def zero(network: nn.Module) -> None:
    for parameter in network.parameters():
        nn.init.zeros_(parameter)


def generator_of(lapgan: LAPGAN, side: int) -> nn.Module:
    generators = lapgan.networks["generator"]
    assert isinstance(generators, Generators)
    return generators.of[str(side)]


def discriminator_of(lapgan: LAPGAN, side: int) -> nn.Module:
    discriminators = lapgan.networks["discriminator"]
    assert isinstance(discriminators, Discriminators)
    return discriminators.of[str(side)]


def set_residual(lapgan: LAPGAN, side: int, value: float) -> None:
    """Let G of a level draw this number in every pixel."""
    *_, last = generator_of(lapgan, side).layers
    zero(last)
    nn.init.constant_(last.bias, value)


@pytest.mark.parametrize("side", [32, 64, 128])
def test_an_image_is_what_its_pyramid_adds_up_to(side: int) -> None:
    coarsest, *finer = levels_of(images(4, side))
    again = coarsest.residual
    for level in finer:
        again = up(again) + level.residual
    assert len(finer) == len(sides_of(side)) - 1
    assert (again - images(4, side)).abs().max() <= 1e-6


def test_a_constant_image_has_no_residual() -> None:
    coarsest, *finer = levels_of(torch.full((1, 3, 32, 32), 0.3))
    torch.testing.assert_close(coarsest.residual, torch.full((1, 3, 8, 8), 0.3))
    assert all(level.residual.abs().max() < 1e-7 for level in finer)


@pytest.mark.parametrize("place", [(4, 6), (5, 6), (4, 7), (5, 7)])
def test_down_is_the_mean_of_four_pixels_wherever_one_lies(place: tuple[int, int]) -> None:
    delta = torch.zeros(1, 1, 16, 16)
    delta[0, 0, *place] = 1
    small = down(delta)
    assert small[0, 0, 2, 3] == 0.25
    assert small.sum() == 0.25


@pytest.mark.parametrize("place", [(4, 4), (3, 4), (4, 3), (3, 3)])
def test_up_spreads_a_pixel_by_quarters_whether_it_lies_at_an_even_place_or_an_odd(
    place: tuple[int, int],
) -> None:
    """Of the four new rows the inner ones are a quarter of a pixel away, the outer ones three quarters."""
    delta = torch.zeros(1, 1, 8, 8)
    delta[0, 0, *place] = 1
    row, column = (2 * each - 1 for each in place)
    wanted = torch.zeros(16, 16)
    weights = torch.tensor([0.25, 0.75, 0.75, 0.25])
    wanted[row : row + 4, column : column + 4] = torch.outer(weights, weights)
    torch.testing.assert_close(up(delta)[0, 0], wanted)


def test_generators_that_draw_nothing_leave_the_coarsest_image_enlarged() -> None:
    lapgan = family()
    for side in (16, 32):
        zero(generator_of(lapgan, side))
    latent = lapgan.latent(3, torch.Generator().manual_seed(0))
    coarsest = generator_of(lapgan, 8)(latent[:, :100], latent, latent[:, :0])
    torch.testing.assert_close(lapgan.generate(latent, none(3)), up(up(coarsest)).clamp(-1, 1))


def test_a_level_of_the_chain_follows_those_before_it_and_its_own_noise() -> None:
    lapgan = family()
    latent = lapgan.latent(2, torch.Generator().manual_seed(0))
    assert latent.shape == (2, 100 + 16**2 + 32**2)
    assert latent.min() < -0.9 < 0.9 < latent.max()
    other = latent.clone()
    other[:, 100 + 16**2 :] *= -1
    for level, moved in zip(lapgan.chain(latent, none(2))[:2], lapgan.chain(other, none(2))[:2], strict=True):
        assert torch.equal(level.image, moved.image)
    assert not torch.equal(lapgan.generate(latent, none(2)), lapgan.generate(other, none(2)))


def test_only_the_last_image_of_a_chain_is_clamped() -> None:
    """1.5 - .25 - .5 = .75; with every level clamped it were 1 - .25 - .5."""
    lapgan = family()
    for side, value in ((8, 1.5), (16, -0.25), (32, -0.5)):
        set_residual(lapgan, side, value)
    latent = lapgan.latent(1, torch.Generator().manual_seed(0))
    torch.testing.assert_close(lapgan.generate(latent, none(1)), torch.full((1, 3, 32, 32), 0.75))
    set_residual(lapgan, 32, 0.5)
    assert torch.equal(lapgan.generate(latent, none(1)), torch.ones(1, 3, 32, 32))


def test_residuals_reach_beyond_what_tanh_draws() -> None:
    lapgan = family()
    set_residual(lapgan, 32, 1.75)
    (*_, residual) = lapgan.networks["generator"](
        lapgan.latent(1, torch.Generator()), [level.low for level in levels_of(images(1))], torch.zeros(1, 0)
    )
    assert (residual == 1.75).all()


def test_a_fake_has_the_low_pass_of_another_image_and_a_real_residual_its_own() -> None:
    """With the low-pass of the same image the pair would be a regression."""
    lapgan, real = family(), images(4)
    seen: list[tuple[list[Level], Tensor]] = []
    lapgan.networks["discriminator"].register_forward_hook(lambda _, x, y: seen.append(x))
    step(lapgan, real)
    for number, (low, residual) in enumerate(levels_of(real)):
        of_both = seen[0][0][number]
        assert torch.equal(of_both.low[:4], low)
        assert torch.equal(of_both.residual[:4], residual)
        others = of_both.low[4:]
        assert torch.equal(others.sort(0).values, low.sort(0).values)
        if number:
            assert all(not torch.equal(other, own) for other, own in zip(others, low, strict=True))
        assert torch.equal(seen[1][0][number].low, others)  # G is judged beside what it was told


def test_the_class_of_a_fake_is_that_of_the_image_whose_low_pass_it_has() -> None:
    lapgan, real = family(conditional=True), images(3)
    seen: list[tuple[Tensor, list[Tensor], Tensor]] = []
    lapgan.networks["generator"].register_forward_hook(lambda _, x, y: seen.append(x))
    step(lapgan, real, [0, 1, 2])
    (_, (_, *lows), y), levels = seen[0], levels_of(real)[1:]
    for row, label in enumerate(y.argmax(1)):
        assert all(torch.equal(low[row], level.low[label]) for low, level in zip(lows, levels, strict=True))


def test_a_discriminator_sees_the_low_pass_once() -> None:
    """G that draws nothing: the image is l_k, neither 0 nor 2 l_k."""
    lapgan, real, seen = family(), images(4), []
    zero(generator_of(lapgan, 32))
    discriminator_of(lapgan, 32).layers[0].register_forward_hook(lambda _, x, y: seen.append(x[0]))
    step(lapgan, real)
    low = levels_of(real)[-1].low
    torch.testing.assert_close(seen[0][:4], real)
    torch.testing.assert_close(seen[0][4:], low.roll(1, 0))
    torch.testing.assert_close(seen[1], low.roll(1, 0))


@pytest.mark.parametrize("side", [16, 32])
def test_what_is_moved_from_the_low_pass_to_the_residual_changes_no_answer(side: int) -> None:
    judge, y = discriminator_of(family(), side).eval(), torch.zeros(2, 0)
    low, residual = images(2, side), images(2, side).flip(0)
    torch.testing.assert_close(judge(Level(low, residual), y), judge(Level(low - 0.4, residual + 0.4), y))


def test_answers_of_one_half_cost_log_2_at_every_level() -> None:
    """The mean over real and fake images, not the sum of both, 1.386."""
    lapgan = family()
    zero(lapgan.networks["discriminator"])
    for optimizer in lapgan.optimizers.values():
        for group in optimizer.param_groups:
            group["lr"] = 0.0
    losses = step(lapgan, images(4))
    for side in (8, 16, 32):
        assert losses[f"level_{side}_loss_discriminator"].item() == pytest.approx(0.693147)
        assert losses[f"level_{side}_loss_generator"].item() == pytest.approx(0.693147)
    assert losses["loss_discriminator"].item() == pytest.approx(0.693147)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_no_level_learns_from_another(optimizer: str) -> None:
    plain, other = (family(optimizer=optimizer) for _ in range(2))
    zero(generator_of(other, 8))
    zero(discriminator_of(other, 32))
    for lapgan in (plain, other):
        step(lapgan, images(4))
    for side, of_level, alike in (
        (16, generator_of, True),
        (16, discriminator_of, True),
        (32, generator_of, False),
    ):
        a, b = (list(of_level(lapgan, side).parameters()) for lapgan in (plain, other))
        assert all(map(torch.equal, a, b)) == alike


def test_a_batch_of_one_image_is_refused() -> None:
    with pytest.raises(UserError, match="batch_size to 2"):
        step(family(), images(1))


def test_every_network_is_told_the_class_where_it_is_asked_for() -> None:
    lapgan, x = family(conditional=True), images(1)
    y = [lapgan.one_hot(torch.tensor([label])) for label in (0, 1)]
    latent = lapgan.latent(1, torch.Generator().manual_seed(0))
    levels = levels_of(x)
    drawn = [lapgan.networks["generator"](latent, [level.low for level in levels], each) for each in y]
    judged = [lapgan.networks["discriminator"].eval()(levels, each) for each in y]
    for pairs in (zip(*drawn, strict=True), zip(*judged, strict=True)):
        assert not any(torch.equal(one, other) for one, other in pairs)
    assert not isinstance(lapgan, Discriminates)


def test_the_finest_discriminator_judges_whole_images() -> None:
    lapgan, x = family(), images(3)
    assert isinstance(lapgan, Discriminates)
    judged = discriminator_of(lapgan, 32).eval()(levels_of(x)[-1], torch.zeros(3, 0))
    torch.testing.assert_close(lapgan.realness(x), judged)


@pytest.mark.parametrize(
    ("side", "generator", "discriminator"),
    [
        (8, 121_200 + 1_441_200 + 230_592, 115_800 + 360_600 + 601),
        (16, 12_608 + 200_768 + 4_803, 4_864 + 102_464 + 64 * 4**2 + 1),
        (32, 12_608 + 200_768 + 4_803, 4_864 + 102_464 + 64 * 12**2 + 1),
    ],
)
def test_the_networks_have_the_layers_of_the_paper(side: int, generator: int, discriminator: int) -> None:
    """Units 100-1200-1200-192 and 192-600-600-1; kernels 7, 7, 5 on 4, 64, 64 maps, and 5, 5 on 3, 64."""
    shape = Shape(0, 32)
    of = Generators(shape, 100, 1.0).of[str(side)], Discriminators(shape, 1.0).of[str(side)]
    assert [sum(p.numel() for p in network.parameters()) for network in of] == [generator, discriminator]


def test_a_class_is_a_plane_more_at_each_level_but_the_dense_one() -> None:
    plain, told = (Generators(Shape(k, 32), 100, 1.0).of for k in (0, 10))
    more = {
        side: sum(p.numel() for p in told[side].parameters())
        - sum(p.numel() for p in plain[side].parameters())
        for side in told
    }
    planes = {str(side): 10 * side**2 + side**2 + 64 * 49 for side in (16, 32)}
    assert more == {"8": 10 * 1200} | planes


def test_weights_begin_as_those_of_the_authors_code() -> None:
    generators, discriminators = Generators(Shape(0, 32), 100, 1.0), Discriminators(Shape(0, 32), 1.0)
    for network in (generators, discriminators):
        initialise(network, torch.Generator().manual_seed(0))
    assert generators.of["8"].layers[2].weight.std().item() == pytest.approx(0.05, rel=0.01)
    assert discriminators.of["8"].layers[3].weight.std().item() == pytest.approx(0.005, rel=0.01)
    middle = generators.of["16"].layers[2]
    assert middle.weight.abs().max().item() == pytest.approx((64 * 49) ** -0.5, rel=0.01)
    assert middle.weight.std().item() == pytest.approx((3 * 64 * 49) ** -0.5, rel=0.01)
    assert middle.bias.abs().max() > 0


def test_step_sizes_and_momentum_are_those_of_the_paper_by_epochs_of_704_iterations() -> None:
    move = family().optimizers["generator"]
    assert isinstance(move, ScheduledSGD)
    for epoch, momentum in ((0, 0.5), (100, 0.58), (375, 0.8), (500, 0.8)):
        move.at(torch.tensor(1 + 704 * epoch))
        assert move.momentum.item() == pytest.approx(momentum)
        assert (move.lr * move.rate).item() == pytest.approx(0.02 * (1 + 4e-5) ** -epoch, rel=1e-5)


def test_under_adam_the_dense_networks_alone_have_the_rate_of_the_coarsest_level() -> None:
    lapgan = family(optimizer="adam", coarsest_lr=0.5, generator_lr=0.25, discriminator_lr=0.125)
    for name, of_level, rate in (
        ("generator", generator_of, 0.25),
        ("discriminator", discriminator_of, 0.125),
    ):
        rates = {p: g["lr"] for g in lapgan.optimizers[name].param_groups for p in g["params"]}
        found = {side: {rates[p] for p in of_level(lapgan, side).parameters()} for side in (8, 16, 32)}
        assert found == {8: {0.5}, 16: {rate}, 32: {rate}}


def test_the_sheets_end_in_the_sample_and_begin_with_the_real_image() -> None:
    lapgan, x = family(), images(8)
    up_there, apart = lapgan.demonstrate(x, ["a", "b"], torch.Generator().manual_seed(3))
    latent = lapgan.latent(8, torch.Generator().manual_seed(3))
    torch.testing.assert_close(up_there.images[:, -1], lapgan.generate(latent, none(8)))
    first = up_there.images[:, 0]
    assert torch.equal(first[..., ::4, ::4].repeat_interleave(4, 2).repeat_interleave(4, 3), first)
    assert up_there.columns == ["8 px", "u, 16 px", "+ h, 16 px", "u, 32 px", "+ h, 32 px"]
    torch.testing.assert_close(apart.images[:, 0], x)
    torch.testing.assert_close(apart.images[:, 1], (ENLARGED * levels_of(x)[-1].residual).clamp(-1, 1))
    assert apart.columns == ["I, 32 px", "h, 32 px", "I, 16 px", "h, 16 px", "I, 8 px"]
