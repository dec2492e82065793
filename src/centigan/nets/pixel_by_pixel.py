"""PixelCNN++'s network, fed pixel by pixel (Ramachandran et al. 2017, arXiv:1704.06001).

A pixel is drawn of what the network tells of those before it. To run the whole network for each would do
nearly everything again. Here each convolution keeps what it was fed, and where training pads an image with
zeros, what was kept stands: so it is enough to feed it what is new.

    first stream     knows rows above alone: fed a row (N, A, 1, W) at a time, when a row begins
    second stream    fed a pixel (N, A) at a time; at a pixel it hears what the first gave there
    smaller sides    fed at even rows (and even columns) of the side above, where a place of theirs begins;
                     what they give spreads over two rows (and two columns), and is kept for those after

Blocks and their order are those of `shifted.py`: `fed` gives the same modules, apart from the convolutions
and the passage to smaller sides. All is in double precision: values are rounded to levels, and numbers that
differ in their last bits, as those of a larger batch do, would some day be rounded to another level.
"""

from copy import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from centigan.nets.shifted import BEFORE, Level, PixelNetwork, Shifted, Smaller, Trail
from centigan.nets.weight_norm import WeightNormed


class Place:
    """Where the pixel lies that is drawn next: known to all parts of a network that is fed."""

    def __init__(self, side: int) -> None:
        self.row, self.column, self.side = 0, 0, side


class RowFed(nn.Module):
    """A convolution of the first stream, fed a row at a time."""

    def __init__(self, shifted: Shifted) -> None:
        super().__init__()
        self.weight, self.bias = weights_of(shifted.conv)
        self.stride, self.padding = (1, shifted.stride), (0, shifted.right)
        self.kept: Tensor | None = None  # (N, A, rows, W): the last rows, as many as it sees

    def keep(self, row: Tensor) -> Tensor:
        """Take a row (N, A, 1, W), and leave the oldest; all that are kept."""
        if self.kept is None:
            self.kept = F.pad(row, (0, 0, self.weight.shape[2] - 1, 0))
        else:
            self.kept = torch.cat([self.kept[:, :, 1:], row], dim=2)
        return self.kept

    def forward(self, row: Tensor) -> Tensor:
        """(N, A, 1, W) -> (N, B, 1, W / stride)."""
        return F.conv2d(self.keep(row), self.weight, self.bias, self.stride, self.padding)


class PixelFed(nn.Module):
    """A convolution of the second stream, fed a pixel at a time."""

    def __init__(self, shifted: Shifted, place: Place, depth: int) -> None:
        super().__init__()
        weight, self.bias = weights_of(shifted.conv)
        self.size = weight.shape[2:]
        self.matrix = weight.permute(2, 3, 1, 0).flatten(0, 2)  # (rows columns A, B)
        self.place, self.depth, self.left = place, depth, shifted.left
        self.kept: Tensor | None = None  # (N, 2, left + W, A): the row before, and this one so far

    def keep(self, pixel: Tensor) -> Tensor:
        """Take a pixel (N, A); those that it sees there, (N, rows columns A)."""
        column = self.place.column >> self.depth
        if self.kept is None:
            width = self.left + (self.place.side >> self.depth)
            self.kept = pixel.new_zeros(len(pixel), self.size[0], width, pixel.shape[1])
        if column == 0:
            self.kept[:, 0] = self.kept[:, -1]
        self.kept[:, -1, self.left + column] = pixel
        return self.kept[:, :, column : column + self.size[1]].flatten(1)

    def forward(self, pixel: Tensor) -> Tensor:
        """(N, A) -> (N, B)."""
        return torch.addmm(self.bias, self.keep(pixel), self.matrix)


class RowsProduct(nn.Module):
    """A 1x1 convolution of a row."""

    def __init__(self, conv: WeightNormed) -> None:
        super().__init__()
        self.weight, self.bias = weights_of(conv)

    def forward(self, row: Tensor) -> Tensor:
        """(N, A, 1, W) -> (N, B, 1, W)."""
        return F.conv2d(row, self.weight, self.bias)


class PixelsProduct(nn.Module):
    """A 1x1 convolution of a pixel."""

    def __init__(self, conv: WeightNormed) -> None:
        super().__init__()
        weight, self.bias = weights_of(conv)
        self.matrix = weight.flatten(1).T

    def forward(self, pixel: Tensor) -> Tensor:
        """(N, A) -> (N, B)."""
        return torch.addmm(self.bias, pixel, self.matrix)


