"""Networks of Reed et al. (2016), which are told a caption's embedding: G, D and the style encoder S.

Layers of 4 x 4 double the side from 4 x 4 on, or halve it down to that: at 64 px D has 64, 128, 256 and 512
maps, G twice as many in reverse. Bottlenecks refine small maps: G's of 4 x 4 and 8 x 8, D's of 4 x 4. The
embedding is projected to a few units, which in G stand beside z, in D as planes beside the last maps. No
convolution has biases: the authors' code sets them to 0 before each update.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt

import torch
from torch import Generator, Tensor, nn

from centigan.nets.blocks import LEAKY_SLOPE, initialise_with_gains, scaled, with_planes
from centigan.types import UNLABELLED, Given, Shape, captions_of

FIRST_SIDE, DISCRIMINATOR_MAPS, MOST_TIMES, REFINED = 4, 64, 8, 2


def plan(resolution: int, width: float) -> list[int]:
    """Maps of D at half, a quarter, ... of the resolution, down to 4 x 4: 64, 128, 256, 512 at 64 px."""
    halvings = (resolution // FIRST_SIDE).bit_length() - 1
    return [scaled(DISCRIMINATOR_MAPS * min(2**n, MOST_TIMES), width) for n in range(halvings)]


def rectified(*, leaky: bool) -> nn.Module:
    """ReLU, or the leaky one."""
    return nn.LeakyReLU(LEAKY_SLOPE, inplace=True) if leaky else nn.ReLU(inplace=True)


class Bottleneck(nn.Module):
    """x (N, A, H, H) and what layers of 1 x 1, 3 x 3 and 3 x 3 make of it in a quarter of its maps."""

    def __init__(self, maps: int, *, leaky: bool) -> None:
        super().__init__()
        few = max(1, maps // 4)
        self.added = nn.Sequential(
            nn.Conv2d(maps, few, 1, bias=False),
            nn.BatchNorm2d(few),
            rectified(leaky=leaky),
            nn.Conv2d(few, few, 3, padding=1, bias=False),
            nn.BatchNorm2d(few),
            rectified(leaky=leaky),
            nn.Conv2d(few, maps, 3, padding=1, bias=False),
            nn.BatchNorm2d(maps),
        )
        self.last = rectified(leaky=leaky)

    def forward(self, x: Tensor) -> Tensor:
        refined: Tensor = self.last(x + self.added(x))
        return refined


class DescribedGenerator(nn.Module):
    """G(z, h): z (N, L), captions (N, E) -> images (N, C, H, W)."""

    def __init__(self, shape: Shape, latent: int, text_units: int, width: float) -> None:
        super().__init__()
        maps = [2 * m for m in reversed(plan(shape.resolution, width))]
        self.of_text = nn.Sequential(nn.Linear(shape.embedding, text_units), rectified(leaky=True))
        self.of_classes: Tensor
        self.register_buffer("of_classes", torch.zeros(shape.classes, shape.embedding))
        first = nn.ConvTranspose2d(latent + text_units, maps[0], FIRST_SIDE, bias=False)
        layers: list[nn.Module] = [first, nn.BatchNorm2d(maps[0]), _refined(maps[0], 0)]
        for n, (a, b) in enumerate(pairwise(maps), 1):
            layers += [_doubling(a, b), nn.BatchNorm2d(b), _refined(b, n)]
        self.layers = nn.Sequential(*layers, _doubling(maps[-1], shape.channels), nn.Tanh())

    def asked(self, wanted: Given) -> Tensor:
        """The captions (N, E) that are wanted, or where classes alone are, those that were given of them.

        Raises:
            UserError: when neither is.
        """
        if wanted.captions is not None:
            return wanted.captions
        if not self.of_classes.any() or (wanted.labels == UNLABELLED).any():
            captions_of(wanted)  # raises
        return self.of_classes[wanted.labels]

    def forward(self, z: Tensor, captions: Tensor) -> Tensor:
        """z (N, L), captions (N, E) -> (N, C, H, W) in [-1, 1]."""
        told = torch.cat([z, self.of_text(captions).to(z.dtype)], dim=1)
        images: Tensor = self.layers(told[:, :, None, None])
        return images


class DescribedDiscriminator(nn.Module):
    """D(x, h): images (N, C, H, W), captions (N, E) -> logits (N,)."""

    def __init__(self, shape: Shape, text_units: int, width: float) -> None:
        super().__init__()
        maps = plan(shape.resolution, width)
        self.of_image = nn.Sequential(*halving_layers(shape.channels, maps))
        self.of_text = nn.Sequential(
            nn.Linear(shape.embedding, text_units), nn.BatchNorm1d(text_units), rectified(leaky=True)
        )
        self.joint = nn.Sequential(
            nn.Conv2d(maps[-1] + text_units, maps[-1], 1, bias=False),
            nn.BatchNorm2d(maps[-1]),
            rectified(leaky=True),
            nn.Conv2d(maps[-1], 1, FIRST_SIDE, bias=False),
        )

    def forward(self, x: Tensor, captions: Tensor) -> Tensor:
        """x (N, C, H, W) in [-1, 1], captions (N, E) -> (N,)."""
        logits: Tensor = self.joint(with_planes(self.of_image(x), self.of_text(captions)))
        return logits.float().flatten()


class StyleEncoder(nn.Module):
    """S(x): images (N, C, H, W) -> z (N, L), by the layers of D for images."""

    def __init__(self, shape: Shape, latent: int, width: float) -> None:
        super().__init__()
        maps = plan(shape.resolution, width)
        last = nn.Conv2d(maps[-1], latent, FIRST_SIDE, bias=False)
        self.layers = nn.Sequential(*halving_layers(shape.channels, maps), last)

    def forward(self, x: Tensor) -> Tensor:
        """x (N, C, H, W) in [-1, 1] -> float32 (N, L)."""
        return self.layers(x).float().flatten(1)


def halving_layers(channels: int, maps: Sequence[int]) -> list[nn.Module]:
    """(N, C, H, W) -> (N, M, 4, 4); the first layer has no batch norm, the last a bottleneck behind it."""
    layers: list[nn.Module] = [_halving(channels, maps[0]), rectified(leaky=True)]
    for n, (a, b) in enumerate(pairwise(maps), 2):
        last = Bottleneck(b, leaky=True) if n == len(maps) else rectified(leaky=True)
        layers += [_halving(a, b), nn.BatchNorm2d(b), last]
    return layers


def begin(network: nn.Module, rng: Generator) -> None:
    """Convolutions N(0, .02^2), gains of batch norm N(1, .02^2); dense layers U(-1, 1) / sqrt(fan-in)."""
    initialise_with_gains(network, rng)
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            reach = 1 / sqrt(layer.in_features)
            for parameter in (layer.weight, layer.bias):
                nn.init.uniform_(parameter, -reach, reach, generator=rng)


def _refined(maps: int, place: int) -> nn.Module:
    """What follows G's batch norm: a bottleneck for its first two sides."""
    return Bottleneck(maps, leaky=False) if place < REFINED else rectified(leaky=False)


def _doubling(maps_in: int, maps_out: int) -> nn.Module:
    return nn.ConvTranspose2d(maps_in, maps_out, 4, stride=2, padding=1, bias=False)


def _halving(maps_in: int, maps_out: int) -> nn.Module:
    return nn.Conv2d(maps_in, maps_out, 4, stride=2, padding=1, bias=False)
