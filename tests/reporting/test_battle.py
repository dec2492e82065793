"""The generative adversarial metric: ratios of errors, and who wins."""

from math import log
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from centigan.reporting.studies.battle import (
    HELD_OUT,
    NEITHER,
    Errors,
    Judged,
    _errors,
    _read,
    battle,
    fought,
)
from centigan.types import Shape


def judged(first: int, second: int, *, on_held_out: tuple[int, int] = (10, 10)) -> Judged:
    """Of 99 images each: how often the first is wrong on the second's samples, and the other way."""
    return {
        ("a", HELD_OUT): Errors(on_held_out[0], 99),
        ("b", HELD_OUT): Errors(on_held_out[1], 99),
        ("a", "b"): Errors(first, 99),
        ("b", "a"): Errors(second, 99),
    }


def test_whose_discriminator_is_taken_in_less_often_wins() -> None:
    found = battle(judged(9, 39), "a", "b")
    assert found.log_r_sample == pytest.approx(log(9.5 / 39.5))
    assert (found.log_r_test, found.winner) == (0, "a")
    assert battle(judged(39, 9), "a", "b").winner == "b"


def test_the_ratios_of_two_change_their_sign_with_their_order() -> None:
    found = judged(9, 39, on_held_out=(10, 12))
    one, other = battle(found, "a", "b"), battle(found, "b", "a")
    assert (one.log_r_test, one.log_r_sample) == pytest.approx((-other.log_r_test, -other.log_r_sample))
    assert one.winner == other.winner == "a"


def test_of_equal_models_neither_wins_and_both_ratios_are_1() -> None:
    found = battle(judged(20, 20), "a", "b")
    assert (found.log_r_test, found.log_r_sample, found.winner) == (0, 0, NEITHER)


def test_nobody_wins_against_a_worse_discriminator() -> None:
    assert battle(judged(9, 39, on_held_out=(10, 40)), "a", "b").winner == NEITHER


def test_no_error_at_all_is_a_finite_ratio() -> None:
    assert np.isfinite(battle(judged(0, 99), "a", "b").log_r_sample)


class ByBrightness:
    def realness(self, images: Tensor) -> Tensor:
        return images.mean((1, 2, 3))


def test_a_real_image_below_0_and_a_generated_one_above_are_errors() -> None:
    images = torch.tensor([-1.0, -0.5, 0.5])[:, None, None, None].expand(-1, 3, 4, 4)
    assert _errors(ByBrightness(), images, real=True) == Errors(2, 3)
    assert _errors(ByBrightness(), images, real=False) == Errors(1, 3)


def test_points_are_read_as_they_are(tmp_path: Path) -> None:
    points = np.arange(6, dtype=np.float32).reshape(3, 2)
    np.save(tmp_path / "images.npy", points)
    read = _read(tmp_path / "images.npy", Shape(3, 0, dimensions=2))
    assert torch.equal(read, torch.from_numpy(points))


def test_the_map_has_the_rows_winner_below_0_and_names_unequal_judges() -> None:
    figure = fought([battle(judged(9, 39, on_held_out=(10, 40)), "a", "b")])
    (axes,) = figure.axes
    values = np.asarray(axes.images[0].get_array().filled(np.nan))
    assert values[0, 1] == pytest.approx(log(9.5 / 39.5))
    assert values[1, 0] == pytest.approx(-values[0, 1])
    assert [text.get_text() for text in axes.texts] == ["-1.43\nD unequal", "+1.43\nD unequal"]
