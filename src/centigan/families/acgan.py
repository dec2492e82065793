"""AC-GAN (Odena, Olah & Shlens, 2017; arXiv:1610.09585).

A discriminator that also names the class:

    L_S = E[log P(S=real | x)]  + E[log P(S=fake | G(c, z))]      (2)
    L_C = E[log P(C=c | x)]     + E[log P(C=c | G(c, z))]         (3)

D ascends L_S + L_C; G ascends L_C - L_S. Networks and optimiser are those of Tables 1 and 2.

Departures and decisions
    1. G's source term is the non-saturating log P(S=real | G(c, z)); `saturating` restores L_S.
    2. One forward pass of G an iteration: its fakes serve D's update, then G's.
    3. D sees real and fake images in separate passes, so batch-norm statistics never mix.
    4. The table's "Linear 768" is 8 x 8 x 768 at 128 px: four doublings reach 128 only from 8 x 8.
    5. z ~ N(0, I); classes are drawn uniformly over the split.
    6. Activation noise is added to each hidden activation of D; the paper gives its size for CIFAR
       only, 0.1 is taken for ImageNet.
    7. An image labelled -1 has no class term: the semi-supervised use that section 5 proposes.
    8. `width` scales every feature-map count, so that a laptop can train the same shape of network.
"""

from itertools import pairwise

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from centigan.losses import class_log_likelihood, log_fake, log_real
from centigan.nets.blocks import (
    discriminator_block,
    evaluated,
    evaluating,
    initialise,
    scaled,
    upsample_block,
)
from centigan.settings.families.acgan import AcganConfig as Config
from centigan.types import UNLABELLED, Batch, Given, Latent, Shape
from centigan.updates import adams, ascend

# resolution -> (side of the first feature map, its maps, maps of the hidden upsampling blocks)
GENERATOR_PLAN = {
    128: (8, 768, (384, 256, 192)),  # Table 1
    64: (4, 768, (384, 256, 192)),  # trained in the paper, not tabulated
    32: (4, 384, (192, 96)),  # Table 2
}
DISCRIMINATOR_PLAN = ((16, 2), (32, 1), (64, 2), (128, 1), (256, 2), (512, 1))  # (maps, stride)


class ImageGenerator(nn.Module):
    """G(c, z): latent (N, latent + classes, one-hot class last) -> images (N, C, H, W)."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        side, first, hidden = GENERATOR_PLAN[shape.resolution]
        maps = [scaled(m, config.width) for m in (first, *hidden)]
        self.classes = shape.classes
        self.maps = (maps[0], side, side)
        self.project = nn.Linear(config.latent + shape.classes, maps[0] * side * side)
        self.blocks = nn.Sequential(
            *(upsample_block(a, b) for a, b in pairwise(maps)),
            upsample_block(maps[-1], shape.channels, last=True),
        )

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        """z (N, latent), labels (N,) -> (N, C, H, W) in [-1, 1]."""
        one_hot = F.one_hot(labels, self.classes).to(z.dtype)
        x = F.relu(self.project(torch.cat([z, one_hot], dim=1)))
        return self.blocks(x.view(-1, *self.maps))


class Discriminator(nn.Module):
    """D(x): images (N, C, H, W) -> source logits (N,) and class logits (N, K)."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        maps = [shape.channels, *(scaled(m, config.width) for m, _ in DISCRIMINATOR_PLAN)]
        self.blocks = nn.Sequential(
            *(
                discriminator_block(maps[i], maps[i + 1], stride, noise=config.activation_noise, norm=i > 0)
                for i, (_, stride) in enumerate(DISCRIMINATOR_PLAN)
            )
        )
        self.head = nn.Linear(maps[-1] * (shape.resolution // 8) ** 2, shape.classes + 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x (N, C, H, W) in [-1, 1] -> the logits under the soft-sigmoid of Table 1."""
        features = self.blocks(x).permute(0, 2, 3, 1)  # a copy less, forward and back, in channels-last
        logits = self.head(features.flatten(1)).float()
        return logits[:, -1], logits[:, :-1]


class ACGAN(Latent):
    """The family: G and D with one Adam each, updated once per step (D first, then G)."""

    def __init__(self, config: Config, shape: Shape, rng: Generator) -> None:
        self.config, self.classes = config, shape.classes
        self.sampled = config.sampled
        generator = ImageGenerator(config, shape)
        discriminator = Discriminator(config, shape)
        self.networks: dict[str, nn.Module] = {
            "generator": generator,
            "discriminator": discriminator,
        }
        for network in self.networks.values():
            initialise(network, rng)
        rates = {"generator": config.generator_lr, "discriminator": config.discriminator_lr}
        self.optimizers = adams(self.networks, rates, (config.beta1, config.beta2))

    def step(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        """D ascends L_S + L_C on real and fake; G ascends L_C and its source term on the same fakes."""
        generator, discriminator = self.networks["generator"], self.networks["discriminator"]
        count = len(batch.images)
        labels = torch.randint(self.classes, (count,), generator=rng, device=rng.device)
        fake = generator(self.latent(count, rng), labels)

        real_source, real_class = discriminator(batch.images)
        fake_source, fake_class = discriminator(fake.detach())
        source = log_real(real_source) + log_fake(fake_source)  # L_S, equation 2
        classes = class_log_likelihood(real_class, batch.given.labels)  # L_C, equation 3, real half
        classes = classes + class_log_likelihood(fake_class, labels)  # and fake half
        gradient_discriminator = ascend(source + classes, self.optimizers["discriminator"])

        judged_source, judged_class = discriminator(fake)
        judged = -log_fake(judged_source) if self.config.saturating else log_real(judged_source)
        named = class_log_likelihood(judged_class, labels)
        gradient_generator = ascend(named + judged, self.optimizers["generator"])

        return {
            "loss_discriminator": -(source + classes).detach(),
            "loss_generator": -(named + judged).detach(),
            "source_real": (real_source > 0).float().mean(),
            "source_fake": (fake_source < 0).float().mean(),
            "class_real": _share_named(real_class, batch.given.labels),
            "class_fake": _share_named(fake_class, labels),
            "gradient_discriminator": gradient_discriminator,
            "gradient_generator": gradient_generator,
        }

    def generate(self, latent: Tensor, wanted: Given) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] of z (N, latent), with batch norm's running statistics."""
        return evaluated(self.networks["generator"], latent, wanted.labels)

    def latent(self, count: int, rng: Generator) -> Tensor:
        """z ~ N(0, I), (count, latent)."""
        return torch.randn(count, self.config.latent, generator=rng, device=rng.device)

    def class_logits(self, images: Tensor) -> Tensor:
        """D's class logits (N, K) of images (N, C, H, W)."""
        discriminator = self.networks["discriminator"]
        with evaluating(discriminator):
            logits: Tensor = discriminator(images)[1]
        return logits

    def class_step(self, batch: Batch) -> Tensor:
        """D ascends the half of L_C that is of real images: a classifier of the same shape."""
        named = self.networks["discriminator"](batch.images)[1]
        classes = class_log_likelihood(named, batch.given.labels)
        ascend(classes, self.optimizers["discriminator"])
        return -classes.detach()


def _share_named(class_logits: Tensor, labels: Tensor) -> Tensor:
    """Share of the labelled images whose class has the greatest logit."""
    right = (class_logits.argmax(1) == labels).float().sum()
    return right / (labels != UNLABELLED).sum().clamp(min=1)
