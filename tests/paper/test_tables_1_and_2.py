"""The networks against Tables 1 and 2 of the paper, every number worked out by hand."""

import pytest
import torch
from torch import nn

from centigan.families.acgan import Discriminator, ImageGenerator
from centigan.settings.families.acgan import AcganConfig
from centigan.types import Shape


def layer_shapes(network: nn.Module, kinds: tuple[type[nn.Module], ...], *inputs: torch.Tensor) -> list:
    shapes = []
    for module in network.modules():
        if isinstance(module, kinds):
            module.register_forward_hook(lambda _, __, out: shapes.append(tuple(out.shape[1:])))
    network.eval()(*inputs)
    return shapes


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


GENERATOR_SHAPES = {
    128: [(8 * 8 * 768,), (384, 16, 16), (256, 32, 32), (192, 64, 64), (3, 128, 128)],
    64: [(4 * 4 * 768,), (384, 8, 8), (256, 16, 16), (192, 32, 32), (3, 64, 64)],
    32: [(4 * 4 * 384,), (192, 8, 8), (96, 16, 16), (3, 32, 32)],
}
# linear (weights + biases), then each transposed convolution in * out * 5 * 5 + out, batch norm 2 * out
TRANSPOSED = 7_372_800 + 384 + 768 + 2_457_600 + 256 + 512 + 1_228_800 + 192 + 384 + 14_400 + 3
GENERATOR_PARAMETERS = {
    128: 110 * 49_152 + 49_152 + TRANSPOSED,
    64: 110 * 12_288 + 12_288 + TRANSPOSED,
    32: 110 * 6_144 + 6_144 + 1_843_200 + 192 + 384 + 460_800 + 96 + 192 + 7_200 + 3,
}
# in * out * 3 * 3 + out, and batch norm 2 * out on all but the first
CONVOLUTIONS = (
    (432 + 16)
    + (4_608 + 32 + 64)
    + (18_432 + 64 + 128)
    + (73_728 + 128 + 256)
    + (294_912 + 256 + 512)
    + (1_179_648 + 512 + 1_024)
)


@pytest.mark.parametrize("resolution", [32, 64, 128])
def test_generator_has_the_layers_of_the_table(resolution: int) -> None:
    network = ImageGenerator(AcganConfig(), Shape(10, resolution))
    kinds = (nn.Linear, nn.ConvTranspose2d)
    shapes = layer_shapes(network, kinds, torch.zeros(2, 100), torch.tensor([0, 9]))
    assert shapes == GENERATOR_SHAPES[resolution]
    assert parameters(network) == GENERATOR_PARAMETERS[resolution]


@pytest.mark.parametrize("resolution", [32, 64, 128])
def test_discriminator_has_the_layers_of_the_table(resolution: int) -> None:
    network = Discriminator(AcganConfig(), Shape(10, resolution))
    half, quarter, eighth = resolution // 2, resolution // 4, resolution // 8
    shapes = layer_shapes(network, (nn.Conv2d, nn.Linear), torch.zeros(2, 3, resolution, resolution))
    assert shapes == [
        (16, half, half),
        (32, half, half),
        (64, quarter, quarter),
        (128, quarter, quarter),
        (256, eighth, eighth),
        (512, eighth, eighth),
        (11,),
    ]
    assert parameters(network) == CONVOLUTIONS + 512 * eighth * eighth * 11 + 11


def test_totals_at_128_are_16_5_and_3_0_million() -> None:
    generator = ImageGenerator(AcganConfig(), Shape(10, 128))
    discriminator = Discriminator(AcganConfig(), Shape(10, 128))
    assert parameters(generator) == 16_531_971
    assert parameters(discriminator) == 3_016_555


def test_the_first_and_last_layers_have_no_batch_norm() -> None:
    generator = ImageGenerator(AcganConfig(), Shape(10, 128))
    discriminator = Discriminator(AcganConfig(), Shape(10, 128))
    assert [isinstance(block[1], nn.BatchNorm2d) for block in generator.blocks] == [True] * 3 + [False]
    assert [isinstance(block[1], nn.BatchNorm2d) for block in discriminator.blocks] == [False] + [True] * 5


def test_width_scales_every_feature_map_count() -> None:
    network = ImageGenerator(AcganConfig(width=0.5), Shape(10, 32))
    shapes = layer_shapes(network, (nn.Linear, nn.ConvTranspose2d), torch.zeros(1, 100), torch.tensor([0]))
    assert shapes == [(4 * 4 * 192,), (96, 8, 8), (48, 16, 16), (3, 32, 32)]
