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
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F
from torch.optim import Adam, Optimizer

from centigan.arithmetic import walks
from centigan.losses import log_fake, log_real
from centigan.nets.blocks import LEAKY_SLOPE, Doubling, evaluated, initialise_with_gains, scaled
from centigan.settings.families.dcgan import DcganConfig as Config
from centigan.types import UNLABELLED, Batch, Given, Latent, Shape, Sheet
from centigan.updates import ascend

FIRST_SIDE = 4  # of G's maps, and of the pooled features
KERNEL = {"halving": 5, "imagenet": 3}
POINTS, STEPS = 9, 9  # of the demonstration: random z in a row, and images from one to the next


def plan(net: Literal["halving", "imagenet"], resolution: int, width: float) -> list[tuple[int, int]]:
    """Maps and stride of D's layers, from the images on; G has them in reverse."""
    halvings = (resolution // FIRST_SIDE).bit_length() - 1
    if net == "imagenet":
        maps = [scaled(min(128 * 2**n, 512), width) for n in range(halvings)]
        return [(m, stride) for m in maps for stride in (1, 2)]
    last = 256 if resolution <= 32 else 1024
    return [(scaled(last // 2**n, width), 2) for n in reversed(range(halvings))]


class ImageGenerator(nn.Module):
    """G(z): latent (N, latent) -> images (N, C, H, W)."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        layers = plan(config.net, shape.resolution, config.width)[::-1]
        maps, strides = [m for m, _ in layers], [stride for _, stride in layers]
        self.maps = (maps[0], FIRST_SIDE, FIRST_SIDE)
        units = maps[0] * FIRST_SIDE**2
        self.project = nn.Sequential(nn.Linear(config.latent, units, bias=False), nn.BatchNorm1d(units))
        self.layers = nn.ModuleList(
            layer_up(a, b, KERNEL[config.net], stride)
            for (a, b), stride in zip(pairwise([*maps, shape.channels]), strides, strict=True)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(m) for m in maps[1:])

    def forward(self, z: Tensor) -> Tensor:
        """z (N, latent) -> (N, C, H, W) in [-1, 1]."""
        x = F.relu(self.project(z)).view(-1, *self.maps)
        *hidden, last = self.layers
        for layer, norm in zip(hidden, self.norms, strict=True):
            x = F.relu(norm(layer(x)))
        images: Tensor = last(x).tanh()
        return images


class Discriminator(nn.Module):
    """D(x): images (N, C, H, W) -> logits (N,)."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        layers, kernel = plan(config.net, shape.resolution, config.width), KERNEL[config.net]
        maps = [shape.channels, *(m for m, _ in layers)]
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(a, b, kernel, stride, padding=kernel // 2, bias=False),
                *([nn.BatchNorm2d(b)] if n else []),
                nn.LeakyReLU(LEAKY_SLOPE, inplace=True),
            )
            for n, ((a, b), (_, stride)) in enumerate(zip(pairwise(maps), layers, strict=True))
        )
        self.head = nn.Linear(maps[-1] * FIRST_SIDE**2, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """x (N, C, H, W) in [-1, 1] -> (N,)."""
        return self.head(self.hidden(x)[-1].flatten(1)).float()[:, 0]

    def hidden(self, x: Tensor) -> list[Tensor]:
        """The maps of every layer, after leaky ReLU."""
        maps = []
        for block in self.blocks:
            x = block(x)
            maps.append(x)
        return maps

    def features(self, x: Tensor) -> Tensor:
        """(N, 16 M) of images, where M is the number of maps of all layers: section 5."""
        return torch.cat([F.adaptive_max_pool2d(h, FIRST_SIDE).flatten(1) for h in self.hidden(x)], dim=1)


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
        betas, rates = (config.beta1, config.beta2), (config.generator_lr, config.discriminator_lr)
        self.optimizers: dict[str, Optimizer] = {
            name: Adam(network.parameters(), rate, betas, weight_decay=config.weight_decay, fused=True)
            for (name, network), rate in zip(self.networks.items(), rates, strict=True)
        }

    def step(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        """D ascends its value on real images and fakes; G ascends its term on other fakes."""
        count = len(batch.images)
        with torch.no_grad():
            fake = self.generator(self.latent(count, rng))
        real_logits, fake_logits = self.discriminator(batch.images), self.discriminator(fake)
        value = log_real(real_logits) + log_fake(fake_logits)
        gradient_discriminator = ascend(value, self.optimizers["discriminator"])

        judged = log_real(self.discriminator(self.generator(self.latent(count, rng))))
        gradient_generator = ascend(judged, self.optimizers["generator"])

        return {
            "loss_discriminator": -value.detach(),
            "loss_generator": -judged.detach(),
            "source_real": (real_logits > 0).float().mean(),
            "source_fake": (fake_logits < 0).float().mean(),
            "gradient_discriminator": gradient_discriminator,
            "gradient_generator": gradient_generator,
        }

    def generate(self, latent: Tensor, wanted: Given) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] of z (N, latent), with batch norm's running statistics."""
        return evaluated(self.generator, latent)

    def latent(self, count: int, rng: Generator) -> Tensor:
        """z, (count, latent): U(-1, 1), or N(0, 1)."""
        size = (count, self.config.latent)
        if self.config.prior == "normal":
            return torch.randn(*size, generator=rng, device=rng.device)
        return torch.rand(*size, generator=rng, device=rng.device) * 2 - 1

    @torch.no_grad()
    def represent(self, images: Tensor) -> Tensor:
        """D's maps, (N, 16 M) of images (N, C, H, W): 7,168 for SVHN's 64, 128 and 256 maps."""
        features = self.discriminator.eval().features(images)
        self.discriminator.train()
        return features

    def realness(self, images: Tensor) -> Tensor:
        """D's logits (N,) of images (N, C, H, W)."""
        return evaluated(self.discriminator, images)

    def demonstrate(self, real: Tensor, classes: Sequence[str], rng: Generator) -> list[Sheet]:
        """Fig 4: walks between random z, one after the other."""
        paths = walks(self.latent(POINTS, rng), STEPS).to(real.device)
        wanted = Given(torch.full((paths.shape[0] * STEPS,), UNLABELLED, device=real.device))
        images = self.generate(paths.flatten(0, 1), wanted)
        sheet = Sheet(
            "walks",
            "Walks between random latents",
            f"{POINTS} random latents, joined by straight lines: a row leads from one to the next, where the "
            "next row begins. Images that change by leaps are a sign of memorised ones (section 6.1, Fig 4).",
            images.view(*paths.shape[:2], *images.shape[1:]),
        )
        return [sheet]


def layer_up(maps_in: int, maps_out: int, kernel: int, stride: int) -> nn.Module:
    """A transposed convolution that multiplies the side by its stride, without biases."""
    if kernel == 5 and stride == 2:
        return Doubling(maps_in, maps_out, bias=False)
    # "same" padding: the side is stride (side - 1) - 2 (kernel // 2) + kernel + stride - 1 = stride * side
    return nn.ConvTranspose2d(
        maps_in, maps_out, kernel, stride, padding=kernel // 2, output_padding=stride - 1, bias=False
    )
