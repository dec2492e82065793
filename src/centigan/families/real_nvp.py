"""Real NVP (Dinh et al., 2017; arXiv:1605.08803).

An image's bytes, each spread over its bin, go through an invertible f, and what comes out is a standard
normal: the likelihood has no bound but that of the bins.

    log p(w) = log N(f(w); 0, I) + log |det df/dw|                             (2, 3)
    y = b x + (1 - b) (x exp(s(b x)) + t(b x))                                 (9)

f is a logit, then scales: three couplings by checkerboards, a squeeze, three by halves of the channels; half
of them are done there, and the others go on to the next scale (equations 13 to 16). The last scale has four
checkerboards. s and t are residual networks with normalised weights, s behind a tanh.

Departures and decisions
    1. Actnorm (Kingma & Dhariwal, 2018) after each coupling, in the place of batch norm: by a batch's
       statistics an image would have neither a density nor an exact inverse. No norm within s and t.
    2. The logit is of .05 + .9 v, as in the authors' code (the paper prints another constant), and the whole
       of it is undone where images are drawn; that code draws without it, in paler colours.
    3. Squeezing places a field's four pixels side by side, each with all its colours, and what is done stays
       at its place: y has the form of an image. The paper orders channels another way.
    4. What is ascended is in bits a dimension, less `decay` times squares of g and of the weights' lengths.
    5. Images are bytes before they are spread (that code leaves CelebA's between bytes, which is no
       probability). No horizontal flips unless `train.flips` says so.
    6. `width` scales the feature maps.
    7. Points have six couplings of small fully connected networks, whose masks keep one coordinate and the
       other in turn, without a logit; their density is exact, in nats. Bits a dimension are of this density,
       and may be less than 0.
"""

from collections.abc import Iterator, Sequence
from math import cos, pi, sin

import torch
from torch import Generator, Tensor, nn
from torch.optim import Adam, Optimizer

from centigan.likelihood import bits_per_dim, density_of, gaussian_nats
from centigan.nets.blocks import scaled
from centigan.nets.coupling import Coupling, Flow, Plan
from centigan.nets.point_flow import PointFlow
from centigan.nets.weight_norm import WeightNormed, initialise_by_data, initialise_normed
from centigan.settings.families.real_nvp import RealNvpConfig as Config
from centigan.sheets import evenly
from centigan.shown import drawn, samples_sheet
from centigan.types import Batch, Given, Latent, Shape, Sheet

FIRST_STD = 0.05  # of the weights' directions (Salimans & Kingma, 2016)
ANGLES = 9  # of the manifold, each way


