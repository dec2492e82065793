"""The fully connected generator and maxout discriminator of Goodfellow et al. (2014), told y or not.

With y they are those of Mirza & Osindero (2014): y has a hidden layer of its own, and the layer after it is
joint. A joint layer of [x, y] is written as the sum of one of x and one of y: with the weights of y at zero
its values have the very bits of the layer of x alone.

Both work on pixels in [0, 1], as those papers do, and so does the dropout of D's input: a dropped pixel is
black. Images come and go in [-1, 1].
"""

from math import prod
from typing import NamedTuple

from torch import Generator, Tensor, nn
from torch.nn import functional as F

from centigan.types import Shape


class Units(NamedTuple):
    """Hidden units: of the first layer, of y's, of the joint one."""

    first: int
    of_class: int
    joint: int


def maxout(x: Tensor, pieces: int) -> Tensor:
    """(N, units * pieces) -> (N, units): of a unit's linear pieces the greatest (Goodfellow et al. 2013)."""
    return x.unflatten(-1, (-1, pieces)).max(-1).values


def initialise_uniformly(
    network: nn.Module, reach: float, rng: Generator, *, of_class: float | None = None
) -> None:
    """Weights U(-reach, reach), those of y's layers another reach where it is given; biases 0."""
    for name, module in network.named_modules():
        if isinstance(module, nn.Linear):
            own = of_class if of_class is not None and name.endswith("of_class") else reach
            nn.init.uniform_(module.weight, -own, own, generator=rng)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


class DenseGenerator(nn.Module):
    """G(z|y): latent (N, latent), y (N, K) -> images (N, C, H, W)."""

    def __init__(self, shape: Shape, latent: int, units: Units, *, dropout: float = 0.0) -> None:
        """`dropout`: the share of hidden units that are zeroed while training."""
        super().__init__()
        self.image, self.dropout = (shape.channels, shape.resolution, shape.resolution), dropout
        self.first = nn.Linear(latent, units.first)
        self.joint = nn.Linear(units.first, units.joint)
        self.last = nn.Linear(units.joint, prod(self.image))
        if shape.classes:
            self.first_of_class = nn.Linear(shape.classes, units.of_class)
            self.joint_of_class = nn.Linear(units.of_class, units.joint, bias=False)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """z (N, latent), y (N, K) -> (N, C, H, W) in [-1, 1]."""
        h = self.joint(self._dropped(F.relu(self.first(z))))
        if y.shape[1]:
            h = h + self.joint_of_class(self._dropped(F.relu(self.first_of_class(y))))
        pixels = self.last(self._dropped(F.relu(h))).sigmoid()
        return (2 * pixels - 1).view(-1, *self.image)

    def _dropped(self, h: Tensor) -> Tensor:
        return F.dropout(h, self.dropout, self.training)


class DenseDiscriminator(nn.Module):
    """D(x|y): images (N, C, H, W), y (N, K) -> logits (N,)."""

    FIRST_PIECES = 5

    def __init__(
        self, shape: Shape, units: Units, *, joint_pieces: int, input_dropout: float, dropout: float
    ) -> None:
        """`input_dropout`, `dropout`: the shares of pixels and of hidden units zeroed while training."""
        super().__init__()
        self.joint_pieces, self.input_dropout, self.dropout = joint_pieces, input_dropout, dropout
        pixels, joint = shape.channels * shape.resolution**2, units.joint * joint_pieces
        self.first = nn.Linear(pixels, units.first * self.FIRST_PIECES)
        self.joint = nn.Linear(units.first, joint)
        self.head = nn.Linear(units.joint, 1)
        if shape.classes:
            self.first_of_class = nn.Linear(shape.classes, units.of_class * self.FIRST_PIECES)
            self.joint_of_class = nn.Linear(units.of_class, joint, bias=False)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """x (N, C, H, W) in [-1, 1], y (N, K) -> (N,)."""
        pixels = F.dropout((x.flatten(1) + 1) / 2, self.input_dropout, self.training)
        h = self.joint(self._dropped(maxout(self.first(pixels), self.FIRST_PIECES)))
        if y.shape[1]:
            of_class = maxout(self.first_of_class(y), self.FIRST_PIECES)
            h = h + self.joint_of_class(self._dropped(of_class))
        return self.head(self._dropped(maxout(h, self.joint_pieces))).float()[:, 0]

    def _dropped(self, h: Tensor) -> Tensor:
        return F.dropout(h, self.dropout, self.training)
