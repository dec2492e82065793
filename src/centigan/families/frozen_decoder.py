"""Bits a dimension of a generator that is frozen (Wu et al., 2017; arXiv:1611.04273).

A GAN has no likelihood of its own. Gaussian noise around what its G draws gives it one,

    p(w|z) = N(w; G(z), sigma^2),   z ~ N(0, I),

sigma one for each channel, and a VAE whose decoder is that G bounds it:

    ln p(w) >= E_q(z|w)[ln p(w|z)] - KL(q(z|w) || p(z)).

The encoder q and sigma ascend the bound; G is another experiment's (`starts_from`) and rests. So the slides
on coverage- and quality-driven training tell the bits of a GAN (Lucas et al. 2019, table 1).

Departures and decisions
    1. Wu et al. bound the likelihood by annealed importance sampling, tighter than an encoder does; this
       is the slides' way, and its bits stand beside those of VAEs.
    2. sigma is learnt: with sigma = 1 even a perfect G has no less than 8.33 bits.
    3. G runs in evaluation mode, with the weights that it draws with: their moving average, where it has one.
    4. The encoder is that of `cq`: SNGAN's D without spectral normalisation, or `dense`.
    5. What is saved holds G, too: sampling and measuring need nothing of the experiment whose G it is.
    6. The prior must be N(0, I): a code of a Gaussian encoder leaves a box that is uniform.
    7. Points are continuous: the objective is in nats a dimension, of the density itself.
"""

from math import log

import torch
from torch import Generator, Tensor, nn
from torch.optim import Adam, Optimizer

from centigan.bounded import BoundedByCodes
from centigan.families import build_parent
from centigan.likelihood import (
    bits_per_dim,
    density_of,
    divergence,
    gaussian_nats,
)
from centigan.nets.covering import Encoder, begin
from centigan.nets.gaussian import NoisyDecoder, noise_apart
from centigan.settings.families.frozen_decoder import FrozenDecoderConfig as Config
from centigan.types import Batch, Code, Decodes, Given, Shape
from centigan.updates import ascend


class Decoder(NoisyDecoder):
    """The networks of another experiment, which rest, and the noise around what they draw."""

    def __init__(self, networks: dict[str, nn.Module], shape: Shape, floor: float) -> None:
        super().__init__()
        self.networks = nn.ModuleDict(networks).requires_grad_(False)
        self.begin_noise(shape.dimensions or shape.channels, floor, of_points=bool(shape.dimensions))


class FrozenDecoder(BoundedByCodes):
    """The family: an encoder and the noise under one Adam; the decoder moves nowhere."""

    def __init__(self, config: Config, shape: Shape, rng: Generator) -> None:
        self.config, self.of, self.of_points = config, density_of(shape), bool(shape.dimensions)
        self.sampled = config.sampled
        other, self.started = build_parent(config, shape, rng)
        assert isinstance(other, Decodes)  # `params.load` makes sure
        self.other = other
        self.latents = other.latent(1, rng).shape[1]
        encoder = Encoder(config, self.latents, shape)
        begin(encoder, config, shape, rng)
        decoder = Decoder(self.started, shape, config.sigma_floor)
        self.networks: dict[str, nn.Module] = {"encoder": encoder, "decoder": decoder}
        groups = noise_apart([encoder, decoder], config.sigma_lr)
        adam = Adam(groups, config.lr, (config.beta1, config.beta2), fused=True)
        self.optimizers: dict[str, Optimizer] = {"encoder": adam}

    def step(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        """The encoder and the noise ascend the bound."""
        of_image, code = self._one_draw(self.of.spread(batch.images, rng), rng)
        bits = bits_per_dim(self.of.nats(of_image - divergence(code)), self.of.dimensions)
        gradient = ascend(-bits.mean() * (log(2) if self.of_points else 1), self.optimizers["encoder"])
        return {
            "bits": bits.detach().mean(),
            "bits_code": bits_per_dim(-divergence(code).detach(), self.of.dimensions).mean(),
            "sigma": self.sigma.detach().mean(),
            "gradient": gradient,
        }

    def _one_draw(self, w: Tensor, rng: Generator) -> tuple[Tensor, Code]:
        """ln p(w|z) (N,) of w (N, C, H, W), by one z of q(z|w)."""
        code: Code = self.networks["encoder"](w, self.latent(len(w), rng).to(w.device))
        return gaussian_nats(w, self._means(code.z), self.sigma), code

    def _means(self, z: Tensor) -> Tensor:
        """G(z) (N, C, H, W) as w: the middles of the bins of its images."""
        return self.of.middles(self.other.decode(z))

    @property
    def sigma(self) -> Tensor:
        """Standard deviation of the noise (C, 1, 1), as trained, or its moving average."""
        decoder = self.networks["decoder"]
        assert isinstance(decoder, Decoder)
        return decoder.sigma

    def sample(self, wanted: Given, rng: Generator) -> Tensor:
        """What the other experiment draws."""
        return self.other.sample(wanted, rng)

    def generate(self, latent: Tensor, wanted: Given) -> Tensor:
        """What the other experiment draws of z (N, L)."""
        return self.other.generate(latent, wanted)

    def latent(self, count: int, rng: Generator) -> Tensor:
        """z ~ N(0, I), (count, L)."""
        return self.other.latent(count, rng)

    @torch.no_grad()
    def sample_noisy(self, wanted: Given, rng: Generator) -> Tensor:
        """Draws of the model whose likelihood is bounded: with the noise."""
        w = self._means(self.latent(len(wanted.labels), rng).to(wanted.labels.device))
        noise = torch.randn(w.shape, generator=rng, device=rng.device).to(w.device)
        return self.of.shown(w + self.sigma * noise)
