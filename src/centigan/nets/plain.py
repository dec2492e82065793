"""The convolutional networks of Miyato et al. (2018, appendix B, table 3), without residuals.

D has a 3 x 3 convolution at each side, before the 4 x 4 one that halves it, and no batch norm. The least
side is 4, and 6 of images of 48 px, as the paper has it for STL-10.
"""

from itertools import pairwise
from math import prod

from torch import Tensor, nn

from centigan.nets.blocks import halvings, scaled
from centigan.types import Shape

LEAST_SIDE, FIRST_MAPS, MOST_MAPS, SLOPE = 4, 64, 512, 0.1


def plan(resolution: int, width: float) -> list[int]:
    """Maps at the whole, half, a quarter, ... of the resolution: 64, 128, 256, 512 at 32 and at 48 px."""
    sides = 1 + halvings(resolution, LEAST_SIDE)
    return [scaled(min(FIRST_MAPS * 2**n, MOST_MAPS), width) for n in range(sides)]


def least_side(resolution: int) -> int:
    """4 of 32, 64 or 128 px, 6 of 48 px."""
    return resolution >> halvings(resolution, LEAST_SIDE)


class PlainGenerator(nn.Module):
    """G(z): latent (N, latent) -> images (N, C, H, W)."""

    def __init__(self, shape: Shape, latent: int, width: float, *, bounded: bool = True) -> None:
        """`bounded`: a tanh is the last layer."""
        super().__init__()
        maps = plan(shape.resolution, width)[::-1]
        side = least_side(shape.resolution)
        self.maps = (maps[0], side, side)
        self.project = nn.Linear(latent, prod(self.maps))
        self.blocks = nn.Sequential(*(_doubling_block(a, b) for a, b in pairwise(maps)))
        last = nn.Conv2d(maps[-1], shape.channels, 3, padding=1)
        self.last = nn.Sequential(last, nn.Tanh()) if bounded else nn.Sequential(last)

    def forward(self, z: Tensor) -> Tensor:
        """z (N, latent) -> (N, C, H, W) in [-1, 1]."""
        images: Tensor = self.last(self.blocks(self.project(z).view(-1, *self.maps)))
        return images


class PlainDiscriminator(nn.Module):
    """f(x): images (N, C, H, W) -> logits (N,)."""

    def __init__(self, shape: Shape, width: float) -> None:
        super().__init__()
        layers, features = halving_layers(shape, width)
        self.layers = nn.Sequential(*layers, nn.Linear(features, 1))

    def forward(self, x: Tensor) -> Tensor:
        """x (N, C, H, W) in [-1, 1] -> (N,)."""
        logits: Tensor = self.layers(x)
        return logits.float()[:, 0]


def halving_layers(shape: Shape, width: float) -> tuple[list[nn.Module], int]:
    """Images (N, C, H, W) -> features (N, F) at the least side; and F."""
    maps = plan(shape.resolution, width)
    layers: list[nn.Module] = [nn.Conv2d(shape.channels, maps[0], 3, padding=1), nn.LeakyReLU(SLOPE)]
    for here, below in pairwise(maps):
        layers += [nn.Conv2d(here, here, 4, stride=2, padding=1), nn.LeakyReLU(SLOPE)]
        layers += [nn.Conv2d(here, below, 3, padding=1), nn.LeakyReLU(SLOPE)]
    return [*layers, nn.Flatten()], maps[-1] * least_side(shape.resolution) ** 2


def _doubling_block(maps_in: int, maps_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.ConvTranspose2d(maps_in, maps_out, 4, stride=2, padding=1),
        nn.BatchNorm2d(maps_out),
        nn.ReLU(inplace=True),
    )
