"""WGAN (Arjovsky, Chintala & Bottou, 2017; arXiv:1701.07875).

The critic f estimates, up to a factor, the Wasserstein distance between images and samples; its weights are
clipped, so that it is Lipschitz. With each number of f in [-c, c] it ascends

    W = E[f(x)] - E[f(G(z))]                                                     (3)

so many times for one update of G (Algorithm 1), which ascends E[f(G(z))]. No classes.

Departures and decisions
    1. Networks are those of the authors' code: convolutions of 4 x 4 at stride 2, without biases; batch norm
       but in the critic's first layer; no sigmoid. At 32 px they have a layer less than at the 64 of the
       paper. Above 64 px each doubling adds a layer of at most 512 maps; that code goes on doubling them.
    2. `net: dense` is that code's G of three hidden layers of 512 rectified units and linear pixels (section
       4.3, figure 6). `generate` cuts its pixels to [-1, 1]; the critic is the convolutional one.
    3. Weights are clipped after each update, as Algorithm 1 says, and once before the first. That code clips
       before each, so that they leave the box by a step. Biases and batch norm's numbers are clipped too.
    4. That code updates the critic 100 times in G's first 25 iterations and in each 500th. Here the number is
       that of Algorithm 1 always: a step takes one number of minibatches.
    5. The critic sees real and fake images in separate passes, each with batch norm's statistics of its own.
    6. Each update of the critic has its own minibatch and z. The journal has the means over these updates.
    7. Points have small fully connected networks, clipped as well.
"""

from itertools import pairwise
from math import prod

import torch
from torch import Generator, Tensor, nn
from torch.optim import Optimizer, RMSprop

from centigan.nets.blocks import (
    LEAKY_SLOPE,
    evaluated,
    initialise_by_fan_in,
    initialise_with_gains,
    scaled,
    with_gradients,
)
from centigan.nets.convolution import FIRST_SIDE, plan
from centigan.nets.points import PointDiscriminator, PointGenerator, stack
from centigan.settings.families.wgan import WganConfig as Config
from centigan.types import Batch, Decodes, Given, Shape
from centigan.updates import ascend, means_over

DENSE_UNITS = 512


class ImageGenerator(nn.Module):
    """G(z): latent (N, latent) -> images (N, C, H, W)."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        maps = plan(shape.resolution, config.width)[::-1]
        self.maps = (maps[0], FIRST_SIDE, FIRST_SIDE)
        self.project = nn.Linear(config.latent, prod(self.maps), bias=False)
        self.first = nn.Sequential(nn.BatchNorm2d(maps[0]), nn.ReLU(inplace=True))
        self.blocks = nn.Sequential(*(_doubling_block(a, b) for a, b in pairwise(maps)))
        self.last = nn.Sequential(_doubling(maps[-1], shape.channels), nn.Tanh())

    def forward(self, z: Tensor) -> Tensor:
        """z (N, latent) -> (N, C, H, W) in [-1, 1]."""
        images: Tensor = self.last(self.blocks(self.first(self.project(z).view(-1, *self.maps))))
        return images


class DenseGenerator(nn.Module):
    """G(z) without a convolution: latent (N, latent) -> images (N, C, H, W), without bounds."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        self.image = (shape.channels, shape.resolution, shape.resolution)
        units = scaled(DENSE_UNITS, config.width)
        self.layers = stack([config.latent, units, units, units, prod(self.image)])

    def forward(self, z: Tensor) -> Tensor:
        """z (N, latent) -> (N, C, H, W)."""
        images: Tensor = self.layers(z).view(-1, *self.image)
        return images


