"""Ordinary augmentation of real images: shift, blur, contrast and noise.

A judge of generated images meets fine noise and blur that no real image shows; what it learns from
is therefore disturbed in the same ways, more strongly than the real images that test it (`choose`).
"""

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

SHIFT = 1 / 8  # farthest, of the side, in each direction
BLUR = 1 / 16  # largest standard deviation of the Gaussian, of the side
CONTRAST = (0.6, 1.2)
NOISE = 0.25  # largest standard deviation, of the range from black to white


def augment(x: Tensor, rng: Generator) -> Tensor:
    """Shift, blur, contrast and noise, each drawn per image: (N, 3, H, W) in [0, 1] -> the same."""
    x = _shift(x, rng)
    # A mixture with the strongest blur stands for the weaker ones: one kernel for the whole batch.
    x = torch.lerp(x, blurred(x, BLUR * x.shape[-1]), torch.rand(len(x), 1, 1, 1, generator=rng))
    low, high = CONTRAST
    mean = x.mean((1, 2, 3), keepdim=True)
    x = mean + (x - mean) * (low + (high - low) * torch.rand(len(x), 1, 1, 1, generator=rng))
    strength = NOISE * torch.rand(len(x), 1, 1, 1, generator=rng)
    return (x + strength * torch.randn(x.shape, generator=rng)).clamp(0, 1)


def _shift(x: Tensor, rng: Generator) -> Tensor:
    """Move each image by whole pixels, its border repeated."""
    count, _, height, width = x.shape
    far = round(height * SHIFT)
    moves = torch.randint(-far, far + 1, (2, count, 1), generator=rng)
    rows = (torch.arange(height) + moves[0]).clamp(0, height - 1)  # (N, H)
    columns = (torch.arange(width) + moves[1]).clamp(0, width - 1)  # (N, W)
    image = torch.arange(count)[:, None, None]
    moved = x.permute(0, 2, 3, 1)[image, rows[:, :, None], columns[:, None, :]]  # (N, H, W, 3)
    return moved.permute(0, 3, 1, 2)


def blurred(x: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of `sigma` pixels of (N, 3, H, W), borders repeated, cut at three sigma."""
    reach = math.ceil(3 * sigma)
    taps = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma) ** 2)
    kernel = (taps / taps.sum()).expand(3, 1, 1, -1)
    padded = F.pad(x, (reach,) * 4, mode="replicate")
    rows = F.conv2d(padded, kernel, groups=3)
    return F.conv2d(rows, kernel.transpose(2, 3), groups=3)