class RealNvp(Latent):
    """The family: one invertible network under Adam."""

    bound = "dequantised"

    def __init__(self, config: Config, shape: Shape, rng: Generator) -> None:
        self.config, self.of = config, density_of(shape)
        self.sampled = config.sampled
        flow = flow_for(config, shape, rng)
        self.networks: dict[str, nn.Module] = {"flow": flow}
        betas = (config.beta1, config.beta2)
        self.optimizers: dict[str, Optimizer] = {
            "flow": Adam(flow.parameters(), config.lr, betas, fused=True)
        }

    def prime(self, batch: Batch, rng: Generator) -> None:
        """One minibatch sets the lengths of weights, and actnorm."""
        initialise_by_data(self.flow, self.of.spread(batch.images, rng))

    def step(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        """f ascends equation 2; losses are in bits a dimension."""
        y, nats = self._transformed(batch.images, rng)
        bits = bits_per_dim(nats, self.of.dimensions).mean()
        optimizer = self.optimizers["flow"]
        optimizer.zero_grad(set_to_none=True)
        (bits + self.config.decay * self.penalty()).backward()
        norm = nn.utils.clip_grad_norm_(self.flow.parameters(), self.config.clip or float("inf"))
        optimizer.step()
        return {"bits": bits.detach(), "scale": y.detach().std(), "gradient": norm}

    def penalty(self) -> Tensor:
        """Squares of the weights' lengths and of couplings' g, summed."""
        squares = [each.square().sum() for each in penalised(self.flow)]
        return torch.stack(squares).sum()

    def _transformed(self, images: Tensor, rng: Generator) -> tuple[Tensor, Tensor]:
        """f(w) (N, C, H, W), and a bound on log P(bytes), nats (N,): one u an image."""
        y, density = self._density(self.of.spread(images, rng))
        return y, self.of.nats(density)

    def _density(self, w: Tensor) -> tuple[Tensor, Tensor]:
        """f(w) of the shape of w, log p(w) (N,): equation 2."""
        y, log_det = self.flow(w)
        return y, gaussian_nats(y, y.new_zeros(()), y.new_ones(())) + log_det

    def generate(self, latent: Tensor, wanted: Given) -> Tensor:
        """The image (N, C, H, W) in [-1, 1] of each y (N, D)."""
        with torch.no_grad():
            return self.of.shown(self.flow.inverse(latent.view(-1, *self.of.size)))

    def latent(self, count: int, rng: Generator) -> Tensor:
        """y ~ N(0, temperature^2 I), (count, D)."""
        noise = torch.randn(count, self.of.dimensions, generator=rng, device=rng.device)
        return noise * self.config.temperature

    @torch.no_grad()
    def encode(self, images: Tensor) -> Tensor:
        """f of the middles of bins, (N, D), of images (N, C, H, W) in [-1, 1]."""
        y, _ = self.flow(self.of.middles(images))
        return y.flatten(1)

    @torch.no_grad()
    def log_likelihood(self, images: Tensor, rng: Generator) -> Tensor:
        """Equation 2 for the bytes of images (N, C, H, W), nats (N,): one u an image."""
        return self._transformed(images, rng)[1]

    @torch.no_grad()
    def log_density(self, points: Tensor, rng: Generator) -> Tensor:
        """Equation 2 for points (N, d), nats (N,); of images for the middles of their bins."""
        return self._density(self.of.middles(points))[1]

    def demonstrate(self, real: Tensor, classes: Sequence[str], rng: Generator) -> list[Sheet]:
        """Samples (Fig 5); the manifold of four held-out images (Fig 6)."""
        sheets = [samples_sheet(self, rng, real.device)]
        return (
            [*sheets, self._manifold(self.encode(real[evenly(len(real), 4)]))] if len(real) >= 4 else sheets
        )

    def _manifold(self, codes: Tensor) -> Sheet:
        """Equation 19: cos a (cos b z1 + sin b z2) + sin a (cos b z3 + sin b z4)."""
        turns = [n * pi / 2 / (ANGLES - 1) for n in range(ANGLES)]
        weights = [
            [(cos(a) * cos(b), cos(a) * sin(b), sin(a) * cos(b), sin(a) * sin(b)) for b in turns]
            for a in turns
        ]
        return Sheet(
            "manifold",
            "Between four images",
            "What is drawn of codes between those of four held-out images, which stand in the corners: "
            "cos a (cos b z1 + sin b z2) + sin a (cos b z3 + sin b z4), a downwards, b across, up to 90 "
            "degrees.",
            drawn(self, torch.tensor(weights, device=codes.device) @ codes),
        )

    @property
    def flow(self) -> Flow | PointFlow:
        """The one in use: as trained, or its moving average."""
        flow = self.networks["flow"]
        assert isinstance(flow, Flow | PointFlow)
        return flow


def flow_for(config: Config, shape: Shape, rng: Generator) -> Flow | PointFlow:
    """f of images or of points, with weights drawn."""
    actnorm = config.norm == "actnorm"
    if shape.dimensions:
        of_points = PointFlow(shape.dimensions, config.points, actnorm=actnorm)
        of_points.begin(rng)
        return of_points
    plan = Plan(scaled(config.maps, config.width), config.blocks, actnorm)
    size = (shape.channels, shape.resolution, shape.resolution)
    flow = Flow(size, plan, scales=config.scales - 1, tail=True)
    initialise_normed(flow, FIRST_STD, rng)
    return flow


def penalised(flow: nn.Module) -> Iterator[Tensor]:
    """The weights' lengths, and couplings' g."""
    for module in flow.modules():
        if isinstance(module, WeightNormed):
            yield module.length
        elif isinstance(module, Coupling):
            yield module.gain
