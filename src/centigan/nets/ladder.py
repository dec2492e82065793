"""The ResNet VAE of Kingma et al. (2016; arXiv:1606.04934): a way up from the image, a way down from the top.

Blocks stand over one another, each with maps of z of its own. On the way up, which draws nothing, a block
tells half of its posterior; on the way down its prior, given all z above, and the other half:

    p(z_l | z_>l) = N(mu_p, sigma_p^2)
    z_l,0 = mu_q + sigma_q eps,  mu_q and ln sigma_q the sums of what both ways tell
    q(z_l | z_>l, x): z_l,0 through a flow, whose context is the sum of both contexts

A residual block adds a tenth of what its two layers make of its input. A scale halves the side.
"""

from collections.abc import Iterator
from math import log, pi
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from centigan.nets.blocks import scaled
from centigan.nets.inverse_autoregressive import InverseAutoregressiveFlow, flow_of_maps
from centigan.nets.weight_norm import WeightNormed
from centigan.settings.families.vae_iaf import VaeIafConfig as Config
from centigan.types import Shape

FIRST_STD = 0.1  # of a unit, when data has set it
SHARE = 0.1  # of a block's layers in its sum with its input
MOST_LOG_SIGMA, FIRST_LOG_SCALE = 4.0, -1.0
LEAST_LOG_SCALE = -7.0  # of [-1, 1]: an eighth of a level of 256


class Gaussian(NamedTuple):
    """Mean and ln sigma, float32 (N, Z, H, W) each."""

    mean: Tensor
    log_sigma: Tensor

    def at(self, eps: Tensor) -> Tensor:
        """What standard noise stands for."""
        return self.mean + self.log_sigma.exp() * eps

    def noise_of(self, z: Tensor) -> Tensor:
        """Standard noise that stands for z."""
        return (z - self.mean) * (-self.log_sigma).exp()

    def nats(self, z: Tensor) -> Tensor:
        """log N(z) of each number (N, Z, H, W)."""
        return -(self.noise_of(z).square() + log(2 * pi)) / 2 - self.log_sigma


def gaussian(mean: Tensor, log_sigma: Tensor) -> Gaussian:
    """In float32, with a bounded ln sigma."""
    return Gaussian(mean.float(), log_sigma.float().clamp(-MOST_LOG_SIGMA, MOST_LOG_SIGMA))


class Half(NamedTuple):
    """What one of the ways tells of a posterior: mean and ln sigma (N, Z, H, W), context (N, M, H, W)."""

    mean: Tensor
    log_sigma: Tensor
    context: Tensor


def normed(layer: nn.Module) -> WeightNormed:
    """A layer with normalised weights, whose units begin small."""
    return WeightNormed(layer, trained=True, std=FIRST_STD, lengthens=False)


class OfConstant(WeightNormed):
    """A layer whose input is the same for every image: data set nothing, and its units begin small."""

    def begin(self, x: Tensor) -> None:
        """Lengths alone, by no inputs."""
        nn.init.constant_(self.length, self.std)


