"""Progressive growing by its algebra: what layers compute, when they come, and that they come unnoticed."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.optim import SGD

from centigan.families.progressive import ProgressiveGAN
from centigan.nets.gradient_penalty import gradient_norms
from centigan.nets.progressive import (
    Activation,
    GrowingCritic,
    GrowingGenerator,
    convolution,
    down,
    equalised,
    initialise,
    pixel_norm,
    plan,
    shrunk,
    up,
    with_deviation,
)
from centigan.settings.families.progressive import ProgressiveConfig
from centigan.training.averaging import Averages
from centigan.training.engine import autocast
from centigan.types import Batch, Given, Shape

CPU, COUNT, MAPS = torch.device("cpu"), 4, [6, 5, 4, 3]  # maps at 4, 8, 16 and 32 px


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def family(**change: object) -> ProgressiveGAN:
    """Of 32 px: two iterations of 4 images are steady, and two more a fade-in."""
    small = {"width": 0.02, "latent": 8, "steady_images": 2 * COUNT, "fade_images": 2 * COUNT}
    return ProgressiveGAN(ProgressiveConfig.model_validate(small | change), Shape(3, 32), rng())


def images(count: int = COUNT, side: int = 32) -> Tensor:
    return torch.rand(count, 3, side, side, generator=rng(1)) * 2 - 1


def step(gan: ProgressiveGAN, iteration: int = 1, real: Tensor | None = None) -> dict[str, Tensor]:
    """A step as the trainer makes it."""
    real = images() if real is None else real
    gan.grow(iteration, len(real))
    return gan.step(Batch(real, Given(torch.full((len(real),), -1)), torch.tensor(iteration)), rng(iteration))


def grown(growth: float) -> tuple[GrowingGenerator, GrowingCritic]:
    """Both networks with random biases, too, grown so far."""
    networks = GrowingGenerator(8, MAPS, 3), GrowingCritic(MAPS, 3)
    for network in networks:
        initialise(network, rng())
        for name, parameter in network.named_parameters():
            if name.endswith("bias"):
                nn.init.normal_(parameter, generator=rng(2))
        network.growth.fill_(growth)
    return networks


class Stub(nn.Module):
    """A critic f(x) of images of any side; `w` is what an optimiser may hold."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function, self.w = function, nn.Parameter(torch.zeros(()))
        self.register_buffer("growth", torch.zeros(()))

    def forward(self, x: Tensor, levels: range | None = None) -> Tensor:
        return self.function(x) + 0 * self.w * x.sum((1, 2, 3))


def judged_by(gan: ProgressiveGAN, function: Callable[[Tensor], Tensor]) -> None:
    critic = Stub(function)
    gan.networks["critic"], gan.optimizers["critic"] = critic, SGD(critic.parameters(), 0.0)


def first_pixel(*weights: float) -> Callable[[Tensor], Tensor]:
    """f(x) = w . x of the first pixels of each image."""
    return lambda x: (x.flatten(1)[:, : len(weights)] * torch.tensor(weights)).sum(1)


def snapshot(network: nn.Module) -> dict[str, Tensor]:
    return {name: parameter.detach().clone() for name, parameter in network.named_parameters()}


def moved(network: nn.Module, before: dict[str, Tensor]) -> set[str]:
    return {name for name, p in network.named_parameters() if not torch.equal(p, before[name])}


# The layers


def test_the_minibatch_sees_the_mean_of_the_deviations_of_its_features() -> None:
    """Two images, two maps, one pixel: (1, 3) and (5, 5) over the images deviate by 1 and by 0, mean .5."""
    x = torch.tensor([[1.0, 5.0], [3.0, 5.0]])[:, :, None, None]
    beside = with_deviation(x)
    assert torch.equal(beside[:, :2], x)
    assert beside.shape == (2, 3, 1, 1)
    assert beside[:, 2].flatten().tolist() == pytest.approx([0.5, 0.5], abs=1e-4)


