"""Multi-scale structural similarity of pairs of images (Wang, Simoncelli & Bovik, 2003).

Over five scales of RGB images in 0..255,

    prod_i mean(cs_i)^w_i  *  mean(l_5 cs_5)^w_5,

under the window rule of tensorflow/models' image compression, which fits small images too: at each
scale the Gaussian has min(11, side) taps and standard deviation 1.5 taps / 11, and is applied where it
fits whole. Between scales, the mean of 2 x 2 pixels; an odd border is repeated.

Departures: computed per pair, with negative means set to 0 before the power (a mean over a batch hides
them, a pair gives NaN); the product is taken per channel, then averaged. Both are pytorch-msssim's
way, and equal it where it accepts the size: sides above 160 that halve four times without remainder.
"""

from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from centigan.errors import UserError

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # Wang et al., section 3.2
WINDOW, SIGMA = 11, 1.5
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
SMALLEST = 2 ** (len(WEIGHTS) - 1)  # one pixel is left at the last scale
CHUNK = 2**19  # pixels of x computed at a time: 25 MB of filtered maps


def ms_ssim(x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.float64]:
    """MS-SSIM (P,) in 0..1 of images x[i] and y[i], both (P, H, W, 3) in 0..255 of any dtype.

    Computed in float32 on the CPU: within 1e-5 of float64.

    Raises:
        UserError: when a side is below 16 pixels, which five scales need.
    """
    if x.shape != y.shape or min(x.shape[1:3]) < SMALLEST:
        raise UserError(f"MS-SSIM: needs pairs of {SMALLEST} pixels a side or more, not {x.shape} {y.shape}")
    size = max(1, CHUNK // (x.shape[1] * x.shape[2]))
    chunks = [
        _ms_ssim(_planes(x[start : start + size]), _planes(y[start : start + size]))
        for start in range(0, len(x), size)
    ]
    return torch.cat(chunks).double().numpy()


def random_pairs(count: int, pairs: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Pairs (min(pairs, all), 2) of different numbers below `count`, i < j, no pair twice.

    Raises:
        UserError: for fewer than two images.
    """
    if count < 2:
        raise UserError(f"MS-SSIM: a pair needs two images of a class, and there are {count}")
    if pairs >= comb(count, 2):
        return np.array(list(combinations(range(count), 2)), dtype=np.int64)
    number = rng.choice(comb(count, 2), pairs, replace=False)  # pair (i, j) has number j (j - 1) / 2 + i
    larger = np.floor((1 + np.sqrt(1 + 8 * number)) / 2).astype(np.int64)
    return np.stack([number - larger * (larger - 1) // 2, larger], axis=1)


def window(side: int) -> Tensor:
    """The Gaussian taps (min(11, side),) at one scale, centred, sum 1."""
    taps = min(WINDOW, side)
    offsets = torch.arange(taps, dtype=torch.float64) - (taps - 1) / 2
    weights = torch.exp(-0.5 * (offsets / (SIGMA * taps / WINDOW)) ** 2)
    return weights / weights.sum()


def _planes(images: NDArray[Any]) -> Tensor:
    """(P, H, W, 3) -> float32 (P, 3, H, W)."""
    return torch.from_numpy(np.asarray(images, dtype=np.float32)).permute(0, 3, 1, 2).contiguous()


def _ms_ssim(x: Tensor, y: Tensor) -> Tensor:
    """Planes (P, 3, H, W) -> (P,)."""
    product = torch.ones(x.shape[:2])
    for scale, weight in enumerate(WEIGHTS):
        last = scale == len(WEIGHTS) - 1
        luminance, contrast = _similarity(x, y)
        term = luminance * contrast if last else contrast
        product *= term.mean((2, 3)).relu() ** weight
        if not last:
            x, y = _halved(x), _halved(y)
    return product.mean(1)


def _similarity(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Maps of l and cs over the places where the window fits."""
    height, width = x.shape[2:]
    down, across = _band(height, min(height, width)), _band(width, min(height, width))
    # Variances do not see the shift; in float32 it keeps two more bits of them.
    x, y = x - 128, y - 128
    mean_x, mean_y, squares, product = down @ (torch.stack([x, y, x * x + y * y, x * y]) @ across.T)
    covariance = product - mean_x * mean_y
    variances = squares - mean_x**2 - mean_y**2
    mean_x, mean_y = mean_x + 128, mean_y + 128
    luminance = (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
    return luminance, (2 * covariance + C2) / (variances + C2)


def _band(side: int, shorter: int) -> Tensor:
    """The window as a matrix (side - taps + 1, side): nine times as fast here as a convolution."""
    taps = window(shorter)
    rows = [F.pad(taps, (start, side - len(taps) - start)) for start in range(side - len(taps) + 1)]
    return torch.stack(rows).float()


def _halved(x: Tensor) -> Tensor:
    """Mean of 2 x 2 pixels."""
    height, width = x.shape[2:]
    if height % 2 or width % 2:
        x = F.pad(x, (0, width % 2, 0, height % 2), mode="replicate")
    return F.avg_pool2d(x, 2)
