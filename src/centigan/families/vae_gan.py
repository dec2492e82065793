"""VAE/GAN (Larsen et al., 2016; arXiv:1512.09300): autoencoding beyond pixels, by a similarity that D learns.

An image x is encoded, z ~ q(z|x), and drawn again, x~ = Dec(z). Whether both are alike is told by a hidden
layer of the discriminator, Dis_l; x_p = Dec(z_p) is drawn from the prior, z_p ~ N(0, I).

    L_prior = KL(q(z|x) || N(0, I))                                              (4)
    L_llike = -E_q[log N(Dis_l(x); Dis_l(x~), I)]                                (7)
    L_GAN   = log Dis(x) + log(1 - Dis(x~)) + log(1 - Dis(x_p))                  (10)

    Enc  descends  L_prior + L_llike
    Dec  descends  gamma L_llike + log(1 - Dis(x~)) + log(1 - Dis(x_p))          (algorithm 1)
    Dis  ascends   L_GAN

So Enc learns nothing of L_GAN, and Dis nothing of L_llike, or it would make all images alike. One forward
pass serves the three, who move at once.

Departures and decisions
    1. Enc descends the sum over features, where it is a likelihood beside the KL; Dec gamma times their mean.
       The authors sum over features and images, so that their gamma, 1e-6 or 1e-5, hides the layer's size.
    2. Networks are those of the authors' code for 32 and 64 px, with its 1,024 units in Enc (paper: 2,048).
       128 px have one more layer of 256 maps in each. Dis_l is the raw convolution at 8 x 8, as there.
    3. Adam (2e-4; .5, .999) in the place of RMSProp; no weight decay, no augmentation. Weights begin as He et
       al. (2015) draw them.
    4. Batch norm sees x, x~ and x_p together in Dis, x~ and x_p together in Dec.
    5. Dis sees x~ and x_p, as in the paper; that code weighs the real and the generated half alike.
    6. `gated`: that code leaves out an update of Dis where a cost, -log Dis(x) or -log(1 - Dis) of what is
       generated, is below .68 - .35, and one of Dec where one is above .68 + .35; none where both would be.
    7. `saturating: false`: Dec ascends log Dis(x~) + log Dis(x_p).
    8. log sigma^2 is clamped to -8 and 8. `encode` tells the mean of q, `reconstruct` decodes it.
    9. No bits per dimension: Dec tells the mean of features, and no density of pixels.
    10. `width` scales every number of feature maps or units.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn
from torch.optim import Optimizer

from centigan.likelihood import divergence_from_standard, gaussian_nats
from centigan.losses import log_fake, log_real
from centigan.nets.blocks import evaluated, evaluating, initialise_by_fan_in
from centigan.nets.gaussian import code_of
from centigan.nets.learnt_similarity import Decoder, Discriminator, Encoder
from centigan.settings.families.vae_gan import VaeGanConfig as Config
from centigan.shown import again_sheet, attribute_sheet, plane_sheet, samples_sheet
from centigan.types import Batch, Given, Latent, Shape, Sheet
from centigan.updates import GatedAdam, ascend_together

EQUILIBRIUM, MARGIN = 0.68, 0.35  # of the costs behind the gates


class Terms(NamedTuple):
    """What one forward pass tells, each a scalar: a sum over what is of an image, and a mean over images."""

    prior: Tensor  # L_prior, nats
    likeness: Tensor  # -L_llike, nats
    features: int  # F, how many numbers these nats are of
    real: Tensor  # log Dis(x)
    fake: Tensor  # log(1 - Dis(x~)) + log(1 - Dis(x_p))
    believed: Tensor  # log Dis(x~) + log Dis(x_p)
    right_real: Tensor  # share of x that Dis takes for real
    right_fake: Tensor  # share of x~ and x_p that it does not


class VAEGAN(Latent):
    """The family: Enc, Dec and Dis with an Adam each, all moved at once by one forward pass."""

    def __init__(self, config: Config, shape: Shape, rng: Generator) -> None:
        self.config = config
        self.sampled = config.sampled
        self.networks: dict[str, nn.Module] = {
            "encoder": Encoder(config, shape),
            "decoder": Decoder(config, shape),
            "discriminator": Discriminator(config, shape),
        }
        for network in self.networks.values():
            initialise_by_fan_in(network, rng)
        betas = (config.beta1, config.beta2)
        rates = (config.encoder_lr, config.decoder_lr, config.discriminator_lr)
        self.movers = {
            name: GatedAdam(network.parameters(), rate, betas, fused=True)
            for (name, network), rate in zip(self.networks.items(), rates, strict=True)
        }
        self.optimizers: dict[str, Optimizer] = {**self.movers}

    def step(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        """Algorithm 1: one forward pass, and each network up its own objective."""
        terms = self.terms(batch.images, rng)
        objectives = self.objectives(terms)
        if self.config.gated:
            dis_moves, dec_moves = gates(-terms.real.detach(), -terms.fake.detach() / 2)
            self.movers["discriminator"].only_if(dis_moves)
            self.movers["decoder"].only_if(dec_moves)
        norms = ascend_together(*((objectives[name], self.optimizers[name]) for name in self.networks))

        return {
            "loss_features": -terms.likeness.detach(),
            "loss_code": terms.prior.detach(),
            "loss_discriminator": -objectives["discriminator"].detach(),
            "loss_generator": self._adversarial(terms).detach().neg(),
            "source_real": terms.right_real,
            "source_fake": terms.right_fake,
            **{f"gradient_{name}": norm for name, norm in zip(self.networks, norms, strict=True)},
        }

    def terms(self, images: Tensor, rng: Generator) -> Terms:
        """The forward pass: x encoded, drawn again beside as many draws from the prior, all shown to Dis."""
        encoder, decoder, discriminator = self.networks.values()
        mean, log_variance = encoder(images)
        count, device = len(images), mean.device
        noise = torch.randn(mean.shape, generator=rng, device=rng.device).to(device)
        z = code_of(mean, log_variance, noise)
        drawn = decoder(torch.cat([z, self.latent(count, rng).to(device)]))
        features, logits = discriminator(torch.cat([images, drawn]))
        real, again, _ = features.chunk(3)
        source, *generated = logits.chunk(3)
        return Terms(
            prior=divergence_from_standard(mean, log_variance).mean(),
            likeness=gaussian_nats(real, again, real.new_ones(())).mean(),
            features=features.shape[1],
            real=log_real(source),
            fake=torch.stack([log_fake(each) for each in generated]).sum(),
            believed=torch.stack([log_real(each) for each in generated]).sum(),
            right_real=(source > 0).float().mean(),
            right_fake=(logits[count:] < 0).float().mean(),
        )

    def objectives(self, terms: Terms) -> dict[str, Tensor]:
        """What each network ascends."""
        return {
            "encoder": terms.likeness - terms.prior,
            "decoder": self.config.gamma * terms.likeness / terms.features + self._adversarial(terms),
            "discriminator": terms.real + terms.fake,  # equation 10
        }

    def _adversarial(self, terms: Terms) -> Tensor:
        return -terms.fake if self.config.saturating else terms.believed

    def generate(self, latent: Tensor, wanted: Given) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] of z (N, latent), with batch norm's running statistics."""
        return evaluated(self.networks["decoder"], latent)

    def latent(self, count: int, rng: Generator) -> Tensor:
        """z ~ N(0, I), (count, latent)."""
        return torch.randn(count, self.config.latent, generator=rng, device=rng.device)

    def encode(self, images: Tensor) -> Tensor:
        """The mean of q(z|x), (N, latent), of images (N, C, H, W)."""
        return _both(self.networks["encoder"], images)[0]

    def reconstruct(self, images: Tensor, rng: Generator) -> Tensor:
        """Dec of the mean of q; nothing is drawn."""
        return evaluated(self.networks["decoder"], self.encode(images))

    def represent(self, images: Tensor) -> Tensor:
        """Dis_l (N, F) of images (N, C, H, W): 12,288 numbers at 32 px."""
        return _both(self.networks["discriminator"], images)[0]

    def realness(self, images: Tensor) -> Tensor:
        """Dis's logits (N,) of images (N, C, H, W)."""
        return _both(self.networks["discriminator"], images)[1]

    def demonstrate(self, real: Tensor, classes: Sequence[str], rng: Generator) -> list[Sheet]:
        """Images drawn again, samples (Figs 3 and 4 without the other models); of two latents their plane."""
        sheets = [again_sheet(real, self.reconstruct(real, rng)), samples_sheet(self, rng, real.device)]
        return [plane_sheet(self, "N(0, I)", real.device), *sheets] if self.config.latent == 2 else sheets

    def demonstrate_classes(self, real: Tensor, labels: Tensor, classes: Sequence[str]) -> list[Sheet]:
        """Codes moved along attribute vectors (Fig 5)."""
        return [attribute_sheet(self, real, labels, classes)]


def gates(real_cost: Tensor, fake_cost: Tensor) -> tuple[Tensor, Tensor]:
    """Whether Dis and whether Dec moves, () bool each: by -log Dis(x), and -log(1 - Dis) of fakes."""
    least, most = EQUILIBRIUM - MARGIN, EQUILIBRIUM + MARGIN
    dis_moves = (real_cost >= least) & (fake_cost >= least)
    dec_moves = (real_cost <= most) & (fake_cost <= most)
    neither = ~(dis_moves | dec_moves)
    return dis_moves | neither, dec_moves | neither


def _both(network: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    """What a network of two outputs says in evaluation mode."""
    with evaluating(network):
        first, second = network(images)
    return first, second
