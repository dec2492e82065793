"""Priors over codes, by their algebra."""

from math import pi

import pytest
import torch
from torch import Tensor

from centigan.nets.priors import (
    Gaussian,
    Mixture,
    Prior,
    SwissRoll,
    any_for_unknown,
    grid,
    percentiles,
)

PRIORS = [Gaussian(2), Gaussian(3, 5.0), Mixture(10), Mixture(2), Mixture(1), SwissRoll(10)]


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def draws(prior: Prior, count: int = 100_000, part: int = -1) -> Tensor:
    return prior.draw(torch.full((count,), part), rng())


@pytest.mark.parametrize("prior", PRIORS)
def test_moments_are_those_of_draws(prior: Prior) -> None:
    mean, deviation = prior.moments()
    codes = draws(prior)
    torch.testing.assert_close(codes.mean(0), mean, rtol=0, atol=0.02 * deviation.max().item())
    torch.testing.assert_close(codes.std(0), deviation, rtol=0.02, atol=0)


def test_the_mean_of_a_roll_is_the_integral_of_it() -> None:
    """E r cos = 6 int s^2 cos(4 pi s) ds = 12 / (4 pi)^2, E r sin = -6 / (4 pi)."""
    mean, deviation = SwissRoll(10).moments()
    torch.testing.assert_close(mean, torch.tensor([12 / (4 * pi) ** 2, -6 / (4 * pi)]))
    assert (deviation.square() + mean.square()).sum().item() == pytest.approx(9 / 2)  # E r^2 = 9 E u


def test_on_a_roll_the_angle_is_the_radius_times_4_pi_over_3() -> None:
    u = torch.linspace(0.001, 1, 200)
    codes = SwissRoll(4).at(u)
    radius = codes.norm(dim=1)
    torch.testing.assert_close(radius, 3 * u.sqrt())
    angle = 4 * pi / 3 * radius
    torch.testing.assert_close(codes, radius[:, None] * torch.stack([angle.cos(), angle.sin()], 1))


@pytest.mark.parametrize("part", [0, 3, 9])
def test_a_component_lies_in_its_direction_long_outwards_and_narrow_sideways(part: int) -> None:
    codes = draws(Mixture(10), part=part)
    angle = torch.tensor(2 * pi * part / 10)
    out = codes @ torch.stack([angle.cos(), angle.sin()])
    sideways = codes @ torch.stack([-angle.sin(), angle.cos()])
    assert out.mean().item() == pytest.approx(1.4, abs=0.01)
    assert out.std().item() == pytest.approx(0.5, rel=0.02)  # a variance of .5 would be .71
    assert sideways.mean().item() == pytest.approx(0, abs=0.002)
    assert sideways.std().item() == pytest.approx(0.05, rel=0.02)


def test_a_class_has_its_stretch_of_the_roll() -> None:
    for part in (0, 2, 4):
        u = draws(SwissRoll(5), part=part).norm(dim=1).square() / 9
        assert u.min() >= part / 5 - 1e-5
        assert u.max() <= (part + 1) / 5 + 1e-5
        assert u.mean().item() == pytest.approx((part + 0.5) / 5, abs=0.01)


def test_an_unknown_part_is_any_and_a_known_one_stays() -> None:
    parts = torch.tensor([-1, 2] * 3000)
    found = any_for_unknown(parts, 4, rng())
    assert (found[1::2] == 2).all()
    torch.testing.assert_close(found[::2].bincount() / 3000, torch.full((4,), 0.25), rtol=0, atol=0.03)


def test_percentiles_are_quantiles_and_a_grid_has_the_first_axis_to_the_right() -> None:
    assert percentiles(2).tolist() == pytest.approx([-0.6744898, 0.6744898])
    assert (torch.special.ndtr(percentiles(12)) * 24).tolist() == pytest.approx([*range(1, 24, 2)], abs=1e-4)
    places = grid(3)
    assert places[0, :, 0].tolist() == pytest.approx([-0.9674216, 0, 0.9674216])
    assert places[:, 0, 1].tolist() == pytest.approx([0.9674216, 0, -0.9674216])


@pytest.mark.parametrize("prior", PRIORS)
def test_what_is_shown_are_rows_of_codes_with_a_sentence(prior: Prior) -> None:
    caption, codes = prior.shown(rng())
    assert caption.endswith(".")
    assert codes.shape[2] == len(prior.moments()[0])
    if isinstance(prior, Mixture):
        torch.testing.assert_close(codes.mean(1).norm(dim=1), torch.full((prior.components,), 1.4))
    if isinstance(prior, SwissRoll):
        assert (codes.flatten(0, 1).norm(dim=1).diff() > 0).all()
