"""Historical averaging (Salimans et al. 2016, section 3.3; arXiv:1606.03498).

Each player's cost has a term |theta - mean of theta[1] ... theta[t]|^2. The mean is made online, and is a
constant to the gradient.
"""

import torch
from torch import Tensor, nn


def trained(network: nn.Module) -> list[nn.Parameter]:
    """The parameters that are moved."""
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


class HistoricalMean(nn.Module):
    """The mean of a network's parameters over the iterations, in buffers: a part of that network's state."""

    count: Tensor

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.register_buffer("count", torch.tensor(0.0))
        for number, parameter in enumerate(trained(network)):
            self.register_buffer(f"mean_{number}", torch.zeros_like(parameter))

    def means(self) -> list[Tensor]:
        """One a parameter, in the order of `trained`."""
        return [value for name, value in self.named_buffers() if name != "count"]

    @torch.no_grad()
    def see(self, network: nn.Module) -> None:
        """Take the present parameters into the mean."""
        self.count.add_(1)
        for mean, parameter in zip(self.means(), trained(network), strict=True):
            mean.lerp_(parameter, 1 / self.count)

    def distance(self, network: nn.Module) -> Tensor:
        """|theta - mean|^2, a scalar."""
        pairs = zip(trained(network), self.means(), strict=True)
        return torch.stack([(parameter - mean).square().sum() for parameter, mean in pairs]).sum()


def departure(network: nn.Module, weight: float) -> Tensor | float:
    """What historical averaging adds to a network's cost; `history`, its mean, takes the parameters in."""
    if not weight:
        return 0.0
    history = network.history
    assert isinstance(history, HistoricalMean)
    history.see(network)
    return weight * history.distance(network)
