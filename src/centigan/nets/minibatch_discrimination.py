"""Minibatch discrimination (Salimans et al. 2016, section 3.2; arXiv:1606.03498).

D sees how near an example is to the others of its minibatch, and so a generator that draws one image again
and again. Features f become B points of C dimensions, M = f T; for each of them

    o_b(x_i) = sum over j != i of exp(-|M_ib - M_jb|_1) + bias_b

stands beside f. The paper's sum has the example itself, too, a constant 1 more.

T's columns have length exp(s), with s and the bias learned, and data sets their first values, as in the
authors' code: such that half the mean distance to the nearest is 1, and the mean of o is 0.
"""

import torch
from torch import Generator, Tensor, nn


class MinibatchDiscrimination(nn.Module):
    """(N, F) -> (N, F + B)."""

    def __init__(self, features: int, kernels: int, dimensions: int) -> None:
        super().__init__()
        self.direction = nn.Parameter(torch.empty(features, kernels, dimensions))
        self.log_length = nn.Parameter(torch.zeros(kernels, dimensions))
        self.bias = nn.Parameter(torch.full((kernels,), -1.0))

    def initialise(self, std: float, rng: Generator) -> None:
        """Directions N(0, std^2)."""
        nn.init.normal_(self.direction, 0, std, generator=rng)

    def forward(self, x: Tensor, batches: int = 1) -> Tensor:
        """x (N, F), so many minibatches of one size, one after the other; each is compared with its own.

        As many minibatches as rows: each alone, without any other, so that o is the bias.
        """
        near = torch.exp(-self.distances(x, batches)).sum(-1)  # (batches, B, n)
        beside = near.transpose(1, 2).flatten(0, 1) + self.bias
        return torch.cat([x, beside.to(x.dtype)], dim=1)

    def distances(self, x: Tensor, batches: int = 1) -> Tensor:
        """|M_ib - M_jb|_1, (batches, B, n, n); infinite from an example to itself."""
        columns = self.direction / self.direction.norm(dim=0) * self.log_length.exp()
        points = (x @ columns.flatten(1)).float().view(batches, -1, *self.log_length.shape)
        apart = torch.cdist(points.transpose(1, 2), points.transpose(1, 2), p=1)
        itself = torch.eye(apart.shape[-1], dtype=torch.bool, device=x.device)
        return apart.masked_fill(itself, torch.inf)

    @torch.no_grad()
    def begin(self, x: Tensor, batches: int = 1) -> None:
        """Set lengths and bias by the features of a few minibatches, each of two examples at least."""
        nearest = self.distances(x, batches).amin(-1).mean((0, 2)) / 2
        self.log_length.sub_(nearest.clamp(min=1e-6).log().unsqueeze(1))
        near = torch.exp(-self.distances(x, batches)).sum(-1)
        self.bias.copy_(-near.mean((0, 2)))
