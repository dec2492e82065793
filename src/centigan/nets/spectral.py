"""Spectral normalisation of weights (Miyato et al., 2018; arXiv:1802.05957)."""

import torch
from torch import Generator, Tensor, nn
from torch.nn.utils.parametrize import register_parametrization

LEAST = 1e-12  # a length that a vector is divided by at the least


class SpectralNorm(nn.Module):
    """W / sigma(W), where sigma estimates the greatest singular value of W as a matrix (out, rest).

        v = W' u / |W' u|,   u <- W v / |W v|,   sigma = u' W v

    One such step (Algorithm 1) in each pass while training; in evaluation u stays. The gradient takes u and v
    for constants, so that it is that of equation 12 once they have converged. Products are sums in the
    weight's own type: autocast would round them to bfloat16, and sigma with them.
    """

    u: Tensor

    def __init__(self, outputs: int, rng: Generator) -> None:
        super().__init__()
        self.register_buffer("u", _unit(torch.randn(outputs, generator=rng)))

    def forward(self, weight: Tensor) -> Tensor:
        """weight (out, ...) -> of the same shape, with a greatest singular value of about 1."""
        with torch.no_grad():
            v = _unit((weight * _as_column(self.u, weight)).sum(0))
            if self.training:
                self.u.copy_(_unit((weight * v).flatten(1).sum(1)))
            direction = _as_column(self.u, weight) * v  # u v', a new tensor: later passes change u
        normalised: Tensor = weight / (weight * direction).sum()
        return normalised


def _unit(x: Tensor) -> Tensor:
    return x / x.norm().clamp(min=LEAST)


def _as_column(u: Tensor, weight: Tensor) -> Tensor:
    return u.view(-1, *[1] * (weight.ndim - 1))


def normalise_spectrally(network: nn.Module, rng: Generator) -> None:
    """Give every linear layer and convolution W / sigma(W) for its weight; biases stay.

    Afterwards a layer's `weight` is computed; its parameter is `parametrizations.weight.original`.
    """
    for layer in list(network.modules()):
        if isinstance(layer, nn.Linear | nn.Conv2d):
            register_parametrization(layer, "weight", SpectralNorm(len(layer.weight), rng))
