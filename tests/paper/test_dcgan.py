"""DCGAN: its networks against the paper's and those of its authors' code, its step, its features."""

from collections.abc import Iterator
from math import log

import pytest
import torch
from torch import Tensor, nn

from centigan.families.dcgan import DCGAN
from centigan.losses import log_fake, log_real
from centigan.nets.all_convolutional import Discriminator, ImageGenerator, layer_up, plan
from centigan.nets.blocks import Doubling
from centigan.settings.families.dcgan import DcganConfig
from centigan.types import Batch, Given, Shape

NORMS = nn.BatchNorm1d | nn.BatchNorm2d
CONVOLUTIONS = nn.Conv2d | nn.ConvTranspose2d


def family(**change: object) -> DCGAN:
    config = DcganConfig.model_validate({"width": 0.05} | change)
    return DCGAN(config, Shape(3, 32), torch.Generator().manual_seed(0))


def images(count: int = 4, side: int = 32) -> Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(1)) * 2 - 1


def with_technique(**technique: object) -> DCGAN:
    return family(techniques=technique)


def step(dcgan: DCGAN, real: Tensor) -> dict[str, Tensor]:
    given = Given(torch.full((len(real),), -1))
    return dcgan.step(Batch(real, given, torch.tensor(1)), torch.Generator().manual_seed(0))


def parameters(dcgan: DCGAN, network: str) -> list[Tensor]:
    return [p.detach().clone() for p in dcgan.networks[network].parameters()]


def sizes(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.fixture
def without_values() -> Iterator[None]:
    """Networks of the paper's widths have shapes here, and no values."""
    with torch.device("meta"):
        yield


@pytest.mark.parametrize(
    ("net", "resolution", "layers"),
    [
        ("halving", 64, [(128, 2), (256, 2), (512, 2), (1024, 2)]),  # bedrooms and faces
        ("halving", 32, [(64, 2), (128, 2), (256, 2)]),  # SVHN
        ("halving", 128, [(64, 2), (128, 2), (256, 2), (512, 2), (1024, 2)]),
        ("imagenet", 32, [(128, 1), (128, 2), (256, 1), (256, 2), (512, 1), (512, 2)]),
    ],
)
def test_the_maps_of_d_are_those_of_the_published_networks(
    net: str, resolution: int, layers: list[tuple[int, int]]
) -> None:
    assert plan(net, resolution, 1.0) == layers


def test_the_networks_of_64_pixels_have_the_numbers_of_the_paper(without_values: None) -> None:
    """Fig 1: 5 x 5 taps, a gain and a bias for each normed unit or map, and no other biases."""
    taps = 25 * (1024 * 512 + 512 * 256 + 256 * 128 + 128 * 3)
    generator = ImageGenerator(DcganConfig(), Shape(10, 64))
    assert sizes(generator) == 100 * 16384 + 2 * 16384 + taps + 2 * (512 + 256 + 128)
    assert sizes(Discriminator(DcganConfig(), Shape(10, 64))) == taps + 2 * (256 + 512 + 1024) + 16384


def test_the_networks_for_imagenet_have_3_by_3_taps(without_values: None) -> None:
    config, shape = DcganConfig(net="imagenet", latent=256), Shape(10, 32)
    pairs = 512 * 512 + 512 * 256 + 256 * 256 + 256 * 128 + 128 * 128 + 128 * 3
    generator, discriminator = ImageGenerator(config, shape), Discriminator(config, shape)
    assert sizes(generator) == 258 * 8192 + 9 * pairs + 2 * (512 + 256 + 256 + 128 + 128)
    assert sizes(discriminator) == 9 * pairs + 2 * (128 + 256 + 256 + 512 + 512) + 8192


@pytest.mark.parametrize("net", ["halving", "imagenet"])
def test_there_is_no_bias_but_of_batch_norm_and_no_hidden_dense_layer(net: str) -> None:
    dcgan = family(net=net)
    for network in dcgan.networks.values():
        dense = [m for m in network.modules() if isinstance(m, nn.Linear)]
        assert len(dense) == 1
        others = [m for m in network.modules() if isinstance(m, CONVOLUTIONS)]
        assert all(layer.bias is None for layer in (*dense, *others))
        assert not [m for m in network.modules() if "Pool" in type(m).__name__]
    assert dcgan.discriminator.head.out_features == 1


@pytest.mark.parametrize("net", ["halving", "imagenet"])
def test_all_layers_are_normed_but_gs_output_and_ds_input(net: str) -> None:
    generator, discriminator = (family(net=net).networks[n] for n in ("generator", "discriminator"))
    assert [any(isinstance(m, NORMS) for m in block) for block in discriminator.blocks] == [
        n > 0 for n in range(len(discriminator.blocks))
    ]
    assert len(generator.norms) == len(generator.layers) - 1
    assert generator.project[1].num_features == generator.project[0].out_features  # by unit


def test_gains_begin_about_1_and_weights_about_0() -> None:
    dcgan = family(width=1.0)
    for network in dcgan.networks.values():
        for layer in network.modules():
            if isinstance(layer, NORMS):
                assert layer.weight.mean().item() == pytest.approx(1, abs=0.01)
                assert layer.weight.std().item() == pytest.approx(0.02, rel=0.25)
                assert not layer.bias.any()
            elif isinstance(layer, CONVOLUTIONS | nn.Linear):
                assert layer.weight.std().item() == pytest.approx(0.02, rel=0.05)
                assert layer.weight.mean().item() == pytest.approx(0, abs=0.001)


@pytest.mark.parametrize(("kernel", "stride"), [(5, 2), (3, 2), (3, 1)])
def test_a_layer_of_g_multiplies_the_side_and_loses_no_pixel(kernel: int, stride: int) -> None:
    for side in (4, 8, 16):
        x = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))
        assert layer_up(3, 2, kernel, stride)(x).shape == (2, 2, stride * side, stride * side)


