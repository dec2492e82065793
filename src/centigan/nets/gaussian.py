"""Gaussians that networks tell: of a code, q(z|x), and of the noise around what a decoder draws.

Variances are clamped, and a decoder's noise has a floor: on a constant background the likelihood would have
no end.
"""

from collections.abc import Iterable
from math import log
from typing import Any

import torch
from torch import Tensor, nn

FIRST_SIGMA = 0.3  # half of the spread of digits and photographs
MOST_LOG_VARIANCE = 8.0


class GaussianHead(nn.Linear):
    """Features (N, F) -> mean and log variance of z, float32 (N, latent) each."""

    def __init__(self, features: int, latent: int) -> None:
        super().__init__(features, 2 * latent)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        mean, log_variance = super().forward(x).float().chunk(2, dim=1)
        return mean, log_variance.clamp(-MOST_LOG_VARIANCE, MOST_LOG_VARIANCE)


def code_of(mean: Tensor, log_variance: Tensor, noise: Tensor) -> Tensor:
    """z of N(mean, exp(log_variance)) for standard noise, (N, L) each (Kingma & Welling, section 2.4)."""
    return mean + (log_variance / 2).exp() * noise


class NoisyDecoder(nn.Module):
    """A decoder of means, with noise around them: one sigma a channel, learnt, above a floor."""

    floor: float
    log_sigma: nn.Parameter

    def begin_noise(self, channels: int, floor: float, *, of_points: bool = False) -> None:
        """Of so many channels, or coordinates of points."""
        self.floor = floor
        places = (channels,) if of_points else (channels, 1, 1)
        self.log_sigma = nn.Parameter(torch.full(places, log(FIRST_SIGMA)))

    @property
    def sigma(self) -> Tensor:
        """Standard deviation of the noise (C, 1, 1), in w; (d,) of points."""
        return self.log_sigma.exp() + self.floor


def noise_apart(networks: Iterable[nn.Module], lr: float) -> list[dict[str, Any]]:
    """Trained parameters in groups of an optimiser: the noise, where there is one, has a rate of its own."""
    of_all = (pair for network in networks for pair in network.named_parameters())
    named = [(name, parameter) for name, parameter in of_all if parameter.requires_grad]
    groups: list[dict[str, Any]] = [
        {"params": [p for name, p in named if name != "log_sigma"]},
        {"params": [p for name, p in named if name == "log_sigma"], "lr": lr},
    ]
    return [group for group in groups if group["params"]]
