"""The improved techniques by their algebra, their networks layer by layer, and errors that other code has."""

from copy import deepcopy
from math import exp
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from centigan.families.improved import ImprovedGAN
from centigan.losses import (
    class_log_likelihood,
    feature_distance,
    log_fake,
    log_real,
    log_smoothly_real,
    logits_of_source,
)
from centigan.nets.historical_averaging import HistoricalMean, trained
from centigan.nets.minibatch_discrimination import MinibatchDiscrimination
from centigan.nets.virtual_batch_norm import VirtualBatchNorm
from centigan.nets.weight_norm import WeightNormed, initialise_by_data
from centigan.settings.families.improved import ImprovedConfig
from centigan.types import Batch, Given, Shape

COUNT = 4  # images a minibatch
COLOUR = Shape(3, 32)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def family(shape: Shape = COLOUR, **change: Any) -> ImprovedGAN:
    values = {"width": 0.05, "net": "dense"} | change
    return ImprovedGAN(ImprovedConfig.model_validate(values), shape, rng())


def batch(gan: ImprovedGAN, shape: Shape = COLOUR) -> Batch:
    def images(count: int, seed: int) -> Tensor:
        size = (count, shape.channels, shape.resolution, shape.resolution)
        return torch.rand(size, generator=rng(seed)) * 2 - 1

    count, labels = COUNT * gan.config.batches, torch.arange(COUNT) % shape.classes
    unknown = Given(torch.full((count,), -1))
    known = Batch(images(COUNT, 1), Given(labels), torch.tensor(1))
    return Batch(images(count, 2), unknown, torch.tensor(1), known)


def step(gan: ImprovedGAN, given: Batch | None = None) -> dict[str, Tensor]:
    torch.manual_seed(0)
    return gan.step(given or batch(gan), rng(1))


def calls(network: nn.Module) -> list[tuple[Tensor, Any]]:
    """What a network is given and gives, call by call."""
    seen: list[tuple[Tensor, Any]] = []
    network.register_forward_hook(lambda _, x, y: seen.append((x[0].detach(), y)))
    return seen


# K + 1 classes


def test_logits_of_0_over_10_classes_are_real_with_probability_10_in_11() -> None:
    source = logits_of_source(torch.zeros(1, 10))
    assert source.item() == pytest.approx(2.302585)
    assert source.sigmoid().item() == pytest.approx(0.909091)


def test_a_source_logit_is_that_of_a_softmax_over_k_plus_1_classes() -> None:
    """The class generated has the logit 0; a constant added to all K + 1 changes nothing."""
    logits = torch.randn(5, 4, generator=rng())
    all_classes = torch.cat([logits, torch.zeros(5, 1)], 1)
    for constant in (0.0, 3.0):
        shares = (all_classes + constant).softmax(1)
        torch.testing.assert_close(logits_of_source(logits).sigmoid(), 1 - shares[:, -1])
        torch.testing.assert_close(logits.softmax(1), shares[:, :-1] / (1 - shares[:, -1:]))


def test_the_source_terms_are_those_of_the_authors_code() -> None:
    """1/2 mean(-Z + softplus(Z)) of unlabelled, 1/2 mean softplus(Z) of generated images, Z = logsumexp."""
    unlabelled, fake = (torch.randn(5, 4, generator=rng(n)) for n in (0, 1))
    a, b = unlabelled.logsumexp(1), fake.logsumexp(1)
    theirs = (-a + F.softplus(a)).mean() / 2 + F.softplus(b).mean() / 2
    ours = -(log_real(logits_of_source(unlabelled)) + log_fake(logits_of_source(fake))) / 2
    torch.testing.assert_close(ours, theirs)


def test_great_logits_give_no_infinity() -> None:
    source = logits_of_source(torch.tensor([[800.0, -800.0], [-800.0, -900.0]]))
    assert torch.stack([log_real(source), log_fake(source)]).isfinite().all()


