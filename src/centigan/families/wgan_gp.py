"""WGAN-GP (Gulrajani et al., 2017; arXiv:1704.00028).

The critic f estimates the Wasserstein distance between images and samples; a penalty holds the norm of its
gradient near 1. It descends

    L = E[f(G(z))] - E[f(x)] + lambda E[(|grad f(x^)| - 1)^2],   x^ = x + u (G(z) - x),  u ~ U(0, 1)      (3)

so many times for one update of G (Algorithm 1), which descends -E[f(G(z))]. No classes.

Departures and decisions
    1. Networks are those of the authors' code for CIFAR-10, not the residual ones of the paper's tables.
    2. Adam has the beta1 = 0 of Algorithm 1; that code has 0.5.
    3. Batch norm after G's first layer counts by map, as after the others; that code's counts by unit.
    4. The critic has no norm of any kind: batch norm would make a gradient depend on the other images
       (section 4); layer norm, which the paper allows, is not in these networks.
    5. u is drawn for each image, and the norm is over all of C, H, W of one image. 1e-12 under its root keeps
       the derivative finite where the gradient is 0.
    6. In bfloat16 the penalty is float32 throughout: f at x^, its gradient, and the second derivative.
       An error of the norm counts for more in |grad f| - 1, which is small.
    7. Each update of the critic has its own minibatch, z and u. The journal has the means over these updates.
    8. `width` scales every feature-map count; at 1 the critic's first layer has the 128 of that code, whose
       authors note that 64 overfit less. Above 32 px each doubling adds a layer of at most 512 maps.
"""

from itertools import pairwise

import torch
from torch import Generator, Tensor, nn

from centigan.nets import convolution
from centigan.nets.blocks import (
    evaluated,
    halving_block,
    initialise_by_fan_in,
    upsample_block,
    with_gradients,
    without_autocast,
)
from centigan.nets.convolution import FIRST_SIDE
from centigan.nets.gradient_penalty import between, gradient_norms
from centigan.nets.points import PointDiscriminator, PointGenerator
from centigan.settings.families.wgan_gp import WganGpConfig as Config
from centigan.types import Batch, Decodes, Given, Shape
from centigan.updates import adams, ascend, means_over

FIRST_MAPS = 128


def plan(resolution: int, width: float) -> list[int]:
    """Maps of the critic at half, a quarter, ... of the resolution, down to 4 x 4: 128, 256, 512 at 32 px."""
    return convolution.plan(resolution, width, first=FIRST_MAPS)


class ImageGenerator(nn.Module):
    """G(z): latent (N, latent) -> images (N, C, H, W)."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        maps = plan(shape.resolution, config.width)[::-1]
        self.maps = (maps[0], FIRST_SIDE, FIRST_SIDE)
        self.project = nn.Linear(config.latent, maps[0] * FIRST_SIDE**2)
        self.first = nn.Sequential(nn.BatchNorm2d(maps[0]), nn.ReLU(inplace=True))
        self.blocks = nn.Sequential(
            *(upsample_block(a, b) for a, b in pairwise(maps)),
            upsample_block(maps[-1], shape.channels, last=True),
        )

    def forward(self, z: Tensor) -> Tensor:
        """z (N, latent) -> (N, C, H, W) in [-1, 1]."""
        images: Tensor = self.blocks(self.first(self.project(z).view(-1, *self.maps)))
        return images


class Critic(nn.Module):
    """f(x): images (N, C, H, W) -> reals (N,). Every layer can be differentiated twice."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        maps = [shape.channels, *plan(shape.resolution, config.width)]
        self.blocks = nn.Sequential(*(halving_block(a, b, norm=False) for a, b in pairwise(maps)))
        self.head = nn.Linear(maps[-1] * FIRST_SIDE**2, 1)

    def forward(self, x: Tensor) -> Tensor:
        """x (N, C, H, W) in [-1, 1] -> (N,), of the type of x whatever autocast made of it."""
        return self.head(self.blocks(x).flatten(1))[:, 0].to(x.dtype)


