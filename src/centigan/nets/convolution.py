"""The convolutional generator and discriminator of DCGAN's authors (Radford et al. 2015), told y or not.

Their code for MNIST, at 32 px: y stands beside z as a one-hot vector and beside every feature map as constant
planes. Without classes y has no columns, and nothing stands beside. Above 32 px each doubling adds a layer
of at most 512 maps.
"""

from itertools import pairwise

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from centigan.nets.blocks import Doubling, halving_block, initialise, scaled, with_planes
from centigan.types import Shape

FIRST_SIDE, MOST_MAPS = 4, 512


def plan(resolution: int, width: float, *, first: int = 64) -> list[int]:
    """Feature maps of D at half, a quarter, ... of the resolution, down to 4 x 4: 64, 128, 256 at 32 px."""
    halvings = (resolution // FIRST_SIDE).bit_length() - 1
    return [scaled(min(first * 2**n, MOST_MAPS), width) for n in range(halvings)]


class ConvolutionalGenerator(nn.Module):
    """G(z|y): latent (N, latent), y (N, K) -> images (N, C, H, W)."""

    def __init__(self, shape: Shape, latent: int, width: float) -> None:
        super().__init__()
        maps = [scaled(MOST_MAPS, width), *reversed(plan(shape.resolution, width)[1:])]
        self.maps = (maps[0], FIRST_SIDE, FIRST_SIDE)
        self.project = nn.Linear(latent + shape.classes, maps[0] * FIRST_SIDE**2)
        self.norms = nn.ModuleList(nn.BatchNorm2d(m) for m in maps)
        self.doublings = nn.ModuleList(
            Doubling(a + shape.classes, b) for a, b in pairwise([*maps, shape.channels])
        )

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """z (N, latent), y (N, K) -> (N, C, H, W) in [-1, 1]."""
        x = self.project(torch.cat([z, y], dim=1)).view(-1, *self.maps)
        for norm, double in zip(self.norms, self.doublings, strict=True):
            x = double(with_planes(F.relu(norm(x)), y))
        return x.tanh()


class ConvolutionalDiscriminator(nn.Module):
    """D(x|y): images (N, C, H, W), y (N, K) -> logits (N,)."""

    def __init__(self, shape: Shape, width: float) -> None:
        super().__init__()
        maps = [shape.channels, *plan(shape.resolution, width)]
        self.blocks = nn.ModuleList(
            halving_block(a + shape.classes, b, norm=n > 0) for n, (a, b) in enumerate(pairwise(maps))
        )
        self.head = nn.Linear(maps[-1] * FIRST_SIDE**2 + shape.classes, 1)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """x (N, C, H, W) in [-1, 1], y (N, K) -> (N,)."""
        for block in self.blocks:
            x = block(with_planes(x, y))
        return self.head(torch.cat([x.flatten(1), y.to(x.dtype)], dim=1)).float()[:, 0]


def convolutional_networks(shape: Shape, latent: int, width: float, rng: Generator) -> dict[str, nn.Module]:
    """Both by name, with weights N(0, .02^2) drawn from `rng`: first those of G, then those of D."""
    networks: dict[str, nn.Module] = {
        "generator": ConvolutionalGenerator(shape, latent, width),
        "discriminator": ConvolutionalDiscriminator(shape, width),
    }
    for network in networks.values():
        initialise(network, rng)
    return networks
