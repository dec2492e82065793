"""Images on the way into a judge: uint8 arrays, resized, and back.

Every resize of the judges and of the accuracy curve is this one: bilinear, pixel centres at half
integers (`align_corners=False`), antialiased when shrinking, where the triangle kernel widens by the
factor of the shrinking, as in Pillow and TensorFlow 2. Arithmetic is float32 and nothing is rounded.
"""

from contextlib import AbstractContextManager
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

Images = NDArray[np.uint8]


class Examples(NamedTuple):
    """Real images that a judge learns from."""

    images: Images  # (N, R, R, 3)
    labels: NDArray[np.int64]  # (N,) position in `classes`
    classes: tuple[str, ...]


def resized(images: Images, side: int) -> Tensor:
    """uint8 (N, H, W, 3) -> float32 (N, 3, side, side), channels last in memory, still in 0..255."""
    return bilinear(torch.from_numpy(np.array(images)).permute(0, 3, 1, 2).float(), side)


def bilinear(x: Tensor, side: int) -> Tensor:
    """Float (N, 3, H, W) of any range -> (N, 3, side, side)."""
    if x.shape[2:] == (side, side):
        return x
    return F.interpolate(x, size=(side, side), mode="bilinear", align_corners=False, antialias=True)


def to_bytes(x: Tensor) -> Images:
    """Float (N, 3, H, W) in 0..255 -> uint8 (N, H, W, 3), rounded to the nearest level."""
    return x.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()


def device() -> torch.device:
    """Where judges compute: the first GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def exact() -> AbstractContextManager[None]:
    """The context in which judges compute on a GPU: float32 products, and sums in one order.

    PyTorch rounds the products of convolutions to 10 bits there unless it is told not to. Inception's
    features were then wrong by 7e-4 of their size, not 2e-6, and came 2.9 times as fast (an H100).
    """
    return torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
