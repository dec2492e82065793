"""The residual networks of Miyato et al. (2018, table 4) for CIFAR-10, after Gulrajani et al. (2017).

A block adds to its input, brought to the block's side and maps by a 1 x 1 convolution, what two 3 x 3
convolutions make of it. Sides double by repeating pixels before the first convolution, and halve by means of
2 x 2 pixels after the second. A 1 x 1 convolution commutes with both, so it runs on the smaller side.
"""

from math import sqrt

from torch import Generator, Tensor, nn
from torch.nn import functional as F

from centigan.nets.blocks import halvings, scaled
from centigan.nets.plain import least_side
from centigan.types import Shape

GENERATOR_MAPS, DISCRIMINATOR_MAPS, LAST_SIDE = 256, 128, 8


class UpBlock(nn.Module):
    """(N, A, H, H) -> (N, B, 2H, 2H), with batch norm before each convolution's ReLU."""

    def __init__(self, maps_in: int, maps_out: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList([nn.BatchNorm2d(maps_in), nn.BatchNorm2d(maps_out)])
        self.first = nn.Conv2d(maps_in, maps_out, 3, padding=1)
        self.second = nn.Conv2d(maps_out, maps_out, 3, padding=1)
        self.shortcut = nn.Conv2d(maps_in, maps_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(_doubled(F.relu(self.norms[0](x))))
        return self.second(F.relu(self.norms[1](h))) + _doubled(self.shortcut(x))


class DownBlock(nn.Module):
    """(N, A, H, H) -> (N, B, H, H), or of half that side; the first of a network has no ReLU before it.

    Where neither maps nor side change, the input is added as it is.
    """

    def __init__(self, maps_in: int, maps_out: int, *, halves: bool, first: bool = False) -> None:
        super().__init__()
        self.halves, self.is_first = halves, first
        self.first = nn.Conv2d(maps_in, maps_out, 3, padding=1)
        self.second = nn.Conv2d(maps_out, maps_out, 3, padding=1)
        learnt = halves or maps_in != maps_out
        self.shortcut: nn.Module = nn.Conv2d(maps_in, maps_out, 1) if learnt else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        h = self.second(F.relu(self.first(x if self.is_first else F.relu(x))))
        if self.halves:
            h, x = F.avg_pool2d(h, 2), F.avg_pool2d(x, 2)
        return h + self.shortcut(x)


class ResidualGenerator(nn.Module):
    """G(z): latent (N, latent) -> images (N, C, H, W)."""

    def __init__(self, shape: Shape, latent: int, width: float, *, bounded: bool = True) -> None:
        """`bounded`: a tanh is the last layer."""
        super().__init__()
        maps = scaled(GENERATOR_MAPS, width)
        side = least_side(shape.resolution)
        self.maps = (maps, side, side)
        self.project = nn.Linear(latent, maps * side**2)
        doublings = halvings(shape.resolution, side)
        self.blocks = nn.Sequential(*(UpBlock(maps, maps) for _ in range(doublings)))
        last = [nn.BatchNorm2d(maps), nn.ReLU(inplace=True), nn.Conv2d(maps, shape.channels, 3, padding=1)]
        self.last = nn.Sequential(*last, nn.Tanh()) if bounded else nn.Sequential(*last)

    def forward(self, z: Tensor) -> Tensor:
        """z (N, latent) -> (N, C, H, W) in [-1, 1]."""
        images: Tensor = self.last(self.blocks(self.project(z).view(-1, *self.maps)))
        return images


class ResidualDiscriminator(nn.Module):
    """f(x): images (N, C, H, W) -> logits (N,): blocks that halve the side to 8, others that do not; sums."""

    def __init__(self, shape: Shape, width: float, *, still: int = 2) -> None:
        """`still`: blocks that do not halve."""
        super().__init__()
        self.blocks = down_blocks(shape, width, still)
        self.head = nn.Linear(scaled(DISCRIMINATOR_MAPS, width), 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """x (N, C, H, W) in [-1, 1] -> (N,)."""
        return self.head(F.relu(self.blocks(x)).sum((2, 3))).float()[:, 0]


def down_blocks(shape: Shape, width: float, still: int) -> nn.Sequential:
    """Images (N, C, H, W) -> maps of 128 times the width at 8 x 8; of 8 px at 4 x 4, of 48 px at 12 x 12."""
    maps = scaled(DISCRIMINATOR_MAPS, width)
    return nn.Sequential(
        DownBlock(shape.channels, maps, halves=True, first=True),
        *(DownBlock(maps, maps, halves=True) for _ in range(halvings(shape.resolution, LAST_SIDE) - 1)),
        *(DownBlock(maps, maps, halves=False) for _ in range(still)),
    )


def initialise_residual(network: nn.Module, rng: Generator) -> None:
    """Uniform weights of variance g^2 2 / (in + out), g^2 = 2 in the convolutions within blocks; biases 0.

    Glorot & Bengio's (2010), with the gain of the authors' code.
    """
    blocks = [block for block in network.modules() if isinstance(block, UpBlock | DownBlock)]
    within = {layer for block in blocks for layer in (block.first, block.second)}
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            gain = sqrt(2) if layer in within else 1.0
            nn.init.xavier_uniform_(layer.weight, gain, generator=rng)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def _doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="nearest")
