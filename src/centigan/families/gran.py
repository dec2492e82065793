"""GRAN (Im, Kim, Jiang & Memisevic, 2016; arXiv:1602.05110).

G draws an image in T steps, each an addition to a canvas (section 4). z ~ N(0, I) is drawn once, and

    h_z = tanh(BN(W z)),    h_c = 0 before the first step
    dC_t = f([h_z, h_c]),   h_c = g(dC_t)                        t = 1 .. T
    G(z) = 2 sigmoid(dC_1 + ... + dC_T) - 1

with f a decoder and g an encoder: g reads what the last step has added, not the canvas. D ascends
E[log D(x)] + E[log(1 - D(G(z)))], G ascends E[log D(G(z))]. Networks are those of the authors' code for
CIFAR-10:

    f    200 -> 1024 x 4 x 4, BN ReLU; 5x5 up 512, 256 BN ReLU; up to the image, linear
    g    5x5 at stride 2: 256 BN ReLU, 512 BN ReLU, 1024 ReLU; 100 tanh
    D    5x5 at stride 2: 1024, 512, 256, each BN ReLU; 100 tanh; 1

Departures and decisions
    1. One z for all steps. The paper allows one a step and found one better; that code draws T and uses the
       first.
    2. The steps share gains and shifts of batch norm, and each has running statistics of its own.
    3. A step of training is one update of D and then one of G, with new z; D sees real images and fakes
       apart.
    4. g has ReLU, D batch norm in its first layer, weights begin at N(0, .02^2): no text says.
    5. L2 of 5e-6 in the gradient of D's dense layers alone, as in that code.
    6. One step has no g: h_c stays 0, and G is a plain decoder.
    7. 64 and 128 px add a layer of as many maps as the outermost. `width` scales every number of maps, not
       the 100 units.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F
from torch.optim import Adam, Optimizer

from centigan.losses import log_fake, log_real
from centigan.nets.blocks import Doubling, evaluated, evaluating, initialise, scaled
from centigan.nets.stepwise_norm import StepwiseNorm
from centigan.settings.families.gran import GranConfig as Config
from centigan.types import Batch, Given, Latent, Shape, Sheet
from centigan.updates import ascend

FIRST_SIDE = 4
HIDDEN = 100  # units of h_z, of h_c and of D's last hidden layer
ROWS = 8  # of a sheet


def plan(resolution: int, width: float) -> list[int]:
    """Maps of f from 4 x 4 on, at half the side of the image the last: 1024, 512, 256 at 32 px."""
    doublings = (resolution // FIRST_SIDE).bit_length() - 1
    return [scaled(max(1024 // 2**n, 256), width) for n in range(doublings)]


class Decoder(nn.Module):
    """f: h_z and h_c, (N, HIDDEN) each -> what a step adds to the canvas, (N, C, H, W)."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        maps = plan(shape.resolution, config.width)
        self.maps = (maps[0], FIRST_SIDE, FIRST_SIDE)
        self.project = nn.Linear(2 * HIDDEN, maps[0] * FIRST_SIDE**2)
        self.norms = nn.ModuleList(StepwiseNorm(m, config.steps) for m in maps)
        self.doublings = nn.ModuleList(Doubling(a, b) for a, b in pairwise([*maps, shape.channels]))

    def forward(self, of_latent: Tensor, of_canvas: Tensor, step: int) -> Tensor:
        """Both (N, HIDDEN), at a step from 0 -> (N, C, H, W)."""
        x = self.project(torch.cat([of_latent, of_canvas], dim=1)).view(-1, *self.maps)
        for norm, double in zip(self.norms, self.doublings, strict=True):
            x = double(F.relu(norm(x, step)))
        return x


class Encoder(nn.Module):
    """g: what a step has added (N, C, H, W) -> h_c (N, HIDDEN)."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        maps = plan(shape.resolution, config.width)[::-1]
        self.halvings = nn.ModuleList(
            nn.Conv2d(a, b, 5, stride=2, padding=2) for a, b in pairwise([shape.channels, *maps])
        )
        self.norms = nn.ModuleList(StepwiseNorm(m, config.steps - 1) for m in maps[:-1])
        self.head = nn.Linear(maps[-1] * FIRST_SIDE**2, HIDDEN)

    def forward(self, increment: Tensor, step: int) -> Tensor:
        """(N, C, H, W), added at a step from 0 -> (N, HIDDEN)."""
        *first, last = self.halvings
        x = increment
        for halve, norm in zip(first, self.norms, strict=True):
            x = F.relu(norm(halve(x), step))
        return self.head(F.relu(last(x)).flatten(1)).tanh()


class ImageGenerator(nn.Module):
    """G(z): latent (N, latent) -> images (N, C, H, W)."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        self.steps = config.steps
        self.embed = nn.Sequential(nn.Linear(config.latent, HIDDEN), nn.BatchNorm1d(HIDDEN), nn.Tanh())
        self.decode = Decoder(config, shape)
        self.encode = Encoder(config, shape) if config.steps > 1 else None

    def forward(self, z: Tensor) -> Tensor:
        """z (N, latent) -> (N, C, H, W) in [-1, 1]."""
        return as_images(self.increments(z).sum(0))

    def increments(self, z: Tensor) -> Tensor:
        """What each step adds to the canvas: z (N, latent) -> (T, N, C, H, W)."""
        of_latent = self.embed(z)
        of_canvas = torch.zeros_like(of_latent)
        added = [self.decode(of_latent, of_canvas, 0)]
        for step in range(1, self.steps):
            assert self.encode is not None
            of_canvas = self.encode(added[-1], step - 1)
            added.append(self.decode(of_latent, of_canvas, step))
        return torch.stack(added)