def test_the_deviation_is_taken_at_each_pixel_and_divides_by_the_number_of_images() -> None:
    """Pixels (0, 10), (0, 10), (3, 10) of three images: sqrt(2) and 0; all six numbers deviate by more."""
    x = torch.tensor([[0.0, 10.0], [0.0, 10.0], [3.0, 10.0]]).view(3, 1, 1, 2)
    assert with_deviation(x)[:, 1].flatten().tolist() == pytest.approx([2**0.5 / 2] * 6, abs=1e-4)


def test_images_that_are_alike_have_a_deviation_of_0_and_a_finite_derivative() -> None:
    x = torch.ones(3, 2, 4, 4, requires_grad=True)
    beside = with_deviation(x)
    beside[:, 2].sum().backward()
    assert beside[:, 2].max().item() <= 1.01e-4  # the root of 1e-8
    assert x.grad is not None
    assert x.grad.isfinite().all()


def test_the_vector_at_each_pixel_has_a_mean_square_of_1() -> None:
    """(3, 4) has the mean square 12.5, and becomes (3, 4) / sqrt(12.5)."""
    x = torch.tensor([3.0, 4.0]).view(1, 2, 1, 1)
    assert pixel_norm(x).flatten().tolist() == pytest.approx([3 / 12.5**0.5, 4 / 12.5**0.5])
    several = torch.randn(2, 5, 3, 3, generator=rng()) * 7
    torch.testing.assert_close(pixel_norm(several).square().mean(1), torch.ones(2, 3, 3))
    assert pixel_norm(several.bfloat16()).dtype == torch.bfloat16


def test_a_weight_is_of_deviation_1_and_multiplied_by_hes_where_it_is_used() -> None:
    """3 x 3 from 50 maps: sqrt(2 / 450); gain 1: sqrt(1 / 450)."""
    for gain, wanted in ((2**0.5, (2 / 450) ** 0.5), (1.0, (1 / 450) ** 0.5)):
        layer = convolution(50, 60, 3, gain)
        initialise(layer, rng())
        stored = dict(layer.named_parameters())["parametrizations.weight.original"]
        assert stored.std().item() == pytest.approx(1, rel=0.02)
        torch.testing.assert_close(layer.weight, stored * wanted)
        assert not layer.bias.any()


def test_adam_moves_an_equalised_weight_by_its_rate_times_its_deviation() -> None:
    """Its first step is as long as its rate, of the parameter; the weight is that many times shorter."""
    for fan_in in (4, 400):
        layer = equalised(nn.Linear(fan_in, 1), fan_in)
        before = layer.weight.detach().clone()
        layer(torch.ones(1, fan_in)).sum().backward()
        torch.optim.Adam(layer.parameters(), 0.01).step()
        apart = (before - layer.weight.detach()).flatten()
        torch.testing.assert_close(
            apart, torch.full((fan_in,), 0.01 * (2 / fan_in) ** 0.5), rtol=1e-3, atol=0
        )


def test_every_layer_has_hes_factor_of_its_fan_in_and_the_last_ones_a_gain_of_1() -> None:
    generator, critic = grown(3)
    factor = lambda layer: layer.parametrizations.weight[0].factor  # noqa: E731
    assert factor(generator.blocks[0][0]) == pytest.approx((2 / (16 * 8)) ** 0.5)
    assert factor(generator.blocks[1][0]) == pytest.approx((2 / (9 * 6)) ** 0.5)
    assert factor(generator.blocks[1][2]) == pytest.approx((2 / (9 * 5)) ** 0.5)
    assert factor(generator.to_image[2]) == pytest.approx((1 / 4) ** 0.5)
    assert factor(critic.from_image[2]) == pytest.approx((2 / 3) ** 0.5)
    assert factor(critic.blocks[0][2]) == pytest.approx((2 / (9 * 5)) ** 0.5)
    assert factor(critic.head[0]) == pytest.approx((2 / (9 * 7)) ** 0.5)
    assert factor(critic.head[3]) == pytest.approx((2 / (16 * 6)) ** 0.5)
    assert factor(critic.head[5]) == pytest.approx((1 / 6) ** 0.5)


