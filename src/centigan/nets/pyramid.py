"""The Laplacian pyramid of an image (Burt & Adelson 1983; Denton et al. 2015, section 2.2).

With d, which halves the side of an image, and u, which doubles it:

    I_0 = I,   I_k+1 = d(I_k),   l_k = u(I_k+1),   h_k = I_k - l_k,   h_K = I_K

so that I_k = u(I_k+1) + h_k gives the image back. Lists go from the coarsest level to the finest.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

COARSEST = 8  # side of I_K, pixels


class Level(NamedTuple):
    """A level of images: what the coarser one tells of them, and what it does not."""

    low: Tensor  # l_k (N, C, H, W); zeros at the coarsest level
    residual: Tensor  # h_k (N, C, H, W); at the coarsest level the image itself

    @property
    def image(self) -> Tensor:
        """I_k (N, C, H, W)."""
        return self.low + self.residual


def down(images: Tensor) -> Tensor:
    """d: (N, C, 2H, 2W) -> (N, C, H, W), each pixel the mean of four."""
    return F.avg_pool2d(images, 2)


def up(images: Tensor) -> Tensor:
    """u: (N, C, H, W) -> (N, C, 2H, 2W), bilinear."""
    return F.interpolate(images, scale_factor=2, mode="bilinear", align_corners=False)


def sides_of(resolution: int) -> list[int]:
    """Sides of the levels: 8, 16, 32 at 32 px."""
    return [COARSEST << level for level in range((resolution // COARSEST).bit_length())]


def levels_of(images: Tensor) -> list[Level]:
    """The pyramid of images (N, C, R, R)."""
    finer: list[Level] = []
    while images.shape[-1] > COARSEST:
        coarser = down(images)
        low = up(coarser)
        finer.append(Level(low, images - low))
        images = coarser
    return [Level(torch.zeros_like(images), images), *reversed(finer)]
