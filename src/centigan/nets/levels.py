"""Networks of a Laplacian pyramid's levels (Denton et al., 2015): section 3, and their code for CIFAR-10.

The coarsest level is dense, with 8 x 8 pixels; the others are convolutional and keep the side. A generator
takes its noise, l_k and y, a discriminator a level of images and y; without classes y has no columns.
"""

from collections.abc import Sequence
from math import prod

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from centigan.nets.blocks import initialise as initialise_normally
from centigan.nets.blocks import scaled
from centigan.nets.pyramid import COARSEST, Level, sides_of, up
from centigan.types import Shape


class CoarsestGenerator(nn.Module):
    """G_K: z (N, latent) and y (N, K) -> images (N, C, 8, 8)."""

    def __init__(self, shape: Shape, latent: int, width: float) -> None:
        super().__init__()
        self.image = (shape.channels, COARSEST, COARSEST)
        units = scaled(1200, width)
        self.layers = nn.Sequential(
            nn.Linear(latent + shape.classes, units),
            nn.ReLU(inplace=True),
            nn.Linear(units, units),
            nn.Sigmoid(),
            nn.Linear(units, prod(self.image)),
        )

    def forward(self, z: Tensor, low: Tensor, y: Tensor) -> Tensor:
        """`low` tells nothing here."""
        images: Tensor = self.layers(torch.cat([z, y], dim=1))
        return images.view(-1, *self.image)


class CoarsestDiscriminator(nn.Module):
    """D_K: images (N, C, 8, 8) and y (N, K) -> logits (N,)."""

    def __init__(self, shape: Shape, width: float) -> None:
        super().__init__()
        units = scaled(600, width)
        self.layers = nn.Sequential(
            nn.Linear(shape.channels * COARSEST**2 + shape.classes, units),
            *(nn.ReLU(inplace=True), nn.Dropout(0.5)),
            nn.Linear(units, units),
            *(nn.ReLU(inplace=True), nn.Dropout(0.5)),
            nn.Linear(units, 1),
        )

    def forward(self, level: Level, y: Tensor) -> Tensor:
        logits: Tensor = self.layers(torch.cat([level.image.flatten(1), y], dim=1))
        return logits.float()[:, 0]


class ClassPlane(nn.Module):
    """y (N, K) -> a plane (N, 1, side, side) beside an image; without classes none, (N, 0, side, side)."""

    def __init__(self, classes: int, side: int) -> None:
        super().__init__()
        self.side, self.count = side, min(classes, 1)
        self.layer = nn.Linear(classes, side**2) if classes else None

    def forward(self, y: Tensor) -> Tensor:
        if self.layer is None:
            return y.new_zeros(len(y), 0, self.side, self.side)
        return F.relu(self.layer(y)).view(-1, 1, self.side, self.side)


class ResidualGenerator(nn.Module):
    """G_k: noise (N, side^2), l_k (N, C, side, side) and y (N, K) -> residuals (N, C, side, side)."""

    def __init__(self, shape: Shape, width: float, side: int) -> None:
        super().__init__()
        maps = scaled(64, width)
        self.plane = ClassPlane(shape.classes, side)
        self.layers = nn.Sequential(
            nn.Conv2d(1 + self.plane.count + shape.channels, maps, 7, padding=3),
            nn.ReLU(inplace=True),
            nn.Conv2d(maps, maps, 7, padding=3),
            nn.ReLU(inplace=True),
            nn.Conv2d(maps, shape.channels, 5, padding=2),
        )

    def forward(self, noise: Tensor, low: Tensor, y: Tensor) -> Tensor:
        planes = [noise.view(-1, 1, *low.shape[2:]), self.plane(y), low]
        residuals: Tensor = self.layers(torch.cat(planes, dim=1))
        return residuals