def test_at_first_activations_keep_their_size_from_layer_to_layer() -> None:
    """He's factor: a normed vector gives sums of variance 2, of which the slope of .2 leaves 1.04."""
    layer = convolution(200, 200, 1)
    initialise(layer, rng())
    x = pixel_norm(torch.randn(8, 200, 4, 4, generator=rng(1)))
    squares = nn.functional.leaky_relu(layer(x), 0.2).square().mean().item()
    assert squares == pytest.approx(1.04, rel=0.1)


def test_each_of_gs_layers_is_rectified_and_then_normed() -> None:
    """(-10, 4) becomes (-2, 4) by the slope of .2, and that over sqrt(10)."""
    x = torch.tensor([-10.0, 4.0]).view(1, 2, 1, 1)
    assert Activation()(x).flatten().tolist() == pytest.approx([-2 / 10**0.5, 4 / 10**0.5])
    generator, _ = grown(3)
    for block in generator.blocks:
        block.register_forward_hook(
            lambda _, __, x: torch.testing.assert_close(x.square().mean(1), torch.ones_like(x[:, 0]))
        )
        assert [isinstance(layer, Activation) for layer in block] == [False, True] * 2
    generator(torch.randn(2, 8, generator=rng()))


def test_only_the_direction_of_a_latent_counts() -> None:
    generator, _ = grown(3)
    z = torch.randn(2, 8, generator=rng())
    torch.testing.assert_close(generator(z), generator(3 * z), rtol=1e-3, atol=1e-4)
    assert not torch.allclose(generator(z), generator(-z))


def test_the_layers_that_draw_images_and_that_judge_them_are_linear() -> None:
    """Images may leave [-1, 1] in training; samples are held there."""
    generator, critic = grown(3)
    z, x = torch.randn(2, 8, generator=rng()), images(2)
    drawn, told = generator(z).detach(), critic(x).detach()
    for last in (*generator.to_image, critic.head[5]):
        for parameter in last.parameters():
            parameter.data.mul_(100)
    torch.testing.assert_close(generator(z), 100 * drawn, rtol=1e-4, atol=1e-3)
    torch.testing.assert_close(critic(x), 100 * told, rtol=1e-4, atol=1e-3)
    gan = family()
    for last in gan.networks["generator"].to_image:
        last.bias.data.fill_(7.0)
    assert gan.sample(Given(torch.tensor([-1])), rng()).unique().tolist() == [1.0]


def test_layers_and_maps_are_those_of_table_2() -> None:
    assert plan(128, 16_384, 1.0) == [512, 512, 512, 512, 256, 128]
    assert plan(32, 8_192, 1.0) == [512, 512, 512, 256]  # the authors' for CIFAR-10
    assert plan(8, 16_384, 0.5) == [256, 256]
    maps = [512, 512, 512, 512, 256]
    generator, critic = GrowingGenerator(512, maps, 3), GrowingCritic(maps, 3)
    blocks = 9 * (7 * 512 * 512 + 512 * 256 + 256 * 256) + 7 * 512 + 2 * 256  # 4 px one, three of two, 64 px
    first, drawing = 16 * 512 * 512 + 512, 3 * sum(maps) + 3 * 5
    assert sum(p.numel() for p in generator.parameters()) == first + blocks + drawing
    of_blocks = 9 * (6 * 512 * 512 + 256 * 256 + 256 * 512) + 7 * 512 + 256
    head = 9 * 513 * 512 + 512 + 16 * 512 * 512 + 512 + 512 + 1
    assert sum(p.numel() for p in critic.parameters()) == of_blocks + head + 4 * sum(maps)


# Growing


@pytest.mark.parametrize(
    ("shown", "growth"),
    [
        (0, 0),
        (299, 0),
        (300, 0),
        (350, 0.5),
        (399, 0.99),
        (400, 1),  # a fade-in is over
        (699, 1),
        (725, 1.25),
        (1100, 2),
        (1150, 2.5),
        (1200, 3),
        (10**9, 3),  # 32 px
    ],
)
def test_phases_of_300_steady_images_and_fade_ins_of_100_take_turns(shown: int, growth: float) -> None:
    gan = family(steady_images=300, fade_images=100)
    assert gan.growth_after(torch.tensor(shown)).item() == pytest.approx(growth)