@pytest.mark.parametrize("weight", [1.0, 0.25])
def test_d_ascends_the_labels_and_half_of_the_source_terms(weight: float) -> None:
    gan = family(unlabelled_weight=weight)
    given = batch(gan)
    assert given.labelled is not None
    seen = calls(gan.networks["discriminator"])
    losses = step(gan, given)
    known, unlabelled, fake = seen[0][1][1].detach().chunk(3)
    source = log_real(logits_of_source(unlabelled)) + log_fake(logits_of_source(fake))
    named = class_log_likelihood(known, given.labelled.given.labels)
    torch.testing.assert_close(losses["loss_discriminator"], -(named + weight / 2 * source))


def test_images_go_where_they_belong() -> None:
    """D sees labelled images, half of the unlabelled, and samples; G matches features of the other half."""
    gan = family()
    given = batch(gan)
    assert given.labelled is not None
    drawn, judged = calls(gan.networks["generator"]), calls(gan.networks["discriminator"])
    step(gan, given)
    (_, fake), mine, others = drawn[0], *given.images.chunk(2)
    assert len(drawn) == 1
    assert torch.equal(judged[0][0], torch.cat([given.labelled.images, mine, fake]))
    assert torch.equal(judged[1][0], fake)
    assert torch.equal(judged[2][0], others)


def test_labels_beside_unlabelled_images_are_not_looked_at() -> None:
    gan, other = family(), family()
    given = batch(gan)
    told = given._replace(given=Given(torch.zeros(len(given.images), dtype=torch.int64)))
    assert step(gan, given) == step(other, told)


def test_g_alone_moves_by_feature_matching() -> None:
    """D's optimiser has moved once, and the gradient of f reaches none of its parameters."""
    gan = family()
    step(gan)
    assert {int(s["step"]) for s in gan.optimizers["discriminator"].state.values()} == {1}
    assert {int(s["step"]) for s in gan.optimizers["generator"].state.values()} == {1}


# Feature matching


def test_feature_matching_is_a_mean_of_squares_or_of_absolute_values_of_mean_features() -> None:
    real, fake = torch.tensor([[0.0, 1.0], [2.0, 3.0]]), torch.tensor([[4.0, 0.0], [4.0, 2.0]])
    assert feature_distance(real, fake, "squared").item() == (3**2 + 1**2) / 2
    assert feature_distance(real, fake, "absolute").item() == (3 + 1) / 2


@pytest.mark.parametrize("net", ["dense", "convolution"])
def test_what_g_matches_are_features_before_the_noise_behind_them(net: str) -> None:
    """Else noise of std .5 would be matched, too."""
    gan = family(net=net, dense={"input_noise": 0, "hidden_noise": 0})
    discriminator = gan.networks["discriminator"]
    quiet = discriminator.eval()(batch(gan).images)[0]
    if net == "dense":
        discriminator.train()
        discriminator.noise.std = 0.5  # of the layer behind f alone
    features, logits = discriminator(batch(gan).images)
    assert torch.equal(features, quiet)
    assert (features >= 0).all() == (net == "dense")
    if net == "dense":
        assert not torch.equal(logits, discriminator.eval()(batch(gan).images)[1])


@pytest.mark.parametrize(("distance", "net"), [("squared", "dense"), ("absolute", "convolution")])
def test_g_descends_the_distance_of_its_form(distance: str, net: str) -> None:
    gan = family(net=net)
    seen = calls(gan.networks["discriminator"])
    losses = step(gan)
    (_, (fake, _)), (_, (real, _)) = seen[1:]
    assert not real.requires_grad  # a constant to G
    torch.testing.assert_close(losses["loss_generator"], feature_distance(real, fake, distance).detach())


