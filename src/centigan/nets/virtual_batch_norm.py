"""Virtual batch normalisation (Salimans et al. 2016, section 3.5; arXiv:1606.03498).

Every example is normalised by the statistics of a fixed reference batch and of itself, so that none depends
on what stands beside it. The reference passes through the same layers with the same weights each time.
"""

import torch
from torch import Tensor, nn

EPSILON = 1e-5


class VirtualBatchNorm(nn.Module):
    """Mean and variance of each feature or map, over the reference and the example.

    With n reference examples the mean, and the mean of squares, have weights n / (n + 1) for the reference
    and 1 / (n + 1) for the example. The reference itself is normalised by its own statistics.
    """

    def __init__(self, features: int, reference: int) -> None:
        """`reference`: n, how many rows of every input are the reference; they stand first."""
        super().__init__()
        self.reference = reference
        self.weight = nn.Parameter(torch.ones(features))
        self.bias = nn.Parameter(torch.zeros(features))

    def forward(self, x: Tensor) -> Tensor:
        """x (n + N, F) or (n + N, F, H, W) -> the same shape."""
        full, n, shape = x.float(), self.reference, (1, -1, *(1 for _ in x.shape[2:]))
        inside = tuple(range(2, x.ndim))  # of one example
        reference, own = full[:n], full[n:]
        variance, mean = torch.var_mean(reference, (0, *inside), correction=0, keepdim=True)
        if inside:
            own_variance, own_mean = torch.var_mean(own, inside, correction=0, keepdim=True)
        else:
            own_variance, own_mean = torch.zeros_like(own), own

        # mean of squares less square of the mean, without the difference of two large numbers
        between = (own_mean - mean).square() * (n / (n + 1) ** 2)
        variances = torch.lerp(variance, own_variance, 1 / (n + 1)) + between
        means = torch.lerp(mean, own_mean, 1 / (n + 1))
        normal = torch.cat(
            [(reference - mean) * (variance + EPSILON).rsqrt(), (own - means) * (variances + EPSILON).rsqrt()]
        )
        return (normal * self.weight.view(shape) + self.bias.view(shape)).to(x.dtype)


def norm(batch_norm: type[nn.BatchNorm1d | nn.BatchNorm2d], features: int, reference: int) -> nn.Module:
    """Virtual batch norm with a reference of so many examples; 0: the other."""
    return VirtualBatchNorm(features, reference) if reference else batch_norm(features)
