"""The values that rooms hand to each other: a batch, and the contract of a family.

Image convention of the whole project: files hold uint8 (N, H, W, 3) in 0..255; networks see float
(N, 3, H, W) in [-1, 1]. `to_network` and `to_uint8` are the only two crossings.
"""

from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Generator, Tensor, nn
from torch.optim import Optimizer

from centigan.errors import UserError


class Batch(NamedTuple):
    """One minibatch as a family's step receives it."""

    images: Tensor  # (N, 3, H, W) float32 in [-1, 1]
    labels: Tensor  # (N,) int64, position of the class within the split; -1: not known


@runtime_checkable
class Family(Protocol):
    """What the engine asks of a model family; it never asks for the family's name."""

    networks: dict[str, nn.Module]  # what a checkpoint saves
    optimizers: dict[str, Optimizer]
    sampled: tuple[str, ...]  # networks that `sample` runs

    def step(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        """One full update of every network; returns named scalar losses, detached."""
        ...

    def latent(self, count: int, rng: Generator) -> Tensor:
        """Draws (count, ...) from the prior over latents."""
        ...

    def generate(self, latent: Tensor, labels: Tensor) -> Tensor:
        """Images (N, 3, H, W) in [-1, 1] for latents (N, ...) and int64 class positions (N,)."""
        ...

    def sample(self, labels: Tensor, rng: Generator) -> Tensor:
        """Images (N, 3, H, W) in [-1, 1] of these classes, for latents drawn from the prior.

        `rng` may be a CPU's while the labels lie on a GPU: then the latents are those of any device.
        """
        ...


def to_network(images: Tensor) -> Tensor:
    """uint8 (N, H, W, 3) in 0..255 -> float32 (N, 3, H, W) in [-1, 1]."""
    return images.permute(0, 3, 1, 2).float().div(127.5).sub(1.0)


def to_uint8(images: Tensor, source: str = "the generator") -> Tensor:
    """Float (N, 3, H, W) in [-1, 1] -> uint8 (N, H, W, 3), rounded to the nearest level.

    Raises:
        UserError: when a value is no finite number: as bytes NaN would be black, and say nothing.
    """
    levels = images.float().add(1.0).mul(127.5).round()
    if not levels.isfinite().all():
        raise UserError(
            f"{source} gives images of NaN or infinity, since its training diverged; lower "
            "model.generator_lr and model.discriminator_lr, or set train.on_divergence: halve; train again"
        )
    return levels.clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous()
