"""Arithmetic on latents (Radford et al. 2015, arXiv:1511.06434, section 6), as pure functions.

A concept is the mean of a few latents whose images show it, three in the paper: single ones are unstable.
"""

import torch
from torch import Generator, Tensor

REACH = 0.25  # of the noise around Y, Fig 7


def concept(latents: Tensor) -> Tensor:
    """The mean (L,) of latents (N, L) whose images have something in common."""
    return latents.mean(0)


def analogy(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Y = A - B + C of means (L,): smiling woman - neutral woman + neutral man (Fig 7)."""
    return a - b + c


def around(y: Tensor, count: int, rng: Generator, reach: float = REACH) -> Tensor:
    """Y (L,) and noise of U(-reach, reach) in every dimension: (count, L)."""
    noise = torch.rand(count, *y.shape, generator=rng, device=rng.device) * 2 - 1
    return y + reach * noise.to(y.device)


def turn(left: Tensor, right: Tensor) -> Tensor:
    """The direction (L,) from latents (N, L) of images of one kind to those of another (Fig 8: four each)."""
    return concept(right) - concept(left)


def turned(latents: Tensor, direction: Tensor, shares: Tensor) -> Tensor:
    """z + t d of latents (N, L), a direction (L,) and shares t (S,), of [0, 1] in the paper: (N, S, L)."""
    return latents[:, None] + shares[:, None] * direction


def walks(latents: Tensor, steps: int) -> Tensor:
    """Straight lines from each latent of (N, L) to the next, with both ends: (N - 1, steps, L) (Fig 4)."""
    shares = torch.linspace(0, 1, steps, device=latents.device)[:, None]
    return torch.lerp(latents[:-1, None], latents[1:, None], shares)


def plane(reach: float, steps: int) -> Tensor:
    """Latents (steps, steps, 2) on a grid from -reach to reach: z1 rightwards, z2 upwards."""
    along = torch.linspace(-reach, reach, steps)
    return torch.stack(torch.meshgrid(along, along.flip(0), indexing="xy"), dim=2)
