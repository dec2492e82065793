"""What is measured of points, by numbers that algebra gives."""

from math import log, pi

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal

from centigan.metrics.density import gaussian_nats
from centigan.metrics.energy import energy_distance
from centigan.metrics.field import grid_around
from centigan.metrics.modes import centres_of, counts, divergence_from_uniform
from centigan.reporting.scores import density_summary, modes_summary

CENTRES = np.array([[0.0, 0.0], [10.0, 0.0]])


def test_the_centre_of_a_mode_is_the_mean_of_its_points_and_sd_their_deviation_a_dimension() -> None:
    points = np.array([[1, 0], [-1, 0], [0, 1], [0, -1], [12, 0], [8, 0]], np.float32)
    centres, sd = centres_of(points, np.array([0, 0, 0, 0, 1, 1], np.int16))
    assert centres.tolist() == CENTRES.tolist()
    assert sd == pytest.approx([0.5**0.5, 2**0.5])


def test_a_point_counts_for_the_nearest_mode_if_it_is_within_the_radius_or_within_three_deviations() -> None:
    points = np.array([[0, 0.2], [0, 0.31], [9.8, 0], [5.1, 0], [0, 0.05]], np.float32)
    near, within = counts(points, CENTRES, np.array([0.02, 0.1]), radius=0.3)
    assert near.tolist() == [2, 1]
    assert within.tolist() == [1, 1]


def test_kl_is_log_m_where_one_mode_has_all_and_0_where_all_are_even() -> None:
    assert divergence_from_uniform(np.array([7, 0, 0, 0])) == pytest.approx(log(4))
    assert divergence_from_uniform(np.array([5, 5, 5])) == pytest.approx(0)
    assert divergence_from_uniform(np.array([1, 1, 0, 0])) == pytest.approx(log(2))


def test_a_mode_is_covered_from_the_share_of_all_points_that_the_settings_name() -> None:
    row = {"source": "generated", "within_sd": 0, "points": 1000, "radius": 0.3, "least": 0.01, "split": "00"}
    table = pd.DataFrame(
        [{**row, "class_id": c, "near": near} for c, near in [("a", 10), ("b", 9), ("c", 0)]]
    )
    summary = modes_summary(table)
    assert summary["modes/covered/generated"] == 1
    assert summary["modes/near/generated"] == pytest.approx(0.019)
    nowhere = modes_summary(table.assign(near=0))
    assert nowhere["modes/covered/generated"] == 0
    assert "modes/kl/generated" not in nowhere  # of no point there are no shares


def test_the_energy_distance_of_two_pairs_is_that_of_their_five_distances() -> None:
    x, y = np.array([[0.0], [1.0]], np.float32), np.array([[3.0], [5.0]], np.float32)
    assert energy_distance(x, y) == pytest.approx(2 * (3 + 5 + 2 + 4) / 4 - 1 - 2)


def test_the_energy_distance_of_one_law_is_0_in_the_mean_and_grows_with_a_shift() -> None:
    rng = np.random.default_rng(0)
    found = [energy_distance(*rng.normal(size=(2, 60, 2)).astype(np.float32)) for _ in range(200)]
    assert np.mean(found) == pytest.approx(0, abs=3 * np.std(found) / 200**0.5)
    shifted = energy_distance(rng.normal(size=(60, 2)), rng.normal(size=(60, 2)) + 2)
    assert shifted > max(found)


def test_the_grid_reaches_beyond_the_points_by_a_quarter_of_their_widest_range() -> None:
    places = grid_around(np.array([[0, 0], [4, 2]], np.float32))
    assert places.min(0).tolist() == [-1, -1]
    assert places.max(0).tolist() == [5, 3]
    assert len(places) == 81**2
    assert grid_around(np.array([[0], [4]], np.float32)).shape == (401, 1)


def test_the_gaussian_beside_a_density_is_scipys_with_the_training_points_mean_and_covariance() -> None:
    rng = np.random.default_rng(0)
    training = (rng.normal(size=(500, 2)) @ [[2, 1], [0, 0.5]] + [3, -1]).astype(np.float32)
    points = rng.normal(size=(7, 2)).astype(np.float32)
    law = multivariate_normal(training.mean(0), np.cov(training.T, bias=True))
    assert gaussian_nats(points, training) == pytest.approx(law.logpdf(points), rel=1e-5)


def test_a_gaussian_tells_of_its_own_points_minus_their_entropy() -> None:
    """On a line ln sigma + ln(2 pi e) / 2, whatever the points are."""
    points = np.array([[0], [1], [5]], np.float32)
    entropy = log(points.std()) + (log(2 * pi) + 1) / 2
    assert gaussian_nats(points, points).mean() == pytest.approx(-entropy)


def test_the_log_density_is_the_mean_over_points_and_no_place_of_the_field_counts() -> None:
    rows = [("field", 9.0), ("held_out", 1.0), ("held_out", 3.0), ("training", 4.0), ("gaussian", -1.0)]
    assert density_summary(pd.DataFrame(rows, columns=["kind", "value"])) == {
        "points/log_density/held_out": 2,
        "points/log_density/training": 4,
        "points/log_density/gaussian": -1,
    }