def networks_for(config: Config, shape: Shape) -> tuple[nn.Module, nn.Module]:
    """G and the critic for images, or those of the authors' toy data for points."""
    if shape.dimensions:
        shape = shape._replace(classes=0)  # neither is told y
        return PointGenerator(config.points, config.latent, shape), PointDiscriminator(config.points, shape)
    return ImageGenerator(config, shape), Critic(config, shape)


class WGANGP(Decodes):
    """The family: G and the critic with one Adam each; in a step several updates of the critic, one of G."""

    def __init__(self, config: Config, shape: Shape, rng: Generator) -> None:
        self.config = config
        self.sampled = config.sampled
        generator, critic = networks_for(config, shape)
        self.networks: dict[str, nn.Module] = {"generator": generator, "critic": critic}
        for network in self.networks.values():
            (initialise_by_fan_in if shape.dimensions else initialise)(network, rng)
        rates = {"generator": config.generator_lr, "critic": config.critic_lr}
        self.optimizers = adams(self.networks, rates, (config.beta1, config.beta2))

    def step(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        """Algorithm 1: the critic's updates, each on a minibatch of its own, then G's."""
        generator, critic = self.networks["generator"], self.networks["critic"]
        minibatches = batch.images.chunk(self.config.critic_steps)
        updates = [self._update_critic(real, rng) for real in minibatches]

        judged = critic(generator(self.latent(len(minibatches[0]), rng))).float().mean()
        gradient_generator = ascend(judged, self.optimizers["generator"])

        return means_over(updates) | {
            "loss_generator": -judged.detach(),
            "gradient_generator": gradient_generator,
        }

    def _update_critic(self, real: Tensor, rng: Generator) -> dict[str, Tensor]:
        """One descent of equation 3, on real images (N, C, H, W) and as many samples."""
        generator, critic = self.networks["generator"], self.networks["critic"]
        with torch.no_grad():
            fake = generator(self.latent(len(real), rng))

        wasserstein = (critic(real) - critic(fake)).float().mean()
        with without_autocast(real.device):  # the update too: a second derivative multiplies matrices anew
            norms = gradient_norms(critic.forward, between(real, fake, rng))
            penalty = (norms - 1).square().mean()
            objective = wasserstein - self.config.penalty * penalty
            gradient_critic = ascend(objective, self.optimizers["critic"])

        return {
            "loss_critic": -objective.detach(),
            "wasserstein": wasserstein.detach(),
            "penalty": penalty.detach(),
            "norm": norms.detach().mean(),
            "gradient_critic": gradient_critic,
        }

    def decode(self, latent: Tensor) -> Tensor:
        """What is generated, with gradients."""
        return with_gradients(self.networks["generator"], latent)

    def generate(self, latent: Tensor, wanted: Given) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] of z (N, latent), with batch norm's running statistics."""
        return evaluated(self.networks["generator"], latent)

    @torch.no_grad()
    def realness(self, images: Tensor) -> Tensor:
        """The critic's values (N,) of images (N, C, H, W)."""
        values: Tensor = self.networks["critic"](images)
        return values

    def latent(self, count: int, rng: Generator) -> Tensor:
        """z ~ N(0, I), (count, latent)."""
        return torch.randn(count, self.config.latent, generator=rng, device=rng.device)


def initialise(network: nn.Module, rng: Generator) -> None:
    """Uniform weights as the authors' code draws them, biases 0.

    Their variance is Glorot's 2 / (in + out) in linear layers, and twice that in convolutions, where the side
    that a stride thins out counts that many times less.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            variance = 2 / (layer.in_features + layer.out_features)
        elif isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            thinned, full = layer.weight.shape[:2]  # (out, in), and (in, out) where transposed
            taps, strides = layer.weight[0, 0].numel(), layer.stride[0] ** 2
            variance = 4 / (taps * (full + thinned / strides))
        else:
            continue
        nn.init.uniform_(layer.weight, -((3 * variance) ** 0.5), (3 * variance) ** 0.5, generator=rng)
        assert layer.bias is not None
        nn.init.zeros_(layer.bias)
