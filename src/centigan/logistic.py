"""Logistic distributions of pixel values (Salimans et al. 2017, arXiv:1701.05517, section 2.1).

A pixel value is one of so many levels, evenly from -1 to 1: 256 of a byte. A logistic of mean m and scale s
is cut into a bin around each level, and the outermost bins have no end, so that the levels' probabilities add
up to 1:

    P(x) = sigma((x + h - m) / s) - sigma((x - h - m) / s),  h = 1 / (levels - 1)    (2)

The difference is taken in closed form, which loses nothing where both are next to 0 or 1:
sigma(a) - sigma(b) = sigma(a) sigma(-b) (1 - exp(b - a)). A pixel is of a mixture of K of them; its channels
share the component, and the mean of a channel moves in a line with those before it (equation 3).
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

LEAST_LOG_SCALE = -7.0
OPEN = 2.0**-24  # uniform numbers are held so far from 0 and 1


class Mixture(NamedTuple):
    """Of each pixel: K components; (...) are rows and columns, or nothing of a single pixel."""

    log_shares: Tensor  # (N, K, ...)
    means: Tensor  # (N, C, K, ...), of a channel where those before are 0
    log_scales: Tensor  # (N, C, K, ...)
    coefficients: Tensor  # (N, C (C - 1) / 2, K, ...): green of red; blue of red, of green


def numbers_of(channels: int) -> int:
    """How many numbers tell one component: 10 of three channels, 3 of one."""
    return 1 + 2 * channels + channels * (channels - 1) // 2


def mixture_of(told: Tensor, channels: int) -> Mixture:
    """The mixture that a network tells by (N, numbers K, ...), of any values."""
    parts = told.unflatten(1, (numbers_of(channels), -1))
    shares, means, log_scales, coefficients = parts.split(
        [1, channels, channels, channels * (channels - 1) // 2], dim=1
    )
    return Mixture(
        shares.squeeze(1).log_softmax(1), means, log_scales.clamp(min=LEAST_LOG_SCALE), coefficients.tanh()
    )


def discretised_logistic(x: Tensor, mean: Tensor, log_scale: Tensor, levels: int) -> Tensor:
    """log P(x), elementwise, of values x that are levels in [-1, 1] (equation 2)."""
    half, scale = 1 / (levels - 1), log_scale.exp()
    first, last = x < half - 1, x > 1 - half
    below = torch.where(first, 0.0, F.logsigmoid((mean - x + half) / scale))  # not below the bin
    above = torch.where(last, 0.0, F.logsigmoid((x - mean + half) / scale))  # not above it
    between = torch.where(first | last, 0.0, (-torch.expm1(-2 * half / scale)).log())
    return below + above + between


def log_probability(mixture: Mixture, x: Tensor, levels: int) -> Tensor:
    """log P of pixels x (N, C, ...) in [-1, 1], nats (N, ...) (equations 2 and 3)."""
    x = x.unsqueeze(2)
    means = torch.stack(list(_moved(mixture.means, mixture.coefficients, x.unbind(1))), dim=1)
    of_channels = discretised_logistic(x, means, mixture.log_scales, levels)
    return (mixture.log_shares + of_channels.sum(1)).logsumexp(1)


def drawn_of(mixture: Mixture, uniform: Tensor, levels: int) -> Tensor:
    """Pixels (N, C, ...) in [-1, 1] by the inverse of the distribution function of each number.

    uniform (N, 1 + C, ...) in (0, 1): the first chooses a component, the others a value of each channel. A
    logistic's value that is rounded to the nearest level has that level's probability.
    """
    chances = mixture.log_shares.exp().cumsum(1)
    chosen = (uniform[:, :1] > chances[:, :-1]).sum(1, keepdim=True)  # (N, 1, ...)
    means, log_scales, coefficients = (_of_component(each, chosen) for each in mixture[1:])
    apart = log_scales.exp() * uniform[:, 1:].logit(eps=OPEN)  # of each value from its mean
    values: list[Tensor] = []  # of channels, as they are drawn: means of those after follow them
    for mean, distance in zip(_moved(means, coefficients, values), apart.unbind(1), strict=True):
        values.append(rounded(mean + distance, levels))
    return torch.stack(values, dim=1)


def rounded(values: Tensor, levels: int) -> Tensor:
    """The nearest level in [-1, 1] to each of any values."""
    steps = (levels - 1) / 2
    return values.add(1).mul(steps).round().clamp(0, levels - 1).div(steps).sub(1)


def _moved(means: Tensor, coefficients: Tensor, before: Sequence[Tensor]) -> Iterator[Tensor]:
    """Of each channel the mean, given the values of those before it (equation 3)."""
    factors = iter(coefficients.unbind(1))
    for channel, mean in enumerate(means.unbind(1)):
        for other in range(channel):
            mean = mean + next(factors) * before[other]
        yield mean


def _of_component(values: Tensor, chosen: Tensor) -> Tensor:
    """Of values (N, A, K, ...) those of the component chosen (N, 1, ...): (N, A, ...)."""
    index = chosen.unsqueeze(2).expand(-1, values.shape[1], *chosen.shape[1:])
    return values.gather(2, index).squeeze(2)
