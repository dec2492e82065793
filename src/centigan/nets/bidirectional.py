"""The three networks of Donahue et al. (2017): a generator, an encoder, a discriminator of pairs.

`dense` is the authors' form for MNIST, two hidden layers of 1024. z goes into the second one, too, of G as of
D: its projection is added before batch norm. No layer has biases, batch norm no gains. Networks work on
pixels in [0, 1], as those do; images come and go in [-1, 1].

`convolution` has 5 x 5 layers that halve or double the side, with batch norm. In D an image and a z each pass
on their own, and are joint in the last two layers.
"""

from itertools import pairwise
from math import prod

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from centigan.nets.blocks import LEAKY_SLOPE, Doubling, halving_block, initialise, scaled
from centigan.nets.convolution import FIRST_SIDE, plan
from centigan.types import Shape

UNITS, JOINT_UNITS = 1024, 512  # of a hidden layer: dense, of the convolutional D


class DenseGenerator(nn.Module):
    """G(z): z (N, L) -> images (N, C, H, W)."""

    def __init__(self, shape: Shape, latent: int, width: float) -> None:
        super().__init__()
        units, self.image = scaled(UNITS, width), (shape.channels, shape.resolution, shape.resolution)
        self.first = nn.Linear(latent, units, bias=False)
        self.second = nn.Linear(units, units, bias=False)
        self.second_of_z = nn.Linear(latent, units, bias=False)
        self.norms = nn.ModuleList(nn.BatchNorm1d(units, affine=False) for _ in range(2))
        self.last = nn.Linear(units, prod(self.image), bias=False)

    def forward(self, z: Tensor) -> Tensor:
        """z (N, L) -> (N, C, H, W) in [-1, 1]."""
        h = F.relu(self.norms[0](self.first(z)))
        h = F.relu(self.norms[1](self.second(h) + self.second_of_z(z)))
        return (2 * self.last(h).sigmoid() - 1).view(-1, *self.image)


class Encoder(nn.Module):
    """E(x): images (N, C, H, W) -> codes (N, L), of features (N, F)."""

    features: nn.Module
    head: nn.Linear

    def __init__(self, *, squashed: bool) -> None:
        """`squashed`: codes lie in (-1, 1), as 2 sigmoid - 1."""
        super().__init__()
        self.squashed = squashed

    def forward(self, x: Tensor) -> Tensor:
        """x (N, C, H, W) in [-1, 1] -> float32 (N, L)."""
        code: Tensor = self.head(self.features(x)).float()
        return 2 * code.sigmoid() - 1 if self.squashed else code


class DenseEncoder(Encoder):
    """Two hidden layers, the second with batch norm."""

    def __init__(self, shape: Shape, latent: int, width: float, *, squashed: bool) -> None:
        super().__init__(squashed=squashed)
        units = scaled(UNITS, width)
        self.features = nn.Sequential(
            ToPixels(),
            nn.Linear(shape.channels * shape.resolution**2, units, bias=False),
            nn.LeakyReLU(LEAKY_SLOPE),
            nn.Linear(units, units, bias=False),
            nn.BatchNorm1d(units, affine=False),
            nn.LeakyReLU(LEAKY_SLOPE),
        )
        self.head = nn.Linear(units, latent, bias=False)


class DenseDiscriminator(nn.Module):
    """D(x, z): images (N, C, H, W) and z (N, L) -> logits (N,)."""

    def __init__(self, shape: Shape, latent: int, width: float) -> None:
        super().__init__()
        units = scaled(UNITS, width)
        self.first = nn.Sequential(
            ToPixels(),
            nn.Linear(shape.channels * shape.resolution**2, units, bias=False),
            nn.LeakyReLU(LEAKY_SLOPE),
        )
        self.second = nn.Linear(units, units, bias=False)
        self.second_of_z = nn.Linear(latent, units, bias=False)
        self.norm = nn.BatchNorm1d(units, affine=False)
        self.head = nn.Linear(units, 1, bias=False)

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        """x (N, C, H, W) in [-1, 1], z (N, L) -> (N,)."""
        joint = self.norm(self.second(self.first(x)) + self.second_of_z(z))
        return self.head(F.leaky_relu(joint, LEAKY_SLOPE)).float()[:, 0]


