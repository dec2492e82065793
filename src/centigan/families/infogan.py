"""InfoGAN (Chen et al., 2016; arXiv:1606.03657).

A latent is noise z and codes c. A network Q finds the codes in an image again, and bounds from below what the
image tells of them:

    min_{G,Q} max_D  V(D, G) - lambda L_I                                                (6)
    L_I = E[log Q(c | G(z, c))] + H(c) <= I(c; G(z, c))                                  (5)

V is that of the GAN. Q shares all layers of D but the last. As in the authors' code a step is two updates:
D, the shared layers and Q ascend V + lambda L_I; then, by new latents, G ascends log D(G(z, c)) + lambda L_I.

Departures and decisions
    1. Networks are those of the paper's Table 2, for SVHN at 32 px. Above, each doubling adds a layer of 256
       maps to both, as its networks for chairs have them. Batch norm stands before a ReLU, as in that code,
       and where the table has it: after G's first two layers, after all shared ones but the first.
    2. V has the code's form: G's term is the non-saturating one. Real and generated images pass apart.
    3. H(c) is that of the density which the codes have: log K of a categorical code, log 2 of a continuous
       one, U(-1, 1). That code takes the entropy of N(0, 1) for the latter, so its number is higher by .392
       a code: 1/6 - .226. It has no gradient.
    4. Q(c|x) of a continuous code is N(mu, 1), as in that code, so the bound stays below -.226 a code: a unit
       deviation is wider than the code's own. With `learn_deviation` it is N(mu, sigma^2) (the paper),
       log sigma = softplus(s + 3) - 3: above exp(-3), or a G that Q reads exactly would have no bound to
       ascend. A clamp would leave a sigma below the floor without a gradient, for good.
    5. lambda is 1 and, of continuous codes, .1; the paper says that it is smaller for these, the code has 1.
    6. `encouraged: false`: G ascends log D alone. D's update is the same, so Q learns from the same features.
       It is the comparison of Figure 1. With both lambdas 0, G moves as a GAN's too, and Q does not learn.
    7. Q sees real images beside generated ones in D's update, for nothing but its batch norm's running
       statistics, with which it later tells clusters of real images.
    8. `width` scales every number of feature maps or units.
"""

from collections.abc import Sequence
from math import log, pi
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from centigan.losses import class_log_likelihood, log_fake, log_real
from centigan.nets.blocks import evaluated, evaluating
from centigan.nets.code_finding import Answers, Discriminator, ImageGenerator, initialise, latent_size, parts
from centigan.settings.families.infogan import InfoganConfig as Config
from centigan.shown import drawn
from centigan.types import Batch, Given, Latent, Shape, Sheet
from centigan.updates import adams, ascend

ROWS = 10  # of a sheet
FROM, TO, COLUMNS = -2.0, 2.0, 9  # a continuous code across a sheet


class Codes(NamedTuple):
    """The codes of N latents."""

    categorical: Tensor  # (N, A) int64, each in 0..K-1
    continuous: Tensor  # (N, U)


