"""Encoder, decoder and discriminator of coverage- and quality-driven training, of three kinds.

`convolution` and `residual` are SNGAN's networks (Miyato et al. 2018, tables 3 and 4); the encoder is its
discriminator without spectral normalisation, with another head. `dense` has two hidden layers each. Points
have small fully connected networks, whatever the kind is.
"""

from math import prod

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from centigan.nets.blocks import initialise_by_fan_in, scaled
from centigan.nets.coupling import Flow, Plan
from centigan.nets.gaussian import GaussianHead, NoisyDecoder, code_of
from centigan.nets.inverse_autoregressive import flow_of_codes
from centigan.nets.plain import PlainDiscriminator, PlainGenerator, halving_layers
from centigan.nets.point_flow import PointFlow
from centigan.nets.points import PointDiscriminator, stack
from centigan.nets.residual import (
    DISCRIMINATOR_MAPS,
    ResidualDiscriminator,
    ResidualGenerator,
    down_blocks,
    initialise_residual,
)
from centigan.nets.spectral import normalise_spectrally
from centigan.nets.weight_norm import initialise_normed
from centigan.settings.families.cq import CqConfig as Config
from centigan.settings.families.cq import FlowSettings
from centigan.settings.posterior import WithPosterior
from centigan.types import Code, Shape

SLOPE = 0.1
FIRST_STD = 0.05  # of the directions of weights in f


class Encoder(nn.Module):
    """q(z|x) of w (N, C, H, W): a diagonal Gaussian, or with an inverse autoregressive flow behind it."""

    def __init__(self, config: WithPosterior, latent: int, shape: Shape) -> None:
        super().__init__()
        if shape.dimensions:
            features, count = config.points.generator_units, config.points.generator_layers
            layers: list[nn.Module] = [stack([shape.dimensions, *[features] * count]), nn.ReLU()]
        elif config.net == "dense":
            units = scaled(config.units, config.width)
            layers, features = _hidden(prod(_size(shape)), units), units
        elif config.net == "convolution":
            layers, features = halving_layers(shape, config.width)
        else:
            layers = [down_blocks(shape, config.width, still=2), Summed()]
            features = scaled(DISCRIMINATOR_MAPS, config.width)
        self.layers = nn.Sequential(*layers)
        self.head = GaussianHead(features, latent)
        self.bend = None
        if config.posterior == "iaf":
            hidden = features if shape.dimensions else scaled(config.units, config.width)
            self.bend = flow_of_codes(latent, [hidden], features, config.posterior_steps)

    def forward(self, w: Tensor, noise: Tensor) -> Code:
        """w (N, C, H, W) in [-1, 1), standard noise (N, latent) -> a draw; of noise 0 its middle."""
        features = self.layers(w)
        mean, log_variance = self.head(features)
        first = code_of(mean, log_variance, noise)
        if self.bend is None:
            return Code(mean, log_variance, first, first, None)
        z, log_sigmas = self.bend(first, features)
        return Code(mean, log_variance, first, z, log_sigmas.sum(1))


