"""Small fully connected networks for points in a plane or on a line."""

from itertools import pairwise

import torch
from torch import Generator, Tensor, nn

from centigan.nets.blocks import Noise
from centigan.settings.families.contract import PointNetworks
from centigan.types import Shape


def stack(sizes: list[int]) -> nn.Sequential:
    """Linear layers between these sizes, ReLU after each but the last."""
    *hidden, last = (nn.Linear(a, b) for a, b in pairwise(sizes))
    return nn.Sequential(*(layer for linear in hidden for layer in (linear, nn.ReLU())), last)


class Scaled(nn.Module):
    """x / scale."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        return x / self.scale


def noisy_stack(sizes: list[int], *, slope: float, noise: float = 0.0, scale: float = 1.0) -> nn.Sequential:
    """Of points over `scale` linear layers between these sizes.

    After each but the last batch norm, a leaky ReLU, and N(0, noise^2) while training.
    """
    layers: list[nn.Module] = [Scaled(scale)]
    for a, b in pairwise(sizes[:-1]):
        layers += [nn.Linear(a, b), nn.BatchNorm1d(b), nn.LeakyReLU(slope), Noise(noise)]
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))


def initialise_points(network: nn.Module, rng: Generator) -> None:
    """Weights N(0, .1^2), biases uniform within 1 / sqrt(fan-in)."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            reach = module.in_features**-0.5
            nn.init.normal_(module.weight, 0.0, 0.1, generator=rng)
            nn.init.uniform_(module.bias, -reach, reach, generator=rng)


class PointGenerator(nn.Module):
    """G(z|y): latent (N, latent), y (N, K) or none -> points (N, d), without bounds."""

    def __init__(self, settings: PointNetworks, latent: int, shape: Shape) -> None:
        super().__init__()
        hidden = [settings.generator_units] * settings.generator_layers
        self.layers = stack([latent + shape.classes, *hidden, shape.dimensions])

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """z (N, latent), y (N, K) -> (N, d)."""
        points: Tensor = self.layers(z if y is None else torch.cat([z, y], dim=1))
        return points


class PointDiscriminator(nn.Module):
    """D(x|y): points (N, d), y (N, K) or none -> logits (N,). Every layer can be differentiated twice."""

    def __init__(self, settings: PointNetworks, shape: Shape) -> None:
        super().__init__()
        hidden = [settings.discriminator_units] * settings.discriminator_layers
        self.scale = settings.scale
        self.layers = stack([shape.dimensions + shape.classes, *hidden, 1])

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """x (N, d), y (N, K) -> (N,)."""
        x = x / self.scale
        return self.layers(x if y is None else torch.cat([x, y], dim=1)).float()[:, 0]