def test_a_step_runs_one_level_and_in_a_fade_in_two() -> None:
    """2 iterations each; the first of a fade-in has the weight 0 still, as in the authors' code."""
    gan, levels, growth = family(), [], []
    for iteration in range(1, 15):
        growth.append(step(gan, iteration)["growth"].item())
        levels.append((gan.levels[0], gan.levels[-1]))
    steady, fading = [(n, n) for n in range(4)], [(n, n + 1) for n in range(3)]
    assert levels[:12] == [e for n in range(3) for e in (*[steady[n]] * 3, fading[n])]
    assert levels[12:] == [(3, 3)] * 2
    assert growth == [0, 0, 0, 0.5, 1, 1, 1, 1.5, 2, 2, 2, 2.5, 3, 3]


@pytest.mark.parametrize("level", [0, 1, 2])
def test_just_grown_g_draws_the_images_of_before_enlarged(level: int) -> None:
    generator, _ = grown(level)
    z = torch.randn(3, 8, generator=rng())
    before = generator(z, range(level, level + 1))
    assert torch.equal(generator(z, range(level, level + 2)), up(before))


@pytest.mark.parametrize("level", [0, 1, 2])
def test_just_grown_d_judges_as_before(level: int) -> None:
    _, critic = grown(level)
    small = images(3, 4 << level)
    before = critic(small, range(level, level + 1))
    assert torch.equal(critic(up(small), range(level, level + 2)), before)


@pytest.mark.parametrize("level", [0, 1, 2])
def test_when_a_level_is_there_wholly_the_one_below_is_passed_by(level: int) -> None:
    generator, critic = grown(level + 1)
    z, x = torch.randn(3, 8, generator=rng()), images(3, 8 << level)
    fading, alone = range(level, level + 2), range(level + 1, level + 2)
    assert torch.equal(generator(z, fading), generator(z, alone))
    assert torch.equal(critic(x, fading), critic(x, alone))


def test_in_a_fade_in_g_mixes_two_images_by_alpha() -> None:
    generator, _ = grown(1.25)
    z = torch.randn(3, 8, generator=rng())
    coarser, finer = generator(z, range(1, 2)), generator(z, range(2, 3))
    torch.testing.assert_close(generator(z, range(1, 3)), 0.75 * up(coarser) + 0.25 * finer)


def test_in_a_fade_in_d_mixes_the_features_of_two_sides_by_alpha() -> None:
    """With a head that sums what reaches it; features of level 2 come down by its block."""
    _, critic = grown(1.25)
    x, leaky = images(3, 16), nn.functional.leaky_relu
    of = {level: leaky(critic.from_image[level](each), 0.2) for level, each in ((2, x), (1, down(x)))}
    features = 0.25 * down(critic.blocks[1](of[2])) + 0.75 * of[1]
    wanted = critic.head(with_deviation(down(critic.blocks[0](features))))[:, 0]
    torch.testing.assert_close(critic(x, range(1, 3)), wanted)


@pytest.mark.parametrize("growth", [0, 0.5, 1, 1.75, 3])
def test_levels_that_do_not_count_change_no_value(growth: float) -> None:
    """G's images of all levels are those of the present ones, enlarged; D sees no more in them."""
    generator, critic = grown(growth)
    present = range(int(growth), int(growth) + (2 if growth % 1 else 1))
    z, x = torch.randn(3, 8, generator=rng()), images(3, 4 << present[-1])
    small, whole, enlarged = generator(z, present), generator(z), x
    while small.shape[-1] < 32:
        small, enlarged = up(small), up(enlarged)
    torch.testing.assert_close(whole, small)
    torch.testing.assert_close(critic(enlarged), critic(x, present))