class Decoder(NoisyDecoder):
    """p(y|z) = N(mu(z), sigma^2), one sigma a channel, and f, where there is one, between images and y."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        self.mean: nn.Module
        self.flow: Flow | PointFlow | None = None
        if shape.dimensions:
            hidden_units = [config.points.generator_units] * config.points.generator_layers
            self.mean = stack([config.latent, *hidden_units, shape.dimensions])
        elif config.net == "dense":
            hidden = _hidden(config.latent, scaled(config.units, config.width), flatten=False)
            size = _size(shape)
            last = [nn.Linear(scaled(config.units, config.width), prod(size)), nn.Unflatten(1, size)]
            self.mean = nn.Sequential(*hidden, *last)
        else:
            kind = PlainGenerator if config.net == "convolution" else ResidualGenerator
            self.mean = kind(shape, config.latent, config.width, bounded=False)
        if config.flow:
            self.flow = _map(config, config.flow, shape)
        coordinates = shape.dimensions or shape.channels
        self.begin_noise(coordinates, config.sigma_floor, of_points=bool(shape.dimensions))

    def forward(self, z: Tensor) -> Tensor:
        """z (N, latent) -> means of y (N, C, H, W)."""
        y: Tensor = self.mean(z)
        return y.float()

    def to_features(self, w: Tensor) -> tuple[Tensor, Tensor]:
        """y = f(w) (N, C, H, W), log |det df/dw| (N,); w itself and 0 without f."""
        if self.flow is None:
            return w, w.new_zeros(len(w))
        y, log_det = self.flow(w)
        return y, log_det

    def to_images(self, y: Tensor) -> Tensor:
        """w of y, (N, C, H, W) each; not within [-1, 1] for sure."""
        return y if self.flow is None else self.flow.inverse(y)


class DenseDiscriminator(nn.Module):
    """Images (N, C, H, W) -> logits (N,)."""

    def __init__(self, shape: Shape, units: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*_hidden(prod(_size(shape)), units), nn.Linear(units, 1))

    def forward(self, x: Tensor) -> Tensor:
        """x (N, C, H, W) in [-1, 1] -> (N,)."""
        logits: Tensor = self.layers(x)
        return logits.float()[:, 0]


class Summed(nn.Module):
    """ReLU, then sums over a map: (N, C, H, W) -> (N, C)."""

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x).sum((2, 3))


def discriminator(config: Config, shape: Shape, rng: Generator) -> nn.Module:
    """D with spectral normalisation."""
    width = config.width * config.discriminator_width
    if shape.dimensions:
        network: nn.Module = PointDiscriminator(config.points, shape._replace(classes=0))
    elif config.net == "dense":
        network = DenseDiscriminator(shape, scaled(config.units, width))
    elif config.net == "convolution":
        network = PlainDiscriminator(shape, width)
    else:
        network = ResidualDiscriminator(shape, width, still=config.discriminator_blocks)
    begin(network, config, shape, rng)
    normalise_spectrally(network, rng)
    return network


def begin(network: nn.Module, config: WithPosterior, shape: Shape, rng: Generator) -> None:
    """Draw weights by fan-in, or as SNGAN's residual networks have them; f is the logit alone at first."""
    residual = config.net == "residual" and not shape.dimensions
    draw = initialise_residual if residual else initialise_by_fan_in
    if isinstance(network, Decoder):
        draw(network.mean, rng)
        _shrink(network.mean)
        if isinstance(network.flow, PointFlow):
            network.flow.begin(rng)
        elif network.flow:
            initialise_normed(network.flow, FIRST_STD, rng)
    else:
        draw(network, rng)
        if isinstance(network, Encoder):
            _shrink(network.head)


@torch.no_grad()
def _shrink(network: nn.Module) -> None:
    """Let its last layer begin ten times as small: a bound begins with means and codes that are near 0."""
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
    layers[-1].weight.mul_(0.1)


def _hidden(inputs: int, units: int, *, flatten: bool = True) -> list[nn.Module]:
    layers = [nn.Linear(inputs, units), nn.LeakyReLU(SLOPE), nn.Linear(units, units), nn.LeakyReLU(SLOPE)]
    return [nn.Flatten(), *layers] if flatten else layers


def _map(config: Config, of: FlowSettings, shape: Shape) -> Flow | PointFlow:
    """f of images or of points; its weights are drawn in `begin`."""
    if shape.dimensions:
        return PointFlow(shape.dimensions, config.points.flow, actnorm=of.norm == "actnorm")
    plan = Plan(scaled(of.maps, config.width), of.blocks, of.norm == "actnorm")
    return Flow(_size(shape), plan, scales=of.scales, tail=False)


def _size(shape: Shape) -> tuple[int, int, int]:
    return shape.channels, shape.resolution, shape.resolution
