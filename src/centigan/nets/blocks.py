"""Blocks, noise and initialisation shared by convolutional families."""

from functools import lru_cache

import torch
from torch import Tensor, nn
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
        if x.device.type != "cpu":
            return F.dropout(x + self.std * torch.randn_like(x) if self.std else x, 0.5)
        words = torch.empty(-(-x.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
        bits = words.view(torch.int16)[: x.numel()].view(x.shape)
        if self.std:
            ranks = bits.to(torch.int32).bitwise_right_shift_(1).add_(2**14)  # 0 .. 2^15 - 1
            noise = normal_quantiles(x.dtype).index_select(0, ranks.flatten()).view(x.shape)
            x = x.add(noise, alpha=self.std)
        return x * (bits & 1).to(x.dtype).mul_(2)


@lru_cache
def normal_quantiles(dtype: torch.dtype) -> Tensor:
    """The 2^15 quantiles (k + 1/2) / 2^15 of N(0, 1), ascending; the greatest is 4.17."""
    ranks = torch.arange(2**15, dtype=torch.float64)
    return torch.special.ndtri((ranks + 0.5) / 2**15).to(dtype)


def upsample_block(maps_in: int, maps_out: int, *, last: bool = False) -> nn.Sequential:
    """5x5 transposed convolution that doubles the side; batch norm + ReLU, or tanh when last."""
    # "same" padding at stride 2: 2 * side - 4 + (5 - 1) + 1 - 1 = 2 * side
    conv = nn.ConvTranspose2d(maps_in, maps_out, 5, stride=2, padding=2, output_padding=1)
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


def initialise(network: nn.Module, rng: torch.Generator, std: float = 0.02) -> None:
    """Weights N(0, std^2), biases 0 (Table 1); batch-norm scales stay 1."""
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, std, generator=rng)
            assert module.bias is not None
            nn.init.zeros_(module.bias)