class RowsOfSmaller(nn.Module):
    """The passage to smaller sides and back in the first stream: at every other row."""

    second: Tensor  # of two rows that a row of the smaller side becomes: (N, maps, 1, W)
    trail: Trail

    def __init__(self, smaller: Smaller, place: Place, depth: int) -> None:
        super().__init__()
        self.halve = RowFed(smaller.halve)
        self.level = fed(smaller.level, place, depth + 1)
        self.weight, self.bias = weights_of(smaller.spread)
        self.place, self.depth = place, depth

    def forward(self, row: Tensor, above: None = None) -> tuple[Tensor, Trail]:
        """(N, maps, 1, W) -> the same shape, and what the smaller side's blocks gave last."""
        if (self.place.row >> self.depth) % 2:
            self.halve.keep(row)
            return self.second, self.trail
        self.trail = self.level(self.halve(row))
        right = (0, (self.weight.shape[3] - 1) // 2)
        both = F.conv_transpose2d(self.trail.down[-1], self.weight, self.bias, 2, right, right)
        first, self.second = both.split(1, dim=2)
        return first, self.trail


class PixelsOfSmaller(nn.Module):
    """The passage to smaller sides and back in the second stream: at every other pixel of every other row."""

    def __init__(self, smaller: Smaller, place: Place, depth: int) -> None:
        super().__init__()
        self.halve = PixelFed(smaller.halve, place, depth)
        self.level = fed(smaller.level, place, depth + 1)
        weight, bias = weights_of(smaller.spread)  # (A, B, 2, 2): a pixel becomes four, none of two
        self.matrix, self.bias = weight.permute(0, 2, 3, 1).flatten(1), bias
        self.place, self.depth = place, depth
        self.kept: Tensor | None = None  # (N, 2, W, maps): two rows

    def forward(self, pixel: Tensor, above: Trail) -> tuple[Tensor, None]:
        """(N, maps) -> the same shape."""
        row, column = self.place.row >> self.depth, self.place.column >> self.depth
        if self.kept is None:
            width = self.place.side >> self.depth
            self.kept = pixel.new_zeros(len(pixel), 2, width, pixel.shape[1])
        if row % 2 or column % 2:
            self.halve.keep(pixel)
        else:
            small = self.level(self.halve(pixel), above).down[-1]
            four = (small @ self.matrix).view(len(pixel), 2, 2, -1) + self.bias
            self.kept[:, :, column : column + 2] = four
        return self.kept[:, row % 2, column], None


def weights_of(layer: WeightNormed) -> tuple[Tensor, Tensor]:
    """A layer's weights, with their lengths, and its bias: in double precision."""
    weight = layer.layer.weight
    assert isinstance(weight, Tensor)
    return weight.detach().double(), layer.bias.detach().double()


def fed(level: Level, place: Place, depth: int = 0) -> Level:
    """The same blocks, whose convolutions keep what they are fed; `depth`: how often the side is halved."""
    pixels = level.size == BEFORE

    def replaced(module: nn.Module) -> nn.Module:
        if isinstance(module, WeightNormed):
            return PixelsProduct(module) if pixels else RowsProduct(module)
        if isinstance(module, Shifted):
            return PixelFed(module, place, depth) if pixels else RowFed(module)
        if isinstance(module, Smaller):
            return (PixelsOfSmaller if pixels else RowsOfSmaller)(module, place, depth)
        other = copy(module)
        other._modules = {name: child and replaced(child) for name, child in module._modules.items()}
        return other

    made = replaced(level)
    assert isinstance(made, Level)
    return made


class FedNetwork:
    """Tells of each pixel of some images what the whole network would; pixels come in raster order."""

    def __init__(self, network: PixelNetwork, side: int) -> None:
        """`network` in evaluation mode."""
        self.place = place = Place(side)
        self.first_above = RowFed(network.first_above)
        self.first_row = RowFed(network.first_row)
        self.first_column = PixelFed(network.first_column, place, 0)
        self.above, self.before = fed(network.above, place), fed(network.before, place)
        self.last = PixelsProduct(network.last)

    def begin_row(self, row: int, above: Tensor) -> None:
        """`above` (N, C + 1, W): the row above with its ones; zeros at the first."""
        self.place.row = row
        self.of_row = self.first_row(above[:, :, None])
        self.trail = self.above(self.first_above(above[:, :, None]))

    def tell(self, column: int, left: Tensor) -> Tensor:
        """(N, outputs) of the next pixel; `left` (N, C + 1): the pixel before with its one, or zeros."""
        self.place.column = column
        x = self.of_row[:, :, 0, column] + self.first_column(left)
        y: Tensor = self.last(F.elu(self.before(x, at(self.trail, column)).down[-1]))
        return y


def at(trail: Trail, column: int) -> Trail:
    """Of what blocks gave for a row, (N, maps, 1, W) each, what lies at a column: (N, maps)."""
    up, down = ([row[:, :, 0, column] for row in rows] for rows in (trail.up, trail.down))
    return Trail(up, trail.smaller and at(trail.smaller, column >> 1), down)
