"""CGAN (Mirza & Osindero, 2014; arXiv:1411.1784).

Generator and discriminator are both told the class y:

    min_G max_D  E[log D(x|y)] + E[log(1 - D(G(z|y)|y))]      (2)

Two forms. `net: dense` is the paper's for digits: z and y have hidden layers of their own, 200 and 1000
rectified units in G, 240 and 50 maxout units of 5 pieces in D, then a joint one, 1200 rectified units in G,
240 maxout units of 4 pieces in D; half of the hidden units of both are dropped. `net: convolution` has the
networks of the conditional DCGAN of Radford et al. (their code for MNIST, at 32 px): y stands beside z as a
one-hot vector and beside every feature map as constant planes.

Departures and decisions
    1. G's term is the non-saturating log D(G(z|y)|y); `saturating` restores equation 2.
    2. One forward pass of G an iteration: its fakes serve D's update, then G's.
    3. D sees real and fake images in separate passes, so batch-norm statistics never mix.
    4. Fakes' classes are drawn uniformly over the split.
    5. For a class that is not known, -1, y = 0.
    6. `width` scales every number of feature maps or units.
  convolution
    7. z ~ U(-1, 1), as in that code (the paper: U(0, 1)).
    8. The learning rate is constant; that code lowers it to 0 over the second hundred of its epochs.
    9. Above 32 px each doubling adds a layer of at most 512 maps.
  dense
    10. "Mapped to a combined layer of 1200 units": a layer of 1200 after the 200 and the 1000, not these.
    11. The paper says "dropout of 0.5" and no more: it is of hidden units alone, in both networks. GAN's .2
        of D's pixels is the setting `input_dropout`; while sampling nothing is dropped.
    12. The paper does not say how weights begin: as those of GAN's authors, U(-.05, .05) in G, U(-.005, .005)
        in D, biases 0; but the two layers of y in D at U(-.3, .3). With .005 D hardly hears y beside 3,072
        pixels: on digits of 32 px G still drew one image for all five classes after 2,000 iterations,
        where with .3 every class was right (width .25, batch 50, one seed).
    13. D ascends equation 2 at half the paper's rate of .1, since GAN's authors take half of it.
    14. Pixels of [-1, 1] are mapped to [0, 1], where those networks work.
"""

import torch
from torch import Generator, Tensor, nn

from centigan.losses import log_fake, log_real
from centigan.nets.blocks import evaluated, scaled
from centigan.nets.convolution import convolutional_networks
from centigan.nets.dense import DenseDiscriminator, DenseGenerator, Units, initialise_uniformly
from centigan.settings.families.cgan import CganConfig as Config
from centigan.types import Batch, Given, Latent, Shape, one_hot
from centigan.updates import ascend, follow_schedules, optimizers_of


def dense_networks(config: Config, shape: Shape, rng: Generator) -> dict[str, nn.Module]:
    """G and D of section 4.1."""
    of_generator, of_discriminator = (
        Units(*(scaled(n, config.width) for n in units)) for units in ((200, 1000, 1200), (240, 50, 240))
    )
    generator = DenseGenerator(shape, config.latent, of_generator, dropout=config.hidden_dropout)
    discriminator = DenseDiscriminator(
        shape,
        of_discriminator,
        joint_pieces=4,
        input_dropout=config.input_dropout,
        dropout=config.hidden_dropout,
    )
    initialise_uniformly(generator, 0.05, rng)
    initialise_uniformly(discriminator, 0.005, rng, of_class=0.3)
    return {"generator": generator, "discriminator": discriminator}


class CGAN(Latent):
    """The family: G and D with an optimiser each, updated once per step (D first, then G)."""

    def __init__(self, config: Config, shape: Shape, rng: Generator) -> None:
        self.config, self.classes = config, shape.classes
        self.sampled = config.sampled
        self.networks: dict[str, nn.Module] = (
            dense_networks(config, shape, rng)
            if config.net == "dense"
            else convolutional_networks(shape, config.latent, config.width, rng)
        )
        self.optimizers = optimizers_of(config, self.networks)

    def step(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        """D ascends equation 2 on real and fake; G ascends its term on the same fakes."""
        generator, discriminator = self.networks["generator"], self.networks["discriminator"]
        follow_schedules(self.optimizers.values(), batch.iteration)
        count = len(batch.images)
        labels = torch.randint(self.classes, (count,), generator=rng, device=rng.device)
        y_real, y_fake = self.one_hot(batch.given.labels), self.one_hot(labels)
        fake = generator(self.latent(count, rng), y_fake)

        real_logits = discriminator(batch.images, y_real)
        fake_logits = discriminator(fake.detach(), y_fake)
        source = log_real(real_logits) + log_fake(fake_logits)  # equation 2
        gradient_discriminator = ascend(source, self.optimizers["discriminator"])

        judged_logits = discriminator(fake, y_fake)
        judged = -log_fake(judged_logits) if self.config.saturating else log_real(judged_logits)
        gradient_generator = ascend(judged, self.optimizers["generator"])

        return {
            "loss_discriminator": -source.detach(),
            "loss_generator": -judged.detach(),
            "source_real": (real_logits > 0).float().mean(),
            "source_fake": (fake_logits < 0).float().mean(),
            "gradient_discriminator": gradient_discriminator,
            "gradient_generator": gradient_generator,
        }

    def generate(self, latent: Tensor, wanted: Given) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] of z (N, latent), with running statistics and nothing dropped."""
        return evaluated(self.networks["generator"], latent, self.one_hot(wanted.labels))

    def latent(self, count: int, rng: Generator) -> Tensor:
        """z, (count, latent): of the dense form U(0, 1), of the convolutional U(-1, 1)."""
        z = torch.rand(count, self.config.latent, generator=rng, device=rng.device)
        return z if self.config.net == "dense" else z * 2 - 1

    def one_hot(self, labels: Tensor) -> Tensor:
        """y (N, K) of labels (N,); zeros where the class is not known."""
        return one_hot(labels, self.classes)
