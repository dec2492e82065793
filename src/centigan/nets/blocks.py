"""Blocks, noise and initialisation shared by convolutional families."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx, once_differentiable
from torch.nn import functional as F

LEAKY_SLOPE = 0.2  # AC-GAN Table 1


class NoiseAndDropout(nn.Module):
    """Add N(0, std^2) to the activations, then zero each with probability 1/2 and double the rest.

    Noise is that of Salimans et al. (2016, section 3), dropout that of Table 1; both only while training.
    On a CPU both come from one draw of 16 bits an activation: the lowest decides what is dropped, the
    others look up a table of the normal distribution's quantiles. That took 1.4 ns an activation, randn_like
    and a comparison with uniform floats 7.2: a sixth of a whole step at 128 px.
    """

    def __init__(self, std: float) -> None:
        super().__init__()
        self.std = std

    def forward(self, x: Tensor) -> Tensor:
        """x of any shape; the same x in evaluation mode."""
        if not self.training:
            return x
        if x.device.type == "cpu":
            return self._from_one_draw(x)
        return F.dropout(x + self.std * torch.randn_like(x) if self.std else x, 0.5)

    def _from_one_draw(self, x: Tensor) -> Tensor:
        words = torch.empty(-(-x.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
        bits = words.view(torch.int16)[: x.numel()]
        kept = (bits & 1).to(x.dtype).mul_(2).as_strided(x.shape, x.stride())  # in x's memory format
        if not self.std:
            return x * kept
        ranks = bits.view(torch.uint16).to(torch.int32)
        noise = noise_table(self.std, x.dtype).index_select(0, ranks).as_strided(x.shape, x.stride())
        return torch.addcmul(noise, x, kept)


@lru_cache
def noise_table(std: float, dtype: torch.dtype) -> Tensor:
    """What dropout leaves of noise for 16 random bits: the quantiles of N(0, std^2) doubled, 0 where even.

    The 2^15 quantiles (k + 1/2) / 2^15 ascend; the greatest is 4.17 std.
    """
    ranks = torch.arange(2**15, dtype=torch.float64)
    quantiles = 2 * std * torch.special.ndtri((ranks + 0.5) / 2**15)
    return torch.stack([torch.zeros_like(quantiles), quantiles], dim=1).flatten().to(dtype)


class Noise(nn.Module):
    """Add N(0, std^2) while training."""

    def __init__(self, std: float) -> None:
        super().__init__()
        self.std = std

    def forward(self, x: Tensor) -> Tensor:
        """x of any shape; the same x in evaluation mode."""
        return x + self.std * torch.randn_like(x) if self.training and self.std else x


@contextmanager
def at_rest(network: nn.Module) -> Iterator[None]:
    """While the block runs, a network in training drops nothing and has running statistics."""
    network.eval()
    try:
        yield
    finally:
        network.train()


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """The same without gradients."""
    with at_rest(network), torch.no_grad():
        yield


def evaluated(network: nn.Module, *inputs: Tensor) -> Tensor:
    """What a network in training says of inputs in evaluation mode."""
    with evaluating(network):
        found: Tensor = network(*inputs)
    return found


def with_gradients(network: nn.Module, *inputs: Tensor) -> Tensor:
    """The same, as a function that can be differentiated."""
    with at_rest(network):
        found: Tensor = network(*inputs)
    return found


def without_autocast(device: torch.device) -> AbstractContextManager[object]:
    """A context in which operations keep the type of their inputs."""
    if not torch.amp.is_autocast_available(device.type):  # as on meta
        return nullcontext()
    return torch.autocast(device.type, enabled=False)


@contextmanager
def without_statistics(network: nn.Module) -> Iterator[None]:
    """While the block runs, batch norm's running statistics remember nothing of what passes."""
    norms = [layer for layer in network.modules() if isinstance(layer, nn.modules.batchnorm._BatchNorm)]
    shares = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, share in zip(norms, shares, strict=True):
            norm.momentum = share


class Doubling(nn.ConvTranspose2d):
    """5x5 transposed convolution that doubles the side: (N, A, H, H) -> (N, B, 2H, 2H)."""

    def __init__(self, maps_in: int, maps_out: int, *, bias: bool = True) -> None:
        # "same" padding at stride 2: 2 * side - 4 + (5 - 1) + 1 - 1 = 2 * side
        super().__init__(maps_in, maps_out, 5, stride=2, padding=2, output_padding=1, bias=bias)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        if x.device.type != "cpu" or x.shape[-1] > 8:
            return super().forward(x, output_size)
        dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype
        bias = self.bias if self.bias is None else self.bias.to(dtype)
        doubled: Tensor = DoublingOfSmallMaps.apply(x.to(dtype), self.weight.to(dtype), bias)
        return doubled


