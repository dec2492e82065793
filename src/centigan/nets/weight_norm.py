"""Weight normalisation (Salimans & Kingma 2016; arXiv:1602.07868), and layers that begin with data.

A unit's weights are w = g v / |v|: a length and a direction. Before the first step one minibatch sets length
and bias, so that on it every unit has a mean of 0 and a given standard deviation; layer after layer, each
fed by those that are set already.
"""

from math import inf
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Generator, Tensor, nn
from torch.nn.utils.parametrizations import weight_norm


class WeightNormed(nn.Module):
    """A linear or convolutional layer with normalised weights."""

    def __init__(self, layer: nn.Module, *, trained: bool, std: float = 1.0, lengthens: bool = True) -> None:
        """`trained`: whether the lengths g are moved; `std`: of a unit, when data has set them.

        `lengthens`: whether data may make a length greater; else a unit that hardly varies is left so.
        """
        super().__init__()
        transposed = isinstance(layer, nn.ConvTranspose2d)  # (in, out, H, W); others: (out, in, ...)
        self.layer, self.std = weight_norm(layer, dim=1 if transposed else 0), std
        self.most_ratio = inf if lengthens else 1.0
        self.length.requires_grad_(trained)

    @property
    def length(self) -> Tensor:
        """g, one a unit, in the shape of the weights."""
        return self._normed.original0

    @property
    def direction(self) -> Tensor:
        """v, of the shape of the weights; its own length is of no account."""
        return self._normed.original1

    @property
    def bias(self) -> Tensor:
        """One a unit."""
        bias = self.layer.bias
        assert isinstance(bias, Tensor)
        return bias

    @property
    def _normed(self) -> Any:
        parametrizations: Any = self.layer.parametrizations
        return parametrizations.weight

    def forward(self, x: Tensor) -> Tensor:
        """What the layer gives."""
        y: Tensor = self.layer(x)
        return y

    @torch.no_grad()
    def begin(self, x: Tensor) -> None:
        """Set g and bias, so that of these inputs each unit has mean 0 and the wanted deviation."""
        y = self.layer(x).float()
        over = [n for n in range(y.ndim) if n != 1]
        deviation, mean = torch.std_mean(y, over, correction=0)
        ratio = self.std / deviation.clamp(min=1e-6)  # a unit that is constant on the data
        ratio = ratio.clamp(max=self.most_ratio)
        self.length.mul_(ratio.view_as(self.length))
        self.bias.sub_(mean).mul_(ratio)


def initialise_normed(network: nn.Module, std: float, rng: Generator) -> None:
    """Directions N(0, std^2), lengths 1, biases 0. The larger std, the slower Adam turns a direction."""
    for layer in network.modules():
        if isinstance(layer, WeightNormed):
            nn.init.normal_(layer.direction, 0, std, generator=rng)
            nn.init.ones_(layer.length)
            nn.init.zeros_(layer.bias)


@runtime_checkable
class BeginsWithData(Protocol):
    """A layer whose first parameters depend on its inputs."""

    def begin(self, x: Tensor) -> None:
        """Set them by the inputs of one minibatch."""
        ...


@torch.no_grad()
def initialise_by_data(network: nn.Module, *inputs: Any) -> None:
    """Run a network once, and set each layer that begins with data by what reaches it.

    `forward` passes a compiled form of the network by, in which no layer could be changed on the way.
    """
    hooks = [
        layer.register_forward_pre_hook(lambda layer, given: layer.begin(*given))
        for layer in network.modules()
        if isinstance(layer, BeginsWithData)
    ]
    network.forward(*inputs)
    for hook in hooks:
        hook.remove()
