"""Networks that grow from 4 px on, a doubling at a time (Karras et al., 2018; arXiv:1710.10196).

Level k has a side of 4 2^k pixels. A network's `growth` g tells how far it is grown: k where level k is the
finest, k + alpha while level k + 1 fades in with the weight alpha. Whatever level k makes is then mixed with
what would be there without it:

    mixed = (1 - alpha_k) coarser + alpha_k finer,   alpha_k = g - (k - 1), within 0 and 1

G mixes images, the coarser one enlarged; D mixes features, the coarser ones from the image made smaller.
A level that g has not reached has a weight of 0, and one that is there wholly hides those below it. Networks
may be run for the levels that count alone: the others change no value.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrize import register_parametrization

from centigan.nets.blocks import LEAKY_SLOPE, scaled
from centigan.types import Shape

FIRST_SIDE, MOST_MAPS = 4, 512
GAIN = 2**0.5  # He's, for what a rectifier follows
LEAST_SQUARE = 1e-8  # under the roots


def levels_of(resolution: int) -> range:
    """All levels of a resolution: 0 to 3 at 32 px."""
    return range((resolution // FIRST_SIDE).bit_length())


def plan(resolution: int, maps: int, width: float) -> list[int]:
    """Feature maps of each level: `maps` over the side in pixels, at most 512."""
    return [scaled(min(maps // (FIRST_SIDE << n), MOST_MAPS), width) for n in levels_of(resolution)]


class Scaled(nn.Module):
    """c w, a weight that is multiplied wherever it is used."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, weight: Tensor) -> Tensor:
        """A weight of any shape."""
        return self.factor * weight


Layer = TypeVar("Layer", bound=nn.Module)


def equalised(layer: Layer, fan_in: int, gain: float = GAIN) -> Layer:
    """The layer with He's deviation, gain / sqrt(fan-in), as a factor at run time (section 4.1).

    Its parameter is then of deviation 1 in every layer, and Adam's steps are as long to it in every layer.
    """
    register_parametrization(layer, "weight", Scaled(gain / fan_in**0.5))
    return layer


