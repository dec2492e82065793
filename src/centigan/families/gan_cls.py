"""GAN-CLS (Reed, Akata, Yan, Logeswaran, Schiele & Lee, 2016; arXiv:1605.05396): images of captions.

h = phi(t) is the embedding of a caption t, by a text encoder that rests. D sees three kinds of pairs,

    s_r = D(x, h)          an image and its caption
    s_w = D(x', h)         an image of another class, and the same caption
    s_f = D(G(z, h), h)    what is drawn, and the caption that it is drawn of

    D ascends   log s_r + cls log(1 - s_w) + (1 - cls) log(1 - s_f)        (Algorithm 1, where cls = 1/2)
    G ascends   log s_f

and with `interpolation`, lambda, G ascends log D(G(z, h'), h') too, h' between two captions (equation 5),

    h' = beta h_1 + (1 - beta) h_2,      of B / 2 pairs of captions.

    variant        cls    interpolation
    GAN            0      0
    GAN-CLS        1/2    0
    GAN-INT        0      1
    GAN-INT-CLS    1/2    1

Departures and decisions
    1. Where the paper leaves a choice, it is the authors' code's (github.com/reedscot/icml2016). D's terms
       weigh 1, cls and 1 - cls as there: with cls = 1/2 as in the paper, with cls = 0 as of the plain
       conditional GAN, whose fakes weigh 1.
    2. Mismatched pairs have the right caption and a wrong image, as in that code; Algorithm 1 has the right
       image and a wrong caption. It is the next image of the minibatch, in a circle, that is of another
       class; where none is known to be, the next one. The code draws a class and an image for each.
       Without `cls` D is not asked about them.
    3. h' is of the first half of the minibatch with the second. G's update alone sees it, in one pass with
       the captions themselves; what G ascends is the mean over all of them, those between weighing lambda.
       With lambda = 1 this is the code's mean over 3 B / 2; the paper adds two means.
    4. z ~ N(0, I), new for D's update and for G's; G's is the non-saturating term, as in Algorithm 1.
    5. Real, mismatched and drawn images pass D apart, each with statistics of its own.
    6. Networks are listed in nets/described.py. A leaky ReLU that one of two files of that code lacks is in
       (D, 256 maps), as is D's bottleneck: there it is built, and a name without value stands in its place.
       They are of 64 px; 32 px have a layer less, 128 px one more, of at most 512 maps in D.
    7. As in that code dense layers of captions begin at U(-1, 1) / sqrt(E), all else as DCGAN's.
    8. There step sizes are halved every 100 epochs: `halve_every` counts iterations, and is off.
    9. An embedding is the mean of `captions_averaged` captions of an image (4 there, 1 in Algorithm 1), taken
       before a step is given it. Images are drawn with running statistics.
    10. `width` scales every number of maps, not `text_units`.
"""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn
from torch.optim import Optimizer

from centigan.arithmetic import walks
from centigan.errors import UserError
from centigan.losses import log_fake, log_real
from centigan.nets.blocks import evaluated
from centigan.nets.described import DescribedDiscriminator, DescribedGenerator, begin
from centigan.settings.families.gan_cls import GanClsConfig as Config
from centigan.sheets import evenly
from centigan.shown import drawn
from centigan.types import UNLABELLED, Batch, Given, Latent, Shape, Sheet, captions_of
from centigan.updates import HalvingAdam, adams, ascend, follow_schedules

ROWS, STEPS, DRAWS = 6, 8, 7  # of the demonstration: captions, images of a walk, latents of a caption


