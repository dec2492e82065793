"""Layers that see an image and the mean of its batch: they do not depend on the batch's order.

Lucas et al. (2018, arXiv:1806.07185): each layer of a discriminator has statistics of the batch beside it.
"""

from copy import deepcopy

from torch import Tensor, nn


class OfBatch(nn.Module):
    """L x_i + M mean_j x_j + b, of a linear layer or convolution L with its bias b; M is of the same kind.

    Permuted inputs give outputs permuted alike. With M = 0 an image is judged alone.
    """

    def __init__(self, layer: nn.Linear | nn.Conv2d) -> None:
        super().__init__()
        self.own, self.of_mean = layer, deepcopy(layer)
        self.of_mean.register_parameter("bias", None)

    def forward(self, x: Tensor) -> Tensor:
        """x (N, ...) -> (N, ...)."""
        outputs: Tensor = self.own(x) + self.of_mean(x.mean(0, keepdim=True))
        return outputs


def show_the_batch(layers: nn.Sequential) -> None:
    """Let each linear layer and convolution among them see the mean of its batch, too."""
    for place, layer in enumerate(layers):
        if isinstance(layer, nn.Linear | nn.Conv2d):
            layers[place] = OfBatch(layer)