class InfoGAN(Latent):
    """The family: G with one Adam, D and Q with another; an update of each a step, D and Q first."""

    def __init__(self, config: Config, shape: Shape, rng: Generator) -> None:
        self.config = config
        self.sampled = config.sampled
        generator, discriminator = ImageGenerator(config, shape), Discriminator(config, shape)
        self.networks: dict[str, nn.Module] = {"generator": generator, "discriminator": discriminator}
        for network in self.networks.values():
            initialise(network, rng)
        rates = {"generator": config.generator_lr, "discriminator": config.discriminator_lr}
        self.optimizers = adams(self.networks, rates, (config.beta1, config.beta2))

    def step(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        """D, shared layers and Q ascend V + lambda L_I; G its term and lambda L_I, by new latents."""
        generator, discriminator = self.networks["generator"], self.networks["discriminator"]
        latent = self.latent(len(batch.images), rng)
        with torch.no_grad():
            fake = generator(latent)

        real_source, _ = discriminator(batch.images)
        fake_source, answers = discriminator(fake)
        source = log_real(real_source) + log_fake(fake_source)  # V
        categorical, continuous = information(answers, self.codes(latent))  # L_I, equation 5
        found = source + self._weighted(categorical, continuous)
        gradient_discriminator = ascend(found, self.optimizers["discriminator"])

        latent = self.latent(len(batch.images), rng)
        judged_source, answers = discriminator(generator(latent))
        judged = log_real(judged_source)
        if self.config.encouraged:
            judged = judged + self._weighted(*information(answers, self.codes(latent)))
        gradient_generator = ascend(judged, self.optimizers["generator"])

        return {
            "loss_discriminator": -found.detach(),
            "loss_generator": -judged.detach(),
            "information_categorical": categorical.detach(),
            "information_continuous": continuous.detach(),
            "source_real": (real_source > 0).float().mean(),
            "source_fake": (fake_source < 0).float().mean(),
            "gradient_discriminator": gradient_discriminator,
            "gradient_generator": gradient_generator,
        }

    def _weighted(self, categorical: Tensor, continuous: Tensor) -> Tensor:
        return self.config.lambda_discrete * categorical + self.config.lambda_continuous * continuous

    def latent(self, count: int, rng: Generator) -> Tensor:
        """(count, L): z ~ U(-1, 1), one-hot codes with every value as likely, continuous codes ~ U(-1, 1)."""
        c, device = self.config, rng.device
        noise = torch.rand(count, c.noise, generator=rng, device=device) * 2 - 1
        values = torch.randint(c.categories, (count, c.categorical_codes), generator=rng, device=device)
        continuous = torch.rand(count, c.continuous_codes, generator=rng, device=device) * 2 - 1
        return torch.cat([noise, F.one_hot(values, c.categories).flatten(1).float(), continuous], dim=1)

    def codes(self, latent: Tensor) -> Codes:
        """The codes of latents (N, L) from the prior."""
        c = self.config
        _, one_hot, continuous = latent.split(parts(c), dim=1)
        return Codes(one_hot.unflatten(1, (c.categorical_codes, c.categories)).argmax(2), continuous)

    def generate(self, latent: Tensor, wanted: Given) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] of latents (N, L), with batch norm's running statistics."""
        return evaluated(self.networks["generator"], latent)

    def cluster_logits(self, images: Tensor) -> Tensor:
        """Q's logits (N, K) of the first categorical code of images (N, C, H, W)."""
        return self._judged(images)[1].logits[:, 0]

    def realness(self, images: Tensor) -> Tensor:
        """D's logits (N,) of images (N, C, H, W)."""
        return self._judged(images)[0]

    def _judged(self, images: Tensor) -> tuple[Tensor, Answers]:
        discriminator = self.networks["discriminator"]
        with evaluating(discriminator):
            logits, answers = discriminator(images)
        return logits, answers

    def demonstrate(self, real: Tensor, classes: Sequence[str], rng: Generator) -> list[Sheet]:
        """What each code does (Figure 2): of the categorical codes the first, of the continuous ones all."""
        c = self.config
        rows, values = self.latent(ROWS, rng).to(real.device), torch.eye(c.categories, device=real.device)
        categorical = Sheet(
            "categorical_code",
            "categorical code",
            "A column is a value of the first categorical code; along a row nothing else changes. Training "
            "sees no label, so the order of the values means nothing.",
            self._varied(rows, c.noise, values),
            columns=[str(value) for value in range(c.categories)],
        )
        first = torch.arange(ROWS, device=real.device) % c.categories
        rows[:, c.noise : c.noise + c.categories] = values[first]
        return [categorical, *(self._continuous_sheet(rows, code) for code in range(c.continuous_codes))]

    def _continuous_sheet(self, rows: Tensor, code: int) -> Sheet:
        """Latents (R, L), one after the other with the values of the first categorical code, a row each."""
        c = self.config
        steps = torch.linspace(FROM, TO, COLUMNS, device=rows.device)
        return Sheet(
            f"continuous_code_{code + 1}",
            f"continuous code {code + 1}",
            f"Continuous code {code + 1} from {FROM:g} to {TO:g}; along a row nothing else changes. Training "
            "draws it from -1 to 1: columns beyond show what G makes of values that it was never given.",
            self._varied(rows, latent_size(c) - c.continuous_codes + code, steps[:, None]),
            rows=[f"c1 = {row % c.categories}" for row in range(len(rows))],
            columns=[f"{FROM + (TO - FROM) * n / (COLUMNS - 1):g}" for n in range(COLUMNS)],
        )

    def _varied(self, rows: Tensor, place: int, values: Tensor) -> Tensor:
        """Images (R, S, C, H, W) of latents (R, L), each with every one of values (S, n) from `place` on."""
        latent = rows.repeat_interleave(len(values), 0)
        latent[:, place : place + values.shape[1]] = values.repeat(len(rows), 1)
        return drawn(self, latent.unflatten(0, (len(rows), len(values))))


def information(answers: Answers, codes: Codes) -> tuple[Tensor, Tensor]:
    """L_I of the categorical codes and of the continuous ones: nats, scalars, each the sum over its codes."""
    count, categories = answers.logits.shape[1:]
    of_value = class_log_likelihood(answers.logits.flatten(0, 1), codes.categorical.flatten())
    away = (codes.continuous - answers.means) * torch.exp(-answers.log_deviations)
    of_number = -away.square() / 2 - answers.log_deviations - log(2 * pi) / 2  # log N(c; mu, sigma^2)
    return count * (of_value + log(categories)), (of_number + log(2)).sum(1).mean()
