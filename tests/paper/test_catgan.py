"""CatGAN by the algebra of its entropies, the layers of its networks, and the traps of other code."""

from math import log

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from centigan.families.catgan import CatGAN, NamingCatGAN, catgan
from centigan.losses import entropy_of_mean, mean_entropy
from centigan.metrics.circles import divisions, information, plane_around, two_circles
from centigan.nets.blocks import Doubling, Noise
from centigan.settings.families.catgan import CatganConfig
from centigan.types import Batch, Given, Shape
from centigan.updates import FallingAdam

SURE = 200.0  # a logit that leaves the others nothing: exp(-200) is 0 in float32
OF_IMAGES = Shape(3, 32)


def family(shape: Shape = OF_IMAGES, **change: object) -> CatGAN:
    config = CatganConfig.model_validate({"width": 0.05, "clusters": 4} | change)
    return catgan(config, shape, torch.Generator().manual_seed(0))


def batch(count: int = 8, *, labels: Tensor | None = None) -> Batch:
    images = torch.rand(count, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    given = Given(torch.full((count,), -1) if labels is None else labels)
    return Batch(images, given, torch.tensor(1))


def step(gan: CatGAN, real: Batch) -> dict[str, float]:
    torch.manual_seed(0)
    losses = gan.step(real, torch.Generator().manual_seed(0))
    return {name: value.item() for name, value in losses.items()}


def answering(gan: CatGAN, real: Tensor, fake: Tensor) -> None:
    """D gives these logits, to the first minibatch that it sees and to all others; G cannot reach them."""
    answers = iter([real, *[fake] * 3])
    weight = next(gan.networks["discriminator"].parameters())
    gan.networks["discriminator"].forward = lambda x: next(answers) + 0 * weight.sum() + 0 * x.sum()


UNIFORM, BALANCED = torch.zeros(8, 4), SURE * F.one_hot(torch.arange(8) % 4, 4)


def test_uniform_answers_have_the_entropy_log_k_and_balanced_sure_ones_none() -> None:
    assert mean_entropy(UNIFORM).item() == entropy_of_mean(UNIFORM).item() == pytest.approx(log(4))
    assert mean_entropy(BALANCED).item() == 0
    assert entropy_of_mean(BALANCED).item() == pytest.approx(log(4))
    assert entropy_of_mean(BALANCED[:1]).item() == 0


def test_the_entropy_of_four_fifths_is_half_a_nat() -> None:
    assert mean_entropy(torch.tensor([[0.8, 0.2]]).log()).item() == pytest.approx(0.500402, abs=1e-6)


def test_one_cluster_tells_nothing() -> None:
    logits = torch.randn(5, 1)
    assert mean_entropy(logits).item() == entropy_of_mean(logits).item() == 0


def test_the_mean_has_no_less_entropy_than_the_answers() -> None:
    logits = torch.randn(50, 7, generator=torch.Generator().manual_seed(0)) * 3
    p = logits.softmax(1)
    assert information(logits).item() > 0
    torch.testing.assert_close(entropy_of_mean(logits), -(p.mean(0) * p.mean(0).log()).sum())
    torch.testing.assert_close(mean_entropy(logits), -(p * p.log()).sum(1).mean())


@pytest.mark.parametrize(
    ("real", "fake", "of_d", "of_g"),
    [
        (BALANCED, UNIFORM, 2 * log(4), 0.0),  # D's greatest value
        (BALANCED, BALANCED, log(4), -log(4)),  # G's
        (UNIFORM, UNIFORM, log(4), 0.0),
        (UNIFORM, BALANCED, 0.0, -log(4)),
        (BALANCED[:1].expand(8, -1), UNIFORM, log(4), 0.0),  # all in one cluster
    ],
)
def test_the_objectives_have_the_values_of_sure_and_unsure_answers(
    real: Tensor, fake: Tensor, of_d: float, of_g: float
) -> None:
    gan = family()
    answering(gan, real, fake)
    losses = step(gan, batch())
    assert -losses["loss_discriminator"] == pytest.approx(of_d, abs=1e-6)
    assert losses["loss_generator"] == pytest.approx(of_g, abs=1e-6)


def test_uniform_answers_are_a_saddle_that_first_weights_must_leave() -> None:
    logits = torch.zeros(6, 3, requires_grad=True)
    information(logits).backward()
    assert logits.grad is not None
    assert logits.grad.abs().max() < 1e-7
    real = family().judge(batch().images)
    assert information(real).item() > 0.01


def test_an_answer_that_rounds_to_certainty_is_still_moved() -> None:
    """With 1e-6 within the log, as clones have it, log p stops at -13.8, and the gradient ten nats before."""
    logits = torch.tensor([[30.0, 0.0]], requires_grad=True)
    mean_entropy(logits).backward()
    assert logits.grad is not None
    assert logits.grad[0, 1].item() == pytest.approx(30 * np.exp(-30), rel=0.05)
    far = torch.tensor([[1e4, 0.0]], requires_grad=True)
    mean_entropy(far).backward()
    assert far.grad is not None
    assert far.grad.isfinite().all()


def test_g_moves_towards_sure_answers_that_differ() -> None:
    """A blog has + H of generated images: then G would be drawn to where D is unsure."""
    gan = family(shape=Shape(0, 0, dimensions=1), clusters=2, generator_lr=0.05)
    gan.networks["discriminator"] = nn.Linear(1, 2)
    nn.init.zeros_(gan.networks["discriminator"].bias)
    gan.networks["discriminator"].weight.data = torch.tensor([[1.0], [-1.0]])  # sure of points far from 0
    points = batch()._replace(images=torch.randn(64, 1))
    gan.optimizers["discriminator"] = torch.optim.SGD(gan.networks["discriminator"].parameters(), 0.0)
    losses = [step(gan, points) for _ in range(60)]
    assert losses[-1]["entropy_fake"] < losses[0]["entropy_fake"] - 0.2
    assert losses[-1]["spread_fake"] > 0.5
    assert losses[-1]["loss_generator"] < losses[0]["loss_generator"]


def test_labelled_images_add_their_log_likelihood_times_lambda() -> None:
    """With the minus that a blog gives it, D would learn to name classes wrongly."""
    values = []
    for weight in (0.0, 2.0):
        gan = family(semi_supervised=True, supervised_weight=weight, discriminator_lr=1e-30)
        labels = torch.arange(8) % 3
        values.append(step(gan, batch(labels=labels)._replace(labelled=batch(labels=labels))))
    gained = values[0]["loss_discriminator"] - values[1]["loss_discriminator"]
    assert gained == pytest.approx(-2 * values[1]["loss_class"], rel=1e-4)
    assert values[1]["loss_class"] > 0


def test_labels_are_learnt_from_the_labelled_minibatch() -> None:
    gan = family(semi_supervised=True, discriminator_lr=5e-3, noise=0.0)
    labels = torch.arange(8) % 3
    known = batch(labels=labels)
    real = batch()._replace(labelled=known)
    losses = [step(gan, real)["loss_class"] for _ in range(30)]
    assert losses[-1] < losses[0] / 3
    assert isinstance(gan, NamingCatGAN)
    assert gan.class_logits(known.images).shape == (8, 3)


def test_d_sees_real_generated_and_labelled_images_apart_and_remembers_the_real_ones() -> None:
    gan = family(semi_supervised=True, noise=0.0, discriminator_lr=1e-30)
    discriminator, counts = gan.networks["discriminator"], []
    discriminator.register_forward_hook(lambda _, x, y: counts.append(len(x[0])))
    norm = next(layer for layer in discriminator if isinstance(layer, nn.BatchNorm1d))
    alone = family(semi_supervised=True, noise=0.0)
    alone.judge(batch(12).images)
    step(gan, batch(12)._replace(labelled=batch(5, labels=torch.arange(5) % 3)))
    assert counts == [12, 12, 5, 12]
    expected = next(layer for layer in alone.networks["discriminator"] if isinstance(layer, nn.BatchNorm1d))
    assert torch.equal(norm.running_mean, expected.running_mean)
    assert torch.equal(norm.running_var, expected.running_var)
    assert norm.momentum == 0.1


@pytest.mark.parametrize("net", ["dense", "convolution"])
def test_d_has_no_batch_norm_in_its_first_layer_and_noise_in_each_and_no_dropout(net: str) -> None:
    """A public clone has batch norm there, and dropout in the place of noise."""
    layers = [*family(net=net).networks["discriminator"]]
    weighed = [n for n, layer in enumerate(layers) if isinstance(layer, nn.Linear | nn.Conv2d)]
    first, *rest, last = [layers[a:b] for a, b in zip(weighed, [*weighed[1:], len(layers)], strict=True)]
    assert not [layer for layer in [*first, *last] if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d)]
    assert all(isinstance(layer[1], nn.BatchNorm1d | nn.BatchNorm2d) for layer in rest)
    assert all(any(isinstance(each, Noise) for each in layer) for layer in (first, *rest))
    assert isinstance(layers[weighed[0] - 1], Noise)
    assert not [layer for layer in layers if "Dropout" in type(layer).__name__]