def test_real_images_fade_as_those_of_g() -> None:
    """The mean of 2 x 2 pixels, enlarged, with the weight .75, and the pixels with .25."""
    x = images(2, 8)
    faded = shrunk(x, range(2), torch.tensor(0.25))
    torch.testing.assert_close(faded, 0.75 * up(down(x)) + 0.25 * x)
    assert torch.equal(shrunk(x, range(2), torch.tensor(0.0)), up(down(x)))
    assert torch.equal(shrunk(x, range(1, 2), torch.tensor(1.0)), x)
    quarter = shrunk(images(2, 16), range(1), torch.tensor(0.0))
    torch.testing.assert_close(quarter, images(2, 16).view(2, 3, 4, 4, 4, 4).mean((3, 5)))


def test_d_is_given_real_images_of_the_present_growth() -> None:
    gan, seen = family(), []
    gan.networks["critic"].register_forward_hook(lambda _, given, told: seen.append(given[0].detach()))
    step(gan, 4)  # growth .5
    x = down(down(images()))
    torch.testing.assert_close(seen[0], 0.5 * up(down(x)) + 0.5 * x)
    assert [each.shape[-1] for each in seen] == [8, 8, 8]  # real, D's samples, G's


@pytest.mark.parametrize("growth", [0.0, 1.0, 1.5])
def test_samples_have_the_full_side_however_far_g_is_grown(growth: float) -> None:
    gan = family()
    gan.networks["generator"].growth.fill_(growth)
    drawn = gan.sample(Given(torch.full((3,), -1)), rng())
    blocks = 8 >> round(growth + 0.25)  # sides of equal pixels: 8 of an image of 4 x 4
    assert drawn.shape == (3, 3, 32, 32)
    small = nn.functional.avg_pool2d(drawn, blocks)
    torch.testing.assert_close(drawn, nn.functional.interpolate(small, scale_factor=float(blocks)))
    assert not torch.allclose(small, up(down(small)))


def test_layers_that_have_not_grown_and_those_passed_by_do_not_move() -> None:
    gan = family()
    step(gan, 7)  # steady at 8 px
    of = {"generator": ("to_image", 4), "critic": ("from_image", 3)}
    for name, network in gan.networks.items():
        before = snapshot(network)
        step(gan, 6)
        images_of, _ = of[name]
        still = {n for n in before if n.startswith((f"{images_of}.0", f"{images_of}.2", f"{images_of}.3"))}
        later = (1, 2) if name == "critic" else (2, 3)  # blocks above 8 px
        still |= {n for n in before if n.startswith(tuple(f"blocks.{n}." for n in later))}
        changed = moved(network, before)
        assert not changed & still
        assert {n for n in before if n.endswith("original")} - still <= changed
        held = {id(p) for p in gan.optimizers[name].state}
        assert not held & {id(p) for n, p in network.named_parameters() if n in still}


def test_adam_begins_anew_where_a_fade_in_begins_and_ends() -> None:
    gan, counts = family(), []
    for iteration in range(1, 8):
        step(gan, iteration)
        counts.append({int(s["step"]) for o in gan.optimizers.values() for s in o.state.values()})
    # weight 0 at 3, .5 at 4, whole at 5
    assert counts == [{1}, {2}, {3}, {1}, {1}, {2}, {3}]


def test_a_resumed_training_does_not_begin_anew_between_borders() -> None:
    gan = family()
    assert [gan.grow(n, COUNT) for n in range(1, 9)] == [n in (4, 5, 8) for n in range(1, 9)]
    resumed = family()
    assert not resumed.grow(7, COUNT)
    assert resumed.levels == range(1, 2)


def test_an_average_of_g_is_as_far_grown_as_g() -> None:
    gan = family()
    averages = Averages(gan, 0.999)
    for iteration in range(1, 8):
        step(gan, iteration)
        averages.update()
        with averages.in_place():
            assert gan.networks["generator"].growth.item() == gan.growth_after(
                torch.tensor(COUNT * (iteration - 1))
            )


def test_a_generator_that_is_read_from_its_file_is_as_far_grown() -> None:
    gan, other = family(), family()
    step(gan, 7)
    other.networks["generator"].load_state_dict(gan.networks["generator"].state_dict())
    wanted = Given(torch.tensor([-1, -1]))
    assert torch.equal(other.sample(wanted, rng()), gan.sample(wanted, rng()))


