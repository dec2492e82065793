"""Improved techniques for training GANs (Salimans et al., 2016; arXiv:1606.03498).

D is a classifier of K classes; a class K + 1, generated, has the logit 0, so that with Z the sum of the K
logits' exponentials P(real | x) = Z / (Z + 1). D ascends

    E[log P(y | x, y <= K)]  +  w / 2 (E[log P(real | x)] + E[log P(fake | G(z))])      (section 5)

the first on labelled images, the second on unlabelled ones and samples. G descends, by feature matching,

    |E f(x) - E f(G(z))|      (section 3.1)

of D's last hidden layer f, on other unlabelled images than D; or, for pictures, E[log P(fake | G(z))]. Five
switches: feature matching, minibatch discrimination (3.2), historical averaging (3.3), one-sided label
smoothing (3.4), virtual batch norm (3.5, in G). Networks are those of the authors' code: `net: dense` for
MNIST, `net: convolution` for CIFAR-10 and SVHN.

Departures and decisions
    1. f is taken before noise and the minibatch layer, as in that code. The distance is a mean over features
       of squared (dense) or absolute (convolution) differences there; in the paper a squared L2 norm.
    2. D has no batch norm: labelled, unlabelled and generated images go through it together. The minibatch
       layer compares each of the three with its own.
    3. One update of G a step, whose samples are those of D's update; that code draws others, and with
       minibatch discrimination updates G three times.
    4. D is tested as the average of its parameters, which follows at the rate `polyak` from the first ones;
       theirs begins at 0. It names classes, judges and represents; `train.ema` is of G alone.
    5. An image is classified and judged alone: the minibatch layer then sees no other, so each o is its bias.
    6. Data sets the lengths and biases of normalised weights before the first step, by the images of one
       step; theirs by 500.
    7. Lengths of normalised weights are not trained, but in the last layers, nor are the scales of
       G's norms: as in that code.
    8. Smoothing is of P(real | x); the class term knows none. The historical mean is a constant to the
       gradient.
    9. The reference batch of virtual batch norm is of latents, drawn with the first weights.
    10. The learning rate is constant; their convolutional form lowers it to 0 over the last third.
    11. Above 32 px each doubling adds three layers of 192 maps to D, and one of at most 512 to G.
    12. Adam's epsilon is outside the root. `width` scales every number of maps or units.
"""

from copy import deepcopy

import torch
from torch import Generator, Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from centigan.losses import (
    class_log_likelihood,
    feature_distance,
    log_fake,
    log_real,
    log_smoothly_real,
    logits_of_source,
)
from centigan.nets.blocks import evaluated
from centigan.nets.historical_averaging import HistoricalMean, departure
from centigan.nets.semi_supervised import Discriminator, ImageGenerator
from centigan.nets.weight_norm import initialise_by_data
from centigan.settings.families.improved import ImprovedConfig as Config
from centigan.types import UNLABELLED, Batch, Given, Latent, Shape
from centigan.updates import adams, ascend


