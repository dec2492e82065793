"""Affine couplings and what stands around them (real NVP: Dinh et al., 2017; arXiv:1605.08803).

A coupling keeps what a mask b chooses of x, and moves the rest by what a network says of what is kept:

    y = b x + (1 - b) (x exp(s(b x)) + t(b x)),   log |det dy/dx| = sum (1 - b) s(b x)     (9, 6)

Every layer maps x to y and log |det| (N,), and `inverse` maps y back. No batch norm stands in a map that is
inverted: by a batch's own statistics there would be neither a density nor an inverse of one image.
"""

from collections.abc import Iterable, Sequence
from math import log, prod
from typing import NamedTuple, Protocol, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from centigan.nets.blocks import without_autocast
from centigan.nets.weight_norm import WeightNormed

MARGIN = 0.05  # alpha: what the logit is taken of stays so far from 0 and 1
CHECKERBOARDS, BY_CHANNELS, AT_THE_END = 3, 3, 4  # couplings of a scale, and of the last (section 4.1)


class Map(Protocol):
    """An invertible layer."""

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]: ...

    def inverse(self, y: Tensor) -> Tensor: ...


class Plan(NamedTuple):
    """Sizes of the networks within couplings."""

    maps: int  # at the first scale; twice as many at each further
    blocks: int  # residual, of two convolutions each
    actnorm: bool


class Chain(nn.Module):
    """Maps one after the other."""

    def __init__(self, maps: Iterable[nn.Module]) -> None:
        super().__init__()
        self.maps = nn.ModuleList(maps)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x (N, ...) -> y of its shape, log |det| (N,)."""
        total = x.new_zeros(len(x))
        for each in self.maps:
            x, log_det = each(x)
            total = total + log_det
        return x, total

    def inverse(self, y: Tensor) -> Tensor:
        """y (N, ...) -> x."""
        for each in reversed(self.maps):
            y = cast(Map, each).inverse(y)
        return y


class Coupling(nn.Module):
    """Equations 9 and 6, s = g tanh(.) with g learnt, one a channel; the identity before the first step."""

    mask: Tensor

    def __init__(self, network: nn.Module, mask: Tensor) -> None:
        """`network`: (N, C, ...) -> (N, 2 C, ...); `mask` (C, ...): 1 where x is kept."""
        super().__init__()
        self.network = network
        self.gain = nn.Parameter(torch.ones(len(mask), *(1 for _ in mask.shape[1:])))
        self.register_buffer("mask", mask, persistent=False)

    def _moves(self, kept: Tensor) -> tuple[Tensor, Tensor]:
        """s and t of what is kept, both 0 there."""
        s, t = self.network(kept).chunk(2, dim=1)
        moved = 1 - self.mask
        return s.tanh() * (self.gain * moved), t * moved

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        s, t = self._moves(x * self.mask)
        return torch.addcmul(t, x, s.exp()), s.flatten(1).sum(1)

    def inverse(self, y: Tensor) -> Tensor:
        s, t = self._moves(y * self.mask)
        return (y - t) * (-s).exp()


class Actnorm(nn.Module):
    """y = (x + bias) exp(log_scale) by channel, which data sets first (Kingma & Dhariwal, 2018, 3.1)."""

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__()
        one_a_channel = (shape[0], *(1 for _ in shape[1:]))
        self.bias = nn.Parameter(torch.zeros(one_a_channel))
        self.log_scale = nn.Parameter(torch.zeros(one_a_channel))
        self.places = prod(shape[1:])

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        y = (x + self.bias) * self.log_scale.exp()
        return y, (self.log_scale.sum() * self.places).expand(len(x))

    def inverse(self, y: Tensor) -> Tensor:
        return y * (-self.log_scale).exp() - self.bias

    @torch.no_grad()
    def begin(self, x: Tensor) -> None:
        """Of these x (N, C, ...) each channel of y has mean 0 and variance 1."""
        over = [n for n in range(x.ndim) if n != 1]
        deviation, mean = torch.std_mean(x, over, correction=0)
        self.bias.copy_(-mean.view_as(self.bias))
        self.log_scale.copy_(-deviation.clamp(min=1e-3).log().view_as(self.log_scale))


class Squeezed(nn.Module):
    """A map of x squeezed: (N, C, H, W) -> (N, 4 C, H / 2, W / 2), and back (section 3.6)."""

    def __init__(self, within: nn.Module) -> None:
        super().__init__()
        self.within = within

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        y, log_det = self.within(squeeze(x))
        return unsqueeze(y), log_det

    def inverse(self, y: Tensor) -> Tensor:
        return unsqueeze(cast(Map, self.within).inverse(squeeze(y)))


class Halved(nn.Module):
    """Half of the channels are done, the others go through a further map (equations 13 to 16)."""

    def __init__(self, further: nn.Module) -> None:
        super().__init__()
        self.further = further

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        done, rest = x.chunk(2, dim=1)
        rest, log_det = self.further(rest)
        return torch.cat([done, rest], dim=1), log_det

    def inverse(self, y: Tensor) -> Tensor:
        done, rest = y.chunk(2, dim=1)
        return torch.cat([done, cast(Map, self.further).inverse(rest)], dim=1)


class ResidualNet(nn.Module):
    """s and t of a coupling, (N, C, H, W) -> (N, 2 C, H, W): residual blocks, all with a way to the end."""

    def __init__(self, channels: int, maps: int, blocks: int) -> None:
        super().__init__()
        self.first = _convolution(2 * channels, maps, 3)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.ReLU(), _convolution(maps, maps, 3), nn.ReLU(), _convolution(maps, maps, 3))
            for _ in range(blocks)
        )
        self.skips = nn.ModuleList(_convolution(maps, maps, 1) for _ in range(blocks + 1))
        self.last = nn.Conv2d(maps, 2 * channels, 1)
        nn.init.zeros_(self.last.weight)  # s = t = 0
        nn.init.zeros_(cast(Tensor, self.last.bias))

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(F.relu(torch.cat([x, -x], dim=1)))
        total = self.skips[0](h)
        for block, skip in zip(self.blocks, list(self.skips)[1:], strict=True):
            h = h + block(h)
            total = total + skip(h)
        moves: Tensor = self.last(F.relu(total))
        return moves


class Flow(nn.Module):
    """f: w in [-1, 1) -> y, both (N, C, H, W): the logit, then couplings over scales; in float32."""

    def __init__(self, shape: tuple[int, int, int], plan: Plan, *, scales: int, tail: bool) -> None:
        """`shape` (C, H, W); `scales`: those with a squeeze; `tail`: one of checkerboards follows."""
        super().__init__()
        self.couplings = _scale(shape, plan, scales, tail=tail)

    def forward(self, w: Tensor) -> tuple[Tensor, Tensor]:
        """w -> f(w), log |det df/dw| (N,)."""
        with without_autocast(w.device):
            y, of_logit = logit(w.float())
            y, log_det = self.couplings(y)
            return y, of_logit + log_det

    def inverse(self, y: Tensor) -> Tensor:
        """y -> w, which may lie outside [-1, 1] by 1 / 9."""
        with without_autocast(y.device):
            return logistic(cast(Map, self.couplings).inverse(y.float()))


def logit(w: Tensor) -> tuple[Tensor, Tensor]:
    """w (N, ...) -> ln p - ln(1 - p), p = alpha + (1 - 2 alpha) v, v = (w + 1) / 2; log |det| (N,)."""
    p = MARGIN + (1 - 2 * MARGIN) * (w + 1) / 2
    upper, lower = p.log(), (1 - p).log()
    slope = log(1 - 2 * MARGIN) - log(2)
    return upper - lower, (slope - upper - lower).flatten(1).sum(1)


def logistic(y: Tensor) -> Tensor:
    """Back to w."""
    return 2 * (y.sigmoid() - MARGIN) / (1 - 2 * MARGIN) - 1


def squeeze(x: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, 4 C, H / 2, W / 2): the four places of a field, each with all channels."""
    return x.unflatten(3, (-1, 2)).unflatten(2, (-1, 2)).permute(0, 3, 5, 1, 2, 4).flatten(1, 3)


