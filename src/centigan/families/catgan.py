"""CatGAN (Springenberg, 2015; arXiv:1511.06390): categorical generative adversarial networks.

D has no output for real or fake: it sorts images into K clusters, p(y|x) = softmax of its K logits. It is to
be sure of each real image, unsure of each generated one, and to use all clusters alike:

    D ascends    M(x) - mean H(x) + mean H(G(z))  [+ lambda mean log p(y|x) of labelled images]
    G descends   -M(G(z)) + mean H(G(z))

H(x) is the entropy of p(y|x), in nats; M that of the mean of p(y|x) over a minibatch. D's first two terms
alone are regularised information maximisation (RIM; Krause et al. 2010).

Departures and decisions
    1. The author's code is not public. The dense layers, their noise and their optimiser are those of a
       re-implementation; the convolutional ones are not checked against the paper's tables.
    2. M is of a minibatch; it is too small by about (K - 1) / 2B, so B should be 100 or more.
    3. The prior over clusters is uniform; for another the paper has a cross-entropy in M's place.
    4. D sees real, generated and labelled images in separate passes. Batch norm's running statistics, on
       which all answers after training rest, are of the first alone: two of three passes are of generated
       images, and the labelled ones are few.
    5. Entropies are those of log-softmax, M by logsumexp over the minibatch: nothing is added within a log.
    6. One forward pass of G an iteration: its images serve D's update, then G's.
    7. `semi_supervised`: the clusters are the classes, and labelled images come as a minibatch of their own.
    8. z ~ U(-1, 1). Adam has an L2 of 1e-5.
    9. `width` scales every number of feature maps or units.
    10. `train.ema` averages D beside G, weights and statistics: D's answers are what is measured.
  images
    11. D: noise of std .3 on the input and on each hidden layer, after batch norm and before the leaky ReLU.
        D's first layer and both last ones have no batch norm. Weights begin as He et al. (2015) draw them.
    12. Pixels of [-1, 1] are mapped to [0, 1], where those networks work; G's convolutions end in tanh.
    13. Perforated upsampling (a value in one corner of 2 x 2, zeros elsewhere) and a 5 x 5 convolution are
        `Doubling`, a transposed convolution: the same sums without the zeros.
    14. Above 32 px each doubling adds a pooling and three convolutions in D, a doubling in G.
  points
    15. Batch norm in each hidden layer of both, noise after the leaky ReLU. Without batch norm in D an
        unbounded G runs away to where a D of straight pieces is certain.
    16. Weights ~ N(0, .1^2), biases uniform within 1 / sqrt(fan-in).
"""

from contextlib import nullcontext
from itertools import pairwise
from math import prod

import torch
from torch import Generator, Tensor, nn
from torch.optim import Adam, Optimizer

from centigan.losses import class_log_likelihood, entropy_of_mean, mean_entropy
from centigan.nets.blocks import (
    Doubling,
    Noise,
    evaluated,
    evaluating,
    initialise_by_fan_in,
    scaled,
    without_statistics,
)
from centigan.nets.points import initialise_points, noisy_stack
from centigan.settings.families.catgan import CatganConfig as Config
from centigan.types import Batch, Given, Latent, Shape
from centigan.updates import FallingAdam, ascend, follow_schedules

SLOPE = 0.1  # of every leaky ReLU
DENSE_D, DENSE_G = (1000, 500, 250, 250, 250), (500, 500, 1000)
LEAST_SIDE, D_MAPS, MOST_D_MAPS = 8, 96, 192
FIRST_G_MAPS, G_MAPS = 192, 96


class ToPixels(nn.Module):
    """[-1, 1] -> [0, 1]."""

    def forward(self, x: Tensor) -> Tensor:
        return (x + 1) / 2


class FromPixels(nn.Module):
    """Logits of pixels in [0, 1] -> values in [-1, 1]."""

    def forward(self, x: Tensor) -> Tensor:
        return 2 * x.sigmoid() - 1


def hidden(layer: nn.Module, *norm: nn.Module, noise: float = 0.0) -> list[nn.Module]:
    """A hidden layer: batch norm if there is one, noise, leaky ReLU."""
    return [layer, *norm, Noise(noise), nn.LeakyReLU(SLOPE, inplace=True)]


