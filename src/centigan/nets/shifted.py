"""Convolutions that see no pixel at or after their own, and PixelCNN++'s network of them (arXiv:1701.05517).

Two streams of gated residual blocks pass over an image. Of the first, a place knows all rows above; of the
second, also what is left of it in its row: together all pixels before it in raster order. Neither has a mask:
convolutions are shifted, so that what they must not see lies outside. Each stream goes from the whole side
down to smaller ones and back (section 2.3), with short cuts between layers of the same side (section 2.4).
"""

from collections.abc import Iterable
from itertools import repeat
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from centigan.nets.weight_norm import WeightNormed

Size = tuple[int, int]  # rows and columns of a convolution
ABOVE: Size = (2, 3)  # the place's row and one above, from one column left to one right
BEFORE: Size = (2, 2)  # the same rows, its column and the one left of it


def concat_elu(x: Tensor) -> Tensor:
    """ELU of x and of -x: (N, A, ...) -> (N, 2 A, ...)."""
    return F.elu(torch.cat([x, -x], dim=1))


class Shifted(nn.Module):
    """A convolution whose last row, and of an even width last column, lies on the place itself."""

    def __init__(self, maps_in: int, maps_out: int, size: Size, *, stride: int = 1, std: float = 1.0) -> None:
        super().__init__()
        rows, columns = size
        self.right = (columns - 1) // 2
        self.left, self.top = columns - 1 - self.right, rows - 1
        self.stride = stride
        self.conv = WeightNormed(nn.Conv2d(maps_in, maps_out, size, stride), trained=True, std=std)

    def forward(self, x: Tensor) -> Tensor:
        """(N, A, H, W) -> (N, B, H / stride, W / stride)."""
        y: Tensor = self.conv(F.pad(x, (self.left, self.right, self.top, 0)))
        return y


def pointwise(maps_in: int, maps_out: int) -> WeightNormed:
    """A 1x1 convolution, "network in network"."""
    return WeightNormed(nn.Conv2d(maps_in, maps_out, 1), trained=True)


def doubling(maps: int, size: Size) -> WeightNormed:
    """A transposed convolution that doubles the side: a place spreads to two rows, none of them above it."""
    right = (0, (size[1] - 1) // 2)
    conv = nn.ConvTranspose2d(maps, maps, size, stride=2, padding=right, output_padding=right)
    return WeightNormed(conv, trained=True)


class Gated(nn.Module):
    """A residual block: x + a sigmoid(b), where a and b are of x and of what lies beside it."""

    def __init__(self, maps: int, size: Size, beside: int, dropout: float) -> None:
        """`beside`: how many further inputs of as many maps there are."""
        super().__init__()
        self.first = Shifted(2 * maps, maps, size)
        self.beside = pointwise(2 * beside * maps, maps) if beside else None
        self.dropout = nn.Dropout(dropout)
        self.second = Shifted(2 * maps, 2 * maps, size, std=0.1)

    def forward(self, x: Tensor, *beside: Tensor | None) -> Tensor:
        """x and each that is beside it (N, maps, ...) -> the same shape."""
        y = self.first(concat_elu(x))
        if self.beside is not None:
            y = y + self.beside(concat_elu(torch.cat([each for each in beside if each is not None], dim=1)))
        a, b = self.second(self.dropout(concat_elu(y))).chunk(2, dim=1)
        return x + a * b.sigmoid()


class Trail(NamedTuple):
    """What a stream's blocks gave, side by side."""

    up: list[Tensor]  # on the way to smaller sides, in the order of blocks
    smaller: "Trail | None"  # of smaller sides
    down: list[Tensor]  # on the way back; the last is the stream's output


class Level(nn.Module):
    """A stream's blocks of one side, and between those on the way down and back the smaller sides."""

    def __init__(self, maps: int, size: Size, *, blocks: int, sides: int, dropout: float) -> None:
        super().__init__()
        self.size = size
        others = 1 if size == BEFORE else 0  # the second stream hears the first
        self.up = nn.ModuleList(Gated(maps, size, others, dropout) for _ in range(blocks))
        smaller = sides > 1
        self.smaller = (
            Smaller(maps, size, blocks=blocks, sides=sides - 1, dropout=dropout) if smaller else None
        )
        self.down = nn.ModuleList(Gated(maps, size, others + 1, dropout) for _ in range(blocks + smaller))

    def forward(self, x: Tensor, above: Trail | None = None) -> Trail:
        """x (N, maps, H, W) -> what each block gives; `above`: what those of the first stream gave."""
        shorts, smaller = [x], None
        for block, beside in zip(self.up, _or_nothing(above and above.up), strict=False):
            shorts.append(block(shorts[-1], beside))
        up, x = shorts[1:], shorts[-1]
        if self.smaller is None:
            shorts.pop()  # it goes on as it is
        else:
            x, smaller = self.smaller(x, above and above.smaller)
        down: list[Tensor] = []
        for block, beside in zip(self.down, _or_nothing(above and above.down), strict=False):
            x = block(x, beside, shorts.pop())
            down.append(x)
        return Trail(up, smaller, down)


def _or_nothing(beside: list[Tensor] | None) -> Iterable[Tensor | None]:
    return repeat(None) if beside is None else beside


class Smaller(nn.Module):
    """Half the side and back, with all blocks of smaller sides between."""

    def __init__(self, maps: int, size: Size, *, blocks: int, sides: int, dropout: float) -> None:
        super().__init__()
        self.halve = Shifted(maps, maps, size, stride=2)
        self.level = Level(maps, size, blocks=blocks, sides=sides, dropout=dropout)
        self.spread = doubling(maps, size)

    def forward(self, x: Tensor, above: Trail | None = None) -> tuple[Tensor, Trail]:
        """x (N, maps, H, W), H and W even -> the same shape."""
        trail = self.level(self.halve(x), above)
        return self.spread(trail.down[-1]), trail


class PixelNetwork(nn.Module):
    """Of each pixel what the pixels before it tell: (N, C, H, W) in [-1, 1] -> (N, outputs, H, W)."""

    def __init__(
        self, channels: int, outputs: int, *, maps: int, blocks: int, sides: int, dropout: float
    ) -> None:
        super().__init__()
        seen = channels + 1  # ones, which tell the image from what lies outside
        self.first_above = Shifted(seen, maps, ABOVE)
        self.first_row = Shifted(seen, maps, (1, 3))
        self.first_column = Shifted(seen, maps, (2, 1))
        self.above = Level(maps, ABOVE, blocks=blocks, sides=sides, dropout=dropout)
        self.before = Level(maps, BEFORE, blocks=blocks, sides=sides, dropout=dropout)
        self.last = pointwise(maps, outputs)

    def forward(self, images: Tensor) -> Tensor:
        """What is told of each pixel, by those above and left of it alone."""
        x = torch.cat([images, torch.ones_like(images[:, :1])], dim=1)
        above, left = F.pad(x, (0, 0, 1, -1)), F.pad(x, (1, -1))  # a place holds the pixel there
        trail = self.above(self.first_above(above))
        before = self.before(self.first_row(above) + self.first_column(left), trail)
        told: Tensor = self.last(F.elu(before.down[-1]))
        return told
