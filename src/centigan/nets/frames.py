"""Frames on images, where a window of attention lies (Gregor et al., 2015; figures 1, 5 and 7)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from centigan.nets.attention import Window

LEAST_SIDE = 128  # pixels of a picture with a frame: on fewer it hides what is drawn
Colour = tuple[float, float, float]
RED, BLUE = (1.0, -1.0, -1.0), (-1.0, -0.2, 1.0)
THICKEST = 0.1  # of a picture's side


def enlarged(images: Tensor, times: int) -> Tensor:
    """Images (M, C, H, W) with each pixel as so many by so many."""
    return images.repeat_interleave(times, 2).repeat_interleave(times, 3)


def framed(images: Tensor, window: Window, points: int, colour: Colour) -> Tensor:
    """Images (M, C, A, A) in [-1, 1], enlarged, in colours, with the window's frame of side d (N - 1).

    The line is as wide as a filter's deviation, from one pixel of the picture to THICKEST.
    """
    side = images.shape[-1]
    times = max(1, -(-LEAST_SIDE // side))
    pictures = enlarged(images, times).expand(-1, 3, -1, -1)
    centre = (window.centre - 0.5) * times - 0.5  # pixels from 1 -> of the picture from 0
    half = (window.stride * (points - 1) / 2 * times)[:, :, None]
    width = (window.variance.sqrt() * times).clamp(1.0, max(1.0, THICKEST * side * times))[:, :, None]
    places = torch.arange(side * times, device=images.device)
    down, right = ((places - centre[:, axis, None]).abs() for axis in (0, 1))
    away = (torch.maximum(down[:, :, None], right[:, None, :]) - half).abs()
    share = (width / 2 + 0.5 - away).clamp(0, 1)[:, None]  # of a pixel that the line covers
    paint = torch.tensor(colour, device=images.device)[:, None, None]
    return pictures + share * (paint - pictures)


def strip(drawn: Sequence[tuple[Tensor, Window | None]], points: int, colour: Colour) -> Tensor:
    """Images (N, C, H, W) of some steps with the frames of their windows, as rows (N, S, C, H, W)."""
    pictures = [
        images if window is None else framed(images, window, points, colour) for images, window in drawn
    ]
    return torch.stack(pictures, dim=1)
