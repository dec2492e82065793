"""Resizing to a network's input, by name; published numbers depend on which.

bilinear       the judges' own (`images`)
bilinear-2015  TensorFlow 1's, inside the 2015 graph that the Inception score and FID began with: corner
               pixels coincide at the top left, no antialiasing (tensorflow 1.15,
               core/kernels/resize_bilinear_op.cc, align_corners=False)
bicubic        clean-fid's (Parmar et al., 2022; arXiv:2104.11222): Pillow's, Keys' kernel with a = -1/2, as
               wide as the shrinking asks, per channel in float32, clipped to 0..255 and not rounded

The last two are a matrix for either axis, whose rows sum to 1.
"""

from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor

from centigan.judges.images import bilinear

KEYS = -0.5  # Pillow's a; OpenCV and torch without antialias use -0.75


def bilinear_2015(x: Tensor, side: int) -> Tensor:
    """Float (N, 3, H, W) -> (N, 3, side, side)."""
    return _resampled(x, side, tensorflow1_weights)


def bicubic(x: Tensor, side: int) -> Tensor:
    """Float (N, 3, H, W) in 0..255 -> (N, 3, side, side) in 0..255."""
    return _resampled(x, side, pillow_weights).clamp_(0, 255)


def tensorflow1_weights(before: int, after: int) -> Tensor:
    """Shares of the old positions in the new ones: float32 (after, before)."""
    place = torch.arange(after) * torch.tensor(before / after)  # float32, as the kernel has it
    low = place.long()
    share = (place - low)[:, None]
    weights = torch.zeros(after, before)
    weights.scatter_(1, low[:, None], 1 - share)
    return weights.scatter_add_(1, (low[:, None] + 1).clamp(max=before - 1), share)


def pillow_weights(before: int, after: int) -> Tensor:
    """The same for the bicubic filter of Pillow's Resample.c."""
    scale = before / after
    width = max(scale, 1.0)
    centres = (torch.arange(after, dtype=torch.float64) + 0.5) * scale
    distance = (torch.arange(before) + 0.5 - centres[:, None]).abs() / width
    near = ((KEYS + 2) * distance - (KEYS + 3)) * distance**2 + 1
    far = KEYS * (((distance - 5) * distance + 8) * distance - 4)
    weights = torch.where(distance < 1, near, torch.where(distance < 2, far, 0.0))
    return (weights / weights.sum(1, keepdim=True)).float()


def _resampled(x: Tensor, side: int, weights: Callable[[int, int], Tensor]) -> Tensor:
    height, width = x.shape[2:]
    rows, columns = (_matrix(weights, before, side, x.device) for before in (height, width))
    return rows @ (x @ columns.T)


@lru_cache
def _matrix(weights: Callable[[int, int], Tensor], before: int, after: int, device: torch.device) -> Tensor:
    return weights(before, after).to(device)


RESIZINGS: dict[str, Callable[[Tensor, int], Tensor]] = {
    "bilinear": bilinear,
    "bilinear-2015": bilinear_2015,
    "bicubic": bicubic,
}