def test_the_dense_networks_have_the_units_of_those_for_mnist() -> None:
    networks = family(width=1.0, clusters=20).networks
    d, g = (
        [(layer.in_features, layer.out_features) for layer in networks[name] if isinstance(layer, nn.Linear)]
        for name in ("discriminator", "generator")
    )
    assert d == [(3072, 1000), (1000, 500), (500, 250), (250, 250), (250, 250), (250, 20)]
    assert g == [(128, 500), (500, 500), (500, 1000), (1000, 3072)]
    noises = [layer.std for layer in networks["discriminator"] if isinstance(layer, Noise)]
    assert noises == [0.3] * 6
    layers = [layer for network in networks.values() for layer in network]
    assert {layer.negative_slope for layer in layers if isinstance(layer, nn.LeakyReLU)} == {0.1}


@pytest.mark.parametrize(("resolution", "pools"), [(32, 2), (64, 3), (128, 4)])
def test_the_convolutional_networks_halve_to_8_and_double_from_there(resolution: int, pools: int) -> None:
    networks = family(Shape(10, resolution), net="convolution", semi_supervised=True).networks
    d, g = networks["discriminator"], networks["generator"]
    assert sum(isinstance(layer, nn.MaxPool2d) for layer in d) == pools
    assert sum(isinstance(layer, Doubling) for layer in g) == pools
    assert [layer.kernel_size for layer in d if isinstance(layer, nn.Conv2d)] == [
        *[(3, 3)] * (3 * pools + 1),
        *[(1, 1)] * 2,
    ]


