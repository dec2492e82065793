"""Arithmetic on latents by its algebra: on a linear generator every picture of it is exact."""

import pytest
import torch
from torch import Tensor

from centigan.arithmetic import analogy, around, concept, turn, turned, walks

RNG = torch.Generator().manual_seed(0)
WEIGHT = torch.randn(6, 5, generator=RNG, dtype=torch.float64)


def linear(latents: Tensor) -> Tensor:
    """Images (..., 6) of latents (..., 5)."""
    return latents @ WEIGHT.T


def latents(count: int) -> Tensor:
    return torch.randn(count, 5, generator=RNG, dtype=torch.float64)


def test_on_a_linear_generator_latents_and_pixels_add_alike() -> None:
    a, b, c = (latents(3) for _ in range(3))
    of_latents = linear(analogy(concept(a), concept(b), concept(c)))
    of_pixels = analogy(*(concept(linear(each)) for each in (a, b, c)))
    torch.testing.assert_close(of_latents, of_pixels)


def test_the_same_taken_off_and_added_leaves_what_was_there() -> None:
    a, c = latents(3), latents(3)
    torch.testing.assert_close(analogy(concept(a), concept(a), concept(c)), concept(c))


def test_a_concept_is_the_mean() -> None:
    assert concept(torch.tensor([[1.0, 2.0], [3.0, 6.0]])).tolist() == [2, 4]


def test_neighbours_lie_within_a_quarter_and_about_the_point() -> None:
    y = latents(1)[0]
    away = around(y, 4000, torch.Generator().manual_seed(1)) - y
    assert away.shape == (4000, 5)
    assert away.abs().max() <= 0.25
    assert away.mean().item() == pytest.approx(0, abs=0.005)
    assert away.var().item() == pytest.approx(0.25**2 / 3, rel=0.03)


def test_the_whole_turn_leads_from_one_kind_to_the_other() -> None:
    left, right = latents(4), latents(4)
    path = turned(left, turn(left, right), torch.linspace(0, 1, 5, dtype=torch.float64))
    assert path.shape == (4, 5, 5)
    assert torch.equal(path[:, 0], left)
    torch.testing.assert_close(concept(path[:, -1]), concept(right))
    torch.testing.assert_close(path.diff(dim=1), turn(left, right).div(4).expand(4, 4, 5))
    torch.testing.assert_close(linear(path[0, 2]), (linear(path[0, 0]) + linear(path[0, 4])) / 2)


def test_a_walk_goes_from_each_point_to_the_next_in_equal_steps() -> None:
    points = latents(4).float()
    paths = walks(points, 9)
    assert paths.shape == (3, 9, 5)
    assert torch.equal(paths[:, 0], points[:-1])
    assert torch.equal(paths[:, -1], points[1:])
    torch.testing.assert_close(paths.diff(dim=1), (points[1:] - points[:-1])[:, None].div(8).expand(3, 8, 5))