def dense_networks(config: Config, shape: Shape, outputs: int) -> dict[str, nn.Module]:
    """Those for MNIST: D pixels-1000-500-250-250-250-K, G z-500-500-1000-pixels."""
    image = (shape.channels, shape.resolution, shape.resolution)
    units = [prod(image), *(scaled(n, config.width) for n in DENSE_D)]
    of_d: list[nn.Module] = [nn.Flatten(), ToPixels(), Noise(config.noise)]
    for n, (a, b) in enumerate(pairwise(units)):
        of_d += hidden(nn.Linear(a, b), *([nn.BatchNorm1d(b)] if n else []), noise=config.noise)
    of_d.append(nn.Linear(units[-1], outputs))

    units = [config.latent, *(scaled(n, config.width) for n in DENSE_G)]
    of_g = [layer for a, b in pairwise(units) for layer in hidden(nn.Linear(a, b), nn.BatchNorm1d(b))]
    of_g += [nn.Linear(units[-1], prod(image)), FromPixels(), nn.Unflatten(1, image)]
    return {"generator": nn.Sequential(*of_g), "discriminator": nn.Sequential(*of_d)}


def convolutional_networks(config: Config, shape: Shape, outputs: int) -> dict[str, nn.Module]:
    """Those for CIFAR-10: D of 3 x 3 convolutions, G of 5 x 5 ones after perforated upsampling."""
    halvings = (shape.resolution // LEAST_SIDE).bit_length() - 1
    noise, most = config.noise, scaled(MOST_D_MAPS, config.width)
    of_d: list[nn.Module] = [ToPixels(), Noise(noise)]
    before = shape.channels
    for n in range(halvings):
        own = most if n else scaled(D_MAPS, config.width)
        for m in range(3):
            norm = [nn.BatchNorm2d(own)] if n or m else []
            of_d += hidden(nn.Conv2d(before, own, 3, padding=1), *norm, noise=noise)
            before = own
        of_d.append(nn.MaxPool2d(2))
    of_d += hidden(nn.Conv2d(before, most, 3, padding=1), nn.BatchNorm2d(most), noise=noise)
    of_d += hidden(nn.Conv2d(most, most, 1), nn.BatchNorm2d(most), noise=noise)
    of_d += [nn.Conv2d(most, outputs, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()]

    first, own = scaled(FIRST_G_MAPS, config.width), scaled(G_MAPS, config.width)
    of_g: list[nn.Module] = [
        nn.Linear(config.latent, first * LEAST_SIDE**2),
        *hidden(nn.Unflatten(1, (first, LEAST_SIDE, LEAST_SIDE)), nn.BatchNorm2d(first)),
    ]
    for a, b in pairwise([first, *[own] * halvings]):
        of_g += hidden(Doubling(a, b), nn.BatchNorm2d(b))
    of_g += [nn.Conv2d(own, shape.channels, 5, padding=2), nn.Tanh()]
    return {"generator": nn.Sequential(*of_g), "discriminator": nn.Sequential(*of_d)}


def point_networks(config: Config, shape: Shape, outputs: int) -> dict[str, nn.Module]:
    """Small ones for points (N, d)."""
    points, d = config.points, shape.dimensions
    of_g = [config.latent, *[points.generator_units] * points.generator_layers, d]
    of_d = [d, *[points.discriminator_units] * points.discriminator_layers, outputs]
    return {
        "generator": noisy_stack(of_g, slope=SLOPE),
        "discriminator": noisy_stack(of_d, slope=SLOPE, noise=config.noise, scale=points.scale),
    }


def optimizer_of(config: Config, network: nn.Module, lr: float) -> Optimizer:
    """Adam, whose step size may fall."""
    betas, decay = (config.beta1, config.beta2), config.weight_decay
    if config.rate == "falls":
        return FallingAdam(network.parameters(), lr, betas, decay, zero_at=config.rate_zero_at)
    return Adam(network.parameters(), lr, betas, weight_decay=decay, fused=True)


class CatGAN(Latent):
    """The family: G, and a D that finds K clusters, with one Adam each (D first, then G)."""

    def __init__(self, config: Config, shape: Shape, rng: Generator) -> None:
        self.config = config
        self.sampled = config.sampled
        outputs = shape.classes if config.semi_supervised else config.clusters
        if shape.dimensions:
            make, initialise = point_networks, initialise_points
        else:
            make = dense_networks if config.net == "dense" else convolutional_networks
            initialise = initialise_by_fan_in
        self.networks = make(config, shape, outputs)
        for network in self.networks.values():
            initialise(network, rng)
        rates = {"generator": config.generator_lr, "discriminator": config.discriminator_lr}
        self.optimizers = {name: optimizer_of(config, self.networks[name], lr) for name, lr in rates.items()}

    def step(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        """D ascends its terms on real, generated and labelled images, then G descends its two."""
        follow_schedules(self.optimizers.values(), batch.iteration)
        fake = self.networks["generator"](self.latent(len(batch.images), rng))

        real_logits, fake_logits = self.judge(batch.images), self.judge(fake.detach(), remember=False)
        spread, sure = entropy_of_mean(real_logits), mean_entropy(real_logits)
        unsure, named = mean_entropy(fake_logits), self.named(batch)
        value = spread - sure + unsure
        for log_likelihood in named.values():
            value = value + self.config.supervised_weight * log_likelihood
        gradient_discriminator = ascend(value, self.optimizers["discriminator"])

        judged_logits = self.judge(fake, remember=False)
        spread_fake = entropy_of_mean(judged_logits)
        judged = spread_fake - mean_entropy(judged_logits)
        gradient_generator = ascend(judged, self.optimizers["generator"])

        return {
            "loss_discriminator": -value.detach(),
            "loss_generator": -judged.detach(),
            **{name: -log_likelihood.detach() for name, log_likelihood in named.items()},
            "spread_real": spread.detach(),
            "entropy_real": sure.detach(),
            "spread_fake": spread_fake.detach(),
            "entropy_fake": unsure.detach(),
            "gradient_discriminator": gradient_discriminator,
            "gradient_generator": gradient_generator,
        }

    def named(self, batch: Batch) -> dict[str, Tensor]:
        """Mean log p(y|x) of labelled images, under the name of its loss; nothing without labels."""
        return {}

    def judge(self, images: Tensor, *, remember: bool = True) -> Tensor:
        """D's logits (N, K) of images (N, C, H, W), which its running statistics may remember."""
        discriminator = self.networks["discriminator"]
        with nullcontext() if remember else without_statistics(discriminator):
            logits: Tensor = discriminator(images)
        return logits.float()

    def generate(self, latent: Tensor, wanted: Given) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] of z (N, latent), with batch norm's running statistics."""
        return evaluated(self.networks["generator"], latent)

    def latent(self, count: int, rng: Generator) -> Tensor:
        """z ~ U(-1, 1), (count, latent)."""
        return torch.rand(count, self.config.latent, generator=rng, device=rng.device) * 2 - 1

    def cluster_logits(self, images: Tensor) -> Tensor:
        """D's logits (N, K) of images (N, C, H, W), without noise and with running statistics."""
        with evaluating(self.networks["discriminator"]):
            return self.judge(images)


class NamingCatGAN(CatGAN):
    """The semi-supervised one, whose clusters are the classes."""

    def named(self, batch: Batch) -> dict[str, Tensor]:
        """Of the labelled minibatch, where there is one, else of what is labelled of the images."""
        known = batch.labelled or batch
        logits = self.judge(known.images, remember=False)
        return {"loss_class": class_log_likelihood(logits, known.given.labels)}

    def class_logits(self, images: Tensor) -> Tensor:
        """D's logits (N, K) of images (N, C, H, W): a cluster is a class."""
        return self.cluster_logits(images)

    def class_step(self, batch: Batch) -> Tensor:
        """D ascends the term of labelled images alone: a classifier of the same shape."""
        follow_schedules(self.optimizers.values(), batch.iteration)
        named = class_log_likelihood(self.judge(batch.images), batch.given.labels)
        ascend(named, self.optimizers["discriminator"])
        return -named.detach()


def catgan(config: Config, shape: Shape, rng: Generator) -> CatGAN:
    """The family that the settings ask for."""
    return (NamingCatGAN if config.semi_supervised else CatGAN)(config, shape, rng)
