"""Networks of VAE/GAN's authors (Larsen et al. 2016): encoder, decoder, and D with a layer that compares."""

from itertools import pairwise
from math import prod
from typing import NamedTuple

from torch import Tensor, nn

from centigan.nets.blocks import Doubling, scaled
from centigan.nets.gaussian import GaussianHead
from centigan.settings.families.vae_gan import VaeGanConfig as Config
from centigan.types import Shape

ENCODER_UNITS, DISCRIMINATOR_UNITS, FIRST_MAPS = 1024, 512, 32
SIMILARITY_SIDE = 8  # of the maps of Dis_l


class Plan(NamedTuple):
    """Feature maps of the layers that halve or double the side, and the side of the smallest maps."""

    encoder: list[int]
    decoder: list[int]  # from the projection on
    discriminator: list[int]
    side: int


def plan(resolution: int, width: float) -> Plan:
    """As in the authors' code at 32 and 64 px; each doubling beyond adds 256 maps to all."""
    side = 4 if resolution == 32 else 8
    further = [256] * ((resolution // side).bit_length() - 4)
    middle = 192 if resolution == 32 else 256
    of = ([64, 128, 256, *further], [256, *further, middle, 128, 32], [128, middle, 256, *further])
    encoder, decoder, discriminator = ([scaled(m, width) for m in maps] for maps in of)
    return Plan(encoder, decoder, discriminator, side)


class Encoder(nn.Module):
    """q(z|x): images (N, C, H, W) -> mean and log variance of z, (N, latent) each."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        maps, side = plan(shape.resolution, config.width).encoder, plan(shape.resolution, config.width).side
        units = scaled(ENCODER_UNITS, config.width)
        self.layers = nn.Sequential(
            *(_normed(_halving(a, b)) for a, b in pairwise([shape.channels, *maps])),
            nn.Flatten(),
            _normed(nn.Linear(maps[-1] * side**2, units, bias=False)),
        )
        self.head = GaussianHead(units, config.latent)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x (N, C, H, W) in [-1, 1] -> float32 (N, latent) twice."""
        mean, log_variance = self.head(self.layers(x))
        return mean, log_variance


class Decoder(nn.Module):
    """Dec(z): latent (N, latent) -> images (N, C, H, W)."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        _, maps, _, side = plan(shape.resolution, config.width)
        self.maps = (maps[0], side, side)
        self.project = _normed(nn.Linear(config.latent, prod(self.maps), bias=False))
        self.layers = nn.Sequential(
            *(_normed(Doubling(a, b, bias=False)) for a, b in pairwise(maps)),
            nn.Conv2d(maps[-1], shape.channels, 5, padding=2),
            nn.Tanh(),
        )

    def forward(self, z: Tensor) -> Tensor:
        """z (N, latent) -> (N, C, H, W) in [-1, 1]."""
        images: Tensor = self.layers(self.project(z).view(-1, *self.maps))
        return images


class Discriminator(nn.Module):
    """Dis(x): images (N, C, H, W) -> Dis_l (N, F) and logits (N,)."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        _, _, maps, side = plan(shape.resolution, config.width)
        first = scaled(FIRST_MAPS, config.width)
        halvings = [_halving(a, b) for a, b in pairwise([first, *maps])]
        at = (shape.resolution // SIMILARITY_SIDE).bit_length() - 2  # of the layer whose maps are so small
        self.below = nn.Sequential(
            nn.Conv2d(shape.channels, first, 5, padding=2),
            nn.ReLU(),
            *(_normed(layer) for layer in halvings[:at]),
            halvings[at],
        )
        units = scaled(DISCRIMINATOR_UNITS, config.width)
        self.above = nn.Sequential(
            nn.BatchNorm2d(maps[at]),
            nn.ReLU(),
            *(_normed(layer) for layer in halvings[at + 1 :]),
            nn.Flatten(),
            _normed(nn.Linear(maps[-1] * side**2, units, bias=False)),
            nn.Linear(units, 1),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x (N, C, H, W) in [-1, 1] -> float32 (N, F) and (N,)."""
        maps = self.below(x)
        return maps.flatten(1).float(), self.above(maps).float()[:, 0]


def _halving(maps_in: int, maps_out: int) -> nn.Conv2d:
    return nn.Conv2d(maps_in, maps_out, 5, stride=2, padding=2, bias=False)


def _normed(layer: nn.Linear | nn.Conv2d | nn.ConvTranspose2d) -> nn.Sequential:
    """A layer without biases, batch norm, ReLU."""
    if isinstance(layer, nn.Linear):
        return nn.Sequential(layer, nn.BatchNorm1d(layer.out_features), nn.ReLU())
    return nn.Sequential(layer, nn.BatchNorm2d(layer.out_channels), nn.ReLU())
