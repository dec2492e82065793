"""A critic's gradient between real and generated images (Gulrajani et al. 2017; arXiv:1704.00028)."""

from collections.abc import Callable

import torch
from torch import Generator, Tensor

UNDER_THE_ROOT = 1e-12  # keeps the derivative of a root finite where the gradient is 0


def between(real: Tensor, fake: Tensor, rng: Generator) -> Tensor:
    """x^ (N, C, H, W): on the line from each real image to its sample, at u ~ U(0, 1) of its own."""
    u = torch.rand(len(real), *[1] * (real.ndim - 1), generator=rng, device=rng.device)
    return real + u * (fake - real)


def gradient_norms(critic: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """|grad f(x)| (N,) of images (N, C, H, W), each over all of C, H, W; itself differentiable.

    The gradient of the sum is that of each image, where none sees another. Of a network, hand over `forward`:
    a call may be of its compiled form (train.compile), which cannot be differentiated twice.
    """
    x = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return (gradient.square().sum(tuple(range(1, x.ndim))) + UNDER_THE_ROOT).sqrt()