def test_a_doubling_without_biases_has_the_gradients_of_one_with_biases_of_0() -> None:
    x = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    without, with_biases = Doubling(3, 2, bias=False), Doubling(3, 2)
    with_biases.weight.data.copy_(without.weight.data)
    nn.init.zeros_(with_biases.bias)
    found = []
    for layer in (without, with_biases):
        y = layer(x.requires_grad_())
        found.append((y, *torch.autograd.grad(y.square().sum(), (x, layer.weight))))
    assert all(torch.equal(*pair) for pair in zip(*found, strict=True))


def test_an_undecided_discriminator_costs_two_log_two() -> None:
    """D = 1/2 everywhere: D's loss is a sum, 2 log 2, and G's log 2."""
    dcgan = family(discriminator_lr=1e-30)
    nn.init.zeros_(dcgan.discriminator.head.weight)
    losses = step(dcgan, images())
    assert losses["loss_discriminator"].item() == pytest.approx(2 * log(2), rel=1e-6)
    assert losses["loss_generator"].item() == pytest.approx(log(2), rel=1e-6)


def test_l2_is_added_to_the_gradient_and_not_taken_off_the_weights() -> None:
    """Without a gradient Adam's first step is the whole rate, towards 0; AdamW's would be 1e-5 of it."""
    dcgan = family(discriminator_lr=1e-30, generator_lr=1e-3)
    nn.init.zeros_(dcgan.discriminator.head.weight)
    before = parameters(dcgan, "generator")
    step(dcgan, images())
    for old, new in zip(before, parameters(dcgan, "generator"), strict=True):
        large = old.abs() > 5e-3  # 1e-5 of which is far above Adam's 1e-8
        torch.testing.assert_close((new - old)[large], -1e-3 * old.sign()[large], rtol=0.3, atol=0)