# The objective


def test_the_penalty_of_a_linear_critic_is_lambda_times_its_slope_less_1_squared() -> None:
    """w = (3, 4): 10 (5 - 1)^2 = 160 at the full side, in whatever place between images."""
    gan = family()
    judged_by(gan, first_pixel(3, 4))
    losses = step(gan, 20)
    assert losses["norm"].item() == pytest.approx(5)
    assert losses["penalty"].item() == pytest.approx(16)
    rest = losses["wasserstein"] - 1e-3 * losses["drift"]
    assert (losses["loss_critic"] + rest).item() == pytest.approx(160, rel=1e-4)


def test_gamma_is_the_slope_that_costs_nothing_and_divides() -> None:
    """lambda / gamma^2 (5 - gamma)^2: 0 at 5, (4 / 5 - 1)^2 of lambda where the slope is 4."""
    for weights, gamma, wanted in (((3, 4), 5, 0.0), ((4,), 5, 0.04), ((8,), 4, 1.0)):
        gan = family(slope=gamma)
        judged_by(gan, first_pixel(*weights))
        assert step(gan, 20)["penalty"].item() == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize(("iteration", "norm"), [(1, 5 / 8), (4, 5 / 4), (5, 5 / 4), (10, 5 / 2), (13, 5)])
def test_a_slope_is_that_of_images_enlarged_to_the_full_side(iteration: int, norm: float) -> None:
    """Of 4 x 4 pixels each stands 8 x 8 times in them: the gradient's 64th, 64 times: a norm's eighth."""
    gan = family()
    judged_by(gan, first_pixel(3, 4))
    assert step(gan, iteration)["norm"].item() == pytest.approx(norm)


@pytest.mark.parametrize("level", [0, 1, 2])
def test_just_grown_a_critic_has_the_slope_of_before(level: int) -> None:
    _, critic = grown(level)
    small, fading = images(3, 4 << level), range(level, level + 2)
    before = gradient_norms(lambda x: critic(x, range(level, level + 1)), small) / (8 >> level)
    after = gradient_norms(lambda x: critic(x, fading), up(small)) / (8 >> (level + 1))
    torch.testing.assert_close(after, before)


def test_the_drift_is_the_mean_square_on_real_images() -> None:
    """f = 1 and 3 by turns, with the mean square 5 and the mean 2; 0 where G draws zeros. The slope is 1."""
    gan, real = family(generator_lr=1e-30), torch.zeros(COUNT, 3, 32, 32)
    real[:, 0, 0, 0] = torch.tensor([1.0, 3.0, 1.0, 3.0])
    for parameter in gan.networks["generator"].to_image.parameters():
        nn.init.zeros_(parameter)
    judged_by(gan, first_pixel(1))
    losses = step(gan, 20, real)
    assert losses["drift"].item() == pytest.approx(5)
    assert losses["wasserstein"].item() == pytest.approx(2)
    assert losses["loss_critic"].item() == pytest.approx(-2 + 0.005, rel=1e-5)
    assert losses["loss_generator"].item() == 0


def test_the_drift_pulls_the_critics_values_towards_0() -> None:
    """f = w, L = e w^2 apart from what is constant: the gradient is 2 e w, here 2 x .5 x 3."""
    gan = family(drift=0.5)
    critic = Stub(lambda x: 0 * x.sum((1, 2, 3)))
    critic.forward = lambda x, levels=None: critic.w + 0 * x.sum((1, 2, 3))  # type: ignore[method-assign]
    critic.w.data.fill_(3.0)
    gan.networks["critic"], gan.optimizers["critic"] = critic, SGD([critic.w], 0.1)
    losses = step(gan, 20)
    assert critic.w.item() == pytest.approx(3 - 0.1 * 2 * 0.5 * 3)
    assert losses["loss_generator"].item() == pytest.approx(-2.7)  # of the critic as it is by then


