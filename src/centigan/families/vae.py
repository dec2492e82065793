"""VAE (Kingma & Welling, 2014; arXiv:1312.6114).

An encoder q(z|x) and a decoder p(x|z) ascend one bound on log p(x), with z ~ N(0, I) a priori:

    L = E_q[log p(x|z)] - KL(q(z|x) || p(z))                     (3)
    z = mu + sigma eps,  eps ~ N(0, I)                           (section 2.4)
    KL = 1/2 sum_j (mu_j^2 + sigma_j^2 - 1 - log sigma_j^2)      (10, appendix B)

mu and log sigma^2 are the encoder's; p(x|z) = N(w; mean(z), s^2) is the Gaussian of appendix C.2, with bytes
spread over their bins (`likelihood`).

Departures and decisions
    1. The paper's networks are fully connected, for 28 x 28 digits and 20 x 28 faces; these are
       convolutional: 4x4 at stride 2, 64, 128, 256 maps at 32 px, ELU in the encoder, batch norm and ReLU in
       the decoder.
    2. s is one learnt number a channel, not a function of z; above `sigma_floor`, since on a constant
       background the likelihood would have no end. A bin is 1/128 wide. Its logarithm has a step size of its
       own: at that of the weights, 1e-3, s was still at 0.25 after 500 iterations of the digits.
    3. Terms are summed over pixels and over latents, averaged over images: no weight stands between them.
    4. Adam (the paper: Adagrad); one sample of z an image (the paper's L = 1).
    5. The decoder's mean is a tanh. `sample`, `generate` and `reconstruct` return that mean, as is usual,
       without the noise s: the density is of images with it. `reconstruct` decodes the mean of q.
    6. log sigma^2 is clamped to -8 and 8. Whatever is not a training step has batch norm's running
       statistics: with those of a batch there would be no density of an image.
    7. No Bernoulli decoder: it tells the likelihood of binarised images, not of bytes.
    8. `width` scales every feature-map count; above 32 px each doubling adds a layer of at most 512 maps.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Generator, Tensor, nn
from torch.optim import Adam, Optimizer

from centigan.likelihood import (
    as_images,
    bits_per_dim,
    dequantised,
    divergence_from_standard,
    gaussian_nats,
    log_weight_of,
    middles,
    nats_of_bytes,
)
from centigan.nets.blocks import evaluated, evaluating, initialise_by_fan_in
from centigan.nets.convolution import FIRST_SIDE, plan
from centigan.nets.gaussian import GaussianHead, NoisyDecoder, code_of, noise_apart
from centigan.settings.families.vae import VaeConfig as Config
from centigan.shown import again_sheet, plane_sheet, samples_sheet
from centigan.types import Batch, Given, Latent, Shape, Sheet
from centigan.updates import ascend


class Encoder(nn.Module):
    """q(z|x): w (N, C, H, W) -> mean and log variance of z, (N, latent) each."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        maps = [shape.channels, *plan(shape.resolution, config.width)]
        self.blocks = nn.Sequential(
            *(
                nn.Sequential(nn.Conv2d(a, b, 4, stride=2, padding=1), nn.ELU(inplace=True))
                for a, b in pairwise(maps)
            )
        )
        self.head = GaussianHead(maps[-1] * FIRST_SIDE**2, config.latent)

    def forward(self, w: Tensor) -> tuple[Tensor, Tensor]:
        """w (N, C, H, W) in [-1, 1) -> float32 (N, latent) twice."""
        mean, log_variance = self.head(self.blocks(w).flatten(1))
        return mean, log_variance