@pytest.mark.parametrize(("saturating", "wanted"), [(True, log_fake), (False, log_real)])
def test_without_feature_matching_g_moves_by_what_d_tells_of_the_source(
    saturating: bool, wanted: Any
) -> None:
    gan = family(feature_matching=False, saturating=saturating)
    seen = calls(gan.networks["discriminator"])
    losses = step(gan)
    assert len(seen) == 2
    value = wanted(logits_of_source(seen[1][1][1].detach()))
    torch.testing.assert_close(losses["loss_generator"], value if saturating else -value)


# Minibatch discrimination


def layer(values: list[list[float]], batches: int = 1, *, bias: float = 0.0) -> Tensor:
    """What stands beside features (N, F) of one kernel, whose T is the first feature."""
    x = torch.tensor(values)
    minibatch = MinibatchDiscrimination(x.shape[1], 1, 1)
    nn.init.zeros_(minibatch.direction)
    minibatch.direction.data[0] = 7.0  # any length: it is normalised
    minibatch.bias.data.fill_(bias)
    y: Tensor = minibatch(x, batches)
    assert torch.equal(y[:, :-1], x)
    return y[:, -1].detach()


def test_points_0_and_1_are_near_by_1_over_e() -> None:
    assert layer([[0.0], [1.0]]).tolist() == pytest.approx([exp(-1), exp(-1)])


def test_equal_examples_count_the_others_and_not_themselves() -> None:
    assert layer([[2.0, 5.0]] * 6).tolist() == [5.0] * 6
    assert layer([[2.0]]).tolist() == [0.0]
    assert layer([[2.0]], bias=-1.5).tolist() == [-1.5]


def test_minibatches_are_compared_apart() -> None:
    together = layer([[0.0], [1.0], [1.0], [1.0]], batches=2)
    assert together.tolist() == pytest.approx([exp(-1), exp(-1), 1.0, 1.0])
    assert layer([[0.0], [0.0], [0.0]], batches=3).tolist() == [0.0] * 3


def test_a_distance_is_the_sum_over_the_dimensions_of_one_kernel_alone() -> None:
    minibatch = MinibatchDiscrimination(4, 2, 2)
    minibatch.direction.data = torch.eye(4).view(4, 2, 2)
    minibatch.log_length.data = torch.tensor([[2.0, 1.0], [1.0, 3.0]]).log()
    x = torch.tensor([[0.0, 0.0, 0.0, 0.0], [1.0, -2.0, 0.25, 0.5]])
    apart = minibatch.distances(x)[0, :, 0, 1]
    assert apart.tolist() == pytest.approx([2 * 1 + 1 * 2, 0.25 + 3 * 0.5])


def test_the_gradient_of_minibatch_discrimination_is_that_of_finite_differences() -> None:
    minibatch = MinibatchDiscrimination(3, 2, 2).double()
    minibatch.initialise(0.5, rng())
    x = torch.randn(6, 3, generator=rng(), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: minibatch(x, 2).float().double(), x, atol=1e-3, eps=1e-3)


def test_data_sets_half_the_mean_distance_to_the_nearest_to_1_and_the_mean_to_0() -> None:
    minibatch, x = MinibatchDiscrimination(6, 3, 5), 10 * torch.randn(2 * 20, 6, generator=rng())
    minibatch.initialise(0.05, rng())
    minibatch.begin(x, 2)
    nearest = minibatch.distances(x, 2).amin(-1)
    assert (nearest.mean((0, 2)) / 2).tolist() == pytest.approx([1.0] * 3)
    assert minibatch(x, 2)[:, 6:].mean(0).tolist() == pytest.approx([0.0] * 3, abs=1e-6)


def test_labelled_unlabelled_and_generated_images_are_no_neighbours_of_each_other() -> None:
    gan = family(minibatch_kernels=4)
    minibatch = gan.networks["discriminator"].minibatch
    minibatch.log_length.data.fill_(-4)  # so that all are near
    before, seen = deepcopy(minibatch), calls(minibatch)
    step(gan)
    x, y = seen[0]
    torch.testing.assert_close(y, torch.cat([before(part) for part in x.chunk(3)]))
    assert not torch.allclose(y, before(x))


