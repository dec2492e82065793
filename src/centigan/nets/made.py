"""Autoregressive networks by masks: MADE over flat z, and masked convolutions over maps of z.

Germain et al. (2015; arXiv:1502.03509): every unit has a degree. Of D variables that of rank d has degree d,
a hidden unit one of 0 .. D - 1. A hidden unit sees variables and units of at most its degree, the outputs of
a variable see units of a lower one (equations 12 and 13). So they depend on variables of lower rank alone.
A context h is seen by every unit of the first layer; units of degree 0 see nothing else.

Maps of z are ranked pixel after pixel, the maps of a pixel one after the other (van den Oord et al. 2016;
arXiv:1601.06759): taps before the middle one see all, the middle one has MADE's mask, those behind see none.

`reverse` ranks all variables the other way round.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

from centigan.nets.weight_norm import WeightNormed


def ranks(count: int, *, reverse: bool) -> Tensor:
    """Degrees (count,) of variables: 1 .. count."""
    forth = torch.arange(1, count + 1)
    return forth.flip(0) if reverse else forth


def spread(count: int, most: int) -> Tensor:
    """Degrees (count,) of hidden units: 0 .. most, evenly."""
    return torch.arange(count) * (most + 1) // count


def mask_of(degrees: Tensor, inputs: Tensor, *, strictly: bool) -> Tensor:
    """Which inputs (I,) units of these degrees (O,) see: (O, I) of 0 and 1."""
    seen = degrees[:, None] > inputs if strictly else degrees[:, None] >= inputs
    return seen.float()


class MaskedLinear(nn.Linear):
    """A linear layer without the weights that its mask (O, I) takes away."""

    mask: Tensor

    def __init__(self, mask: Tensor) -> None:
        super().__init__(mask.shape[1], mask.shape[0])
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight * self.mask, self.bias)


class Made(nn.Module):
    """z (N, L) and a context h (N, H) -> m and s (N, L) each; those of a variable see lower ranks alone."""

    def __init__(self, latent: int, hidden: Sequence[int], context: int, *, reverse: bool = False) -> None:
        """`hidden`: units a layer, each with an ELU; of none the outputs are linear. `context` may be 0."""
        super().__init__()
        of_z = ranks(latent, reverse=reverse)
        degrees = [of_z, *(spread(units, latent - 1) for units in hidden), of_z.repeat(2)]
        self.layers = nn.ModuleList(
            MaskedLinear(mask_of(b, a, strictly=n == len(hidden)))
            for n, (a, b) in enumerate(pairwise(degrees))
        )
        self.context = nn.Linear(context, len(degrees[1]), bias=False) if context else None

    def forward(self, z: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """float32 (N, L) twice."""
        first, *others = self.layers
        x = first(z)
        if self.context is not None:
            x = x + self.context(h)
        for layer in others:
            x = layer(F.elu(x))
        m, s = x.float().chunk(2, dim=1)
        return m, s


class Masked(nn.Module):
    """Of weights those that a mask leaves."""

    mask: Tensor

    def __init__(self, mask: Tensor) -> None:
        super().__init__()
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, weight: Tensor) -> Tensor:
        return weight * self.mask


class MaskedConvolution(WeightNormed):
    """A 3x3 convolution with normalised weights, without those that its mask takes away.

    The length is of all weights, masked ones too: a scale that data sets, and no other functions.
    """

    def __init__(self, middle: Tensor, *, reverse: bool, std: float) -> None:
        """`middle`: the mask (O, I) of the middle tap; `reverse`: sees taps behind it, not those before."""
        out, into = middle.shape
        super().__init__(nn.Conv2d(into, out, 3, padding=1), trained=True, std=std, lengthens=False)
        parametrize.register_parametrization(self.layer, "weight", Masked(taps(middle, reverse=reverse)))


def taps(middle: Tensor, *, reverse: bool) -> Tensor:
    """The mask (O, I, 3, 3) of a convolution: all of the taps before, and of the middle one what is given."""
    mask = torch.zeros(9, *middle.shape)
    mask[:4], mask[4] = 1, middle
    return (mask.flip(0) if reverse else mask).permute(1, 2, 0).unflatten(2, (3, 3)).contiguous()


class MaskedConvolutions(nn.Module):
    """z (N, Z, H, W) and a context h (N, M, H, W) -> m and s (N, Z, H, W) each, by lower ranks alone."""

    def __init__(self, latent: int, maps: int, layers: int, *, reverse: bool = False, std: float) -> None:
        """`layers`: hidden ones of so many maps, each with an ELU; `std`: of units when data has set them."""
        super().__init__()
        of_z, hidden = ranks(latent, reverse=reverse), spread(maps, latent)
        degrees = [of_z, *[hidden] * layers, of_z.repeat(2)]
        self.layers = nn.ModuleList(
            MaskedConvolution(mask_of(b, a, strictly=n == layers), reverse=reverse, std=std)
            for n, (a, b) in enumerate(pairwise(degrees))
        )

    def forward(self, z: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """float32 (N, Z, H, W) twice."""
        first, *others = self.layers
        x = first(z) + h
        for layer in others:
            x = layer(F.elu(x))
        m, s = x.float().chunk(2, dim=1)
        return m, s