class ConvolutionalGenerator(nn.Module):
    """G(z): z (N, L) -> images (N, C, H, W); 512, 256, 128, 64 maps from 4 x 4 on at 64 px."""

    def __init__(self, shape: Shape, latent: int, width: float) -> None:
        super().__init__()
        maps = plan(shape.resolution, width)[::-1]
        self.maps = (maps[0], FIRST_SIDE, FIRST_SIDE)
        self.project = nn.Linear(latent, prod(self.maps))
        self.norms = nn.ModuleList(nn.BatchNorm2d(m) for m in maps)
        self.doublings = nn.ModuleList(Doubling(a, b) for a, b in pairwise([*maps, shape.channels]))

    def forward(self, z: Tensor) -> Tensor:
        """z (N, L) -> (N, C, H, W) in [-1, 1]."""
        x = self.project(z).view(-1, *self.maps)
        for norm, double in zip(self.norms, self.doublings, strict=True):
            x = double(F.relu(norm(x)))
        return x.tanh()


class ConvolutionalEncoder(Encoder):
    """64, 128, 256, 512 maps at 64 px, down to 4 x 4."""

    def __init__(self, shape: Shape, latent: int, width: float, *, squashed: bool) -> None:
        super().__init__(squashed=squashed)
        self.features = nn.Sequential(*halving_blocks(shape, width), nn.Flatten())
        self.head = nn.Linear(plan(shape.resolution, width)[-1] * FIRST_SIDE**2, latent)


class ConvolutionalDiscriminator(nn.Module):
    """D(x, z): images (N, C, H, W) and z (N, L) -> logits (N,)."""

    def __init__(self, shape: Shape, latent: int, width: float) -> None:
        super().__init__()
        units = scaled(JOINT_UNITS, width)
        self.of_image = nn.Sequential(*halving_blocks(shape, width), nn.Flatten())
        leaky = nn.LeakyReLU(LEAKY_SLOPE)
        # 1 x 1 convolutions of a map of one pixel
        self.of_latent = nn.Sequential(nn.Linear(latent, units), leaky, nn.Linear(units, units), leaky)
        together = plan(shape.resolution, width)[-1] * FIRST_SIDE**2 + units
        self.joint = nn.Sequential(nn.Linear(together, units), nn.BatchNorm1d(units), leaky)
        self.head = nn.Linear(units, 1)

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        """x (N, C, H, W) in [-1, 1], z (N, L) -> (N,)."""
        joint = self.joint(torch.cat([self.of_image(x), self.of_latent(z)], dim=1))
        return self.head(joint).float()[:, 0]


class ToPixels(nn.Module):
    """Images (N, C, H, W) in [-1, 1] -> pixels (N, C H W) in [0, 1]."""

    def forward(self, x: Tensor) -> Tensor:
        return (x.flatten(1) + 1) / 2


def halving_blocks(shape: Shape, width: float) -> list[nn.Sequential]:
    """(N, C, H, W) -> maps of 4 x 4; the first layer has no batch norm."""
    maps = [shape.channels, *plan(shape.resolution, width)]
    return [halving_block(a, b, norm=n > 0) for n, (a, b) in enumerate(pairwise(maps))]


def bidirectional_networks(
    shape: Shape, latent: int, width: float, rng: Generator, *, dense: bool, squashed: bool
) -> dict[str, nn.Module]:
    """All three by name; weights N(0, .02^2), those of D's last layer 0, so that D begins at 1/2."""
    discriminator = (DenseDiscriminator if dense else ConvolutionalDiscriminator)(shape, latent, width)
    encoder = DenseEncoder if dense else ConvolutionalEncoder
    networks: dict[str, nn.Module] = {
        "encoder": encoder(shape, latent, width, squashed=squashed),
        "generator": (DenseGenerator if dense else ConvolutionalGenerator)(shape, latent, width),
        "discriminator": discriminator,
    }
    for network in networks.values():
        initialise(network, rng)
    nn.init.zeros_(discriminator.head.weight)
    return networks