def unsqueeze(x: Tensor) -> Tensor:
    """Back to (N, C, H, W)."""
    return x.unflatten(1, (2, 2, -1)).permute(0, 3, 4, 1, 5, 2).flatten(4, 5).flatten(2, 3)


def _scale(shape: tuple[int, int, int], plan: Plan, scales: int, *, tail: bool) -> nn.Module:
    """Checkerboards, and squeezed: couplings of channels, then half of them the next scale."""
    channels, height, width = shape
    if not scales:
        return Chain(_couplings(AT_THE_END, checkerboard(shape), shape, plan))
    squeezed = (4 * channels, height // 2, width // 2)
    further = plan._replace(maps=2 * plan.maps)
    within = _couplings(BY_CHANNELS, halves(squeezed), squeezed, further)
    if scales > 1 or tail:
        rest = (2 * channels, height // 2, width // 2)
        within.append(Halved(_scale(rest, further, scales - 1, tail=tail)))
    return Chain([*_couplings(CHECKERBOARDS, checkerboard(shape), shape, plan), Squeezed(Chain(within))])


def _couplings(count: int, mask: Tensor, shape: tuple[int, int, int], plan: Plan) -> list[nn.Module]:
    """So many couplings, whose masks alternate."""
    layers: list[nn.Module] = []
    for number in range(count):
        network = ResidualNet(shape[0], plan.maps, plan.blocks)
        layers.append(Coupling(network, mask if number % 2 == 0 else 1 - mask))
        layers += [Actnorm(shape)] if plan.actnorm else []
    return layers


def checkerboard(shape: tuple[int, int, int]) -> Tensor:
    """Mask (C, H, W): 1 where row and column add up to an odd number."""
    channels, height, width = shape
    rows, columns = torch.arange(height)[:, None], torch.arange(width)
    return ((rows + columns) % 2).float().expand(channels, -1, -1).clone()


def halves(shape: tuple[int, int, int]) -> Tensor:
    """Mask (C, H, W): 0 of the first half of the channels."""
    channels = torch.arange(shape[0])[:, None, None]
    return (channels >= shape[0] // 2).float().expand(shape).clone()


def _convolution(maps_in: int, maps_out: int, side: int) -> WeightNormed:
    return WeightNormed(nn.Conv2d(maps_in, maps_out, side, padding=side // 2), trained=True)
