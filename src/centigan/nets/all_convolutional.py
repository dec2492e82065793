"""Networks of Radford et al. (2015): convolutions alone, that halve or double the side by strides.

`families.dcgan` tells their maps. Virtual batch norm in G and minibatch discrimination in D are options.
"""

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from centigan.nets.blocks import LEAKY_SLOPE, Doubling, scaled
from centigan.nets.minibatch_discrimination import MinibatchDiscrimination
from centigan.nets.virtual_batch_norm import norm
from centigan.settings.families.dcgan import DcganConfig as Config
from centigan.types import Shape

FIRST_SIDE = 4  # of G's maps, and of the pooled features
KERNEL = {"halving": 5, "imagenet": 3}


def plan(net: Literal["halving", "imagenet"], resolution: int, width: float) -> list[tuple[int, int]]:
    """Maps and stride of D's layers, from the images on; G has them in reverse."""
    halvings = (resolution // FIRST_SIDE).bit_length() - 1
    if net == "imagenet":
        maps = [scaled(min(128 * 2**n, 512), width) for n in range(halvings)]
        return [(m, stride) for m in maps for stride in (1, 2)]
    last = 256 if resolution <= 32 else 1024
    return [(scaled(last // 2**n, width), 2) for n in reversed(range(halvings))]


class ImageGenerator(nn.Module):
    """G(z): latent (N, latent) -> images (N, C, H, W)."""

    reference: Tensor  # latents (n, latent) behind which others are normalised; only with virtual batch norm

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        layers = plan(config.net, shape.resolution, config.width)[::-1]
        maps, strides = [m for m, _ in layers], [stride for _, stride in layers]
        self.maps = (maps[0], FIRST_SIDE, FIRST_SIDE)
        units = maps[0] * FIRST_SIDE**2
        behind = config.techniques.virtual_batch_norm
        first_norm = norm(nn.BatchNorm1d, units, behind)
        self.project = nn.Sequential(nn.Linear(config.latent, units, bias=False), first_norm)
        self.layers = nn.ModuleList(
            layer_up(a, b, KERNEL[config.net], stride)
            for (a, b), stride in zip(pairwise([*maps, shape.channels]), strides, strict=True)
        )
        self.norms = nn.ModuleList(norm(nn.BatchNorm2d, m, behind) for m in maps[1:])
        self.behind = behind
        if behind:
            self.register_buffer("reference", torch.zeros(behind, config.latent))

    def forward(self, z: Tensor) -> Tensor:
        """z (N, latent) -> (N, C, H, W) in [-1, 1]; behind the reference batch, where there is one."""
        rows = torch.cat([self.reference.to(z.dtype), z]) if self.behind else z
        x = F.relu(self.project(rows)).view(-1, *self.maps)
        *hidden, last = self.layers
        for layer, normed in zip(hidden, self.norms, strict=True):
            x = F.relu(normed(layer(x)))
        images: Tensor = last(x[self.behind :]).tanh()
        return images


class Discriminator(nn.Module):
    """D(x): images (N, C, H, W) -> logits (N,)."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        layers, kernel = plan(config.net, shape.resolution, config.width), KERNEL[config.net]
        maps = [shape.channels, *(m for m, _ in layers)]
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(a, b, kernel, stride, padding=kernel // 2, bias=False),
                *([nn.BatchNorm2d(b)] if n else []),
                nn.LeakyReLU(LEAKY_SLOPE, inplace=True),
            )
            for n, ((a, b), (_, stride)) in enumerate(zip(pairwise(maps), layers, strict=True))
        )
        features, kernels = maps[-1] * FIRST_SIDE**2, config.techniques.minibatch_kernels
        self.minibatch: MinibatchDiscrimination | None = None
        if kernels:
            dimensions = config.techniques.minibatch_dimensions
            self.minibatch = MinibatchDiscrimination(features, kernels, dimensions)
        self.head = nn.Linear(features + kernels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """x (N, C, H, W) in [-1, 1] -> (N,)."""
        return self.judge(self.last(x))

    def last(self, x: Tensor) -> Tensor:
        """The last maps, (N, F)."""
        return self.hidden(x)[-1].flatten(1)

    def judge(self, features: Tensor) -> Tensor:
        """Logits (N,) of last maps (N, F); of a minibatch in training, else of each alone."""
        if self.minibatch is not None:
            features = self.minibatch(features, 1 if self.training else len(features))
        return self.head(features).float()[:, 0]

    def hidden(self, x: Tensor) -> list[Tensor]:
        """The maps of every layer, after leaky ReLU."""
        maps = []
        for block in self.blocks:
            x = block(x)
            maps.append(x)
        return maps

    def features(self, x: Tensor) -> Tensor:
        """(N, 16 M) of images, where M is the number of maps of all layers: section 5."""
        return torch.cat([F.adaptive_max_pool2d(h, FIRST_SIDE).flatten(1) for h in self.hidden(x)], dim=1)


def layer_up(maps_in: int, maps_out: int, kernel: int, stride: int) -> nn.Module:
    """A transposed convolution that multiplies the side by its stride, without biases."""
    if kernel == 5 and stride == 2:
        return Doubling(maps_in, maps_out, bias=False)
    # "same" padding: the side is stride (side - 1) - 2 (kernel // 2) + kernel + stride - 1 = stride * side
    return nn.ConvTranspose2d(
        maps_in, maps_out, kernel, stride, padding=kernel // 2, output_padding=stride - 1, bias=False
    )