def test_an_image_is_classified_and_judged_alone() -> None:
    gan = family(minibatch_kernels=4)
    images = batch(gan).images
    twins = torch.cat([images[:1]] * 3)
    for ability in (gan.class_logits, gan.realness, gan.represent):
        one = ability(images[:1])
        torch.testing.assert_close(ability(images)[:1], one)
        torch.testing.assert_close(ability(twins), torch.cat([one] * 3))


# Historical averaging


def bilinear(weight: float) -> float:
    """|(x, y)| of min_x max_y x y from (1, 1), after 2,000 steps of .05 by both at once."""
    players = nn.ParameterList([nn.Parameter(torch.ones(())), nn.Parameter(torch.ones(()))])
    (x, y), history = players, HistoricalMean(players)
    of_x = of_y = torch.zeros(())
    for _ in range(2000):
        if weight:
            history.see(players)
            of_x, of_y = torch.autograd.grad(weight * history.distance(players), (x, y))
        with torch.no_grad():
            x.data, y.data = x - 0.05 * (of_x + y), y - 0.05 * (of_y - x)
    return float(torch.stack([x, y]).norm().detach())


def test_a_bilinear_game_spirals_outwards_and_converges_with_historical_averaging() -> None:
    assert bilinear(0.0) == pytest.approx(2**0.5 * (1 + 0.05**2) ** 1000, rel=1e-3)  # 17.2
    assert bilinear(0.5) < 0.3


def test_the_mean_is_of_every_parameter_that_was_seen_the_present_one_too() -> None:
    network = nn.Linear(1, 1, bias=False)
    history = HistoricalMean(network)
    for value in (1.0, 3.0, 8.0):
        network.weight.data.fill_(value)
        history.see(network)
    assert [mean.item() for mean in history.means()] == pytest.approx([4.0])
    distance = history.distance(network)
    (gradient,) = torch.autograd.grad(distance, network.weight)
    assert (distance.item(), gradient.item()) == pytest.approx((16.0, 8.0))  # 2 (8 - 4): the mean is constant


def test_historical_averaging_is_a_part_of_the_one_step_of_each_optimiser() -> None:
    gan = family(historical_averaging=0.1)
    for _ in range(3):
        losses = step(gan)
    for name in ("generator", "discriminator"):
        network = gan.networks[name]
        assert isinstance(network.history, HistoricalMean)
        assert network.history.count.item() == 3
        assert {int(s["step"]) for s in gan.optimizers[name].state.values()} == {3}
    assert losses["loss_generator"].isfinite()


def test_a_great_weight_of_history_holds_parameters_back() -> None:
    ends = []
    for weight in (0.0, 1e6):
        gan = family(historical_averaging=weight)
        first = [p.clone() for p in trained(gan.networks["generator"])]
        for _ in range(8):
            step(gan)
        moved = [p - q for p, q in zip(trained(gan.networks["generator"]), first, strict=True)]
        ends.append(sum(m.square().sum().item() for m in moved))
    assert ends[1] < ends[0] / 2


# One-sided label smoothing


def test_the_best_d_under_smoothing_is_less_sure_of_real_images_alone() -> None:
    """(1 - s) p / (p + q): at p = q .45 with s = .1, and never more than .9 where nothing is generated."""
    for p, q in ((1.0, 1.0), (3.0, 1.0), (1.0, 0.0)):
        logit = torch.zeros(1, requires_grad=True)
        (p * log_smoothly_real(logit, 0.1) + q * log_fake(logit)).backward()
        best = 0.9 * p / (p + q)
        at_best = torch.logit(torch.tensor([best])).requires_grad_()
        (p * log_smoothly_real(at_best, 0.1) + q * log_fake(at_best)).backward()
        assert at_best.grad is not None
        assert at_best.grad.item() == pytest.approx(0, abs=1e-6)
    assert 0.9 * 1 / 2 == 0.45


