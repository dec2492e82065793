"""Affine couplings of points, whose networks are small and fully connected (Dinh et al., 2017, section 3.2).

A coupling keeps every second coordinate, the next one keeps the others. There is no logit: points have no
bounds.
"""

from typing import cast

import torch
from torch import Generator, Tensor, nn

from centigan.errors import UserError
from centigan.nets.blocks import initialise_by_fan_in, without_autocast
from centigan.nets.coupling import Actnorm, Chain, Coupling
from centigan.nets.points import stack
from centigan.settings.families.contract import PointCouplings


class PointFlow(nn.Module):
    """f: points (N, d) -> y (N, d), in float32; d is 2 or more."""

    def __init__(self, dimensions: int, settings: PointCouplings, *, actnorm: bool) -> None:
        super().__init__()
        if dimensions < 2:
            raise UserError("couplings keep a coordinate and move another: points on a line have one")
        mask = (torch.arange(dimensions) % 2).float()
        layers: list[nn.Module] = []
        for number in range(settings.couplings):
            network = stack([dimensions, *[settings.units] * settings.layers, 2 * dimensions])
            layers.append(Coupling(network, mask if number % 2 == 0 else 1 - mask))
            layers += [Actnorm((dimensions,))] if actnorm else []
        self.couplings = Chain(layers)

    def begin(self, rng: Generator) -> None:
        """Draw weights; f is the identity at first."""
        initialise_by_fan_in(self, rng)
        for layer in self.couplings.maps:
            if isinstance(layer, Coupling):
                nn.init.zeros_(cast(nn.Linear, cast(nn.Sequential, layer.network)[-1]).weight)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x (N, d) -> f(x), log |det df/dx| (N,)."""
        with without_autocast(x.device):
            y, log_det = self.couplings(x.float())
            return y, log_det

    def inverse(self, y: Tensor) -> Tensor:
        """y (N, d) -> x."""
        with without_autocast(y.device):
            return self.couplings.inverse(y.float())
