"""CGAN (Mirza & Osindero, 2014; arXiv:1411.1784).

Generator and discriminator are both told the class y:

    min_G max_D  E[log D(x|y)] + E[log(1 - D(G(z|y)|y))]      (2)

Networks are those of the conditional DCGAN of Radford et al. (their code for MNIST, at 32 px): y stands
beside z as a one-hot vector and beside every feature map as constant planes.

Departures and decisions
    1. G's term is the non-saturating log D(G(z|y)|y); `saturating` restores equation 2.
    2. The paper's own networks are fully connected, for 28 x 28 digits; these are convolutional.
    3. One forward pass of G an iteration: its fakes serve D's update, then G's.
    4. D sees real and fake images in separate passes, so batch-norm statistics never mix.
    5. z ~ U(-1, 1), as in that code (the paper: U(0, 1)); fakes' classes are drawn uniformly over the split.
    6. The learning rate is constant; that code lowers it to 0 over the second hundred of its epochs.
    7. For a class that is not known, -1, y = 0.
    8. `width` scales every feature-map count; above 32 px each doubling adds a layer of at most 512 maps.
"""

from itertools import pairwise

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F
from torch.optim import Adam, Optimizer

from centigan.losses import log_fake, log_real
from centigan.nets.blocks import Doubling, halving_block, initialise, scaled, with_planes
from centigan.settings.families.cgan import CganConfig as Config
from centigan.types import Batch, Given, Shape
from centigan.updates import ascend

FIRST_SIDE, MOST_MAPS = 4, 512


def plan(resolution: int, width: float) -> list[int]:
    """Feature maps of D at half, a quarter, ... of the resolution, down to 4 x 4: 64, 128, 256 at 32 px."""
    halvings = (resolution // FIRST_SIDE).bit_length() - 1
    return [scaled(min(64 * 2**n, MOST_MAPS), width) for n in range(halvings)]


class ImageGenerator(nn.Module):
    """G(z|y): latent (N, latent), y (N, K) -> images (N, C, H, W)."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        maps = [scaled(MOST_MAPS, config.width), *reversed(plan(shape.resolution, config.width)[1:])]
        self.maps = (maps[0], FIRST_SIDE, FIRST_SIDE)
        self.project = nn.Linear(config.latent + shape.classes, maps[0] * FIRST_SIDE**2)
        self.norms = nn.ModuleList(nn.BatchNorm2d(m) for m in maps)
        self.doublings = nn.ModuleList(
            Doubling(a + shape.classes, b) for a, b in pairwise([*maps, shape.channels])
        )

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """z (N, latent), y (N, K) -> (N, C, H, W) in [-1, 1]."""
        x = self.project(torch.cat([z, y], dim=1)).view(-1, *self.maps)
        for norm, double in zip(self.norms, self.doublings, strict=True):
            x = double(with_planes(F.relu(norm(x)), y))
        return x.tanh()


class Discriminator(nn.Module):
    """D(x|y): images (N, C, H, W), y (N, K) -> logits (N,)."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        maps = [shape.channels, *plan(shape.resolution, config.width)]
        self.blocks = nn.ModuleList(
            halving_block(a + shape.classes, b, norm=n > 0) for n, (a, b) in enumerate(pairwise(maps))
        )
        self.head = nn.Linear(maps[-1] * FIRST_SIDE**2 + shape.classes, 1)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """x (N, C, H, W) in [-1, 1], y (N, K) -> (N,)."""
        for block in self.blocks:
            x = block(with_planes(x, y))
        return self.head(torch.cat([x.flatten(1), y.to(x.dtype)], dim=1)).float()[:, 0]


class CGAN:
    """The family: G and D with one Adam each, updated once per step (D first, then G)."""

    def __init__(self, config: Config, shape: Shape, rng: Generator) -> None:
        self.config, self.classes = config, shape.classes
        self.sampled = config.sampled
        generator = ImageGenerator(config, shape)
        discriminator = Discriminator(config, shape)
        self.networks: dict[str, nn.Module] = {"generator": generator, "discriminator": discriminator}
        for network in self.networks.values():
            initialise(network, rng)
        betas, decay = (config.beta1, config.beta2), config.weight_decay
        rates = {"generator": config.generator_lr, "discriminator": config.discriminator_lr}
        self.optimizers: dict[str, Optimizer] = {
            name: Adam(self.networks[name].parameters(), rate, betas, weight_decay=decay, fused=True)
            for name, rate in rates.items()
        }

    def step(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        """D ascends equation 2 on real and fake; G ascends its term on the same fakes."""
        generator, discriminator = self.networks["generator"], self.networks["discriminator"]
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

    def sample(self, wanted: Given, rng: Generator) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] of these classes, for z drawn from the prior."""
        latent = self.latent(len(wanted.labels), rng)
        return self.generate(latent.to(wanted.labels.device), wanted)

    @torch.no_grad()
    def generate(self, latent: Tensor, wanted: Given) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] of z (N, latent), with batch norm's running statistics."""
        generator = self.networks["generator"].eval()
        images: Tensor = generator(latent, self.one_hot(wanted.labels))
        generator.train()
        return images

    def latent(self, count: int, rng: Generator) -> Tensor:
        """z ~ U(-1, 1), (count, latent)."""
        return torch.rand(count, self.config.latent, generator=rng, device=rng.device) * 2 - 1

    def one_hot(self, labels: Tensor) -> Tensor:
        """y (N, K) of labels (N,); zeros where the class is not known."""
        known = (labels >= 0).unsqueeze(1)
        return (F.one_hot(labels.clamp(min=0), self.classes) * known).float()
