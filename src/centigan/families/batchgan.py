"""BatchGAN (Lucas, Tallec, Ollivier & Verbeek, 2018; arXiv:1806.07185).

D sees a mixed batch, in which each image is real or generated, and predicts the share of real ones. It can
compare the batch's statistics with those of images, so that missing modes show. With a mixing vector b of
zeros and ones, s = |b| / B its share of ones, and o = D(b x + (1 - b) G(z)), D descends the cross-entropy

    -s log o - (1 - s) log(1 - o)

whose least value, the entropy of s, is reached where o = s. G descends -log o of a mixed batch, through its
own images in it. The best D is the expected share, given the batch. No classes.

`prediction: batch` (BGAN): o is the sigmoid of the mean of what D says beside each image. `prediction: image`
(M-BGAN): beside each image stands an o of its own, and the losses are averaged, not the predictions.

Checked against the paper: its abstract (mixed batches, prediction of the ratio, a permutation-invariant D)
and the caption of figure 1 (statistics of the batch beside each convolution, in every layer). That M-BGAN
exchanges averaging and loss is from a review of it. The rest could not be checked, and is marked below.

Departures and decisions
    1. b: every number of real images from 0 to B is as probable as another, and which they are; so it is if
       each is real with a probability that is uniform for the batch. From memory. G's batch has one sample at
       the least: of real images alone it would learn nothing.
    2. The statistics are the mean over the batch of each layer's input, through weights of their own
       (nets/symmetric.py), not rescaled. From memory.
    3. G's loss is that with s = 1, which is not saturating. From memory.
    4. Networks are SNGAN's plain ones (nets/plain.py), D's weights spectrally normalised; Adam has the values
       of DCGAN. That the paper's results for CIFAR-10 are with spectral normalisation is from memory.
    5. The fakes of D's last update serve G's, mixed anew with the same real images.
    6. A minibatch of B real images and B samples make one batch of B; the others are not looked at.
    7. D has no verdict on single images, so the family does not discriminate.
    8. Points have small fully connected networks, D's with the means of the batch.
"""

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from centigan.nets.blocks import evaluated, initialise, initialise_by_fan_in, with_gradients
from centigan.nets.plain import PlainDiscriminator, PlainGenerator
from centigan.nets.points import PointDiscriminator, PointGenerator
from centigan.nets.spectral import normalise_spectrally
from centigan.nets.symmetric import show_the_batch
from centigan.settings.families.batchgan import BatchganConfig as Config
from centigan.types import Batch, Decodes, Given, Shape
from centigan.updates import adams, ascend, means_over


def networks_for(config: Config, shape: Shape, rng: Generator) -> dict[str, nn.Module]:
    """G and D by name, for points or images, with weights drawn; D sees the batch."""
    generator: nn.Module
    discriminator: PointDiscriminator | PlainDiscriminator
    if shape.dimensions:
        shape, begin = shape._replace(classes=0), initialise_by_fan_in  # neither is told y
        generator = PointGenerator(config.points, config.latent, shape)
        discriminator = PointDiscriminator(config.points, shape)
    else:
        begin = initialise
        generator = PlainGenerator(shape, config.latent, config.width)
        discriminator = PlainDiscriminator(shape, config.width)
    show_the_batch(discriminator.layers)
    for network in (generator, discriminator):
        begin(network, rng)
    if config.spectral:
        normalise_spectrally(discriminator, rng)
    return {"generator": generator, "discriminator": discriminator}


class BatchGAN(Decodes):
    """The family: G and D with one Adam each; a step is updates of D on mixed batches, then one of G."""

    def __init__(self, config: Config, shape: Shape, rng: Generator) -> None:
        self.config = config
        self.sampled = config.sampled
        self.networks: dict[str, nn.Module] = networks_for(config, shape, rng)
        rates = {"generator": config.generator_lr, "discriminator": config.discriminator_lr}
        self.optimizers = adams(self.networks, rates, (config.beta1, config.beta2))

    def step(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        """D's updates, each on a minibatch of its own, then G's on the last of them, mixed anew."""
        *earlier, real = batch.images.chunk(self.config.discriminator_steps)
        updates = []
        for minibatch in earlier:
            with torch.no_grad():
                fake = self.networks["generator"](self.latent(len(minibatch), rng))
            updates.append(self._update_discriminator(minibatch, fake, rng))
        fake = self.networks["generator"](self.latent(len(real), rng))
        updates.append(self._update_discriminator(real, fake.detach(), rng))

        mixed, _ = mix(real, fake, len(real) - 1, rng)
        discriminator = self.networks["discriminator"].eval()  # the power iteration rests
        objective = self.value(discriminator(mixed), 1.0)
        gradient_generator = ascend(objective, self.optimizers["generator"])
        discriminator.train()

        return means_over(updates) | {
            "loss_generator": -objective.detach(),
            "gradient_generator": gradient_generator,
        }

    def _update_discriminator(self, real: Tensor, fake: Tensor, rng: Generator) -> dict[str, Tensor]:
        """One descent of the cross-entropy, on a batch of as many images as either has."""
        mixed, share = mix(real, fake, len(real), rng)
        value = self.value(self.networks["discriminator"](mixed), share)
        gradient = ascend(value, self.optimizers["discriminator"])
        least = torch.special.entr(share) + torch.special.entr(1 - share)
        return {
            "loss_discriminator": -value.detach(),
            "excess": -value.detach() - least,
            "gradient_discriminator": gradient,
        }

    def value(self, logits: Tensor, share: Tensor | float) -> Tensor:
        """s log o + (1 - s) log(1 - o), of what D says beside each image (N,) and the share s, ()."""
        said = logits if self.config.prediction == "image" else logits.mean()
        return (share * F.logsigmoid(said) + (1 - share) * F.logsigmoid(-said)).mean()

    def decode(self, latent: Tensor) -> Tensor:
        """What is generated, with gradients."""
        return with_gradients(self.networks["generator"], latent)

    def generate(self, latent: Tensor, wanted: Given) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] of z (N, latent), with batch norm's running statistics."""
        return evaluated(self.networks["generator"], latent)

    def latent(self, count: int, rng: Generator) -> Tensor:
        """z ~ N(0, I), (count, latent)."""
        return torch.randn(count, self.config.latent, generator=rng, device=rng.device)


def mix(real: Tensor, fake: Tensor, most: int, rng: Generator) -> tuple[Tensor, Tensor]:
    """A batch (N, ...) of 0 to `most` real images, the others generated, and the share () of real ones."""
    count = (torch.rand(1, generator=rng, device=rng.device) * (most + 1)).floor()
    is_real = torch.rand(len(real), generator=rng, device=rng.device).argsort() < count
    mixed = torch.where(is_real.view(-1, *[1] * (real.ndim - 1)), real, fake)
    return mixed, is_real.float().mean()