class DoublingOfSmallMaps(torch.autograd.Function):
    """The gradients of `Doubling` as two matrix products over the taps (im2col).

    On maps of 4 or 8 pixels the weights are what is large, and oneDNN rearranges them on each call; here
    they and their gradient are matrices as they lie in channels-last. Layer 768 -> 384, batch 16, forward
    and back: 22 ms instead of 38 at 4 pixels, 68 instead of 85 at 8; at 16 pixels it would be slower.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return F.conv_transpose2d(x, weight, bias, stride=2, padding=2, output_padding=1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        x, weight = ctx.saved_tensors
        (count, maps_in, side, _), maps_out = x.shape, weight.shape[1]
        padded = F.pad(gradient.permute(0, 2, 3, 1), (0, 0, 2, 1, 2, 1)).contiguous()
        image, row, column, one = padded.stride()
        taps = padded.as_strided(
            (count, side, side, 5, 5, maps_out), (image, 2 * row, 2 * column, row, column, one)
        ).reshape(count * side**2, 25 * maps_out)
        of_x = taps @ weight.permute(0, 2, 3, 1).reshape(maps_in, 25 * maps_out).T
        of_weight = x.permute(0, 2, 3, 1).reshape(-1, maps_in).T @ taps
        return (
            of_x.view(count, side, side, maps_in).permute(0, 3, 1, 2),
            of_weight.view(maps_in, 5, 5, maps_out).permute(0, 3, 1, 2),
            gradient.sum((0, 2, 3)) if ctx.needs_input_grad[2] else None,
        )


def upsample_block(maps_in: int, maps_out: int, *, last: bool = False) -> nn.Sequential:
    """5x5 transposed convolution that doubles the side; batch norm + ReLU, or tanh when last."""
    conv = Doubling(maps_in, maps_out)
    if last:
        return nn.Sequential(conv, nn.Tanh())
    return nn.Sequential(conv, nn.BatchNorm2d(maps_out), nn.ReLU(inplace=True))


def discriminator_block(
    maps_in: int, maps_out: int, stride: int, *, noise: float, norm: bool = True
) -> nn.Sequential:
    """3x3 convolution, batch norm, leaky ReLU, activation noise, dropout 0.5 (Table 1)."""
    return nn.Sequential(
        nn.Conv2d(maps_in, maps_out, 3, stride=stride, padding=1),
        *([nn.BatchNorm2d(maps_out)] if norm else []),
        nn.LeakyReLU(LEAKY_SLOPE, inplace=True),
        NoiseAndDropout(noise),
    )


def halving_block(maps_in: int, maps_out: int, *, norm: bool = True) -> nn.Sequential:
    """5x5 convolution at stride 2, batch norm, leaky ReLU (Radford et al. 2015)."""
    conv = nn.Conv2d(maps_in, maps_out, 5, stride=2, padding=2)
    rest = nn.LeakyReLU(LEAKY_SLOPE, inplace=True)
    return nn.Sequential(conv, nn.BatchNorm2d(maps_out), rest) if norm else nn.Sequential(conv, rest)


def with_planes(x: Tensor, y: Tensor) -> Tensor:
    """x (N, C, H, W) and y (N, K) as K constant planes behind it: (N, C + K, H, W)."""
    planes = y.to(x.dtype)[:, :, None, None].expand(-1, -1, *x.shape[2:])
    return torch.cat([x, planes], dim=1)


def halvings(resolution: int, least: int) -> int:
    """How often a side is halved before it is less than `least`: 32 to 4 three times, 48 to 6 as often."""
    return (resolution // least).bit_length() - 1


def scaled(maps: int, width: float) -> int:
    """Feature maps at a width multiplier, at least one."""
    return max(1, round(maps * width))


def initialise(network: nn.Module, rng: torch.Generator, std: float = 0.02) -> None:
    """Weights N(0, std^2), biases 0 (Table 1); batch-norm scales stay 1."""
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, std, generator=rng)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def initialise_with_gains(network: nn.Module, rng: torch.Generator) -> None:
    """As DCGAN's authors draw them: weights N(0, .02^2), gains of batch norm N(1, .02^2), its shifts 0."""
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02, generator=rng)
        elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02, generator=rng)
            nn.init.zeros_(module.bias)


def initialise_by_fan_in(network: nn.Module, rng: torch.Generator) -> None:
    """Weights N(0, 2 / fan-in), so that ReLUs keep the size of what passes (He et al. 2015); biases 0."""
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=rng)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
