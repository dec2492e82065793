"""Batch norm of a layer that runs several times for one image: shared gains, statistics of each step.

What passes differs from step to step, so that one running mean over all of them would be right for none.
"""

import torch
from torch import Tensor, nn


class StepwiseNorm(nn.Module):
    """Batch norm of maps (N, M, H, W) at one of so many steps."""

    def __init__(self, maps: int, steps: int) -> None:
        super().__init__()
        self.of_step = nn.ModuleList(nn.BatchNorm2d(maps, affine=False) for _ in range(steps))
        self.gain = nn.Parameter(torch.ones(maps, 1, 1))
        self.shift = nn.Parameter(torch.zeros(maps, 1, 1))

    def forward(self, x: Tensor, step: int) -> Tensor:
        """x (N, M, H, W) at a step, from 0 -> the same shape."""
        normed: Tensor = self.of_step[step](x)
        return normed * self.gain + self.shift