def test_each_update_has_latents_of_its_own_and_moves_one_network() -> None:
    dcgan, seen = family(), []
    dcgan.generator.register_forward_hook(lambda _, z, x: seen.append((z[0].detach(), x.requires_grad)))
    step(dcgan, images())
    (first, in_the_first), (second, in_the_second) = seen
    assert not torch.equal(first, second)
    assert (in_the_first, in_the_second) == (False, True)  # D's update keeps nothing of G
    for still, moving in (("generator", "discriminator"), ("discriminator", "generator")):
        one = family(**{f"{still}_lr": 1e-30})
        before = {name: parameters(one, name) for name in one.networks}
        step(one, images())
        after = {name: parameters(one, name) for name in one.networks}
        torch.testing.assert_close(before[still], after[still], rtol=0, atol=1e-20)  # biases begin at 0
        assert not all(map(torch.equal, before[moving], after[moving]))


def test_latents_are_uniform_and_for_svhn_normal() -> None:
    uniform, normal = (
        family(prior=prior).latent(2000, torch.Generator().manual_seed(0)) for prior in ("uniform", "normal")
    )
    assert uniform.abs().max() <= 1
    assert uniform.var().item() == pytest.approx(1 / 3, rel=0.02)
    assert normal.var().item() == pytest.approx(1, rel=0.02)
    assert normal.abs().max() > 3


@pytest.mark.parametrize(("net", "length"), [("halving", 7_168), ("imagenet", 28_672)])
def test_the_features_have_the_papers_length(net: str, length: int) -> None:
    """(64 + 128 + 256) 16, and 1,792 maps times 16 (sections 5.1 and 5.2)."""
    discriminator = Discriminator(DcganConfig(net=net), Shape(10, 32))
    with torch.no_grad():
        assert discriminator.eval().features(images(1)).shape == (1, length)


@pytest.mark.parametrize("side", [32, 64])
def test_features_are_the_greatest_values_of_4_by_4_fields_after_leaky_relu(side: int) -> None:
    discriminator = Discriminator(DcganConfig(width=0.05), Shape(3, side)).eval()
    x, expected = images(2, side), []
    for block in discriminator.blocks:
        x = block(x)
        field = x.shape[-1] // 4
        expected.append(x.unfold(2, field, field).unfold(3, field, field).amax((-2, -1)).flatten(1))
        assert x.min() < 0  # leaky
    assert torch.equal(discriminator.features(images(2, side)), torch.cat(expected, dim=1))


def test_features_and_realness_are_those_of_running_statistics_and_leave_training_as_it_was() -> None:
    dcgan = family()
    before = {name: value.clone() for name, value in dcgan.discriminator.state_dict().items()}
    assert dcgan.realness(images()).shape == (4,)
    assert torch.equal(dcgan.represent(images()), dcgan.represent(images().flip(0)).flip(0))
    assert all(torch.equal(before[name], value) for name, value in dcgan.discriminator.state_dict().items())
    assert dcgan.discriminator.training


def test_the_demonstration_walks_from_latent_to_latent() -> None:
    dcgan = family()
    (sheet,) = dcgan.demonstrate(images(), [], torch.Generator().manual_seed(5))
    points = dcgan.latent(9, torch.Generator().manual_seed(5))
    drawn = dcgan.generate(points, Given(torch.full((9,), -1)))
    assert sheet.images.shape == (8, 9, 3, 32, 32)
    torch.testing.assert_close(sheet.images[:, 0], drawn[:-1])
    torch.testing.assert_close(sheet.images[:, -1], drawn[1:])


# The techniques of Salimans et al. (2016), whose own tests are test_improved's


def test_without_techniques_a_training_is_written_as_before() -> None:
    assert "techniques" not in DcganConfig().model_dump()
    written = DcganConfig.model_validate({"techniques": {"smoothing": 0.1}}).model_dump()
    assert written["techniques"]["smoothing"] == 0.1
    assert not [key for net in family().networks.values() for key in net.state_dict() if "reference" in key]


def test_feature_matching_moves_g_by_last_maps_of_images_that_d_was_not_shown() -> None:
    dcgan = with_technique(feature_matching=True)
    assert (family().config.batches, dcgan.config.batches) == (1, 2)
    twice, seen = images(8), []
    dcgan.discriminator.register_forward_pre_hook(lambda _, x: seen.append(x[0]))
    passes: list[Tensor] = []
    dcgan.discriminator.blocks[-1].register_forward_hook(
        lambda *call: passes.append(call[2].detach().flatten(1))
    )
    losses = step(dcgan, twice)
    assert torch.equal(seen[0], twice[:4])
    assert len(seen) == 2  # G's update asks for no judgement
    _, _, wanted, made = passes
    expected = (made.mean(0) - wanted.mean(0)).square().mean()
    torch.testing.assert_close(losses["loss_generator"], expected)
    assert wanted.shape == (4, dcgan.discriminator.head.in_features)