class Critic(nn.Module):
    """f(x): images (N, C, H, W) -> reals (N,)."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        maps = plan(shape.resolution, config.width)
        self.first = nn.Sequential(_halving(shape.channels, maps[0]), nn.LeakyReLU(LEAKY_SLOPE, inplace=True))
        self.blocks = nn.Sequential(*(_halving_block(a, b) for a, b in pairwise(maps)))
        self.head = nn.Linear(maps[-1] * FIRST_SIDE**2, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """x (N, C, H, W) in [-1, 1] -> (N,)."""
        return self.head(self.blocks(self.first(x)).flatten(1)).float()[:, 0]


def networks_for(config: Config, shape: Shape, rng: Generator) -> tuple[nn.Module, nn.Module]:
    """G and the critic, for images or for points."""
    if shape.dimensions:
        shape = shape._replace(classes=0)  # neither is told y
        generator: nn.Module = PointGenerator(config.points, config.latent, shape)
        critic: nn.Module = PointDiscriminator(config.points, shape)
    else:
        generator = (DenseGenerator if config.net == "dense" else ImageGenerator)(config, shape)
        critic = Critic(config, shape)
    for network in (generator, critic):
        fully_connected = shape.dimensions or isinstance(network, DenseGenerator)
        (initialise_by_fan_in if fully_connected else initialise_with_gains)(network, rng)
    return generator, critic


class WGAN(Decodes):
    """The family: G and the critic with one RMSprop each; several updates of the critic a step, one of G."""

    def __init__(self, config: Config, shape: Shape, rng: Generator) -> None:
        self.config = config
        self.sampled = config.sampled
        generator, critic = networks_for(config, shape, rng)
        clip(critic, config.clip)
        self.networks: dict[str, nn.Module] = {"generator": generator, "critic": critic}
        self.optimizers: dict[str, Optimizer] = {
            "generator": RMSprop(generator.parameters(), config.generator_lr, config.smoothing),
            "critic": RMSprop(critic.parameters(), config.critic_lr, config.smoothing),
        }

    def step(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        """Algorithm 1: the critic's updates, each on a minibatch of its own, then G's."""
        generator, critic = self.networks["generator"], self.networks["critic"]
        minibatches = batch.images.chunk(self.config.critic_steps)
        updates = [self._update_critic(real, rng) for real in minibatches]

        judged = critic(generator(self.latent(len(minibatches[0]), rng))).mean()
        gradient_generator = ascend(judged, self.optimizers["generator"])

        return means_over(updates) | {
            "loss_generator": -judged.detach(),
            "gradient_generator": gradient_generator,
        }

    def _update_critic(self, real: Tensor, rng: Generator) -> dict[str, Tensor]:
        """One ascent of equation 3, on real images (N, C, H, W) and as many samples; then the clipping."""
        generator, critic = self.networks["generator"], self.networks["critic"]
        with torch.no_grad():
            fake = generator(self.latent(len(real), rng))
        wasserstein = critic(real).mean() - critic(fake).mean()
        gradient_critic = ascend(wasserstein, self.optimizers["critic"])
        clip(critic, self.config.clip)
        return {
            "loss_critic": -wasserstein.detach(),
            "wasserstein": wasserstein.detach(),
            "gradient_critic": gradient_critic,
        }

    def decode(self, latent: Tensor) -> Tensor:
        """What is generated, before it is clamped, with gradients."""
        return with_gradients(self.networks["generator"], latent)

    def generate(self, latent: Tensor, wanted: Given) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] of z (N, latent), with batch norm's running statistics."""
        images = evaluated(self.networks["generator"], latent)
        return images.clamp(-1, 1) if images.ndim == 4 else images

    def realness(self, images: Tensor) -> Tensor:
        """The critic's values (N,) of images (N, C, H, W), with batch norm's running statistics."""
        return evaluated(self.networks["critic"], images)

    def latent(self, count: int, rng: Generator) -> Tensor:
        """z ~ N(0, I), (count, latent)."""
        return torch.randn(count, self.config.latent, generator=rng, device=rng.device)


@torch.no_grad()
def clip(network: nn.Module, reach: float) -> None:
    """Put every number of the network into [-reach, reach]."""
    for parameter in network.parameters():
        parameter.clamp_(-reach, reach)


def _doubling(maps_in: int, maps_out: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(maps_in, maps_out, 4, stride=2, padding=1, bias=False)


def _doubling_block(maps_in: int, maps_out: int) -> nn.Sequential:
    return nn.Sequential(_doubling(maps_in, maps_out), nn.BatchNorm2d(maps_out), nn.ReLU(inplace=True))


def _halving(maps_in: int, maps_out: int) -> nn.Conv2d:
    return nn.Conv2d(maps_in, maps_out, 4, stride=2, padding=1, bias=False)


def _halving_block(maps_in: int, maps_out: int) -> nn.Sequential:
    return nn.Sequential(
        _halving(maps_in, maps_out), nn.BatchNorm2d(maps_out), nn.LeakyReLU(LEAKY_SLOPE, inplace=True)
    )
