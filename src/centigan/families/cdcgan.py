"""Conditional DCGAN, an experiment on CIFAR-100: noise and label, label alone, noise alone.

    min_G max_D V(D, G) = E[log D(x|y)] + E[log(1 - D(G(z|y)|y))]

is the objective of CGAN (Mirza & Osindero, 2014; arXiv:1411.1784, equation 2), the networks are those of
DCGAN's authors for labelled digits (Radford et al., 2015; arXiv:1511.06434), at 32 px with 512, 256 and 128
maps in G, 64, 128 and 256 in D: what `cgan` has as its convolutional form. What is its own is the question:
what of an image comes from y, and what from z? Three panels answer (`demonstrate`): rows of labels by columns
of z; the same with z = 0; and y = 0 with z alone. Only the panels were published, no network and no number.

Different from `cgan`
    1. y is a vector of real numbers: `draw` takes any, not only a class. 0 tells nothing of the image.
    2. Only where `label_dropout` is not 0 does a training see y = 0, each pair of image and label with that
       probability. Without, the panel of noise alone shows a place that G was never trained at.
    3. The learning rate is constant, then falls to 0 on a straight line; in the code of DCGAN's authors once
       an epoch, here with every iteration.
    4. The panels have batch norm's running statistics: those of a batch whose z are all 0 have no variance
       to divide by.
Like `cgan`
    5. G's term is the non-saturating log D(G(z|y)|y); one forward pass of G an iteration: its fakes serve
       D's update, then G's; fakes' classes are uniform over the split; z ~ U(-1, 1).
    6. Neither network has that code's hidden layer of 1024 units; at 32 px each has a convolution more.
    7. Batch norm's gains begin at 1; that code draws them from N(1, .02^2).
"""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn
from torch.optim import Optimizer

from centigan.losses import log_fake, log_real
from centigan.nets.blocks import evaluated
from centigan.nets.convolution import convolutional_networks
from centigan.settings.families.cdcgan import CdcganConfig as Config
from centigan.sheets import evenly
from centigan.types import Batch, Given, Latent, Shape, Sheet, one_hot
from centigan.updates import FallingAdam, ascend, follow_schedules

ROWS, COLUMNS = 10, 10  # of a panel


class CDCGAN(Latent):
    """The family: G and D with an optimiser each, updated once per step (D first, then G)."""

    def __init__(self, config: Config, shape: Shape, rng: Generator) -> None:
        self.config, self.classes = config, shape.classes
        self.sampled = config.sampled
        self.networks: dict[str, nn.Module] = convolutional_networks(shape, config.latent, config.width, rng)
        rates = {"generator": config.generator_lr, "discriminator": config.discriminator_lr}
        self.optimizers: dict[str, Optimizer] = {
            name: FallingAdam(
                self.networks[name].parameters(),
                rate,
                (config.beta1, config.beta2),
                config.weight_decay,
                zero_at=config.rate_zero_at,
            )
            for name, rate in rates.items()
        }

    def step(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        """D ascends the objective on real and fake; G ascends its term on the same fakes."""
        generator, discriminator = self.networks["generator"], self.networks["discriminator"]
        follow_schedules(self.optimizers.values(), batch.iteration)
        count = len(batch.images)
        labels = torch.randint(self.classes, (count,), generator=rng, device=rng.device)
        y_real, y_fake = (self.thinned(self.condition(of), rng) for of in (batch.given.labels, labels))
        fake = generator(self.latent(count, rng), y_fake)

        real_logits = discriminator(batch.images, y_real)
        fake_logits = discriminator(fake.detach(), y_fake)
        source = log_real(real_logits) + log_fake(fake_logits)
        gradient_discriminator = ascend(source, self.optimizers["discriminator"])

        judged = log_real(discriminator(fake, y_fake))
        gradient_generator = ascend(judged, self.optimizers["generator"])

        return {
            "loss_discriminator": -source.detach(),
            "loss_generator": -judged.detach(),
            "source_real": (real_logits > 0).float().mean(),
            "source_fake": (fake_logits < 0).float().mean(),
            "gradient_discriminator": gradient_discriminator,
            "gradient_generator": gradient_generator,
        }

    def condition(self, wanted: Tensor) -> Tensor:
        """y (N, K): one-hot of labels (N,), 0 where the class is not known; a vector of reals (N, K) is y."""
        return wanted if wanted.is_floating_point() else one_hot(wanted, self.classes)

    def thinned(self, y: Tensor, rng: Generator) -> Tensor:
        """y (N, K), each row 0 with the probability `label_dropout`."""
        if not self.config.label_dropout:
            return y
        kept = torch.rand(len(y), 1, generator=rng, device=rng.device) >= self.config.label_dropout
        return y * kept

    def draw(self, latent: Tensor, wanted: Tensor) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] of z (N, latent) and labels (N,) or vectors y (N, K)."""
        return evaluated(self.networks["generator"], latent, self.condition(wanted))

    def generate(self, latent: Tensor, wanted: Given) -> Tensor:
        """The same of what is wanted."""
        return self.draw(latent, wanted.labels)

    def latent(self, count: int, rng: Generator) -> Tensor:
        """z ~ U(-1, 1), (count, latent)."""
        return torch.rand(count, self.config.latent, generator=rng, device=rng.device) * 2 - 1

    def demonstrate(self, real: Tensor, classes: Sequence[str], rng: Generator) -> list[Sheet]:
        """The three panels, of ten classes at most, evenly from all."""
        shown = evenly(len(classes), ROWS)
        z = self.latent(COLUMNS, rng).to(real.device)
        others = self.latent(len(shown) * COLUMNS, rng).to(real.device)
        labels = torch.tensor(shown, device=real.device).repeat_interleave(COLUMNS)
        y, z = self.condition(labels), z.repeat(len(shown), 1)
        nothing = torch.zeros_like(y)

        def panel(z: Tensor, y: Tensor) -> Tensor:
            return self.draw(z, y).unflatten(0, (len(shown), COLUMNS))

        names = [classes[label] for label in shown]
        return [
            Sheet(
                "noise_and_label",
                "Noise and label",
                "A row has one label, a column one z.",
                panel(z, y),
                names,
            ),
            Sheet(
                "label_only",
                "Label only",
                "z = 0: what is left is the label's, and the images of a row are the same.",
                panel(torch.zeros_like(z), y),
                names,
            ),
            Sheet(
                "noise_only",
                "Noise only",
                "The label's vector is 0, each image has a z of its own."
                + (" No training saw this vector." if not self.config.label_dropout else ""),
                panel(others, nothing),
            ),
        ]