def convolution(maps_in: int, maps_out: int, side: int, gain: float = GAIN) -> nn.Conv2d:
    """An equalised convolution that keeps the side of images."""
    return equalised(nn.Conv2d(maps_in, maps_out, side, padding=side // 2), maps_in * side**2, gain)


def initialise(network: nn.Module, rng: Generator) -> None:
    """Parameters of equalised weights N(0, 1), biases 0."""
    for name, parameter in network.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(parameter)
        else:
            nn.init.normal_(parameter, generator=rng)


def precise(x: Tensor) -> Tensor:
    """In float32 at the least, whatever autocast made of it."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def pixel_norm(x: Tensor) -> Tensor:
    """b = a / sqrt(mean over maps of a^2), of the vector at each pixel of x (N, M, ...) (section 4.2)."""
    squares = precise(x).square().mean(1, keepdim=True)
    return x * (squares + LEAST_SQUARE).rsqrt().to(x.dtype)


def with_deviation(x: Tensor) -> Tensor:
    """x (N, M, H, W) and beside it a map of one number: how far the images of a minibatch differ (section 3).

    It is the mean over maps and pixels of the standard deviation over the minibatch.
    """
    variances = precise(x).var(0, correction=0)
    deviation = (variances + LEAST_SQUARE).sqrt().mean().to(x.dtype)
    return torch.cat([x, deviation.expand(len(x), 1, *x.shape[2:])], dim=1)


def mix(coarser: Tensor, finer: Tensor, share: Tensor) -> Tensor:
    """Exactly the one at a share of 0, and exactly the other at 1."""
    return coarser * (1 - share) + finer * share


def share_of(level: int, growth: Tensor) -> Tensor:
    """alpha_k, (), of a level above 0."""
    return (growth - (level - 1)).clamp(0, 1)


def up(images: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C, 2H, 2W), each pixel four times."""
    return F.interpolate(images, scale_factor=2, mode="nearest")


def down(images: Tensor) -> Tensor:
    """(N, C, 2H, 2W) -> (N, C, H, W), each pixel the mean of four."""
    return F.avg_pool2d(images, 2)


def blended(pictures: Sequence[Tensor], levels: range, growth: Tensor) -> Tensor:
    """One image of a picture a level, each twice as large as the one before; of the finest one's side."""
    image = pictures[0]
    for level, finer in zip(levels[1:], pictures[1:], strict=True):
        image = mix(up(image), finer, share_of(level, growth))
    return image


def shrunk(images: Tensor, levels: range, growth: Tensor) -> Tensor:
    """Images (N, C, R, R) as G draws them at this growth: of the side of the last level, faded as G's are."""
    sides = [FIRST_SIDE << level for level in levels]
    return blended([F.avg_pool2d(images, images.shape[-1] // side) for side in sides], levels, growth)


class Growing(nn.Module):
    """What both networks have: how far they are grown. An average of weights is grown as the weights are."""

    growth: Tensor  # () float32
    unaveraged = ("growth",)

    def __init__(self, levels: int) -> None:
        super().__init__()
        self.all_levels = range(levels)
        self.register_buffer("growth", torch.zeros(()))


class GrowingGenerator(Growing):
    """G(z): latent (N, latent) -> images (N, C, H, H) of the side of the last level that is run (Table 2)."""

    def __init__(self, latent: int, maps: Sequence[int], channels: int) -> None:
        super().__init__(len(maps))
        first = maps[0]
        self.blocks = nn.ModuleList(
            [
                nn.Sequential(  # of one pixel it makes 4 x 4, and all its taps count in the fan-in
                    equalised(nn.ConvTranspose2d(latent, first, FIRST_SIDE), latent * FIRST_SIDE**2),
                    Activation(),
                    convolution(first, first, 3),
                    Activation(),
                )
            ]
        )
        for a, b in pairwise(maps):
            self.blocks.append(
                nn.Sequential(convolution(a, b, 3), Activation(), convolution(b, b, 3), Activation())
            )
        self.to_image = nn.ModuleList(convolution(m, channels, 1, gain=1) for m in maps)

    def forward(self, z: Tensor, levels: range | None = None) -> Tensor:
        """z (N, latent), of which the direction counts -> (N, C, H, H), not held within [-1, 1].

        `levels`: those that are run, one or more after one another; all, where it is left out.
        """
        levels = levels or self.all_levels
        x, pictures = pixel_norm(z)[:, :, None, None], []
        for level in range(levels.stop):
            x = self.blocks[level](up(x) if level else x)
            if level in levels:
                pictures.append(self.to_image[level](x))
        return blended(pictures, levels, self.growth)


class Activation(nn.Module):
    """What follows each of G's layers but those that draw images."""

    def forward(self, x: Tensor) -> Tensor:
        """x (N, M, H, W)."""
        return pixel_norm(F.leaky_relu(x, LEAKY_SLOPE))


class GrowingCritic(Growing):
    """f(x): images (N, C, H, H) of the side of the last level that is run -> reals (N,) (Table 2).

    Every layer can be differentiated twice. The images of a minibatch see how far they differ.
    """

    def __init__(self, maps: Sequence[int], channels: int) -> None:
        super().__init__(len(maps))
        self.from_image = nn.ModuleList(convolution(channels, m, 1) for m in maps)
        self.blocks = nn.ModuleList(  # each leads down to a level, from the one above it
            nn.Sequential(convolution(b, b, 3), leaky(), convolution(b, a, 3), leaky())
            for a, b in pairwise(maps)
        )
        first = maps[0]
        self.head = nn.Sequential(
            convolution(first + 1, first, 3),
            leaky(),
            nn.Flatten(),
            equalised(nn.Linear(first * FIRST_SIDE**2, first), first * FIRST_SIDE**2),
            leaky(),
            equalised(nn.Linear(first, 1), first, gain=1),
        )

    def forward(self, x: Tensor, levels: range | None = None) -> Tensor:
        """x (N, C, H, H) in [-1, 1] -> (N,), float32; `levels` as G's."""
        levels = levels or self.all_levels
        h = self._features(x, levels[-1])
        for level in reversed(range(levels[-1])):
            h = down(self.blocks[level](h))
            if level in levels:
                x = down(x)
                h = mix(self._features(x, level), h, share_of(level + 1, self.growth))
        return precise(self.head(with_deviation(h))[:, 0])

    def _features(self, x: Tensor, level: int) -> Tensor:
        """What a level's layers take, of images of its side."""
        return F.leaky_relu(self.from_image[level](x), LEAKY_SLOPE)


def leaky() -> nn.LeakyReLU:
    """What follows each of D's layers but the last."""
    return nn.LeakyReLU(LEAKY_SLOPE)


def growing_networks(
    shape: Shape, latent: int, maps: int, width: float, rng: Generator
) -> dict[str, nn.Module]:
    """Both by name, with parameters drawn from `rng`: first those of G, then those of D."""
    of_levels = plan(shape.resolution, maps, width)
    networks: dict[str, nn.Module] = {
        "generator": GrowingGenerator(latent, of_levels, shape.channels),
        "critic": GrowingCritic(of_levels, shape.channels),
    }
    for network in networks.values():
        initialise(network, rng)
    return networks
