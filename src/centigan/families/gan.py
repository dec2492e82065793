"""GAN (Goodfellow et al., 2014; arXiv:1406.2661).

    min_G max_D V(D, G) = E[log D(x)] + E[log(1 - D(G(z)))]      (1)

Algorithm 1: k updates of D up V, each by another minibatch, then one of G; G ascends log D(G(z)), the
non-saturating form of section 3, or with `saturating` descends V. Networks know no classes.

Two forms. `net: dense` is the authors' for MNIST (mnist.yaml of their code): G of two layers of 1200
rectified units and sigmoid pixels, D of two layers of 240 maxout units of 5 pieces; .2 of D's pixels are
dropped and half of its hidden units, none of G's. `net: convolution` has the networks and the optimiser of
`cgan` without classes.

Departures and decisions
    1. `update: simultaneous`, as in that code: the gradients of both are of the same parameters, latents and
       masks of dropout, and then both are applied. With k > 1 that is D's last update; others come before.
       `alternating`, as algorithm 1 has it: G's is of the D that was just updated, which judges again.
    2. Algorithm 1 draws new latents for G's update; here the fakes of D's last update serve it.
    3. D ascends V. That code has V / 2 and a rate of .1: as much as V at .05, `sgd.discriminator_lr`.
    4. D sees real and fake images in separate passes.
    5. `width` scales every number of feature maps or units.
  dense
    6. z ~ U(-sqrt 3, sqrt 3), pylearn2's, with variance 1.
    7. Pixels of [-1, 1] are mapped to [0, 1], where those networks work.
    8. The biases of G's pixels begin at 0, in that code at the logits of the training images' mean pixels.
    9. Momentum rises with every iteration; there once an epoch, from the second on.
    10. That code goes on until a Parzen estimate on validation images falls; here iterations are a setting.
  convolution
    11. z ~ U(-1, 1), as in the code of DCGAN's authors.

Under a protocol of points both networks are small and fully connected (`points`), whatever `net` is; then
z ~ N(0, I), and Adam moves them.
"""

from math import sqrt

import torch
from torch import Generator, Tensor, nn

from centigan.losses import log_fake, log_real
from centigan.nets.blocks import evaluated, evaluating, initialise_by_fan_in, scaled
from centigan.nets.convolution import convolutional_networks
from centigan.nets.dense import DenseDiscriminator, DenseGenerator, Units, initialise_uniformly
from centigan.nets.points import PointDiscriminator, PointGenerator
from centigan.settings.families.gan import GanConfig as Config
from centigan.types import Batch, Given, Latent, Shape
from centigan.updates import ascend, ascend_together, follow_schedules, optimizers_of


def dense_networks(config: Config, shape: Shape, rng: Generator) -> dict[str, nn.Module]:
    """G and D of the authors for MNIST."""
    of_generator, of_discriminator = (Units(n, 0, n) for n in (scaled(m, config.width) for m in (1200, 240)))
    generator = DenseGenerator(shape, config.latent, of_generator)
    discriminator = DenseDiscriminator(
        shape,
        of_discriminator,
        joint_pieces=5,
        input_dropout=config.input_dropout,
        dropout=config.hidden_dropout,
    )
    initialise_uniformly(generator, 0.05, rng)
    initialise_uniformly(discriminator, 0.005, rng)
    return {"generator": generator, "discriminator": discriminator}


def point_networks(config: Config, shape: Shape, rng: Generator) -> dict[str, nn.Module]:
    """G and D of points."""
    networks: dict[str, nn.Module] = {
        "generator": PointGenerator(config.points, config.latent, shape),
        "discriminator": PointDiscriminator(config.points, shape),
    }
    for network in networks.values():
        initialise_by_fan_in(network, rng)
    return networks


class GAN(Latent):
    """The family: G and D with an optimiser each; `steps` updates of D a step, and one of G."""

    def __init__(self, config: Config, shape: Shape, rng: Generator) -> None:
        self.config = config
        self.sampled = config.sampled
        shape = shape._replace(classes=0)  # neither is told y
        self.of_points = shape.dimensions > 0
        self.networks: dict[str, nn.Module]
        if self.of_points:
            self.networks = point_networks(config, shape, rng)
        elif config.net == "dense":
            self.networks = dense_networks(config, shape, rng)
        else:
            self.networks = convolutional_networks(shape, config.latent, config.width, rng)
        self.optimizers = optimizers_of(config, self.networks, adam=self.of_points)

    def step(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        """Algorithm 1: D ascends equation 1 `steps` times, G its term once."""
        move_generator, move_discriminator = (self.optimizers[n] for n in ("generator", "discriminator"))
        follow_schedules(self.optimizers.values(), batch.iteration)
        *earlier, images = batch.images.chunk(self.config.steps)
        for minibatch in earlier:
            fake = self.fake(len(minibatch), rng).detach()
            value = log_real(self.judge(minibatch)) + log_fake(self.judge(fake))
            ascend(value, move_discriminator)

        fake = self.fake(len(images), rng)
        real_logits, fake_logits = self.judge(images), self.judge(fake)
        value = log_real(real_logits) + log_fake(fake_logits)  # equation 1
        if self.config.update == "simultaneous":
            judged = self.objective(fake_logits)
            norms = ascend_together((value, move_discriminator), (judged, move_generator))
        else:
            norms = [ascend(value, move_discriminator)]
            judged = self.objective(self.judge(fake))
            norms.append(ascend(judged, move_generator))

        return {
            "loss_discriminator": -value.detach(),
            "loss_generator": -judged.detach(),
            "source_real": (real_logits > 0).float().mean(),
            "source_fake": (fake_logits < 0).float().mean(),
            "gradient_discriminator": norms[0],
            "gradient_generator": norms[1],
        }

    def objective(self, logits: Tensor) -> Tensor:
        """What G ascends, of D's logits of its images (N,): section 3, or equation 1."""
        return -log_fake(logits) if self.config.saturating else log_real(logits)

    def fake(self, count: int, rng: Generator) -> Tensor:
        """Images (count, C, H, W) of new latents, with their graph."""
        z = self.latent(count, rng)
        images: Tensor = self.networks["generator"](z, _no_class(z))
        return images

    def judge(self, images: Tensor) -> Tensor:
        """D's logits (N,) of images (N, C, H, W)."""
        logits: Tensor = self.networks["discriminator"](images, _no_class(images))
        return logits

    def generate(self, latent: Tensor, wanted: Given) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] of z (N, latent), with batch norm's running statistics."""
        return evaluated(self.networks["generator"], latent, _no_class(latent))

    def realness(self, images: Tensor) -> Tensor:
        """D's logits (N,) of images (N, C, H, W), nothing dropped."""
        with evaluating(self.networks["discriminator"]):
            return self.judge(images)

    def latent(self, count: int, rng: Generator) -> Tensor:
        """z, (count, latent), uniform: of the dense form with variance 1, of the convolutional in [-1, 1]."""
        if self.of_points:
            return torch.randn(count, self.config.latent, generator=rng, device=rng.device)
        z = torch.rand(count, self.config.latent, generator=rng, device=rng.device) * 2 - 1
        return z * sqrt(3) if self.config.net == "dense" else z


def _no_class(rows: Tensor) -> Tensor:
    """y (N, 0): nothing is told of any row."""
    return rows.new_zeros(len(rows), 0)
