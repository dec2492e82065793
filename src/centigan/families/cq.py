"""Coverage- and quality-driven training (Lucas et al., 2019; arXiv:1901.01091): VAE, VAE-F, CQ, CQ-F and GAN.

One generator, z ~ N(0, I), x~ = f^-1(mu(z)), under two losses. Coverage is a bound on the likelihood, whose
decoder is a Gaussian in the space of an invertible f; quality is told by a discriminator.

    L_D = E_data[ln D(x)] + E_z[ln(1 - D(x~))]                                          (1)
    L_Q = -E_z[ln D(x~) - ln(1 - D(x~))] = -E_z[logit D(x~)]                            (2)
    L_C = E_data[E_q(z|x)[-ln N(f(x); mu(z), sigma^2)] - ln |det df/dx| + KL(q(z|x) || p(z))]     (3, 6-8)

            D          mu        f                              q, sigma
    (1)     ascends    -         -                              -
    L_Q     -          yes       yes, through its inverse       -
    L_C     -          yes       yes, and its determinant       yes

For the best D, L_Q is KL(p_model || p_data), and L_C, less a constant, bounds KL(p_data || p_model). L_C
alone is a VAE, with f a VAE-F; L_Q alone a GAN; both are CQ, with f CQ-F.

Departures and decisions
    1. Sums of nats would leave L_Q without weight: what is descended is coverage_weight L_C / (D ln 2), bits
       a dimension, + quality_weight L_Q. The slides give no weights.
    2. Networks are SNGAN's with a linear last layer of mu, D with spectral normalisation; the encoder is that
       D without it. The slides name no networks. f is real NVP's, with actnorm and without a part of
       checkerboards at its end.
    3. Real images are spread over their bins for D too, as for L_C: it would tell bytes from anything else.
    4. D judges means, x~ = f^-1(mu(z)), as in the paper; with `noisy` draws f^-1(mu(z) + sigma eps), whose
       likelihood it is that is bounded. Then L_Q moves sigma, too, beside coverage.
    5. One update of D, then one of the generator. D is asked anew, its u at rest, as in `sngan`.
    6. `coverage_weight: 0`: q and sigma ascend the bound all the same, of a decoder whose weights they do
       not move; batch norm's running statistics see its passes for both losses.
       So a GAN's bits are known; a decoder that is frozen, and q trained for longer, would have a few less.
    7. f runs in float32. D sees what f draws outside [-1, 1], by 1 / 9 at the most.
    8. `posterior: iaf`: a Gaussian that MADE bends (Kingma et al. 2016); then KL is of the one z.
    9. `sample`, `generate` and `reconstruct` give x~; `sample_noisy` draws with the decoder's noise.
    10. `width` scales maps and units.
    11. Points have small fully connected networks and real NVP's couplings of points. They are continuous:
        L_C is in nats a dimension, of the density itself. With `noisy` samples are draws, too.
"""

from collections.abc import Sequence
from math import log

import torch
from torch import Generator, Tensor, nn
from torch.optim import Adam, Optimizer

from centigan.bounded import BoundedByCodes
from centigan.likelihood import (
    bits_per_dim,
    density_of,
    divergence,
    gaussian_nats,
)
from centigan.losses import log_fake, log_real
from centigan.nets.blocks import at_rest, evaluated, evaluating
from centigan.nets.covering import Decoder, Encoder, begin, discriminator
from centigan.nets.gaussian import noise_apart
from centigan.nets.weight_norm import initialise_by_data
from centigan.settings.families.cq import CqConfig as Config
from centigan.shown import again_sheet, samples_sheet
from centigan.types import Batch, Code, Given, Shape, Sheet
from centigan.updates import ascend


