"""Priors over codes: a Gaussian, a mixture of Gaussians around 0, a swiss roll (Makhzani et al. 2015, Fig 2).

The last two lie in a plane and have a part for each class: one Gaussian, one stretch of the roll. The paper
gives no constants; those here are of a public port, whose arguments called `var` are standard deviations.
"""

from math import cos, pi, sin
from typing import Literal, NamedTuple, Protocol

import torch
from torch import Generator, Tensor

from centigan.types import UNLABELLED

RADIUS = 1.4  # of a mixture: its means' distance from 0
ALONG, ACROSS = 0.5, 0.05  # its deviations out and sideways
REACH, TURNS = 3.0, 2.0  # of a roll: the greatest distance from 0, how often it turns
SIDE = 12  # codes a row, of those that are shown


def standard(kind: Literal["uniform", "normal"], count: int, dimensions: int, rng: Generator) -> Tensor:
    """z (count, dimensions) of the generator's device: U(-1, 1), or N(0, I)."""
    size = (count, dimensions)
    if kind == "normal":
        return torch.randn(*size, generator=rng, device=rng.device)
    return torch.rand(*size, generator=rng, device=rng.device) * 2 - 1


class Prior(Protocol):
    """A distribution of codes, perhaps with parts."""

    def draw(self, parts: Tensor, rng: Generator) -> Tensor:
        """A code (N, L) of each of these parts (N,) int64; of any part where it is -1."""
        ...

    def moments(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation (L,) of the codes of all parts, in each dimension."""
        ...

    def shown(self, rng: Generator) -> tuple[str, Tensor]:
        """What is seen, in a sentence, and codes (R, S, L): a walk through the prior, or draws of it."""
        ...


class Gaussian(NamedTuple):
    """N(0, deviation^2 I), which has no parts."""

    dimensions: int
    deviation: float = 1.0

    def draw(self, parts: Tensor, rng: Generator) -> Tensor:
        """As many codes (N, L) as there are parts (N,)."""
        return self.deviation * torch.randn(len(parts), self.dimensions, generator=rng, device=rng.device)

    def moments(self) -> tuple[Tensor, Tensor]:
        """0 and the deviation."""
        return torch.zeros(self.dimensions), torch.full((self.dimensions,), self.deviation)

    def shown(self, rng: Generator) -> tuple[str, Tensor]:
        """In a plane its percentiles, else draws."""
        if self.dimensions == 2:
            return "Images at percentiles of the prior in both directions.", self.deviation * grid(SIDE)
        parts = torch.full((SIDE * SIDE,), UNLABELLED, device=rng.device)
        return "Draws of the prior.", self.draw(parts, rng).unflatten(0, (SIDE, SIDE))


class Mixture(NamedTuple):
    """Gaussians in a plane: component k lies in the direction 2 pi k / K, long outwards, narrow sideways."""

    components: int

    def draw(self, parts: Tensor, rng: Generator) -> Tensor:
        """Codes (N, 2) of these components (N,)."""
        out, sideways = torch.randn(len(parts), 2, generator=rng, device=rng.device).unbind(1)
        return self.at(any_for_unknown(parts, self.components, rng), out, sideways)

    def at(self, parts: Tensor, out: Tensor, sideways: Tensor) -> Tensor:
        """Codes (N, 2) so many deviations away from the means of components (N,)."""
        angle = 2 * pi / self.components * parts
        return turned(RADIUS + ALONG * out, ACROSS * sideways, angle)

    def moments(self) -> tuple[Tensor, Tensor]:
        """Of equally likely components."""
        angles = [2 * pi * k / self.components for k in range(self.components)]
        directions = torch.tensor([[cos(angle), sin(angle)] for angle in angles])
        mean = RADIUS * directions.mean(0)
        squares = (RADIUS**2 + ALONG**2) * directions.square() + ACROSS**2 * directions.flip(1).square()
        return mean, (squares.mean(0) - mean.square()).sqrt()

    def shown(self, rng: Generator) -> tuple[str, Tensor]:
        """Along each component, outwards."""
        parts = torch.arange(self.components).repeat_interleave(SIDE)
        out = torch.linspace(-2, 2, SIDE).repeat(self.components)
        codes = self.at(parts, out, torch.zeros_like(out)).unflatten(0, (self.components, SIDE))
        return "A row is a component, from two deviations within its mean to two beyond it.", codes


class SwissRoll(NamedTuple):
    """A roll in a plane, denser outwards in proportion to its length: class k has the k-th part of u."""

    classes: int

    def draw(self, parts: Tensor, rng: Generator) -> Tensor:
        """Codes (N, 2) of the stretches of these classes (N,)."""
        within = torch.rand(len(parts), generator=rng, device=rng.device)
        return self.at((any_for_unknown(parts, self.classes, rng) + within) / self.classes)

    def at(self, u: Tensor) -> Tensor:
        """Codes (N, 2) at places u (N,) of the roll, from 0, its inner end, to 1."""
        radius = REACH * u.sqrt()
        return turned(radius, torch.zeros_like(radius), 2 * pi * TURNS / REACH * radius)

    def moments(self) -> tuple[Tensor, Tensor]:
        """Of uniform u, by integrating s^2 and s^3 with cos and sin of 4 pi s, s = sqrt u."""
        turn = 2 * pi * TURNS
        mean = torch.tensor([4 * REACH / turn**2, -2 * REACH / turn])
        half = REACH**2 * 3 / (2 * turn) ** 2
        squares = torch.tensor([REACH**2 / 4 + half, REACH**2 / 4 - half])
        return mean, (squares - mean.square()).sqrt()

    def shown(self, rng: Generator) -> tuple[str, Tensor]:
        """Along the roll."""
        u = (torch.arange(self.classes * SIDE) + 0.5) / (self.classes * SIDE)
        codes = self.at(u).unflatten(0, (self.classes, SIDE))
        return "A walk along the roll from its inner end, row after row; a class may have a row.", codes


def any_for_unknown(parts: Tensor, count: int, rng: Generator) -> Tensor:
    """Parts (N,), on the generator's device, a random one of so many in place of each -1."""
    drawn = torch.randint(count, (len(parts),), generator=rng, device=rng.device)
    parts = parts.to(rng.device)
    return torch.where(parts == UNLABELLED, drawn, parts)


def turned(out: Tensor, sideways: Tensor, angle: Tensor) -> Tensor:
    """Points (N, 2) at (out, sideways) of axes that are turned by an angle, (N,) each."""
    x = out * angle.cos() - sideways * angle.sin()
    y = out * angle.sin() + sideways * angle.cos()
    return torch.stack([x, y], dim=1)


def percentiles(side: int) -> Tensor:
    """Quantiles (side,) of N(0, 1) in the middle of `side` equally likely intervals."""
    return torch.special.ndtri((torch.arange(side) + 0.5) / side)


def grid(side: int) -> Tensor:
    """Places (side, side, 2) at the percentiles of a Gaussian in a plane, seen from above its two axes."""
    steps = percentiles(side)
    return torch.stack(torch.meshgrid(steps, -steps, indexing="xy"), dim=2)
