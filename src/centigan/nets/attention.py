"""DRAW's attention: an N x N grid of Gaussian filters laid over an image (Gregor et al., 2015; section 3.2).

A layer's five numbers place the grid, for each of M images of A x A pixels:

    (gX~, gY~, log s^2, log d~, log g) = W(h)                                     (21)
    gX = (A + 1)/2 (gX~ + 1),  gY = (A + 1)/2 (gY~ + 1)                           (22, 23)
    d = (A - 1)/(N - 1) d~                                                        (24)
    mu^i = g + (i - N/2 - 0.5) d,  i = 1..N                                       (19, 20)
    F[i, a] = exp(-(a - mu^i)^2 / (2 s^2)) / Z_i,  a = 1..A;  a row sums to 1     (25, 26)

Images stand here as (M, A, C, A), rows before channels: then reading and writing are two matrix products
each for all channels, and no copy.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import threshold

PARAMETERS = 5
LEAST = 1.0e-18  # of a filter's numbers, else 0: products with denormal numbers take six times as long
MOST = 8.0  # of the absolute value of each logarithm: exp of more is soon no finite number


class Window(NamedTuple):
    """Where the grid lies, of M images; without gradients."""

    centre: Tensor  # (M, 2): gY and gX, pixels counted from 1
    stride: Tensor  # (M, 1): d, pixels
    variance: Tensor  # (M, 1): s^2, square pixels


class Look(NamedTuple):
    """The filters of a window, of M images."""

    rows: Tensor  # F_Y (M, N, A)
    columns: Tensor  # F_X (M, N, A)
    intensity: Tensor  # g (M, 1)
    window: Window


def look_at(numbers: Tensor, points: int, side: int) -> Look:
    """Equations 19 to 26, of (M, 5) any real numbers; at zeros the window is the whole image."""
    filters, intensity, *window = Looking.apply(numbers.float(), points, side)
    rows, columns = filters.unbind(1)
    return Look(rows, columns, intensity, Window(*window))


class Looking(torch.autograd.Function):
    """The same, for rows and columns at once: filters (M, 2, N, A), g, and what a `Window` is of.

    The softmax divides by Z_i as it is. Where a grid lies far outside, all exponentials of equations 25 and
    26 are 0 in floating point, and a port adds a small number to Z_i. The gradient is by hand: autograd's
    has twice the operations, on small tensors.
    """

    @staticmethod
    def forward(ctx: Any, numbers: Tensor, points: int, side: int) -> tuple[Tensor, ...]:
        variance, stride, intensity = numbers[:, 2:].clamp(-MOST, MOST).exp().split(1, dim=1)
        stride = stride * ((side - 1) / (points - 1))
        centre = (numbers[:, :2].flip(1) + 1) * ((side + 1) / 2)
        steps = torch.arange(1, points + 1, device=numbers.device) - (points / 2 + 0.5)
        means = torch.addcmul(centre[:, :, None], stride[:, :, None], steps)  # (M, 2, N)
        away = torch.arange(1, side + 1, device=numbers.device) - means[..., None]  # (M, 2, N, A)
        filters = away.square().mul_((-0.5 / variance)[:, :, None, None]).softmax(3)
        filters = threshold(filters, LEAST, 0.0)
        ctx.save_for_backward(numbers, filters, away, steps, variance, stride, intensity)
        ctx.mark_non_differentiable(centre, stride, variance)
        ctx.side = side
        return filters, intensity, centre, stride, variance

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_filters: Tensor, of_intensity: Tensor, *_: Tensor) -> tuple[Tensor, None, None]:
        numbers, filters, away, steps, variance, stride, intensity = ctx.saved_tensors
        of_exponents = torch.ops.aten._softmax_backward_data(of_filters, filters, 3, filters.dtype)
        pulls = of_exponents.mul_(away)
        of_means = pulls.sum(3) / variance[:, :, None]
        of_variance = pulls.mul_(away).sum((1, 2, 3))[:, None] / (2 * variance)  # of its logarithm, as below
        of_stride = (of_means * steps).sum((1, 2))[:, None] * stride
        of_logs = torch.cat([of_variance, of_stride, of_intensity * intensity], dim=1)
        of_centre = of_means.sum(2).flip(1) * ((ctx.side + 1) / 2)
        return torch.cat([of_centre, of_logs * (numbers[:, 2:].abs() <= MOST)], dim=1), None, None


def read(images: Tensor, look: Look) -> Tensor:
    """F_Y x F_X' of images (M, A, C, A): patches (M, N, C, N)."""
    count, side, channels, _ = images.shape
    points = look.rows.shape[1]
    rows = look.rows @ images.reshape(count, side, channels * side)
    patches = rows.view(count, points * channels, side) @ look.columns.transpose(1, 2)
    return patches.view(count, points, channels, points)


def write(patches: Tensor, look: Look) -> Tensor:
    """F_Y' w F_X of patches (M, N, C, N): images (M, A, C, A)."""
    count, points, channels, _ = patches.shape
    side = look.rows.shape[2]
    rows = look.rows.transpose(1, 2) @ patches.reshape(count, points, channels * points)
    images = rows.view(count, side * channels, points) @ look.columns
    return images.view(count, side, channels, side)