def test_no_smoothing_has_the_bits_of_the_plain_loss() -> None:
    logits = torch.randn(7, generator=rng())
    assert torch.equal(log_smoothly_real(logits, 0.0), log_real(logits))


def test_smoothing_changes_the_unlabelled_term_alone() -> None:
    gan = family(smoothing=0.1)
    seen = calls(gan.networks["discriminator"])
    given = batch(gan)
    losses = step(gan, given)
    assert given.labelled is not None
    known, unlabelled, fake = seen[0][1][1].detach().chunk(3)
    real, made = logits_of_source(unlabelled), logits_of_source(fake)
    source = 0.9 * log_real(real) + 0.1 * log_fake(real) + log_fake(made)
    named = class_log_likelihood(known, given.labelled.given.labels)
    torch.testing.assert_close(losses["loss_discriminator"], -(named + source / 2))


# Virtual batch norm


def test_a_member_of_a_reference_of_one_is_normalised_by_both() -> None:
    """Reference 1, example 3: mean 2, mean of squares 5, variance 1; the example becomes 1."""
    norm = VirtualBatchNorm(1, 1)
    y = norm(torch.tensor([[1.0], [3.0]]))
    assert y[:, 0].tolist() == pytest.approx([0.0, 1.0], abs=1e-5)


def test_reference_and_example_have_the_weights_n_and_1() -> None:
    """References 0 and 3, example 6 with n = 2: mean 3, mean of squares (9 + 36) / 3 = 15, variance 6."""
    y = VirtualBatchNorm(1, 2)(torch.tensor([[0.0], [3.0], [6.0]]))
    assert y[2].item() == pytest.approx(3 / 6**0.5, rel=1e-5)
    assert y[:2, 0].tolist() == pytest.approx([-1.0, 1.0], rel=1e-5)  # of itself: mean 1.5, variance 2.25


def test_statistics_of_maps_are_over_their_pixels_too_and_one_a_map() -> None:
    x = torch.randn(5, 3, 4, 4, generator=rng()) * torch.tensor([1.0, 5.0, 9.0]).view(1, 3, 1, 1) + 2
    y, n = VirtualBatchNorm(3, 2)(x), 2
    mean = (n * x[:n].mean((0, 2, 3)) + x[4].mean((1, 2))) / (n + 1)
    square = (n * x[:n].square().mean((0, 2, 3)) + x[4].square().mean((1, 2))) / (n + 1)
    wanted = (x[4] - mean.view(3, 1, 1)) / (square - mean.square() + 1e-5).sqrt().view(3, 1, 1)
    torch.testing.assert_close(y[4], wanted)


def test_an_example_depends_on_the_reference_and_on_itself_and_on_no_neighbour() -> None:
    norm, x = VirtualBatchNorm(3, 2), torch.randn(6, 3, 4, 4, generator=rng())
    torch.testing.assert_close(norm(torch.cat([x[:2], x[5:]]))[2:], norm(x)[5:])
    other = x.clone()
    other[0] += 1
    assert not torch.allclose(norm(other)[5], norm(x)[5])


def test_two_passes_give_the_same() -> None:
    """Code that takes turns between learning the reference and normalising gives another."""
    gan = family(virtual_batch_norm=3)
    z = gan.latent(2, rng())
    generator = gan.networks["generator"]
    assert torch.equal(generator(z), generator(z))
    assert torch.equal(generator.eval()(z), generator.train()(z))


@pytest.mark.parametrize("net", ["dense", "convolution"])
def test_the_reference_passes_through_g_with_its_gradient(net: str) -> None:
    gan = family(virtual_batch_norm=3, net=net)
    generator = gan.networks["generator"]
    assert generator.reference.shape == (3, 100)
    assert "reference" in generator.state_dict()
    generator.reference.requires_grad_()
    generator(gan.latent(2, rng())).square().sum().backward()
    gradient = generator.reference.grad
    assert gradient is not None
    assert (gradient.abs().sum(1) > 0).all()


