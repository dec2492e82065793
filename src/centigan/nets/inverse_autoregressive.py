"""Inverse autoregressive flow (Kingma et al. 2016; arXiv:1606.04934), over flat z or over maps of z.

From z_0 of a Gaussian on, each step moves all variables at once, by what those of lower rank are:

    (m_t, s_t) = AutoregressiveNN_t(z_t-1, h)                (12)
    sigma_t = sigmoid(s_t + bias)                            (13)
    z_t = sigma_t z_t-1 + (1 - sigma_t) m_t                  (14)
    log q(z_T) = log q(z_0) - sum_t sum_i ln sigma_ti        (11)

since dz_t / dz_t-1 is triangular, with sigma_t on its diagonal. With a bias of 1 to 2 a step begins near the
identity. Ranks are reversed between steps: else the variable of rank 1 would see no other.
"""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from centigan.nets.made import Made, MaskedConvolutions


class InverseAutoregressiveFlow(nn.Module):
    """z_0 and a context h -> z_T, and sum_t ln sigma_t of each variable."""

    def __init__(self, networks: Iterable[nn.Module], bias: float) -> None:
        """`networks`: one a step, (z, h) -> (m, s), each of the shape of z. Of none z_T is z_0."""
        super().__init__()
        self.networks, self.bias = nn.ModuleList(networks), bias

    def forward(self, z: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """z (N, ...) float32 -> twice its shape; log q(z_T) is log q(z_0) without the sum of the second."""
        log_sigmas = torch.zeros_like(z)
        for network in self.networks:
            m, s = network(z, h)
            log_sigma = F.logsigmoid(s + self.bias)
            sigma = log_sigma.exp()
            z = sigma * z + (1 - sigma) * m
            log_sigmas = log_sigmas + log_sigma
        return z, log_sigmas


def flow_of_codes(
    latent: int, hidden: Sequence[int], context: int, steps: int, bias: float = 2.0
) -> InverseAutoregressiveFlow:
    """Over z (N, latent) with h (N, context), by MADE."""
    return InverseAutoregressiveFlow(
        (Made(latent, hidden, context, reverse=step % 2 == 1) for step in range(steps)), bias
    )


def flow_of_maps(
    latent: int, maps: int, layers: int, steps: int, *, bias: float = 2.0, std: float = 0.1
) -> InverseAutoregressiveFlow:
    """Over z (N, latent, H, W) with h (N, maps, H, W), by masked convolutions."""
    networks = (
        MaskedConvolutions(latent, maps, layers, reverse=step % 2 == 1, std=std) for step in range(steps)
    )
    return InverseAutoregressiveFlow(networks, bias)