class GANCLS(Latent):
    """The family: G and D with one Adam each, updated once per step (D first, then G)."""

    def __init__(self, config: Config, shape: Shape, rng: Generator) -> None:
        if not shape.embedding:
            raise UserError(f"{config.title} learns by captions, and the data have none; name another family")
        self.config = config
        self.sampled = config.sampled
        generator = DescribedGenerator(shape, config.latent, config.text_units, config.width)
        discriminator = DescribedDiscriminator(shape, config.text_units, config.width)
        self.networks: dict[str, nn.Module] = {"generator": generator, "discriminator": discriminator}
        for network in self.networks.values():
            begin(network, rng)
        rates = {"generator": config.generator_lr, "discriminator": config.discriminator_lr}
        betas, every = (config.beta1, config.beta2), config.halve_every
        self.optimizers: dict[str, Optimizer] = adams(self.networks, rates, betas)
        if every:
            self.optimizers = {
                name: HalvingAdam(self.networks[name].parameters(), rate, betas, every=every)
                for name, rate in rates.items()
            }

    def step(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        """D ascends its three terms; G ascends its own on images drawn anew, of captions between two, too."""
        follow_schedules(self.optimizers.values(), batch.iteration)
        captions = captions_of(batch.given)
        of_discriminator = self._update_discriminator(batch.images, batch.given.labels, captions, rng)

        told = self._with_between(captions)
        judged = self.networks["discriminator"](self._draw(told, rng), told)
        objective = self._weighed(judged, len(captions))
        gradient_generator = ascend(objective, self.optimizers["generator"])
        return of_discriminator | {
            "loss_generator": -objective.detach(),
            "gradient_generator": gradient_generator,
        }

    def _update_discriminator(
        self, real: Tensor, labels: Tensor, captions: Tensor, rng: Generator
    ) -> dict[str, Tensor]:
        """One ascent of log s_r + cls log(1 - s_w) + (1 - cls) log(1 - s_f)."""
        discriminator, cls = self.networks["discriminator"], self.config.cls
        with torch.no_grad():
            fake = self._draw(captions, rng)
        right = discriminator(real, captions)
        value, told = log_real(right), dict[str, Tensor]()
        if cls:
            wrong = discriminator(real[mismatched(labels)], captions)
            value = value + cls * log_fake(wrong)
            told = {"source_wrong": (wrong < 0).float().mean(), "matched": (right > wrong).float().mean()}
        of_drawn = discriminator(fake, captions)
        value = value + (1 - cls) * log_fake(of_drawn)
        gradient = ascend(value, self.optimizers["discriminator"])
        return {
            "loss_discriminator": -value.detach(),
            "source_real": (right > 0).float().mean(),
            "source_fake": (of_drawn < 0).float().mean(),
            **told,
            "gradient_discriminator": gradient,
        }

    def _draw(self, captions: Tensor, rng: Generator) -> Tensor:
        """G(z, h) of captions (N, E), with statistics of this minibatch."""
        images: Tensor = self.networks["generator"](self.latent(len(captions), rng), captions)
        return images

    def _with_between(self, captions: Tensor) -> Tensor:
        """Captions (B, E), and behind them h' (B / 2, E) where those have a weight."""
        if not self.config.interpolation:
            return captions
        return torch.cat([captions, between(captions, self.config.beta)])

    def _weighed(self, logits: Tensor, own: int) -> Tensor:
        """Mean log s of logits (N,): the first `own` weigh 1, what follows, of captions between, lambda."""
        weight, others = self.config.interpolation, len(logits) - own
        if not others:
            return log_real(logits)
        total = own * log_real(logits[:own]) + weight * others * log_real(logits[own:])
        return total / (own + weight * others)

    def generate(self, latent: Tensor, wanted: Given) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] of z (N, latent) and the captions that are wanted, or classes.

        Raises:
            UserError: when neither are.
        """
        return evaluated(self.generator, latent, self.generator.asked(wanted))

    def take_class_captions(self, captions: Tensor) -> None:
        """What is drawn where a class alone is asked for, (K, E)."""
        self.generator.of_classes.copy_(captions)

    @property
    def generator(self) -> DescribedGenerator:
        """The one in use: as trained, or its moving average."""
        generator = self.networks["generator"]
        assert isinstance(generator, DescribedGenerator)
        return generator

    def latent(self, count: int, rng: Generator) -> Tensor:
        """z ~ N(0, I), (count, latent)."""
        return torch.randn(count, self.config.latent, generator=rng, device=rng.device)

    def matches(self, images: Tensor, captions: Tensor) -> Tensor:
        """D's logits (N,) of images (N, C, H, W) beside captions (N, E)."""
        return evaluated(self.networks["discriminator"], images, captions)

    def demonstrate_captions(
        self, real: Tensor, captions: Tensor, texts: Sequence[str], rng: Generator
    ) -> list[Sheet]:
        """Images of captions (Fig 3 to 5), and walks from caption to caption and from z to z (Fig 8)."""
        chosen = evenly(len(real), ROWS)
        real, captions, texts = real[chosen], captions[chosen], [texts[n] for n in chosen]
        z = self.latent(DRAWS, rng).to(real.device)
        return [
            self._of_captions(real, captions, texts, z),
            self._between_captions(captions, texts, z),
            self._between_latents(captions, texts, z),
        ]

    def _of_captions(self, real: Tensor, captions: Tensor, texts: Sequence[str], z: Tensor) -> Sheet:
        images = drawn(self, *_grid(z, captions))
        return Sheet(
            "captions",
            "Images of captions",
            "A row a caption of a held-out image: the image, and what is drawn of the caption. A column has "
            "one latent in all rows (Fig 3 to 5).",
            torch.cat([real[:, None], images], dim=1),
            rows=texts,
            columns=["image", *(f"draw {n}" for n in range(1, len(z) + 1))],
        )

    def _between_captions(self, captions: Tensor, texts: Sequence[str], z: Tensor) -> Sheet:
        steps = walks(captions, STEPS)
        latents = z[0].expand(*steps.shape[:2], -1)
        return Sheet(
            "between_captions",
            "From one caption to another",
            "A row leads in a straight line from its caption's embedding to that of the row below, the last "
            f"one to “{texts[-1]}”, of one latent (Fig 8, left). What captions say should change by and by, "
            "and nothing else.",
            drawn(self, latents, steps),
            rows=texts[:-1],
        )

    def _between_latents(self, captions: Tensor, texts: Sequence[str], z: Tensor) -> Sheet:
        steps = walks(z[:2], STEPS).expand(len(captions), -1, -1)
        return Sheet(
            "between_latents",
            "From one latent to another",
            "A row a caption, of two latents and those on a straight line between them, the same in all rows "
            "(Fig 8, right). What the caption does not say should change, and nothing else.",
            drawn(self, steps, captions[:, None].expand(-1, STEPS, -1)),
            rows=texts,
        )


def _grid(z: Tensor, captions: Tensor) -> tuple[Tensor, Tensor]:
    """Latents (S, L) across and captions (R, E) downwards: (R, S, L) and (R, S, E)."""
    return z.expand(len(captions), -1, -1), captions[:, None].expand(-1, len(z), -1)


def mismatched(labels: Tensor) -> Tensor:
    """For each image the position (B,) of the next one, in a circle, of another class.

    Where no class is known to be another, the next one: captions of images (COCO's) have no classes.
    """
    count = len(labels)
    places = torch.arange(count, device=labels.device)
    following = (places[:, None] + places[1:]) % count  # (B, B - 1), of each image the others in turn
    apart = (labels[following] != labels[:, None]) & (labels[following] != UNLABELLED)
    apart &= labels[:, None] != UNLABELLED
    first = apart.int().argmax(1, keepdim=True)  # of equals the first, so that of none it is the next
    return following.gather(1, first)[:, 0]


def between(captions: Tensor, beta: float) -> Tensor:
    """h' = beta h_1 + (1 - beta) h_2, (B / 2, E), of captions (B, E): the first half with the second."""
    half = len(captions) // 2
    return beta * captions[:half] + (1 - beta) * captions[half : 2 * half]