class ResidualDiscriminator(nn.Module):
    """D_k: l_k and h_k (N, C, side, side) and y (N, K) -> logits (N,)."""

    def __init__(self, shape: Shape, width: float, side: int) -> None:
        super().__init__()
        maps = scaled(64, width)
        self.plane = ClassPlane(shape.classes, side)
        self.layers = nn.Sequential(
            nn.Conv2d(shape.channels + self.plane.count, maps, 5),
            nn.ReLU(inplace=True),
            nn.Conv2d(maps, maps, 5, stride=2),
            nn.ReLU(inplace=True),
            *(nn.Flatten(), nn.Dropout(0.5)),
            nn.Linear(maps * ((side - 4 - 5) // 2 + 1) ** 2, 1),
        )

    def forward(self, level: Level, y: Tensor) -> Tensor:
        logits: Tensor = self.layers(torch.cat([level.image, self.plane(y)], dim=1))
        return logits.float()[:, 0]


class Generators(nn.Module):
    """G of every level, from the coarsest. One network, so that a checkpoint's file holds all that draws."""

    def __init__(self, shape: Shape, latent: int, width: float) -> None:
        super().__init__()
        _, *sides = sides_of(shape.resolution)
        self.channels = shape.channels
        self.sizes = [latent, *(side**2 for side in sides)]  # of each level's noise
        finer: dict[str, nn.Module] = {str(side): ResidualGenerator(shape, width, side) for side in sides}
        self.of = nn.ModuleDict({str(COARSEST): CoarsestGenerator(shape, latent, width)} | finer)

    def forward(self, latent: Tensor, lows: Sequence[Tensor], y: Tensor) -> list[Tensor]:
        """Residuals of each level: of `latent` (N, L) its noise, of `lows` its l_k, that of images or not."""
        noises = latent.split(self.sizes, dim=1)
        return [g(noise, low, y) for g, noise, low in zip(self.of.values(), noises, lows, strict=True)]

    def chain(self, latent: Tensor, y: Tensor) -> list[Level]:
        """I~_K = G_K(z_K), I~_k = u(I~_k+1) + G_k(z_k, u(I~_k+1)): section 2.3."""
        levels: list[Level] = []
        low = latent.new_zeros(len(latent), self.channels, COARSEST, COARSEST)
        for generator, noise in zip(self.of.values(), latent.split(self.sizes, dim=1), strict=True):
            if levels:
                low = up(levels[-1].image)
            levels.append(Level(low, generator(noise, low, y)))
        return levels


class Discriminators(nn.Module):
    """D of every level, from the coarsest."""

    def __init__(self, shape: Shape, width: float) -> None:
        super().__init__()
        _, *sides = sides_of(shape.resolution)
        finer: dict[str, nn.Module] = {str(side): ResidualDiscriminator(shape, width, side) for side in sides}
        self.of = nn.ModuleDict({str(COARSEST): CoarsestDiscriminator(shape, width)} | finer)

    def forward(self, levels: Sequence[Level], y: Tensor) -> list[Tensor]:
        """Logits (N,) of each level."""
        return [d(level, y) for d, level in zip(self.of.values(), levels, strict=True)]


def initialise(network: nn.Module, rng: Generator) -> None:
    """Of the coarsest level N(0, .05^2) in G and N(0, .005^2) in D, biases 0.

    All others begin uniform within 1 / sqrt(fan-in), biases too: Torch's default, which that code leaves.
    """
    for module in network.modules():
        if isinstance(module, CoarsestGenerator | CoarsestDiscriminator):
            initialise_normally(module, rng, 0.05 if isinstance(module, CoarsestGenerator) else 0.005)
        elif isinstance(module, ResidualGenerator | ResidualDiscriminator):
            for layer in module.modules():
                if isinstance(layer, nn.Linear | nn.Conv2d):
                    reach = layer.weight[0].numel() ** -0.5
                    for parameter in layer.parameters():
                        nn.init.uniform_(parameter, -reach, reach, generator=rng)