class CQ(BoundedByCodes):
    """The family: encoder and decoder, with f, under one Adam; D under another."""

    def __init__(self, config: Config, shape: Shape, rng: Generator) -> None:
        self.config, self.of, self.of_points = config, density_of(shape), bool(shape.dimensions)
        self.sampled, self.latents = config.sampled, config.latent
        encoder, decoder = Encoder(config, config.latent, shape), Decoder(config, shape)
        begin(encoder, config, shape, rng)
        begin(decoder, config, shape, rng)
        self.networks: dict[str, nn.Module] = {"encoder": encoder, "decoder": decoder}
        groups, betas = noise_apart([encoder, decoder], config.sigma_lr), (config.beta1, config.beta2)
        self.optimizers: dict[str, Optimizer] = {"generator": Adam(groups, config.lr, betas, fused=True)}
        if config.quality_weight:
            judge = self.networks["discriminator"] = discriminator(config, shape, rng)
            adam = Adam(judge.parameters(), config.discriminator_lr, betas, fused=True)
            self.optimizers["discriminator"] = adam

    def prime(self, batch: Batch, rng: Generator) -> None:
        """One minibatch sets f's lengths of weights, and actnorm."""
        if self.decoder.flow:
            initialise_by_data(self.decoder.flow, self.of.spread(batch.images, rng))

    def step(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        """D ascends equation 1; then the others descend the weighted sum of equations 2 and 3."""
        w = self.of.spread(batch.images, rng)
        told: dict[str, Tensor] = {}
        quality = w.new_zeros(())
        if self.config.quality_weight:
            fake = self.drawn(self.latent(len(w), rng).to(w.device), rng, noisy=self.config.noisy)
            told |= self._judged(w, fake.detach())
            quality = -self._logits_at_rest(fake).mean()  # equation 2
            told["loss_quality"] = quality.detach()
        of_image, code = self._one_draw(w, rng)
        bits = bits_per_dim(self.of.nats(of_image - divergence(code)), self.of.dimensions)
        told |= {
            "bits": bits.detach().mean(),
            "bits_code": bits_per_dim(-divergence(code).detach(), self.of.dimensions).mean(),
            "sigma": self.decoder.sigma.detach().mean(),
        }
        return told | {"gradient": self._descend(bits.mean() * (log(2) if self.of_points else 1), quality)}

    def _judged(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """An update of D by real and generated w (N, C, H, W) each; what it said before."""
        logits = self.networks["discriminator"](torch.cat([real, fake]))
        of_real, of_fake = logits.chunk(2)
        value = log_real(of_real) + log_fake(of_fake)  # equation 1
        norm = ascend(value, self.optimizers["discriminator"])
        return {
            "loss_discriminator": -value.detach(),
            "source_real": (of_real > 0).float().mean(),
            "source_fake": (of_fake < 0).float().mean(),
            "gradient_discriminator": norm,
        }

    def _logits_at_rest(self, images: Tensor) -> Tensor:
        """D's logits (N,) with gradients, its power iteration at rest."""
        judge = self.networks["discriminator"].eval()
        logits: Tensor = judge(images)
        judge.train()
        return logits

    def _descend(self, coverage: Tensor, quality: Tensor) -> Tensor:
        """Every network but D a step down; the norm of the gradient before it is clipped."""
        config, optimizer = self.config, self.optimizers["generator"]
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        optimizer.zero_grad(set_to_none=True)
        if config.coverage_weight:
            total = config.coverage_weight * coverage + config.quality_weight * quality
            total.backward(inputs=parameters)
        else:
            flow = self.decoder.flow
            generator = [*self.decoder.mean.parameters(), *(flow.parameters() if flow else ())]
            (config.quality_weight * quality).backward(inputs=generator)
            follower = [*self.encoder.parameters(), self.decoder.log_sigma]
            coverage.backward(inputs=follower)
            nn.utils.clip_grad_norm_(follower, config.clip or float("inf"))
            parameters = generator  # so that the follower's gradient shortens nothing of theirs
        norm = nn.utils.clip_grad_norm_(parameters, config.clip or float("inf"))
        optimizer.step()
        return norm

    def drawn(self, z: Tensor, rng: Generator, *, noisy: bool) -> Tensor:
        """w (N, C, H, W) of z (N, latent): f^-1 of the decoder's means, or of draws around them."""
        y = self.decoder(z)
        if noisy:
            noise = torch.randn(y.shape, generator=rng, device=rng.device).to(y.device)
            y = y + self.decoder.sigma * noise
        return self.decoder.to_images(y)

    def _one_draw(self, w: Tensor, rng: Generator) -> tuple[Tensor, Code]:
        """ln p(w|z) (N,) of w (N, C, H, W), by one z of q(z|x)."""
        code: Code = self.encoder(w, self.latent(len(w), rng).to(w.device))
        y, log_det = self.decoder.to_features(w)
        return gaussian_nats(y, self.decoder(code.z), self.decoder.sigma) + log_det, code

    def generate(self, latent: Tensor, wanted: Given) -> Tensor:
        """x~ of z (N, latent), images (N, C, H, W) in [-1, 1], with batch norm's running statistics."""
        means = evaluated(self.decoder, latent)
        with torch.no_grad():
            return self.of.shown(self.decoder.to_images(means))

    def decode(self, latent: Tensor) -> Tensor:
        """What is generated, before it is clamped, with gradients."""
        with at_rest(self.decoder):
            return self.of.unclamped(self.decoder.to_images(self.decoder(latent)))

    def sample_noisy(self, wanted: Given, rng: Generator) -> Tensor:
        """Draws of the model whose likelihood is bounded: with the decoder's noise."""
        z = self.latent(len(wanted.labels), rng).to(wanted.labels.device)
        with evaluating(self.decoder):
            return self.of.shown(self.drawn(z, rng, noisy=True))

    def sample(self, wanted: Given, rng: Generator) -> Tensor:
        """x~ of draws of z; with `noisy` points are drawn as D sees them."""
        if self.of_points and self.config.noisy:
            return self.sample_noisy(wanted, rng)
        return super().sample(wanted, rng)

    def latent(self, count: int, rng: Generator) -> Tensor:
        """z ~ N(0, I), (count, latent)."""
        return torch.randn(count, self.config.latent, generator=rng, device=rng.device)

    def demonstrate(self, real: Tensor, classes: Sequence[str], rng: Generator) -> list[Sheet]:
        """Samples, means and with the decoder's noise; images drawn again."""
        return [samples_sheet(self, rng, real.device), again_sheet(real, self.reconstruct(real, rng))]

    @property
    def encoder(self) -> Encoder:
        """The one in use: as trained, or its moving average."""
        encoder = self.networks["encoder"]
        assert isinstance(encoder, Encoder)
        return encoder

    @property
    def decoder(self) -> Decoder:
        """The one in use: as trained, or its moving average."""
        decoder = self.networks["decoder"]
        assert isinstance(decoder, Decoder)
        return decoder


class JudgedCQ(CQ):
    """With quality: D tells how real an image looks."""

    def realness(self, images: Tensor) -> Tensor:
        """D's logits (N,) of images (N, C, H, W)."""
        return evaluated(self.networks["discriminator"], self.of.middles(images))


def cq(config: Config, shape: Shape, rng: Generator) -> CQ:
    """The family that the settings ask for."""
    return (JudgedCQ if config.quality_weight else CQ)(config, shape, rng)
