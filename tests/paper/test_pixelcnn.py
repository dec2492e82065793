"""PixelCNN++ by its algebra: probabilities that add up, pixels that know none after them, and samples that
are drawn of what the likelihood says."""

from itertools import product
from math import exp, log

import pytest
import torch
from torch import Tensor, nn

from centigan.errors import UserError
from centigan.families.pixelcnn import PixelCNN
from centigan.logistic import Mixture, discretised_logistic, drawn_of, log_probability, mixture_of, numbers_of
from centigan.nets.pixel_by_pixel import FedNetwork
from centigan.nets.shifted import ABOVE, BEFORE, Gated, PixelNetwork, Shifted, doubling
from centigan.nets.weight_norm import WeightNormed
from centigan.settings.families.pixelcnn import PixelcnnConfig
from centigan.types import Batch, Given, Shape

DOUBLE = torch.float64


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def levels_of(count: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return (torch.arange(count, dtype=DOUBLE) * 2 / (count - 1) - 1).to(dtype)


def family(resolution: int = 8, channels: int = 3, primed: bool = True, **change: object) -> PixelCNN:
    small = {"maps": 4, "blocks": 1, "sides": 3, "components": 2}
    made = PixelCNN(PixelcnnConfig.model_validate(small | change), Shape(3, resolution, channels), rng())
    if primed:
        torch.manual_seed(0)
        made.prime(batch(made, 8), rng())
    return made


def batch(made: PixelCNN, count: int = 3, iteration: int = 1) -> Batch:
    size = (count, made.shape.channels, made.shape.resolution, made.shape.resolution)
    images = torch.randint(0, 256, size, generator=rng(1)) / 127.5 - 1
    return Batch(images, Given(torch.zeros(count, dtype=torch.int64)), torch.tensor(iteration))


def told(channels: int, components: int = 3, count: int = 1) -> Tensor:
    """What a network might say of single pixels, (N, outputs): logistics of widths about 0.4."""
    numbers = torch.randn(count, numbers_of(channels), components, generator=rng(3), dtype=DOUBLE)
    numbers[:, 1 + channels : 1 + 2 * channels] -= 1
    return numbers.flatten(1)


# Logistics cut into levels


@pytest.mark.parametrize("levels", [2, 17, 256])
@pytest.mark.parametrize("log_scale", [-7.0, -3.0, 0.0, 5.0])
@pytest.mark.parametrize("mean", [-3.0, -1.0, 0.0034, 0.45, 1.0])
def test_levels_have_probabilities_that_add_up_to_one(levels: int, mean: float, log_scale: float) -> None:
    """Equation 2 with its open ends: without them much would lie outside."""
    nats = discretised_logistic(levels_of(levels), torch.tensor(mean), torch.tensor(log_scale), levels)
    assert nats.exp().sum().item() == pytest.approx(1, abs=2e-5)


@pytest.mark.parametrize("levels", [17, 256])
def test_a_level_has_what_lies_between_the_ends_of_its_bin(levels: int) -> None:
    mean, scale, half = 0.45, 0.1, 1 / (levels - 1)
    ends = (levels_of(levels, DOUBLE)[:-1] + half - mean) / scale
    below = torch.cat([torch.zeros(1, dtype=DOUBLE), ends.sigmoid(), torch.ones(1, dtype=DOUBLE)])
    found = discretised_logistic(
        levels_of(levels, DOUBLE), torch.tensor(mean), torch.tensor(log(scale), dtype=DOUBLE), levels
    )
    torch.testing.assert_close(found.exp(), below.diff())


def test_a_level_far_from_the_mean_has_its_own_probability_and_gradient() -> None:
    """P is e^-1950 here. There code takes a density, or the log of a least number, whose gradient is 0."""
    mean = torch.tensor(-0.9, requires_grad=True)
    log_scale = torch.tensor(-7.0, requires_grad=True)
    x, half = torch.tensor(0.8823529), 1 / 255  # level 240
    nats = discretised_logistic(x, mean, log_scale, 256)
    nats.backward()
    scale = exp(-7)
    truth = -(0.8823529 - half + 0.9) / scale + log(1 - exp(-2 * half / scale))
    assert nats.item() == pytest.approx(truth, rel=1e-5)
    assert mean.grad is not None
    assert mean.grad.item() == pytest.approx(1 / scale, rel=1e-4)
    assert log_scale.grad is not None
    assert log_scale.grad.isfinite()


# Mixtures, and the channels of a pixel


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_all_pixels_together_have_probability_one(channels: int) -> None:
    pixels = torch.tensor(list(product(levels_of(5, DOUBLE).tolist(), repeat=channels)), dtype=DOUBLE)
    mixture = mixture_of(told(channels).expand(len(pixels), -1), channels)
    assert log_probability(mixture, pixels, 5).exp().sum().item() == pytest.approx(1, abs=1e-9)


def test_green_follows_red_and_blue_follows_both() -> None:
    """Equation 3, with one component: each channel's logistic by hand."""
    numbers = torch.tensor([0.7, 0.1, -0.2, 0.3, -1.0, -2.0, -1.5, 0.5, -0.4, 0.9], dtype=DOUBLE)
    r, g, b = levels_of(256, DOUBLE)[[40, 130, 200]].tolist()
    c = numbers[7:].tanh().tolist()
    means = [0.1, -0.2 + c[0] * r, 0.3 + c[1] * r + c[2] * g]
    truth = sum(
        discretised_logistic(torch.tensor(x, dtype=DOUBLE), torch.tensor(m), torch.tensor(s), 256)
        for x, m, s in zip((r, g, b), means, (-1.0, -2.0, -1.5), strict=True)
    )
    found = log_probability(mixture_of(numbers[None], 3), torch.tensor([[r, g, b]], dtype=DOUBLE), 256)
    assert found.item() == pytest.approx(float(truth), rel=1e-6)


def test_channels_share_one_component() -> None:
    """Two components far apart: red of the one and green of the other is next to impossible."""
    mixture = Mixture(
        torch.full((2, 2), log(0.5)),
        torch.tensor([[-0.5, 0.5], [-0.5, 0.5]]).expand(2, 2, 2),
        torch.full((2, 2, 2), -4.0),
        torch.zeros(2, 1, 2),
    )
    half, last = 64 / 127.5 - 1, 191 / 127.5 - 1
    same, other = log_probability(mixture, torch.tensor([[half, half], [half, last]]), 256).tolist()
    assert same > other + 40


def test_ten_numbers_tell_a_component_of_colours_and_three_one_of_greys() -> None:
    assert (numbers_of(3), numbers_of(1)) == (10, 3)
    mixture = mixture_of(torch.full((1, 30), -20.0), 3)
    assert mixture.log_scales.unique().tolist() == [-7]
    assert mixture.coefficients.unique().tolist() == [-1]
    assert mixture.log_shares.exp().sum().item() == pytest.approx(1)


# Sampling


def test_a_uniform_number_draws_each_level_as_often_as_it_is_likely() -> None:
    """By a fine grid of uniform numbers: the inverse of the distribution function that the likelihood has."""
    grid, levels = (torch.arange(100_000, dtype=DOUBLE) + 0.5) / 100_000, 17
    numbers = torch.tensor([[0.0, 0.2, -1.5]], dtype=DOUBLE)
    uniform = torch.stack([torch.full_like(grid, 0.3), grid], dim=1)
    drawn = drawn_of(mixture_of(numbers.expand(len(grid), -1), 1), uniform, levels)
    shares = (drawn == levels_of(levels, DOUBLE)).double().mean(0)
    likely = log_probability(
        mixture_of(numbers.expand(levels, -1), 1), levels_of(levels, DOUBLE)[:, None], 17
    )
    torch.testing.assert_close(shares, likely.exp(), atol=2e-5, rtol=0)


def test_pixels_are_drawn_as_often_as_they_are_likely() -> None:
    """Of three channels and three components: 64 pixels, by chi-square; 63 degrees, 1 in 10^6: 134."""
    levels, count = 4, 200_000
    numbers = told(3)
    uniform = torch.rand(count, 4, generator=rng(), dtype=DOUBLE)
    drawn = drawn_of(mixture_of(numbers.expand(count, -1), 3), uniform, levels)
    index = ((drawn + 1) * 1.5).round().long() @ torch.tensor([16, 4, 1])
    pixels = torch.tensor(list(product(levels_of(levels, DOUBLE).tolist(), repeat=3)), dtype=DOUBLE)
    expected = log_probability(mixture_of(numbers.expand(64, -1), 3), pixels, levels).exp() * count
    assert expected.min() > 1
    assert ((index.bincount(minlength=64) - expected).square() / expected).sum() < 134


def test_uniform_numbers_at_the_ends_draw_pixels_all_the_same() -> None:
    """Walks between latents may leave (0, 1), and `rand` may give 0."""
    for end in (0.0, 1.0, 1.5, -0.5):
        pixel = drawn_of(mixture_of(told(3), 3), torch.full((1, 4), end, dtype=DOUBLE), 256)
        assert pixel.abs().max() <= 1


@pytest.mark.parametrize(
    ("channels", "sides", "blocks"), [(1, 1, 1), (1, 2, 1), (3, 2, 2), (1, 3, 1), (3, 3, 1), (1, 4, 1)]
)
def test_a_network_that_is_fed_draws_what_the_whole_network_draws(
    channels: int, sides: int, blocks: int
) -> None:
    """The same image, in every bit: pixel by pixel, with all of the network run for each."""
    made = family(8, channels, sides=sides, blocks=blocks)
    network, latent = made.network.double(), made.latent(2, rng(5))
    fast = made.generate(latent, Given(torch.zeros(2)))
    network.eval()
    images = torch.zeros(2, channels, 8, 8, dtype=DOUBLE)
    uniform = latent.double().view(2, 1 + channels, 8, 8)
    for row, column in product(range(8), range(8)):
        with torch.no_grad():
            mixture = mixture_of(network(images)[:, :, row, column], channels)
        images[:, :, row, column] = drawn_of(mixture, uniform[:, :, row, column], 256)
    assert torch.equal(fast, images.float())
    assert len(images.unique()) > 30


def test_a_network_that_is_fed_tells_what_the_whole_network_tells() -> None:
    made = family(16, blocks=2, maps=6)
    x = torch.cat([batch(made).images.double(), torch.ones(3, 1, 16, 16, dtype=DOUBLE)], dim=1)
    canvas = nn.functional.pad(x, (1, 0, 1, 0))
    network = made.network.double().eval()
    fed, found = FedNetwork(network, 16), torch.zeros(3, 20, 16, 16, dtype=DOUBLE)
    for row in range(16):
        fed.begin_row(row, canvas[:, :, row, 1:])
        for column in range(16):
            found[:, :, row, column] = fed.tell(column, canvas[:, :, row + 1, column]).detach()
    torch.testing.assert_close(found, network(x[:, :3]).detach())


def test_samples_are_levels_and_the_latent_alone_decides_them() -> None:
    made = family()
    latent = made.latent(4, rng(2))
    assert latent.shape == (4, 4 * 64)
    assert 0 <= latent.min() < latent.max() < 1
    images = made.generate(latent, Given(torch.zeros(4)))
    at = (images + 1) * 127.5
    torch.testing.assert_close(at, at.round(), atol=1e-4, rtol=0)
    assert torch.equal(images, made.generate(latent, Given(torch.zeros(4))))
    assert not torch.equal(images[0], images[1])


def test_a_later_uniform_number_moves_no_earlier_pixel() -> None:
    made, latent = family(), torch.full((2, 4 * 64), 0.5)
    uniform = latent.view(2, 4, 8, 8)
    uniform[1, :, 3, 4:] = 0.9
    one, other = made.generate(latent, Given(torch.zeros(2))).flatten(2)
    assert torch.equal(one[:, :28], other[:, :28])
    assert not torch.equal(one[:, 28], other[:, 28])


def test_completed_images_have_their_upper_half_and_others_below() -> None:
    made, real = family(), batch(family(), 3).images
    samples, completion = made.demonstrate(real, ["a"], rng())
    assert samples.images.shape[2:] == (3, 8, 8)
    image, upper, *drawn = completion.images.unbind(1)
    assert torch.equal(image, real)
    assert (upper[:, :, 4:] == 0).all()
    for each in drawn:
        torch.testing.assert_close(each[:, :, :4], real[:, :, :4])
    assert not torch.equal(drawn[0][:, :, 4:], drawn[1][:, :, 4:])


# What a pixel knows


@pytest.mark.parametrize("sides", [1, 2, 3])
def test_a_pixel_knows_those_before_it_and_no_other(sides: int) -> None:
    """By gradients: row after row, from left to right; with three sides it knows all of 8 x 8."""
    made = family(sides=sides, blocks=2)
    made.network.eval().double()
    images = batch(made, 1).images.double().requires_grad_()
    outputs = made.network(images).sum(1).flatten()
    for place in range(64):
        (gradient,) = torch.autograd.grad(outputs[place], images, retain_graph=True)
        seen = gradient[0].abs().amax(0).flatten() > 0
        assert not seen[place:].any()
        row, column = divmod(place, 8)
        near = [place - 1] * (column > 0) + [place - 8] * (row > 0) + [place - 7] * (row > 0 and column < 7)
        assert seen[near].all()
        assert sides < 3 or seen[:place].all()


def test_a_place_of_the_first_stream_knows_rows_above_alone() -> None:
    made = family()
    made.network.eval().double()
    kept: list[Tensor] = []
    made.network.above.register_forward_hook(lambda _, inputs, trail: kept.append(trail.down[-1]))
    images = batch(made, 1).images.double().requires_grad_()
    made.network(images)
    (gradient,) = torch.autograd.grad(kept[0][0, :, 3].sum(), images)
    assert (gradient[0].abs().amax((0, 2)) > 0).tolist() == [True] * 3 + [False] * 5


def test_ones_tell_an_image_from_what_lies_outside() -> None:
    """Of a grey image, 0 everywhere, the first pixel is told otherwise than the others."""
    made = family(channels=1)
    made.network.eval()
    flat = made.network(torch.zeros(1, 1, 8, 8)).detach()[0, :, :, :]
    assert not torch.allclose(flat[:, 0, 0], flat[:, 4, 4], atol=1e-3)


# The network


def counted(network: nn.Module) -> int:
    return sum(each.numel() for each in network.parameters())


def test_parameters_are_those_of_the_papers_network() -> None:
    """160 maps, 5 blocks, sides 32, 16 and 8, ten components; a normed layer has a length and a bias a unit.

    On the way down 5 blocks a side, on the way back 5, 6 and 6. Concatenation doubles what comes in.
    """
    config, m = PixelcnnConfig(), 160
    with torch.device("meta"):
        network = PixelNetwork(3, 100, maps=m, blocks=config.blocks, sides=config.sides, dropout=0.5)

    def gated(places: int, beside: int) -> int:
        first, second = 2 * m * m * places + 2 * m, 2 * m * 2 * m * places + 4 * m
        return first + second + (2 * beside * m * m + 2 * m if beside else 0)

    def sizes(places: int) -> int:
        return 2 * 2 * (m * m * places + 2 * m)  # two halvings, two doublings

    assert counted(network.above) == 15 * gated(6, 0) + 17 * gated(6, 1) + sizes(6)
    assert counted(network.before) == 15 * gated(4, 1) + 17 * gated(4, 2) + sizes(4)
    ends = 4 * m * (6 + 3 + 2) + 3 * 2 * m + m * 100 + 200
    assert counted(network) == counted(network.above) + counted(network.before) + ends
    assert counted(network) == 53_659_080


def test_short_cuts_lead_from_each_layer_to_its_mirror() -> None:
    """u_list.pop() of the authors' code: the last on the way down is the first short cut on the way back."""
    made = family(blocks=2, sides=2)
    heard: dict[Gated, tuple[tuple[Tensor, ...], Tensor]] = {}
    for block in made.network.modules():
        if isinstance(block, Gated):
            block.register_forward_hook(lambda block, given, y: heard.update({block: (given, y)}))
    made.network(batch(made).images)
    above, before = made.network.above, made.network.before
    for level, first in ((before, above), (before.smaller.level, above.smaller.level)):
        downs = [heard[block] for block in level.down]
        ups = [heard[block] for block in level.up]
        shorts = [*(y for _, y in ups[::-1]), ups[0][0][0]]
        shorts = shorts if level.smaller else shorts[1:]
        assert len(downs) == len(shorts)
        assert all(given[2] is short for (given, _), short in zip(downs, shorts, strict=True))
        beside = [heard[block][1] for block in (*first.up, *first.down)]
        assert all(given[1] is own for (given, _), own in zip((*ups, *downs), beside, strict=True))


def test_images_that_cannot_be_halved_so_often_are_refused() -> None:
    with pytest.raises(UserError, match="8 pixels cannot be halved 4 times"):
        family(8, sides=5)


def test_a_block_is_gated_and_adds_to_what_it_is_given() -> None:
    block = Gated(3, BEFORE, 1, 0.5).eval()
    x, beside = torch.randn(2, 2, 3, 6, 6, generator=rng()).unbind()

    def elu(y: Tensor) -> Tensor:
        return nn.functional.elu(torch.cat([y, -y], dim=1))

    assert block.beside is not None
    y = block.first(elu(x)) + block.beside(elu(beside))
    a, b = block.second(elu(y)).split(3, dim=1)
    torch.testing.assert_close(block(x, beside), x + a * b.sigmoid())
    assert block.second.conv.std == 0.1
    assert block.train()(x, beside).sub(block(x, beside)).abs().max() > 0  # dropout


@pytest.mark.parametrize("size", [ABOVE, BEFORE])
def test_half_a_side_begins_where_the_side_does_and_spreads_downwards(size: tuple[int, int]) -> None:
    """A place (i, j) of the half knows none after (2 i, 2 j), and is heard by none before it."""
    x = torch.randn(1, 2, 8, 8, generator=rng(), requires_grad=True)
    half = Shifted(2, 2, size, stride=2)(x)
    assert half.shape[2:] == (4, 4)
    (gradient,) = torch.autograd.grad(half[:, :, 2, 1].sum(), x)
    rows, columns = gradient[0].abs().sum(0).nonzero().unbind(1)
    assert (rows.min(), rows.max(), columns.min()) == (3, 4, 1)
    assert columns.max() == (3 if size == ABOVE else 2)
    half = half.detach().requires_grad_()
    whole = doubling(2, size)(half)
    assert whole.shape[2:] == (8, 8)
    (gradient,) = torch.autograd.grad(whole[:, :, 4, 2].sum(), half, retain_graph=True)
    assert gradient[0].abs().sum(0).nonzero().tolist() == [[2, 1]]
    (gradient,) = torch.autograd.grad(whole[:, :, 5, 3].sum(), half)
    assert gradient[0].abs().sum(0).nonzero().tolist() == [[2, 1], [2, 2]][: 2 if size == ABOVE else 1]


def test_a_minibatch_sets_lengths_and_biases_before_the_first_step() -> None:
    """Section 3 of weight normalisation: mean 0 and deviation 1 of each unit, 0.1 of a block's last."""
    made = family(primed=False, dropout=0.0)
    made.prime(batch(made, 8), rng())
    found: list[tuple[float, Tensor]] = []
    for layer in made.network.modules():
        if isinstance(layer, WeightNormed):
            layer.register_forward_hook(lambda layer, _, y: found.append((layer.std, y.detach())))
    made.network(batch(made, 8).images)
    assert len(found) == 3 + 1 + 2 * (2 * 8 + 4) + 13
    for std, y in found:
        torch.testing.assert_close(y.mean((0, 2, 3)), torch.zeros(y.shape[1]), atol=1e-4, rtol=0)
        deviation = y.std((0, 2, 3), correction=0)
        torch.testing.assert_close(deviation, torch.full_like(deviation, std), rtol=1e-2, atol=0)


# The family


@pytest.mark.parametrize("channels", [1, 3])
def test_the_likelihood_is_exact_and_draws_nothing(channels: int) -> None:
    """log P of bytes, term by term of the chain: each pixel with all after it blotted out."""
    made = family(4, channels)
    images, source = batch(made).images, rng(9)
    before = source.get_state()
    found = made.log_likelihood(images, source)
    assert torch.equal(source.get_state(), before)
    made.network.eval()
    total = torch.zeros(3)
    for place in range(16):
        row, column = divmod(place, 4)
        known = images.flatten(2).clone()
        known[:, :, place:] = 0.123
        with torch.no_grad():
            mixture = mixture_of(made.network(known.view_as(images))[:, :, row, column], channels)
        total += log_probability(mixture, images[:, :, row, column], 256)
    torch.testing.assert_close(found, total)
    assert made.bound == "exact"


def test_all_images_of_two_pixels_have_probability_one() -> None:
    """Of 2 x 1 pixels and 17 levels: 289 images."""
    made = family(4, 1, sides=1)
    made.levels = 17
    network = made.network.eval()
    pairs = torch.cartesian_prod(levels_of(17), levels_of(17)).view(-1, 1, 1, 2)
    with torch.no_grad():
        nats = log_probability(mixture_of(network(pairs), 1), pairs, 17).sum((1, 2))
    assert nats.exp().sum().item() == pytest.approx(1, abs=1e-5)


def test_a_step_tells_bits_a_dimension_and_is_as_long_as_the_iteration_says() -> None:
    """Adam's first step moves by its step size along each gradient's sign: .001 times .999995^n."""
    for n in (1, 100_000):
        made = family(dropout=0.0)
        before = [each.detach().clone() for each in made.network.parameters()]
        nats = made.log_likelihood(batch(made).images, rng())
        losses = made.step(batch(made, iteration=n), rng())
        assert losses["bits"].item() == pytest.approx(-nats.mean().item() / (3 * 64 * log(2)), rel=1e-5)
        moved = max(
            (new - old).abs().max().item() for new, old in zip(made.network.parameters(), before, strict=True)
        )
        assert moved == pytest.approx(1e-3 * 0.999995**n, rel=1e-2)
