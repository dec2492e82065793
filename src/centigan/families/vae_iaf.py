"""VAE-IAF (Kingma et al., 2016; arXiv:1606.04934).

A VAE whose codes stand in blocks over one another (`nets/ladder.py`), each with a prior that those above
decide, and a posterior that a flow bends (`nets/inverse_autoregressive.py`). Both ascend

    L = E_q[log p(x|z)] - KL,   KL = sum_l E_q[log q(z_l | z_>l, x) - log p(z_l | z_>l)]
    L_lambda = E_q[log p(x|z)] - sum_j max(lambda, mean over the batch of KL_j)      (15: free bits)

where j is a map of z of one block. Training ascends L_lambda; the journal and all measurements have L. p(x|z)
is a discretised logistic of the bytes themselves, with one s for all: no noise is added to images.

Equation numbers are as they are remembered. The authors' code (github.com/openai/iaf) was read.

Departures and decisions
    1. The flow has the form of equations 13 and 14, sigmoid(s + `gate_bias`); that code has
       z <- (z - m) / exp(s), with m and s times 0.1.
    2. A flow of several steps ranks maps and pixels the other way round at every other step.
    3. The outermost levels take the logistic's tails. In that code they do not, and 1e-7 is added within the
       logarithm: probabilities do not add up to 1, and the bound is worse than it need be. So means need not
       be held within the levels either; what is drawn is clamped.
    4. Data set the length that the layer has from then on; that code stores a third of its logarithm. They
       make no length greater than 1: further down, where z has hardly an influence yet, they would make
       lengths of 100, and what the top says a hundred times as loud.
    5. The uppermost layer of the way down sees the same for every image, and data do not set it: there is
       no deviation. What it sees begins as N(0, 1), there as 0.
       ln s begins at -1 of [-1, 1] (there 0 of a range of 1), with a step size of its own, and is above -7.
    6. ln sigma of priors and posteriors is held within -4 and 4.
    7. Masked weights are normalised with those that are masked; hidden units have degrees from 0, so that
       the first variable has a context, too.
    8. `bidirectional: false` leaves the way down out of posteriors. There is no flow on the way up, as the
       paper's bottom-up posteriors have: each z is then independent of the others, given x.
    9. `posterior: diagonal` is a flow without steps. Its cost is that of one draw, too.
   10. The uppermost block of the way up has no second layer: nothing reads it.
   11. A latent is the standard noise of all blocks, from the top down: z_l = mu_p + sigma_p eps. `encode`
       tells the noise that stands in the prior for the z of a posterior whose own noise is 0.
   12. One draw of log p(x|z) + log p(z) - log q(z|x) is the bound and the weight of importance samples.
   13. What is drawn is the mean of x, without the noise s.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.optim import Adamax, Optimizer

from centigan.likelihood import bits_per_dim
from centigan.logistic import discretised_logistic, rounded
from centigan.nets.ladder import Ladder
from centigan.nets.weight_norm import initialise_by_data, initialise_normed
from centigan.settings.families.vae_iaf import VaeIafConfig as Config
from centigan.sheets import evenly
from centigan.shown import again_sheet, samples_sheet
from centigan.types import Batch, Given, Latent, Shape, Sheet
from centigan.updates import ascend

DIRECTION_STD = 0.05  # as the authors draw them
MOST_ROWS, MOST_COLUMNS = 8, 8  # of a sheet


class VaeIaf(Latent):
    """The family: both ways under one Adamax."""

    bound = "elbo"

    def __init__(self, config: Config, shape: Shape, rng: Generator) -> None:
        self.config = config
        self.sampled = config.sampled
        self.levels = shape.levels
        self.dimensions = shape.channels * shape.resolution**2
        ladder = Ladder(config, shape)
        initialise_normed(ladder, DIRECTION_STD, rng)
        nn.init.normal_(ladder.top, generator=rng)
        self.networks: dict[str, nn.Module] = {"ladder": ladder}
        weights = [p for name, p in ladder.named_parameters() if name != "log_scale"]
        groups: list[dict[str, Any]] = [
            {"params": weights},
            {"params": [ladder.log_scale], "lr": config.scale_lr},
        ]
        betas = (config.beta1, config.beta2)
        self.optimizers: dict[str, Optimizer] = {"both": Adamax(groups, config.lr, betas)}

    def prime(self, batch: Batch, rng: Generator) -> None:
        """Set lengths and biases of normalised weights by images."""
        initialise_by_data(self.ladder, batch.images, self._noise_for(batch.images, rng))

    def step(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        """Both ways ascend equation 15, one z an image; losses are of L, in bits a dimension."""
        of_image, costs = self._one_draw(batch.images, rng)
        of_maps = costs.mean(0)
        least = self.config.free_bits
        paid = of_maps.clamp(min=least) if least else of_maps  # of one draw it may be below 0
        gradient = ascend(of_image.mean() - paid.sum(), self.optimizers["both"])
        return {
            "loss_image": bits_per_dim(of_image.detach().mean(), self.dimensions),
            "loss_code": bits_per_dim(-of_maps.detach().sum(), self.dimensions),
            "free_maps": (of_maps.detach() < least).float().mean(),
            "scale": self.ladder.scale.detach().exp(),
            "gradient": gradient,
        }

    @torch.no_grad()
    def generate(self, latent: Tensor, wanted: Given) -> Tensor:
        """The means of x for noise (N, L), as images (N, C, H, W) in [-1, 1]."""
        return self.ladder.generated(latent).clamp(-1, 1)

    def latent(self, count: int, rng: Generator) -> Tensor:
        """The standard noise of all blocks, (count, L)."""
        return torch.randn(count, sum(self.ladder.numbers), generator=rng, device=rng.device)

    @torch.no_grad()
    def encode(self, images: Tensor) -> Tensor:
        """The noise (N, L) that stands for the posteriors' z without noise, of images (N, C, H, W)."""
        return self.ladder.encoded(images)

    def reconstruct(self, images: Tensor, rng: Generator) -> Tensor:
        """What is drawn of the codes; nothing is drawn by chance."""
        return self.ladder.generated(self.encode(images)).detach().clamp(-1, 1)

    @torch.no_grad()
    def log_likelihood(self, images: Tensor, rng: Generator) -> Tensor:
        """L for the bytes of images (N, C, H, W) in [-1, 1], nats (N,): one z an image."""
        of_image, costs = self._one_draw(images, rng)
        return of_image - costs.sum(1)

    def log_weight(self, images: Tensor, rng: Generator) -> Tensor:
        """The same number: costs are of the z drawn, not means over z."""
        return self.log_likelihood(images, rng)

    def demonstrate(self, real: Tensor, classes: Sequence[str], rng: Generator) -> list[Sheet]:
        """Images drawn again, what blocks add to them from the top down, samples."""
        again, samples = again_sheet(real, self.reconstruct(real, rng)), samples_sheet(self, rng, real.device)
        return [again, self._blocks_sheet(real[evenly(len(real), MOST_ROWS)]), samples]

    def _blocks_sheet(self, real: Tensor) -> Sheet:
        """Images (N, C, H, W), and what is drawn of their codes above some block, noise below being 0."""
        code, (*ends,) = self.encode(real), torch.tensor(self.ladder.numbers).cumsum(0).tolist()
        kept = [0, *(ends[n] for n in evenly(len(ends), MOST_COLUMNS))]
        place = torch.arange(code.shape[1], device=code.device)
        with torch.no_grad():
            drawn = [self.ladder.generated(code * (place < end)).clamp(-1, 1) for end in kept]
        return Sheet(
            "blocks",
            "What the codes of blocks say",
            "A held-out image, and what is drawn of its codes down to a block; below it z is the prior's "
            "mean.",
            torch.stack([real, *drawn], dim=1),
            columns=["image", *(f"{100 * end / ends[-1]:.3g} % of z" for end in kept)],
        )

    def _one_draw(self, images: Tensor, rng: Generator) -> tuple[Tensor, Tensor]:
        """log P(x|z) (N,) of images (N, C, H, W), and what each map of z costs (N, B Z): nats."""
        means, costs = self.ladder(images, self._noise_for(images, rng))
        nats = discretised_logistic(
            rounded(images.float(), self.levels), means.float(), self.ladder.scale, self.levels
        )
        return nats.flatten(1).sum(1), costs

    def _noise_for(self, images: Tensor, rng: Generator) -> Tensor:
        return self.latent(len(images), rng).to(images.device)

    @property
    def ladder(self) -> Ladder:
        """The one in use: as trained, or its moving average."""
        ladder = self.networks["ladder"]
        assert isinstance(ladder, Ladder)
        return ladder