class Decoder(NoisyDecoder):
    """p(x|z): z (N, latent) -> means of w (N, C, H, W); and the noise around them, one sigma a channel."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        maps = plan(shape.resolution, config.width)[::-1]
        self.maps = (maps[0], FIRST_SIDE, FIRST_SIDE)
        self.project = nn.Linear(config.latent, maps[0] * FIRST_SIDE**2)
        self.norms = nn.ModuleList(nn.BatchNorm2d(m) for m in maps)
        self.doublings = nn.ModuleList(
            nn.ConvTranspose2d(a, b, 4, stride=2, padding=1) for a, b in pairwise([*maps, shape.channels])
        )
        self.begin_noise(shape.channels, config.sigma_floor)

    def forward(self, z: Tensor) -> Tensor:
        """z (N, latent) -> (N, C, H, W) in [-1, 1]."""
        x = self.project(z).view(-1, *self.maps)
        for norm, double in zip(self.norms, self.doublings, strict=True):
            x = double(norm(x).relu())
        return x.tanh()


class VAE(Latent):
    """The family: encoder and decoder under one Adam."""

    bound = "elbo"

    def __init__(self, config: Config, shape: Shape, rng: Generator) -> None:
        self.config = config
        self.sampled = config.sampled
        self.dimensions = shape.channels * shape.resolution**2
        self.networks: dict[str, nn.Module] = {
            "encoder": Encoder(config, shape),
            "decoder": Decoder(config, shape),
        }
        for network in self.networks.values():
            initialise_by_fan_in(network, rng)
        groups = noise_apart(self.networks.values(), config.sigma_lr)
        betas = (config.beta1, config.beta2)
        self.optimizers: dict[str, Optimizer] = {"both": Adam(groups, config.lr, betas, fused=True)}

    def step(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        """Encoder and decoder ascend equation 3, one z an image; losses are in bits a dimension."""
        mean, log_variance, _, of_image = self._one_draw(batch.images, rng)
        of_code = divergence_from_standard(mean, log_variance)
        gradient = ascend((of_image - of_code).mean(), self.optimizers["both"])
        nats = nats_of_bytes(of_image.detach().mean(), self.dimensions)
        return {
            "loss_image": bits_per_dim(nats, self.dimensions),
            "loss_code": bits_per_dim(-of_code.detach().mean(), self.dimensions),
            "sigma": self.decoder.sigma.detach().mean(),
            "gradient": gradient,
        }

    def generate(self, latent: Tensor, wanted: Given) -> Tensor:
        """The decoder's means for z (N, latent), as images (N, C, H, W) in [-1, 1]."""
        return as_images(evaluated(self.decoder, latent))

    def latent(self, count: int, rng: Generator) -> Tensor:
        """z ~ N(0, I), (count, latent)."""
        return torch.randn(count, self.config.latent, generator=rng, device=rng.device)

    @torch.no_grad()
    def encode(self, images: Tensor) -> Tensor:
        """The mean of q(z|x), (N, latent), of images (N, C, H, W) in [-1, 1]."""
        mean, _ = self.encoder(middles(images))
        return mean

    def reconstruct(self, images: Tensor, rng: Generator) -> Tensor:
        """The decoder's means for the encoder's; nothing is drawn."""
        return as_images(evaluated(self.decoder, self.encode(images)))

    def demonstrate(self, real: Tensor, classes: Sequence[str], rng: Generator) -> list[Sheet]:
        """Of two latents their plane (Fig 4); images drawn again; samples (Fig 5)."""
        sheets = [again_sheet(real, self.reconstruct(real, rng)), samples_sheet(self, rng, real.device)]
        return [plane_sheet(self, "N(0, I)", real.device), *sheets] if self.config.latent == 2 else sheets

    def log_likelihood(self, images: Tensor, rng: Generator) -> Tensor:
        """Equation 3 for the bytes of images (N, C, H, W), nats (N,): one u and one z an image."""
        with evaluating(self.decoder):
            mean, log_variance, _, of_image = self._one_draw(images, rng)
            return nats_of_bytes(of_image - divergence_from_standard(mean, log_variance), self.dimensions)

    def log_weight(self, images: Tensor, rng: Generator) -> Tensor:
        """log p(x|z) + log p(z) - log q(z|x) for the same, nats (N,): the bound before its mean over z."""
        with evaluating(self.decoder):
            mean, log_variance, z, of_image = self._one_draw(images, rng)
            return nats_of_bytes(log_weight_of(of_image, z, mean, log_variance), self.dimensions)

    def _one_draw(self, images: Tensor, rng: Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """mu and ln sigma^2 (N, latent) of q(z|x), one z of it, and log p(x|z), nats (N,): one u an image."""
        w = dequantised(images, rng)
        mean, log_variance = self.encoder(w)
        noise = torch.randn(mean.shape, generator=rng, device=rng.device).to(mean.device)
        z = code_of(mean, log_variance, noise)
        return mean, log_variance, z, gaussian_nats(w, self.decoder(z), self.decoder.sigma)

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
