"""Networks of the code of Salimans et al. (2016): dense for MNIST, convolutional for CIFAR-10 and SVHN.

G maps latents to images; D gives features and K logits. Norms of G have no scale, and of weight-normed layers
the last alone has trained lengths, as in that code.
"""

from itertools import pairwise

import torch
from torch import Generator, Tensor, nn

from centigan.nets.blocks import LEAKY_SLOPE, Doubling, scaled
from centigan.nets.minibatch_discrimination import MinibatchDiscrimination
from centigan.nets.virtual_batch_norm import VirtualBatchNorm, norm
from centigan.nets.weight_norm import WeightNormed, initialise_normed
from centigan.settings.families.improved import ImprovedConfig as Config
from centigan.types import Shape

FIRST_SIDE = 4


class Noise(nn.Module):
    """Add N(0, std^2) while training."""

    def __init__(self, std: float) -> None:
        super().__init__()
        self.std = std

    def forward(self, x: Tensor) -> Tensor:
        """x of any shape."""
        return x + self.std * torch.randn_like(x) if self.training and self.std else x


class FromUnit(nn.Module):
    """[0, 1] -> [-1, 1]."""

    def forward(self, x: Tensor) -> Tensor:
        return 2 * x - 1


class ToUnit(nn.Module):
    """[-1, 1] -> [0, 1]."""

    def forward(self, x: Tensor) -> Tensor:
        return (x + 1) / 2


class ImageGenerator(nn.Module):
    """G(z): latent (N, latent) -> images (N, C, H, W) in [-1, 1]."""

    reference: Tensor

    def __init__(self, config: Config, shape: Shape, rng: Generator) -> None:
        super().__init__()
        reference = torch.rand(config.virtual_batch_norm, config.latent, generator=rng)
        self.register_buffer("reference", reference)
        self.hidden, self.last = (dense_layers if config.net == "dense" else upsampling)(config, shape)
        for layer in self.hidden.modules():
            if isinstance(layer, nn.Linear) and config.net == "dense":
                nn.init.xavier_uniform_(layer.weight, generator=rng)
            elif isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, 0, 0.05, generator=rng)
            elif isinstance(layer, Doubling):
                nn.init.normal_(layer.weight, 0, 0.05, generator=rng)
                assert layer.bias is not None
                nn.init.zeros_(layer.bias)
            elif isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d | VirtualBatchNorm):
                layer.weight.requires_grad_(False)
        initialise_normed(self, 0.05, rng)

    def forward(self, z: Tensor) -> Tensor:
        """z (N, latent); behind the reference batch, where there is one."""
        behind = len(self.reference)
        rows = torch.cat([self.reference.to(z.dtype), z]) if behind else z
        images: Tensor = self.last(self.hidden(rows)[behind:])
        return images


def dense_layers(config: Config, shape: Shape) -> tuple[nn.Sequential, nn.Sequential]:
    """Two layers of 500 softplus units; sigmoid pixels."""
    units, image = scaled(500, config.width), (shape.channels, shape.resolution, shape.resolution)
    hidden = (
        layer
        for a, b in ((config.latent, units), (units, units))
        for layer in (
            nn.Linear(a, b, bias=False),
            norm(nn.BatchNorm1d, b, config.virtual_batch_norm),
            nn.Softplus(),
        )
    )
    pixels = WeightNormed(nn.Linear(units, shape.channels * shape.resolution**2), trained=True)
    return nn.Sequential(*hidden), nn.Sequential(pixels, nn.Sigmoid(), FromUnit(), nn.Unflatten(1, image))


def upsampling(config: Config, shape: Shape) -> tuple[nn.Sequential, nn.Sequential]:
    """512 x 4 x 4, then 5 x 5 layers that double the side: 256, 128, the image at 32 px."""
    doublings = (shape.resolution // FIRST_SIDE).bit_length() - 1
    first, *rest = (scaled(min(64 * 2**n, 512), config.width) for n in range(doublings, 0, -1))
    units = first * FIRST_SIDE**2
    hidden: list[nn.Module] = [
        nn.Linear(config.latent, units, bias=False),
        *(norm(nn.BatchNorm1d, units, config.virtual_batch_norm), nn.ReLU(inplace=True)),
        nn.Unflatten(1, (first, FIRST_SIDE, FIRST_SIDE)),
    ]
    for a, b in pairwise([first, *rest]):
        hidden += [Doubling(a, b), norm(nn.BatchNorm2d, b, config.virtual_batch_norm), nn.ReLU(inplace=True)]
    image = WeightNormed(Doubling([first, *rest][-1], shape.channels), trained=True, std=0.1)
    return nn.Sequential(*hidden), nn.Sequential(image, nn.Tanh())


class Discriminator(nn.Module):
    """D(x): images (N, C, H, W) -> features f (N, F) and K logits (N, K)."""

    def __init__(self, config: Config, shape: Shape, rng: Generator) -> None:
        super().__init__()
        dense, kernels = config.net == "dense", config.minibatch_kernels
        self.trunk, features = (dense_trunk if dense else convolutions)(config, shape)
        self.noise = Noise(config.dense.hidden_noise if dense else 0)
        if kernels:
            self.minibatch = MinibatchDiscrimination(features, kernels, config.minibatch_dimensions)
            self.minibatch.initialise(0.05, rng)
        last = nn.Linear(features + kernels, shape.classes)
        self.head = WeightNormed(last, trained=True, std=1.0 if dense else 0.1)
        initialise_normed(self, 0.1 if dense else 0.05, rng)

    def forward(self, x: Tensor, batches: int = 1) -> tuple[Tensor, Tensor]:
        """x: so many minibatches of one size, one after the other, that are judged apart."""
        features = self.trunk(x)
        h = self.noise(features)
        if hasattr(self, "minibatch"):
            h = self.minibatch(h, batches)
        return features.float(), self.head(h).float()


def dense_trunk(config: Config, shape: Shape) -> tuple[nn.Sequential, int]:
    """Noise before every layer of 1000, 500, 250, 250, 250 rectified units; the last are f."""
    units = [scaled(n, config.width) for n in (1000, 500, 250, 250, 250)]
    sizes = [shape.channels * shape.resolution**2, *units]
    layers: list[nn.Module] = [ToUnit(), nn.Flatten()]
    for number, (a, b) in enumerate(pairwise(sizes)):
        noise = config.dense.hidden_noise if number else config.dense.input_noise
        layers += [Noise(noise), WeightNormed(nn.Linear(a, b), trained=False), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers), units[-1]


def convolutions(config: Config, shape: Shape) -> tuple[nn.Sequential, int]:
    """Three 3 x 3 layers a halving of the side, 96 maps, then 192; three more at 8 px, whose means are f."""
    form, layers = config.convolution, list[nn.Module]()
    layers += [Noise(form.input_noise), nn.Dropout(form.input_dropout)]
    maps = shape.channels
    for number in range((shape.resolution // 8).bit_length() - 1):
        wide = scaled(192 if number else 96, config.width)
        for stride in (1, 1, 2):
            layers += _normed(nn.Conv2d(maps, wide, 3, stride=stride, padding=1))
            maps = wide
        layers.append(nn.Dropout(form.hidden_dropout))
    for side in (3, 1, 1):
        layers += _normed(nn.Conv2d(maps, maps, side))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten()), maps


def _normed(layer: nn.Conv2d) -> list[nn.Module]:
    return [WeightNormed(layer, trained=False), nn.LeakyReLU(LEAKY_SLOPE, inplace=True)]