def twice(x: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C, 2H, 2W), each pixel four times."""
    count, maps, rows, columns = x.shape
    repeated = x[:, :, :, None, :, None].expand(-1, -1, -1, 2, -1, 2)
    return repeated.reshape(count, maps, 2 * rows, 2 * columns)


class UpBlock(nn.Module):
    """x (N, M, H, W) -> half of a posterior, and x for the block above; at half the side where it halves."""

    def __init__(self, maps: int, latent: int, *, halves: bool, top: bool) -> None:
        super().__init__()
        self.sizes, self.stride = [latent, latent, maps, maps], 2 if halves else 1
        if top:
            self.sizes.pop()
        self.tell = normed(nn.Conv2d(maps, sum(self.sizes), 3, stride=self.stride, padding=1))
        self.merge = None if top else normed(nn.Conv2d(maps, maps, 3, padding=1))

    def forward(self, x: Tensor) -> tuple[Half, Tensor]:
        mean, log_sigma, context, *rest = self.tell(F.elu(x)).split(self.sizes, dim=1)
        if self.merge is not None:
            x = x[:, :, :: self.stride, :: self.stride] + SHARE * self.merge(F.elu(rest[0]))
        return Half(mean, log_sigma, context), x


class Told(NamedTuple):
    """What a block on the way down tells before its z is known."""

    prior: Gaussian
    half: Half | None  # of the posterior, where q sees this way
    rest: Tensor  # (N, M, H, W), of its second layer's input


class DownBlock(nn.Module):
    """h (N, M, H, W) and z (N, Z, H, W) -> h for the block below; at twice the side where it doubles."""

    def __init__(self, maps: int, latent: int, *, doubles: bool, bidirectional: bool, top: bool) -> None:
        super().__init__()
        self.doubles = doubles
        self.sizes = [latent, latent, maps, *([latent, latent, maps] if bidirectional else [])]
        tell = nn.Conv2d(maps, sum(self.sizes), 3, padding=1)
        self.tell = OfConstant(tell, trained=True, std=FIRST_STD) if top else normed(tell)
        into = maps + latent
        self.merge = normed(
            nn.ConvTranspose2d(into, maps, 3, stride=2, padding=1, output_padding=1)
            if doubles
            else nn.Conv2d(into, maps, 3, padding=1)
        )

    def told(self, h: Tensor) -> Told:
        """What it tells of h, all z above being in it."""
        mean, log_sigma, rest, *half = self.tell(F.elu(h)).split(self.sizes, dim=1)
        return Told(gaussian(mean, log_sigma), Half(*half) if half else None, rest)

    def forward(self, h: Tensor, z: Tensor, told: Told) -> Tensor:
        more: Tensor = self.merge(F.elu(torch.cat([z.to(told.rest.dtype), told.rest], dim=1)))
        return (twice(h) if self.doubles else h) + SHARE * more


class Posterior(nn.Module):
    """q(z_l | z_>l, x) of both halves."""

    def __init__(self, flow: InverseAutoregressiveFlow) -> None:
        super().__init__()
        self.flow = flow

    def forward(self, up: Half, down: Half | None, eps: Tensor) -> tuple[Tensor, Tensor]:
        """z_l of noise, and log q of each of its numbers, (N, Z, H, W) each."""
        half = Half(*(a + b for a, b in zip(up, down, strict=True))) if down else up
        first = gaussian(half.mean, half.log_sigma)
        z = first.at(eps)
        log_q = first.nats(z)
        z, log_sigmas = self.flow(z, half.context)
        return z, log_q - log_sigmas


class Ladder(nn.Module):
    """Both ways: what is drawn of noise, what an image's posteriors are, and what they cost."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        maps, latent = scaled(config.maps, config.width), config.latent
        blocks = range(config.scales * config.blocks)  # from below; the first of each scale but one narrows
        narrows = [n > 0 and n % config.blocks == 0 for n in blocks]
        self.side = shape.resolution >> config.scales
        sides = [shape.resolution // 2 ** (1 + n // config.blocks) for n in blocks]
        self.latents = [(latent, side, side) for side in reversed(sides)]  # from the top down, as all below
        self.first = normed(nn.Conv2d(shape.channels, maps, 5, stride=2, padding=2))
        self.ups = nn.ModuleList(
            UpBlock(maps, latent, halves=halves, top=n == len(narrows)) for n, halves in enumerate(narrows, 1)
        )
        self.downs = nn.ModuleList(
            DownBlock(maps, latent, doubles=doubles, bidirectional=config.bidirectional, top=n == 0)
            for n, doubles in enumerate(reversed(narrows))
        )
        steps = config.steps if config.posterior == "iaf" else 0
        self.posteriors = nn.ModuleList(
            Posterior(
                flow_of_maps(
                    latent, maps, config.autoregressive_layers, steps, bias=config.gate_bias, std=FIRST_STD
                )
            )
            for _ in narrows
        )
        self.top = nn.Parameter(torch.zeros(1, maps, 1, 1))
        self.last = normed(nn.ConvTranspose2d(maps, shape.channels, 5, stride=2, padding=2, output_padding=1))
        self.log_scale = nn.Parameter(torch.full((), FIRST_LOG_SCALE))
        self.numbers = [latent * side**2 for _, side, _ in self.latents]

    def forward(self, x: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """x (N, C, H, W) in [-1, 1] and noise (N, L) -> means of x, and what each map of z costs (N, B Z).

        That is log q(z_l | z_>l, x) - log p(z_l | z_>l), nats, of the z that the noise stands for in q.
        """
        h, costs = self._start(len(x)), []
        for down, up, posterior, eps in zip(
            self._down(), self._halves(x), self.posteriors, self._parts(noise), strict=True
        ):
            told = down.told(h)
            z, log_q = posterior(up, told.half, eps)
            costs.append((log_q - told.prior.nats(z)).flatten(2).sum(2))
            h = down(h, z, told)
        return self._drawn(h), torch.cat(costs, dim=1)

    def generated(self, noise: Tensor) -> Tensor:
        """Means of x (N, C, H, W) of noise (N, L): z_l = mu_p + sigma_p eps."""
        h = self._start(len(noise))
        for down, eps in zip(self._down(), self._parts(noise), strict=True):
            told = down.told(h)
            h = down(h, told.prior.at(eps), told)
        return self._drawn(h)

    def encoded(self, x: Tensor) -> Tensor:
        """Noise (N, L) of which `generated` makes the z that posteriors tell where their own noise is 0."""
        h, found = self._start(len(x)), []
        for down, up, posterior, size in zip(
            self._down(), self._halves(x), self.posteriors, self.latents, strict=True
        ):
            told = down.told(h)
            z, _ = posterior(up, told.half, torch.zeros(len(x), *size, device=x.device))
            found.append(told.prior.noise_of(z).flatten(1))
            h = down(h, z, told)
        return torch.cat(found, dim=1)

    @property
    def scale(self) -> Tensor:
        """ln s () of the discretised logistic around the means."""
        return self.log_scale.clamp(min=LEAST_LOG_SCALE)

    def _halves(self, x: Tensor) -> list[Half]:
        """What the way up tells, from the top down."""
        x, halves = self.first(x), []
        for up in self.ups:
            half, x = up(x)
            halves.append(half)
        return halves[::-1]

    def _down(self) -> Iterator[DownBlock]:
        for block in self.downs:
            assert isinstance(block, DownBlock)
            yield block

    def _start(self, count: int) -> Tensor:
        return self.top.expand(count, -1, self.side, self.side)

    def _parts(self, noise: Tensor) -> list[Tensor]:
        """Of noise (N, L) that of each block, (N, Z, H, W)."""
        parts = noise.split(self.numbers, dim=1)
        return [part.unflatten(1, size) for part, size in zip(parts, self.latents, strict=True)]

    def _drawn(self, h: Tensor) -> Tensor:
        mean: Tensor = self.last(F.elu(h))
        return mean.float()
