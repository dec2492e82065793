"""The generative adversarial metric: discriminators judge each other's samples (Im et al. 2016, section 5).

Of two models, with e(D, x) the share of images that D takes for what they are not,

    r_test   = e(D1, held-out images) / e(D2, held-out images)
    r_sample = e(D1, samples of G2)   / e(D2, samples of G1)

Model 1 wins where r_sample < 1, model 2 where it is above, and neither where r_test is far from 1: then one D
is better anyway, and the other's samples are judged by a worse one.

Decisions
    1. Errors are counted over all splits and over all seeds, each seed against the same; a half is added to
       each count, so that no ratio is 0 or infinite. Ratios are told as logarithms, so that
       log r(1, 2) = -log r(2, 1).
    2. Far from 1 is a factor of more than 2, since the paper names no number.
    3. A logit above 0 is a real image. A critic's value has no such place, and a D of pairs has seen codes of
       real images alone, so neither takes part.
"""

from itertools import combinations
from math import log
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from centigan.data.batches import images_of
from centigan.reporting.studies.results import StudyResults
from centigan.settings.points import Point
from centigan.study_points import may_fight
from centigan.trained import trained_family
from centigan.types import Discriminates, Shape, to_network

NEITHER, FAR = "neither", log(2)
CHUNK = 250  # images a forward pass
CPU = torch.device("cpu")
HELD_OUT = "held-out images"


class Errors(NamedTuple):
    """How often a D is wrong, and of how many images."""

    wrong: int
    images: int

    @property
    def share(self) -> float:
        """With a half added, so that it is never 0."""
        return (self.wrong + 0.5) / (self.images + 1)


class Battle(NamedTuple):
    """Two rows of the study."""

    first: str
    second: str
    log_r_test: float
    log_r_sample: float
    winner: str
    first_on_held_out: float  # shares of errors
    second_on_held_out: float
    first_on_second: float
    second_on_first: float

    @property
    def unequal(self) -> bool:
        """Whether one D is better than the other on real images."""
        return abs(self.log_r_test) > FAR


Judged = dict[tuple[str, str], Errors]  # by the row whose D judges, and the row that drew, or HELD_OUT


def battles(results: StudyResults) -> list[Battle]:
    """Every two rows of the study that have a D whose logits tell real from generated."""
    judged = judge_all(results)
    fighters = list(dict.fromkeys(judge for judge, _ in judged))
    return [battle(judged, first, second) for first, second in combinations(fighters, 2)]


def battle(judged: Judged, first: str, second: str) -> Battle:
    """Of what was judged the two ratios, and who wins."""
    test = judged[first, HELD_OUT].share, judged[second, HELD_OUT].share
    sample = judged[first, second].share, judged[second, first].share
    found = Battle(first, second, log(test[0] / test[1]), log(sample[0] / sample[1]), NEITHER, *test, *sample)
    if found.unequal or not found.log_r_sample:
        return found
    return found._replace(winner=first if found.log_r_sample < 0 else second)


def judge_all(results: StudyResults) -> Judged:
    """Every D on held-out images and on samples of the other rows: sums over splits and seeds."""
    rounds: dict[tuple[str, ...], list[Point]] = {}
    for point in results.points:
        model = results.settings[point.name].model
        if may_fight(model):
            rounds.setdefault(tuple(str(point.values[key]) for key in results.study.over), []).append(point)
    total: Judged = {}
    for points in rounds.values():
        for point in points:
            for other, errors in _judged_by(results, point, points):
                before = total.get((point.row, other), Errors(0, 0))
                total[point.row, other] = Errors(before.wrong + errors.wrong, before.images + errors.images)
    return total


def _judged_by(results: StudyResults, judge: Point, points: list[Point]) -> list[tuple[str, Errors]]:
    """What the D of a point says of held-out images and of the samples of the other points."""
    of, found = results.of(judge), []
    for split in of.split_names:
        family, _, shape = trained_family(of.layout, split, results.settings[judge.name].model, CPU)
        assert isinstance(family, Discriminates)
        held_out = _read(of.layout.arrays(split) / "held_out_images.npy", shape)
        found.append((HELD_OUT, _errors(family, held_out, real=True)))
        for other in points:
            if other is not judge:
                drawn = _read(results.of(other).layout.samples(split) / "images.npy", shape)
                found.append((other.row, _errors(family, drawn, real=False)))
    return found


def _read(path: Path, shape: Shape) -> Tensor:
    """Images (N, C, R, R), or points (N, d), of a file."""
    return to_network(torch.from_numpy(np.load(path))) if shape.dimensions else images_of(path, shape)


def _errors(family: Discriminates, images: Tensor, *, real: bool) -> Errors:
    logits = torch.cat([family.realness(part) for part in images.split(CHUNK)])
    return Errors(int(((logits > 0) != real).sum()), len(images))


def fought(found: list[Battle]) -> Figure:
    """A map of log r_sample: a row judges, a column draws; blue where the row's model wins."""
    rows = list(dict.fromkeys(name for one in found for name in (one.first, one.second)))
    values, told = np.full((len(rows), len(rows)), np.nan), {}
    for one in found:
        i, j = rows.index(one.first), rows.index(one.second)
        values[i, j], values[j, i] = one.log_r_sample, -one.log_r_sample
        told[i, j] = told[j, i] = "\nD unequal" if one.unequal else ""
    side = 1.8 + 0.9 * len(rows)
    figure = Figure(figsize=(side + 0.6, side), layout="constrained")
    axes = figure.subplots()
    axes.set_title("Who is taken in by whom")
    reach = max(float(np.nanmax(np.abs(values), initial=0)), 1e-6)
    axes.imshow(values, cmap="RdBu_r", vmin=-1.6 * reach, vmax=1.6 * reach)  # pale enough to read on
    for (i, j), mark in told.items():
        axes.text(j, i, f"{values[i, j] + 0:+.2f}{mark}", ha="center", va="center", fontsize=8)
    axes.set_xticks(range(len(rows)), rows, rotation=30, ha="right")
    axes.set_yticks(range(len(rows)), rows)
    axes.set_xlabel("drew the samples")
    axes.set_ylabel("judged them")
    axes.grid(visible=False)
    return figure
