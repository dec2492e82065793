"""G of noise and codes, and D with Q, which finds them again (InfoGAN: Chen et al. 2016, Table 2, SVHN).

Batch norm stands where the table has it: after G's first two layers, after D's shared ones but the first.
"""

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from centigan.nets.blocks import scaled
from centigan.settings.families.infogan import InfoganConfig as Config
from centigan.types import Shape

GENERATOR_SIDE, SHARED_SIDE = 2, 4  # of the smallest maps
LEAST_LOG_DEVIATION = -3.0


class Answers(NamedTuple):
    """What Q says of N images."""

    logits: Tensor  # (N, A, K), of the categorical codes
    means: Tensor  # (N, U), of the continuous ones
    log_deviations: Tensor  # (N, U); 0 where they are not learnt


class ImageGenerator(nn.Module):
    """G(z, c): latent (N, L) -> images (N, C, H, W); every convolution 4 x 4 at stride 2."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        further = (shape.resolution // 32).bit_length() - 1
        first, *rest = (scaled(m, config.width) for m in (448, *[256] * (further + 1), 128, 64))
        self.maps = (first, GENERATOR_SIDE, GENERATOR_SIDE)
        units = first * GENERATOR_SIDE**2
        self.project = nn.Sequential(
            nn.Linear(latent_size(config), units), nn.BatchNorm1d(units), nn.ReLU(inplace=True)
        )
        self.blocks = nn.Sequential(
            *(
                block(nn.ConvTranspose2d(a, b, 4, 2, 1), nn.ReLU(inplace=True), norm=n <= further)
                for n, (a, b) in enumerate(pairwise([first, *rest]))
            ),
            nn.ConvTranspose2d(rest[-1], shape.channels, 4, 2, 1),
            nn.Tanh(),
        )

    def forward(self, latent: Tensor) -> Tensor:
        """latent (N, L) -> (N, C, H, W) in [-1, 1]."""
        images: Tensor = self.blocks(self.project(latent).view(-1, *self.maps))
        return images


class Discriminator(nn.Module):
    """D and Q on shared layers: images (N, C, H, W) -> source logits (N,) and what Q says of the codes."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        self.config = config
        further = (shape.resolution // 32).bit_length() - 1
        maps = [shape.channels, *(scaled(m, config.width) for m in (64, 128, *[256] * (further + 1)))]
        self.shared = nn.Sequential(
            *(
                block(nn.Conv2d(a, b, 4, 2, 1), nn.LeakyReLU(config.slope, inplace=True), norm=n > 0)
                for n, (a, b) in enumerate(pairwise(maps))
            )
        )
        features, hidden = maps[-1] * SHARED_SIDE**2, scaled(128, config.width)
        self.source = nn.Linear(features, 1)
        self.codes = nn.Sequential(
            nn.Linear(features, hidden),
            nn.BatchNorm1d(hidden),
            nn.LeakyReLU(config.slope, inplace=True),
            nn.Linear(hidden, sum(self._answers())),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Answers]:
        """x (N, C, H, W) in [-1, 1] -> float32 logits: no softmax here, since the likelihood takes one."""
        features = self.shared(x).flatten(1)
        logits, means, free = self.codes(features).float().split(self._answers(), dim=1)
        of_code = (self.config.categorical_codes, self.config.categories)
        deviations = above_the_floor(free) if self.config.learn_deviation else torch.zeros_like(means)
        return self.source(features).float()[:, 0], Answers(logits.unflatten(1, of_code), means, deviations)

    def _answers(self) -> list[int]:
        """How many numbers Q says: logits, means, what deviations are made of."""
        c = self.config
        return [*parts(c)[1:], c.continuous_codes * c.learn_deviation]


def parts(config: Config) -> list[int]:
    """Sizes of a latent's parts: noise, one-hot codes, continuous codes."""
    return [config.noise, config.categorical_codes * config.categories, config.continuous_codes]


def latent_size(config: Config) -> int:
    """L: 62 + 10 + 2 = 74 of the paper's digits."""
    return sum(parts(config))


def above_the_floor(free: Tensor) -> Tensor:
    """log sigma of any real number: above -3, near the number itself where that is well above."""
    return F.softplus(free - LEAST_LOG_DEVIATION) + LEAST_LOG_DEVIATION


def block(layer: nn.Conv2d | nn.ConvTranspose2d, activation: nn.Module, *, norm: bool) -> nn.Sequential:
    """A layer, batch norm, activation."""
    return nn.Sequential(layer, *([nn.BatchNorm2d(layer.out_channels)] if norm else []), activation)


def initialise(network: nn.Module, rng: Generator) -> None:
    """As in the authors' code: weights N(0, .02^2), convolutions' cut at .04; norms' scales N(1, .02^2)."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.trunc_normal_(module.weight, 0.0, 0.02, -0.04, 0.04, generator=rng)
        elif isinstance(module, nn.Linear | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02, generator=rng)
        elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02, generator=rng)
        else:
            continue
        assert module.bias is not None
        nn.init.zeros_(module.bias)