class Discriminator(nn.Module):
    """D(x): images (N, C, H, W) -> logits (N,)."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        maps = plan(shape.resolution, config.width)
        self.blocks = nn.Sequential(
            *(
                nn.Sequential(
                    nn.Conv2d(a, b, 5, stride=2, padding=2), nn.BatchNorm2d(b), nn.ReLU(inplace=True)
                )
                for a, b in pairwise([shape.channels, *maps])
            )
        )
        self.dense = nn.Sequential(
            nn.Linear(maps[-1] * FIRST_SIDE**2, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """x (N, C, H, W) in [-1, 1] -> (N,)."""
        return self.dense(self.blocks(x).flatten(1)).float()[:, 0]


class GRAN(Latent):
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
            initialise(network, rng)
        betas, judged = (config.beta1, config.beta2), self.discriminator
        of_d: list[dict[str, Any]] = [
            {"params": [*judged.blocks.parameters()]},
            {"params": [*judged.dense.parameters()], "weight_decay": config.weight_decay},
        ]
        self.optimizers: dict[str, Optimizer] = {
            "generator": Adam(self.generator.parameters(), config.generator_lr, betas, fused=True),
            "discriminator": Adam(of_d, config.discriminator_lr, betas, fused=True),
        }

    def step(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        """D ascends its value on real images and fakes; G ascends its term on other fakes."""
        count = len(batch.images)
        with torch.no_grad():
            fake = self.generator(self.latent(count, rng))
        real_logits, fake_logits = self.discriminator(batch.images), self.discriminator(fake)
        value = log_real(real_logits) + log_fake(fake_logits)
        gradient_discriminator = ascend(value, self.optimizers["discriminator"])

        increments = self.generator.increments(self.latent(count, rng))
        judged = log_real(self.discriminator(as_images(increments.sum(0))))
        gradient_generator = ascend(judged, self.optimizers["generator"])

        return {
            "loss_discriminator": -value.detach(),
            "loss_generator": -judged.detach(),
            "source_real": (real_logits > 0).float().mean(),
            "source_fake": (fake_logits < 0).float().mean(),
            "first_step": share_of_first(increments.detach()),
            "gradient_discriminator": gradient_discriminator,
            "gradient_generator": gradient_generator,
        }

    def generate(self, latent: Tensor, wanted: Given) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] of z (N, latent), with batch norm's running statistics."""
        return evaluated(self.networks["generator"], latent)

    def latent(self, count: int, rng: Generator) -> Tensor:
        """z ~ N(0, I), (count, latent)."""
        return torch.randn(count, self.config.latent, generator=rng, device=rng.device)

    def realness(self, images: Tensor) -> Tensor:
        """D's logits (N,) of images (N, C, H, W)."""
        return evaluated(self.discriminator, images)

    def increments(self, latent: Tensor) -> Tensor:
        """What each step adds, (T, N, C, H, W), for z (N, latent), in evaluation mode."""
        generator = self.networks["generator"]  # as trained, or its moving average
        assert isinstance(generator, ImageGenerator)
        with evaluating(generator):
            return generator.increments(latent)

    def demonstrate(self, real: Tensor, classes: Sequence[str], rng: Generator) -> list[Sheet]:
        """Figs 9 and 10: the canvas after each step, and what each step has added."""
        added = self.increments(self.latent(ROWS, rng).to(real.device)).transpose(0, 1)
        reach = added.abs().amax((1, 2, 3, 4), keepdim=True).clamp(min=1e-6)
        steps = [f"step {n}" for n in range(1, self.config.steps + 1)]
        canvas = Sheet(
            "canvas",
            "An image is drawn step by step",
            "A row is one latent: what is on the canvas after each step, as an image (Figs 9 and 10).",
            as_images(added.cumsum(1)),
            columns=steps,
        )
        parts = Sheet(
            "increments",
            "What each step adds",
            "The same latents. Grey is nothing, white and black are the most that any step of the row adds.",
            added / reach,
            columns=steps,
        )
        return [canvas, parts]


def as_images(canvas: Tensor) -> Tensor:
    """A canvas (..., C, H, W) of any numbers, as images in [-1, 1]."""
    return 2 * torch.sigmoid(canvas) - 1


def share_of_first(increments: Tensor) -> Tensor:
    """Of all that the steps (T, N, ...) add, in mean absolute numbers, the share of the first."""
    size = increments.abs().flatten(1).mean(1)
    return size[0] / size.sum().clamp(min=1e-12)