def test_virtual_batch_norm_is_in_g_alone() -> None:
    networks = family(virtual_batch_norm=3, net="convolution").networks
    kinds = {name: {type(m).__name__ for m in network.modules()} for name, network in networks.items()}
    assert "VirtualBatchNorm" in kinds["generator"]
    assert not any("Norm" in kind and kind != "WeightNormed" for kind in kinds["discriminator"] - NORMING)
    assert not any(kind.startswith("BatchNorm") for kind in kinds["generator"])


NORMING = {"_WeightNorm"}


# Weight norm and what begins with data


def test_weights_have_their_length_whatever_the_direction() -> None:
    for normed, dim in (
        (WeightNormed(nn.Linear(7, 3), trained=True), 0),
        (WeightNormed(nn.Conv2d(2, 3, 3), trained=True), 0),
        (WeightNormed(nn.ConvTranspose2d(2, 3, 3), trained=True), 1),
    ):
        nn.init.constant_(normed.length, 2.0)
        weight = normed.layer.weight
        assert weight.transpose(0, dim).flatten(1).norm(dim=1).tolist() == pytest.approx([2.0] * 3)
        normed.direction.data *= 9
        torch.testing.assert_close(normed.layer.weight, weight)


@pytest.mark.parametrize("net", ["dense", "convolution"])
def test_data_gives_every_unit_of_d_mean_0_and_its_deviation(net: str) -> None:
    quiet = {"input_noise": 0}
    gan = family(net=net, dense=quiet | {"hidden_noise": 0}, convolution=quiet | {"input_dropout": 0})
    discriminator, images = gan.networks["discriminator"].eval(), batch(gan).images
    layers = [m for m in discriminator.modules() if isinstance(m, WeightNormed)]
    initialise_by_data(discriminator, images)
    seen: list[Tensor] = []
    for normed in layers:
        normed.register_forward_hook(lambda *call: seen.append(call[2].clone()))  # a ReLU writes over it
    discriminator(images)
    for normed, y in zip(layers, seen, strict=True):
        over = [n for n in range(y.ndim) if n != 1]
        std = 0.1 if net == "convolution" and normed is discriminator.head else 1.0
        torch.testing.assert_close(y.mean(over), torch.zeros(y.shape[1]), atol=1e-4, rtol=0)
        torch.testing.assert_close(
            y.std(over, correction=0), torch.full((y.shape[1],), std), rtol=1e-3, atol=0
        )


def test_no_hook_stays_behind_and_a_step_begins_with_no_data() -> None:
    gan = family()
    gan.prime(batch(gan), rng())
    discriminator = gan.networks["discriminator"]
    lengths = [m.length.clone() for m in discriminator.modules() if isinstance(m, WeightNormed)]
    step(gan)
    after = [m.length for m in discriminator.modules() if isinstance(m, WeightNormed)]
    assert all(map(torch.equal, lengths[:-1], after[:-1]))
    assert not torch.equal(lengths[-1], after[-1])  # of the last layer, which is trained


def test_g_s_last_layer_begins_with_data_in_the_convolutional_form() -> None:
    gan = family(net="convolution")
    gan.prime(batch(gan), rng())
    pixels = gan.networks["generator"](gan.latent(64, rng())).atanh()
    assert pixels.std().item() == pytest.approx(0.1, rel=0.2)


# The average of D


def test_the_average_begins_at_the_first_parameters_and_follows_at_its_rate() -> None:
    gan = family(polyak=0.25)
    gan.prime(batch(gan), rng())
    average, discriminator = (gan.networks[n] for n in ("discriminator_average", "discriminator"))
    assert all(map(torch.equal, average.parameters(), discriminator.parameters()))
    wanted = [p.clone() for p in discriminator.parameters()]
    for _ in range(3):
        step(gan)
        wanted = [a + 0.25 * (p - a) for a, p in zip(wanted, discriminator.parameters(), strict=True)]
    torch.testing.assert_close(list(average.parameters()), wanted)


