"""DCGAN (Radford, Metz & Chintala, 2015; arXiv:1511.06434).

D ascends E[log D(x)] + E[log(1 - D(G(z)))], G ascends E[log D(G(z))]. Networks are convolutions alone
(section 3): strides in place of pooling, no hidden dense layer; batch norm in both but for G's output and D's
first layer; ReLU in G and tanh at its end, leaky ReLU of slope .2 in D. No classes.

    net        side   G, from 4 x 4                     D                                        kernel
    halving    64     1024, 512, 256, 128, images       128, 256, 512, 1024                      5
               32     256, 128, 64, images              64, 128, 256                             5
               128    1024, 512, 256, 128, 64, images   64, 128, 256, 512, 1024                  5
    imagenet   32     512, 512, 256, 256, 128, 128, images    128, 128, 256, 256, 512, 512       3

Of `halving` every layer halves or doubles the side: 64 px are the paper's bedrooms and faces, 32 px the
authors' SVHN. Of `imagenet` every second one does, the first of D not; it is their net for 32 px, whose
features name CIFAR-10's classes (section 5.1).

`represent` (section 5): every map of D after its leaky ReLU, max-pooled to 4 x 4, flattened, side by side.

Departures and decisions
    1. A step is one update of D and then one of G, each with new z. The authors' code updates one of them a
       minibatch, in turn: an epoch there has half as many updates of either.
    2. As in that code gains of batch norm begin at N(1, .02^2) and weights at N(0, .02^2), nothing but batch
       norm has biases, G's first batch norm counts by unit and not by map, and L2 is added to the gradient
       of all parameters.
    3. Batch norm adds 1e-5 to a variance; that code 1e-8.
    4. D sees real and fake images in separate passes, as there.
    5. Images are drawn with running statistics; there with those of the batch drawn.
    6. The maps of G for SVHN and ImageNet are D's in reverse. 128 px have no published network: one more
       layer at the images' side. Sides above 32 px of `imagenet` go on with at most 512 maps.
    7. `width` scales every number of maps.
    8. Five techniques of Salimans et al. (2016; arXiv:1606.03498) are options, all off. D's last maps are the
       features that G matches, by the squared distance of means, and that minibatch discrimination compares:
       real and fake images each with their own, and an image that is judged later with no other. Virtual
       batch norm is G's, its gains begin at 1, and its reference is drawn with the first weights.
"""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn

from centigan.arithmetic import walks
from centigan.losses import feature_distance, log_fake, log_real, log_smoothly_real
from centigan.nets.all_convolutional import Discriminator, ImageGenerator
from centigan.nets.blocks import evaluated, evaluating, initialise_with_gains
from centigan.nets.historical_averaging import HistoricalMean, departure
from centigan.nets.priors import standard
from centigan.settings.families.dcgan import DcganConfig as Config
from centigan.shown import drawn, plane_sheet
from centigan.types import Batch, Given, Latent, Shape, Sheet
from centigan.updates import adams, ascend

POINTS, STEPS = 9, 9  # of the demonstration: random z in a row, and images from one to the next


class DCGAN(Latent):
    """The family: G and D with one Adam each, both moved once a step (D first, then G)."""

    def __init__(self, config: Config, shape: Shape, rng: Generator) -> None:
        self.config = config
        self.sampled = config.sampled
        self.generator, self.discriminator = ImageGenerator(config, shape), Discriminator(config, shape)
        self.networks: dict[str, nn.Module] = {
            "generator": self.generator,
            "discriminator": self.discriminator,
        }
        for network in self.networks.values():
            initialise_with_gains(network, rng)
        self._take_up_techniques(rng)
        rates = {"generator": config.generator_lr, "discriminator": config.discriminator_lr}
        betas = (config.beta1, config.beta2)
        self.optimizers = adams(self.networks, rates, betas, config.weight_decay)

    def _take_up_techniques(self, rng: Generator) -> None:
        """Draw and make what only some of them have."""
        techniques, minibatch = self.config.techniques, self.discriminator.minibatch
        if minibatch is not None:
            minibatch.initialise(0.05, rng)
        if techniques.virtual_batch_norm:
            self.generator.reference.copy_(self.latent(techniques.virtual_batch_norm, rng))
        if techniques.historical_averaging:
            for network in self.networks.values():
                network.history = HistoricalMean(network)

    @torch.no_grad()
    def prime(self, batch: Batch, rng: Generator) -> None:
        """Set lengths and bias of the minibatch layer by real images, where there is one."""
        if self.discriminator.minibatch is not None:
            self.discriminator.minibatch.begin(self.discriminator.last(batch.images))

    def step(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        """D ascends its value on real images and fakes; G ascends its term on other fakes."""
        techniques, (real, *others) = self.config.techniques, batch.images.chunk(self.config.batches)
        count, past = len(real), techniques.historical_averaging
        with torch.no_grad():
            fake = self.generator(self.latent(count, rng))
        real_logits, fake_logits = self.discriminator(real), self.discriminator(fake)
        value = log_smoothly_real(real_logits, techniques.smoothing) + log_fake(fake_logits)
        value = value - departure(self.discriminator, past)
        gradient_discriminator = ascend(value, self.optimizers["discriminator"])

        fake = self.generator(self.latent(count, rng))
        judged = self._judged(fake, others) - departure(self.generator, past)
        gradient_generator = ascend(judged, self.optimizers["generator"])

        return {
            "loss_discriminator": -value.detach(),
            "loss_generator": -judged.detach(),
            "source_real": (real_logits > 0).float().mean(),
            "source_fake": (fake_logits < 0).float().mean(),
            "gradient_discriminator": gradient_discriminator,
            "gradient_generator": gradient_generator,
        }

    def _judged(self, fake: Tensor, others: list[Tensor]) -> Tensor:
        """What G ascends, of its images; by feature matching also of real ones that D was not shown."""
        if not others:
            return log_real(self.discriminator(fake))
        with torch.no_grad():
            wanted = self.discriminator.last(others[0])
        return -feature_distance(wanted, self.discriminator.last(fake), "squared")

    def generate(self, latent: Tensor, wanted: Given) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] of z (N, latent), with batch norm's running statistics."""
        return evaluated(self.networks["generator"], latent)

    def latent(self, count: int, rng: Generator) -> Tensor:
        """z, (count, latent): U(-1, 1), or N(0, 1)."""
        return standard(self.config.prior, count, self.config.latent, rng)

    def represent(self, images: Tensor) -> Tensor:
        """D's maps, (N, 16 M) of images (N, C, H, W): 7,168 for SVHN's 64, 128 and 256 maps."""
        with evaluating(self.discriminator):
            return self.discriminator.features(images)

    def realness(self, images: Tensor) -> Tensor:
        """D's logits (N,) of images (N, C, H, W)."""
        return evaluated(self.discriminator, images)

    def demonstrate(self, real: Tensor, classes: Sequence[str], rng: Generator) -> list[Sheet]:
        """Fig 4: walks between random z, one after the other; of two latents their plane, too."""
        paths = walks(self.latent(POINTS, rng), STEPS).to(real.device)
        sheet = Sheet(
            "walks",
            "Walks between random latents",
            f"{POINTS} random latents, joined by straight lines: a row leads from one to the next, where the "
            "next row begins. Images that change by leaps are a sign of memorised ones (section 6.1, Fig 4).",
            drawn(self, paths),
        )
        if self.config.latent != 2:
            return [sheet]
        prior = "N(0, I)" if self.config.prior == "normal" else "uniform from -1 to 1"
        return [plane_sheet(self, prior, real.device), sheet]