class ImprovedGAN(Latent):
    """The family: G and D with one Adam each (D first, then G), and the average of D that is tested."""

    def __init__(self, config: Config, shape: Shape, rng: Generator) -> None:
        self.config = config
        self.sampled = config.sampled
        generator, discriminator = ImageGenerator(config, shape, rng), Discriminator(config, shape, rng)
        average = deepcopy(discriminator).eval().requires_grad_(False)
        self.networks: dict[str, nn.Module] = {
            "generator": generator,
            "discriminator": discriminator,
            "discriminator_average": average,
        }
        if config.historical_averaging:
            for network in (generator, discriminator):
                network.history = HistoricalMean(network)
        rates = dict.fromkeys(("generator", "discriminator"), config.form.lr)
        self.optimizers = adams(self.networks, rates, (config.beta1, config.beta2))
        self.towards = get_ema_multi_avg_fn(1 - config.polyak)

    @torch.no_grad()
    def prime(self, batch: Batch, rng: Generator) -> None:
        """Set lengths and biases of normalised weights by data; the average of D begins there."""
        initialise_by_data(self.networks["discriminator"], batch.images)
        if self.config.net == "convolution":
            initialise_by_data(self.networks["generator"], self.latent(len(batch.images), rng))
        pair = (self.networks[name] for name in ("discriminator_average", "discriminator"))
        for average, parameter in zip(*(network.parameters() for network in pair), strict=True):
            average.copy_(parameter)

    def step(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        """D ascends the terms of section 5; G its own, on the same samples and other unlabelled images."""
        generator, discriminator = self.networks["generator"], self.networks["discriminator"]
        unlabelled, known = batch.images.chunk(self.config.batches), batch.labelled
        assert known is not None
        fake = generator(self.latent(len(unlabelled[0]), rng))

        together = torch.cat([known.images, unlabelled[0], fake.detach()])
        of_known, *of_others = discriminator(together, 3)[1].chunk(3)
        real_logits, fake_logits = map(logits_of_source, of_others)
        named = class_log_likelihood(of_known, known.given.labels)
        source = log_smoothly_real(real_logits, self.config.smoothing) + log_fake(fake_logits)
        past = self.config.historical_averaging
        objective = named + self.config.unlabelled_weight / 2 * source - departure(discriminator, past)
        gradient_discriminator = ascend(objective, self.optimizers["discriminator"])
        self._average()

        judged = self._judged(fake, unlabelled[-1]) - departure(generator, past)
        gradient_generator = ascend(judged, self.optimizers["generator"])

        return {
            "loss_discriminator": -objective.detach(),
            "loss_generator": -judged.detach(),
            "source_real": (real_logits > 0).float().mean(),
            "source_fake": (fake_logits < 0).float().mean(),
            "class_real": _share_named(of_known, known.given.labels),
            "gradient_discriminator": gradient_discriminator,
            "gradient_generator": gradient_generator,
        }

    def _judged(self, fake: Tensor, real: Tensor) -> Tensor:
        """What G ascends, of its images (N, C, H, W) and as many real ones that D was not shown."""
        discriminator = self.networks["discriminator"]
        features, logits = discriminator(fake)
        if self.config.feature_matching:
            with torch.no_grad():
                wanted = discriminator(real)[0]
            return -feature_distance(wanted, features, self.config.form.distance)
        source = logits_of_source(logits)
        return -log_fake(source) if self.config.saturating else log_real(source)

    @torch.no_grad()
    def _average(self) -> None:
        """Move the average of D towards D."""
        average, parameters = (
            list(self.networks[n].parameters()) for n in ("discriminator_average", "discriminator")
        )
        self.towards(average, parameters, 0)

    def generate(self, latent: Tensor, wanted: Given) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] of z (N, latent): running statistics, or the reference batch's."""
        return evaluated(self.networks["generator"], latent)

    def latent(self, count: int, rng: Generator) -> Tensor:
        """z ~ U(0, 1), (count, latent)."""
        return torch.rand(count, self.config.latent, generator=rng, device=rng.device)

    def class_logits(self, images: Tensor) -> Tensor:
        """The averaged D's logits (N, K) of images (N, C, H, W), each judged alone."""
        return self._tested(images)[1]

    def class_step(self, batch: Batch) -> Tensor:
        """D ascends the class term alone: a classifier of the same shape, averaged in the same way."""
        logits = self.networks["discriminator"](batch.images)[1]
        named = class_log_likelihood(logits, batch.given.labels)
        ascend(named, self.optimizers["discriminator"])
        self._average()
        return -named.detach()

    def represent(self, images: Tensor) -> Tensor:
        """The averaged D's features f (N, F) of images (N, C, H, W), those that G matches."""
        return self._tested(images)[0]

    def realness(self, images: Tensor) -> Tensor:
        """log Z (N,), the averaged D's logit of P(real | x), of images (N, C, H, W), each judged alone."""
        return logits_of_source(self._tested(images)[1])

    @torch.no_grad()
    def _tested(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features, logits = self.networks["discriminator_average"](images, len(images))
        return features, logits


def _share_named(class_logits: Tensor, labels: Tensor) -> Tensor:
    """Share of the labelled images whose class has the greatest logit."""
    right = (class_logits.argmax(1) == labels).float().sum()
    return right / (labels != UNLABELLED).sum().clamp(min=1)
