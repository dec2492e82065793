"""SNGAN (Miyato, Kataoka, Koyama & Yoshida, 2018; arXiv:1802.05957).

Each weight W of D is W / sigma(W) instead, sigma the greatest singular value, so that D is Lipschitz. With
`loss: hinge` D ascends equation 16, and G equation 17:

    V_D = E[min(0, -1 + f(x))] + E[min(0, -1 - f(G(z)))]                         (16)
    V_G = E[f(G(z))]                                                             (17)

and with `loss: standard` E[log D(x)] + E[log(1 - D(G(z)))] and E[log D(G(z))], where D = sigmoid(f). In a
step D is updated several times, G once. No classes.

Departures and decisions
    1. `net: convolution` is table 3, `net: residual` table 4; layers are listed in nets/plain.py and
       nets/residual.py. Above 32 px each doubling adds a layer of at most 512 maps, or a block. Plain weights
       begin as N(0, .02^2), which that table does not say.
    2. D judges real and fake images in one pass. It has no batch norm, so that none sees another, and the
       power iteration goes on once for each update of D, as in Algorithm 1. In the authors' code it does so
       in each pass: two of an update, and one of G's.
    3. G's update asks D in evaluation mode: its u stays, and sigma is that of its new weights along the u of
       its last update.
    4. sigma is that of a convolution's weight as a matrix (out, in k k), as in the paper; it is not the norm
       of the convolution.
    5. u begins as a random direction, without further iterations before the first step.
    6. In a step D's updates come first, then G's; in that code G's come first.
    7. `decay_over` iterations take the step sizes to 0 on a straight line, as that code does for the residual
       networks over the whole training. The default leaves them as they are.
    8. That code adds U(0, 1 / 128) to real pixels; here they are the levels themselves.
    9. Points have small fully connected networks, those of D normalised as well.
"""

import torch
from torch import Generator, Tensor, nn

from centigan.losses import hinge_fake, hinge_real, log_fake, log_real
from centigan.nets.blocks import evaluated, initialise, initialise_by_fan_in, with_gradients
from centigan.nets.plain import PlainDiscriminator, PlainGenerator
from centigan.nets.points import PointDiscriminator, PointGenerator
from centigan.nets.residual import ResidualDiscriminator, ResidualGenerator, initialise_residual
from centigan.nets.spectral import normalise_spectrally
from centigan.settings.families.sngan import SnganConfig as Config
from centigan.types import Batch, Decodes, Given, Shape
from centigan.updates import adams, ascend, decay_linearly, means_over


def networks_for(config: Config, shape: Shape, rng: Generator) -> dict[str, nn.Module]:
    """G and D by name, for points or images, with weights drawn; D's are normalised."""
    if shape.dimensions:
        shape, begin = shape._replace(classes=0), initialise_by_fan_in  # neither is told y
        generator: nn.Module = PointGenerator(config.points, config.latent, shape)
        discriminator: nn.Module = PointDiscriminator(config.points, shape)
    elif config.net == "residual":
        begin = initialise_residual
        generator = ResidualGenerator(shape, config.latent, config.width)
        discriminator = ResidualDiscriminator(shape, config.width)
    else:
        begin = initialise
        generator = PlainGenerator(shape, config.latent, config.width)
        discriminator = PlainDiscriminator(shape, config.width)
    for network in (generator, discriminator):
        begin(network, rng)
    normalise_spectrally(discriminator, rng)
    return {"generator": generator, "discriminator": discriminator}


class SNGAN(Decodes):
    """The family: G and D with one Adam each; in a step several updates of D, one of G."""

    def __init__(self, config: Config, shape: Shape, rng: Generator) -> None:
        self.config = config
        self.sampled = config.sampled
        self.networks: dict[str, nn.Module] = networks_for(config, shape, rng)
        rates = {"generator": config.generator_lr, "discriminator": config.discriminator_lr}
        self.optimizers = adams(self.networks, rates, (config.beta1, config.beta2))

    def step(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        """D's updates, each on a minibatch of its own, then G's."""
        if self.config.decay_over:
            decay_linearly(self.optimizers.values(), batch.iteration, self.config.decay_over)
        minibatches = batch.images.chunk(self.config.discriminator_steps)
        updates = [self._update_discriminator(real, rng) for real in minibatches]

        discriminator = self.networks["discriminator"].eval()  # its power iteration rests
        count = self.config.generator_batches * len(minibatches[0])
        judged = discriminator(self.networks["generator"](self.latent(count, rng)))
        objective = judged.mean() if self.config.loss == "hinge" else log_real(judged)
        gradient_generator = ascend(objective, self.optimizers["generator"])
        discriminator.train()

        return means_over(updates) | {
            "loss_generator": -objective.detach(),
            "gradient_generator": gradient_generator,
        }

    def _update_discriminator(self, real: Tensor, rng: Generator) -> dict[str, Tensor]:
        """One ascent of V_D, on real images (N, C, H, W) and as many samples."""
        with torch.no_grad():
            fake = self.networks["generator"](self.latent(len(real), rng))
        logits = self.networks["discriminator"](torch.cat([real, fake]))
        value = self.value(*logits.chunk(2))
        gradient = ascend(value, self.optimizers["discriminator"])
        source_real, source_fake = logits.detach().chunk(2)
        return {
            "loss_discriminator": -value.detach(),
            "source_real": (source_real > 0).float().mean(),
            "source_fake": (source_fake < 0).float().mean(),
            "gradient_discriminator": gradient,
        }

    def value(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """V_D of logits (N,)."""
        if self.config.loss == "hinge":
            return hinge_real(real_logits) + hinge_fake(fake_logits)
        return log_real(real_logits) + log_fake(fake_logits)

    def decode(self, latent: Tensor) -> Tensor:
        """What is generated, with gradients."""
        return with_gradients(self.networks["generator"], latent)

    def generate(self, latent: Tensor, wanted: Given) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] of z (N, latent), with batch norm's running statistics."""
        return evaluated(self.networks["generator"], latent)

    def realness(self, images: Tensor) -> Tensor:
        """D's logits (N,) of images (N, C, H, W); u stays."""
        return evaluated(self.networks["discriminator"], images)

    def latent(self, count: int, rng: Generator) -> Tensor:
        """z ~ N(0, I), (count, latent)."""
        return torch.randn(count, self.config.latent, generator=rng, device=rng.device)
