"""Fully connected networks of the adversarial autoencoder (Makhzani et al. 2015, appendix A).

Two hidden layers each, with a ReLU. Images come and go in [-1, 1]; within they are pixels in [0, 1].
"""

from math import prod

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from centigan.nets.blocks import Noise
from centigan.nets.priors import Prior
from centigan.types import Shape


class Encoder(nn.Module):
    """Images (N, C, H, W) -> logits (N, K) of a class or cluster, and the rest of the code, z (N, L)."""

    mean: Tensor  # (K + L,) of logits and z
    deviation: Tensor

    def __init__(
        self,
        shape: Shape,
        units: int,
        content: int,
        prior: Prior,
        *,
        dropout: float,
        normalised: bool,
        sharpness: float,
    ) -> None:
        """`content`: K, or 0; `dropout`: share of pixels that are black in training.

        `normalised`: batch norm in hidden layers, and without gain and shift on logits and z. Then each logit
        has the deviation `sharpness`, and z the prior's mean and deviation in each dimension: neither is
        learnt.
        """
        super().__init__()
        mean, deviation = prior.moments()
        self.parts = [content, len(mean)]
        self.register_buffer("mean", torch.cat([torch.zeros(content), mean]))
        self.register_buffer("deviation", torch.cat([torch.full((content,), sharpness), deviation]))
        self.normalised, self.dropout = normalised, dropout
        self.hidden = nn.Sequential(
            *_hidden(shape.channels * shape.resolution**2, units, normalised),
            *_hidden(units, units, normalised),
        )
        self.head = nn.Linear(units, sum(self.parts))
        self.norm = nn.BatchNorm1d(sum(self.parts), affine=False) if normalised else nn.Identity()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x (N, C, H, W) in [-1, 1] -> float32 (N, K), (N, L)."""
        pixels = F.dropout((x.flatten(1) + 1) / 2, self.dropout, self.training)
        code = self.norm(self.head(self.hidden(pixels)).float())
        logits, z = (code * self.deviation + self.mean if self.normalised else code).split(self.parts, dim=1)
        return logits, z


class Decoder(nn.Module):
    """A code -> images (N, C, H, W). The code joins y (N, K) and z (N, L): side by side, or W_c y + z."""

    def __init__(self, shape: Shape, units: int, content: int, latent: int, *, added: bool) -> None:
        """`added`: y is a place of its own, a column of W_c, to which z is added."""
        super().__init__()
        self.image = (shape.channels, shape.resolution, shape.resolution)
        self.heads = nn.Parameter(torch.zeros(content, latent)) if added else None  # W_c, transposed
        self.layers = nn.Sequential(
            *_hidden(latent if added else content + latent, units, False),
            *_hidden(units, units, False),
            nn.Linear(units, prod(self.image)),
        )

    def forward(self, code: Tensor) -> Tensor:
        """code (N, K + L), or (N, L) where y and z are added -> (N, C, H, W) in [-1, 1]."""
        pixels = self.layers(code).sigmoid()
        return (2 * pixels - 1).view(-1, *self.image)

    def joined(self, y: Tensor, z: Tensor) -> Tensor:
        """The code of y (N, K) and z (N, L), on their device."""
        if self.heads is None:
            return torch.cat([y, z], dim=1)
        return y @ self.heads.to(y.device) + z

    def closeness(self, distance: float) -> Tensor:
        """Sum over the pairs of heads of how much nearer than `distance` they are; 0 without heads."""
        if self.heads is None:
            return next(self.parameters()).new_zeros(())
        first, second = torch.triu_indices(len(self.heads), len(self.heads), 1, device=self.heads.device)
        apart = (self.heads[first] - self.heads[second]).square().sum(1)
        return F.relu(distance - (apart + 1e-12).sqrt()).sum()


class CodeDiscriminator(nn.Module):
    """D(code): logits (N,), of a code of the prior the greater ones; it may be told a class beside it."""

    def __init__(self, code: int, told: int, units: int, noise: float) -> None:
        """`noise`: its deviation on codes, in training."""
        super().__init__()
        self.noise = Noise(noise)
        self.layers = nn.Sequential(
            *_hidden(code + told, units, False), *_hidden(units, units, False), nn.Linear(units, 1)
        )

    def forward(self, code: Tensor, told: Tensor) -> Tensor:
        """code (N, L), told (N, M), M perhaps 0 -> (N,)."""
        logits: Tensor = self.layers(torch.cat([self.noise(code), told], dim=1))
        return logits.float()[:, 0]


def initialise_heads(decoder: Decoder, distance: float, rng: Generator) -> None:
    """Heads N(0, distance^2 / 2 I), most pairs about so far apart as they are to be."""
    if decoder.heads is not None:
        nn.init.normal_(decoder.heads, 0.0, distance / 2**0.5, generator=rng)


def _hidden(inputs: int, units: int, normalised: bool) -> list[nn.Module]:
    norm = [nn.BatchNorm1d(units)] if normalised else []
    return [nn.Linear(inputs, units), *norm, nn.ReLU(inplace=True)]