def test_g_moves_to_where_the_critic_is_higher() -> None:
    """f = red less green: Adam's first step is as long as its rate, so the bias of red moves up by it."""
    gan = family(generator_lr=1e-3)
    judged_by(gan, lambda x: x[:, 0].mean((1, 2)) - x[:, 1].mean((1, 2)))
    bias = gan.networks["generator"].to_image[3].bias
    before = bias.detach().clone()
    step(gan, 20)
    assert (bias.detach() - before)[:2].tolist() == pytest.approx([1e-3, -1e-3], rel=1e-2)


def test_an_update_moves_one_network_alone_and_each_has_one() -> None:
    for still in ("generator", "critic"):
        gan = family()
        gan.optimizers[still].param_groups[0]["lr"] = 0.0
        before = {name: snapshot(network) for name, network in gan.networks.items()}
        step(gan, 20)
        for name, network in gan.networks.items():
            assert bool(moved(network, before[name])) == (name != still)
        assert {int(s["step"]) for o in gan.optimizers.values() for s in o.state.values()} == {1}


def test_g_is_judged_by_d_as_it_is_after_its_update_on_other_samples() -> None:
    gan, told = family(), []
    critic = gan.networks["critic"]
    critic.register_forward_hook(
        lambda _, given, found: told.append((given[0].detach(), found.detach(), snapshot(critic)))
    )
    step(gan, 20)
    (_, of_real, before), (fakes, _, _), (others, found, after) = told
    assert len(of_real) == COUNT
    assert moved(critic, before)
    assert not moved(critic, after)
    torch.testing.assert_close(critic(others, range(3, 4)), found)
    assert not torch.allclose(fakes, others)


def test_realness_is_what_the_critic_says_and_gives_no_gradient() -> None:
    gan = family()
    step(gan, 20)
    told = gan.realness(images())
    assert not told.requires_grad
    torch.testing.assert_close(told, gan.networks["critic"](images(), range(3, 4)))


def test_the_second_derivative_of_the_critic_is_that_of_finite_differences() -> None:
    """In a fade-in, with the deviation over the minibatch."""
    critic = grown(0.5)[1].double()
    x = images(3, 8).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: critic(x, range(2)), x, fast_mode=True)
    assert torch.autograd.gradgradcheck(lambda x: critic(x, range(2)).square(), x, fast_mode=True)


def test_the_penalty_reaches_every_layer_that_is_run() -> None:
    _, critic = grown(2.5)
    norms = gradient_norms(lambda x: critic(x, range(2, 4)), images(3))
    (norms - 1).square().mean().backward()
    for name, parameter in critic.named_parameters():
        if name.endswith("original"):
            run = not name.startswith(("from_image.0", "from_image.1"))
            assert run == (parameter.grad is not None and bool(parameter.grad.any())), name


def test_in_bfloat16_the_penalty_is_that_of_float32() -> None:
    """G draws zeros, as the real images are: x^ = 0 in both."""
    found = []
    for precision in (torch.float32, torch.bfloat16):
        gan = family()
        for parameter in gan.networks["generator"].to_image.parameters():
            nn.init.zeros_(parameter)
        with autocast(CPU, precision):
            losses = step(gan, 4, torch.zeros(COUNT, 3, 32, 32))
        found.append((losses["norm"], losses["penalty"]))
    assert torch.equal(*(torch.stack(each) for each in found))


def test_the_settings_are_those_of_appendix_a_1() -> None:
    """n_critic = 1 is the step itself."""
    config, gan = ProgressiveConfig(), family()
    assert (config.steady_images, config.fade_images, config.latent) == (800_000, 800_000, 512)
    assert (config.penalty, config.slope, config.drift) == (10, 1, 1e-3)
    assert (config.paper["batch_size"], config.paper["ema"]) == (16, 0.999)
    for optimizer in gan.optimizers.values():
        (group,) = optimizer.param_groups
        assert (group["lr"], group["betas"], group["eps"]) == (1e-3, (0, 0.99), 1e-8)
        assert group["weight_decay"] == 0