def test_the_convolutional_networks_have_the_maps_of_those_for_cifar_10() -> None:
    with torch.device("meta"):
        d, g = (
            [(layer.in_channels, layer.out_channels) for layer in net if hasattr(layer, "in_channels")]
            for net in (
                family(Shape(10, 32), net="convolution", width=1.0, semi_supervised=True).networks[name]
                for name in ("discriminator", "generator")
            )
        )
    assert d == [(3, 96), (96, 96), (96, 96), (96, 192), *[(192, 192)] * 4, (192, 10)]
    assert g == [(192, 96), (96, 96), (96, 3)]


def test_perforated_upsampling_and_a_convolution_are_a_transposed_convolution() -> None:
    doubling = Doubling(3, 2)
    x = torch.randn(2, 3, 6, 6)
    perforated = torch.zeros(2, 3, 12, 12)
    perforated[:, :, ::2, ::2] = x
    weight = doubling.weight.flip(2, 3).transpose(0, 1)
    torch.testing.assert_close(F.conv2d(perforated, weight, doubling.bias, padding=2), doubling(x))


def test_points_have_batch_norm_in_d_so_that_g_cannot_run_away() -> None:
    """The unbounded G of points; that of images is bounded."""
    gan = family(Shape(0, 0, dimensions=2))
    kinds = [type(layer) for layer in gan.networks["discriminator"]]
    assert kinds.count(nn.BatchNorm1d) == kinds.count(Noise) == kinds.count(nn.LeakyReLU) == 3
    assert [kinds[n + 1 : n + 4] for n, k in enumerate(kinds[:-1]) if k is nn.Linear] == [
        [nn.BatchNorm1d, nn.LeakyReLU, Noise]
    ] * 3
    units = [layer.out_features for layer in gan.networks["discriminator"] if isinstance(layer, nn.Linear)]
    assert units == [100, 100, 100, 4]
    units = [layer.out_features for layer in gan.networks["generator"] if isinstance(layer, nn.Linear)]
    assert units == [100, 100, 2]


def test_answers_are_without_noise_and_of_an_image_alone() -> None:
    gan, images = family(), batch().images
    step(gan, batch())
    torch.testing.assert_close(gan.cluster_logits(images)[:1], gan.cluster_logits(images[:1]))
    assert gan.networks["discriminator"].training


def test_the_rate_is_constant_for_half_of_the_time_then_falls_in_a_line() -> None:
    weight = nn.Parameter(torch.zeros(2))
    adam = FallingAdam([weight], 0.1, (0.5, 0.999), 0.0, zero_at=8)
    moves = []
    for iteration in range(1, 11):
        before = weight.detach().clone()
        weight.grad = torch.ones(2)  # each step of Adam is as long as its rate
        adam.at(torch.tensor(iteration))
        adam.step()
        moves.append((before - weight.detach())[0].item() / 0.1)
    expected = [1, 1, 1, 1, 1, 0.75, 0.5, 0.25, 0, 0]
    assert moves == pytest.approx(expected, abs=1e-5)


def test_d_is_averaged_with_g_since_its_clusters_are_measured() -> None:
    assert set(family().sampled) == {"generator", "discriminator"}


class ByRadius:
    """Finds the circles, of radius 1.8 and .9: outside, within."""

    def cluster_logits(self, images: Tensor) -> Tensor:
        radius = images.norm(dim=1, keepdim=True)
        return torch.cat([radius, 2.7 - radius], dim=1)


def test_k_means_and_rim_cut_the_circles_in_half_and_their_radius_does_not() -> None:
    points, labels = two_circles()
    assert points.std(correction=0).item() == pytest.approx(1, abs=1e-3)
    assert np.bincount(labels).tolist() == [500, 500]
    config = CatganConfig(clusters=2, discriminator_lr=1e-3)
    every = divisions(config, ByRadius(), points, labels, seed=0, side=10, iterations=200)
    found = {each.method: each for each in every}
    assert [*found] == ["k-means", "RIM", "CatGAN"]
    assert found["k-means"].accuracy < 0.6
    assert found["RIM"].accuracy < 0.6
    assert found["CatGAN"].accuracy > 0.95
    assert found["RIM"].plane.shape == (10, 10)
    assert found["CatGAN"].plane[[0, 0, 9, 9], [0, 9, 0, 9]].tolist() == [0] * 4
    assert found["CatGAN"].plane[4:6, 4:6].tolist() == [[1, 1], [1, 1]]
    assert plane_around(points, 10).abs().max() > points.abs().max()