def test_classes_are_named_by_the_average_without_noise() -> None:
    gan = family(polyak=0.25)
    step(gan)
    images = batch(gan).images
    logits = gan.class_logits(images)
    assert torch.equal(logits, gan.class_logits(images))
    assert not torch.allclose(logits, gan.networks["discriminator"].eval()(images)[1])
    torch.testing.assert_close(gan.realness(images), logits.logsumexp(1))


def test_a_classifier_of_the_same_shape_moves_by_labels_and_is_averaged_too() -> None:
    gan = family(polyak=1.0)
    known = batch(gan).labelled
    assert known is not None
    g = [p.clone() for p in gan.networks["generator"].parameters()]
    losses = [gan.class_step(known).item() for _ in range(60)]
    assert losses[-1] < losses[0] / 2
    assert all(map(torch.equal, g, gan.networks["generator"].parameters()))
    assert (gan.class_logits(known.images).argmax(1) == known.given.labels).all()


# Networks


def test_the_dense_networks_have_the_layers_of_the_authors_code() -> None:
    """28 px: G 100-500-500-784, D 784-1000-500-250-250-250-10; a length a unit, a bias and no scale in G."""
    networks = family(Shape(10, 28, 1), width=1.0).networks
    units = (1000, 500, 250, 250, 250, 10)
    weights = 784 * 1000 + 1000 * 500 + 500 * 250 + 2 * 250 * 250 + 250 * 10
    assert count(networks["discriminator"]) == weights + sum(units) + 10  # biases; lengths of the last
    assert count(networks["generator"]) == 100 * 500 + 500 * 500 + 2 * 500 + 500 * 784 + 784 + 784
    stds = [m.std for m in networks["discriminator"].modules() if type(m).__name__ == "Noise"]
    assert stds == [0.3, 0.5, 0.5, 0.5, 0.5, 0.5]


def test_the_convolutional_networks_have_the_layers_of_the_authors_code() -> None:
    networks = family(Shape(10, 32), width=1.0, net="convolution").networks
    taps = 9 * (3 * 96 + 2 * 96 * 96 + 96 * 192 + 2 * 192 * 192 + 192 * 192) + 2 * 192 * 192 + 192 * 10
    assert count(networks["discriminator"]) == taps + 3 * 96 + 6 * 192 + 10 + 10
    up = 25 * (512 * 256 + 256 * 128 + 128 * 3)
    norms_and_biases = 8192 + 2 * 256 + 2 * 128 + 3 + 3
    assert count(networks["generator"]) == 100 * 8192 + up + norms_and_biases


@pytest.mark.parametrize("resolution", [32, 64, 128])
def test_d_has_8_px_before_its_last_three_layers(resolution: int) -> None:
    discriminator = family(net="convolution").networks["discriminator"]
    if resolution != 32:
        discriminator = family(Shape(3, resolution), net="convolution").networks["discriminator"]
    seen = [calls(m) for m in discriminator.modules() if isinstance(m, WeightNormed)]
    discriminator(torch.zeros(1, 3, resolution, resolution))
    sides = [y.shape[-1] for ((_, y),) in seen[:-1]]
    assert sides[-4:] == [8, 6, 6, 6]
    assert len(sides) == 3 * (resolution // 8).bit_length()


def count(network: nn.Module) -> int:
    return sum(p.numel() for p in trained(network))


def test_z_is_uniform_in_0_1() -> None:
    z = family().latent(500, rng())
    assert (z.min() >= 0, z.max() <= 1) == (True, True)
    assert z.mean().item() == pytest.approx(0.5, abs=0.01)


def test_a_step_without_labelled_images_apart_is_refused() -> None:
    gan = family()
    with pytest.raises(AssertionError):
        step(gan, batch(gan)._replace(labelled=None))