def test_a_generator_whose_features_match_has_nothing_to_ascend() -> None:
    dcgan = with_technique(feature_matching=True)
    assert dcgan._judged(images(), [images()]).item() == 0
    assert dcgan._judged(images(), [images().flip(3)]).item() < 0


def test_minibatch_discrimination_sees_in_training_how_many_are_alike() -> None:
    dcgan = with_technique(minibatch_kernels=3, minibatch_dimensions=2)
    d, some = dcgan.discriminator, images()
    dcgan.prime(Batch(some, Given(torch.full((4,), -1)), torch.tensor(1)), torch.Generator())
    assert d.minibatch is not None
    beside = d.minibatch(d.last(some))[:, -3:]
    torch.testing.assert_close(beside.mean(0), torch.zeros(3), atol=1e-5, rtol=0)
    one = d.last(some)[:1]
    alike = d.minibatch(one.expand(4, -1))[:, -3:] - d.minibatch.bias
    torch.testing.assert_close(alike, torch.full((4, 3), 3.0))  # three others at distance 0
    with torch.no_grad():
        d.head.weight[:, -3:] = 1
    assert not torch.equal(d.judge(d.last(some)), d.judge(d.last(some)[:2].repeat(2, 1)))
    apart = torch.cat([dcgan.realness(image) for image in some.split(1)])
    torch.testing.assert_close(dcgan.realness(some), apart)  # judged alone


def test_historical_averaging_is_in_both_losses_and_holds_parameters_back() -> None:
    plain, held = family(), with_technique(historical_averaging=1e6)
    for dcgan in (plain, held):
        first = parameters(dcgan, "generator")
        for _ in range(6):
            losses = step(dcgan, images())
        dcgan.moved = sum(  # type: ignore[attr-defined]
            (a - b).square().sum().item() for a, b in zip(first, parameters(dcgan, "generator"), strict=True)
        )
    assert held.moved < plain.moved / 2  # type: ignore[attr-defined]
    assert losses["loss_generator"] > 1
    assert losses["loss_discriminator"] > 1
    assert {n for net in held.networks.values() for n in net.state_dict() if "history.count" in n}


def test_smoothing_is_of_real_images_alone() -> None:
    plain, smooth = family(), with_technique(smoothing=0.1)
    seen: list[Tensor] = []
    smooth.discriminator.register_forward_hook(lambda *call: seen.append(call[2].detach()))
    losses, others = step(smooth, images()), step(plain, images())
    real, fake = seen[:2]
    wanted = 0.9 * log_real(real) + 0.1 * log_fake(real) + log_fake(fake)
    torch.testing.assert_close(losses["loss_discriminator"], -wanted)
    assert losses["loss_discriminator"] != others["loss_discriminator"]


def test_virtual_batch_norm_makes_an_image_independent_of_its_neighbours_in_training_too() -> None:
    dcgan = with_technique(virtual_batch_norm=5)
    generator = dcgan.generator
    kinds = [type(m).__name__ for m in generator.modules()]
    assert kinds.count("VirtualBatchNorm") == 1 + len(generator.norms)
    assert not [kind for kind in kinds if kind.startswith("BatchNorm")]
    assert generator.reference.shape == (5, 100)
    assert generator.reference.std() > 0.5  # U(-1, 1) has .58
    z = dcgan.latent(3, torch.Generator().manual_seed(3))
    assert generator(z).shape == (3, 3, 32, 32)
    torch.testing.assert_close(generator(z)[2:], generator(z[2:]))
    assert not torch.allclose(family().generator(z)[2:], family().generator(torch.cat([z[2:], z[2:]]))[1:])
