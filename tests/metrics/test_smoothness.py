"""Smoothness of walks through the latent space."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from centigan.layout import Layout
from centigan.manifest import write_manifest
from centigan.metrics.smoothness import largest_over_mean, measure, step_lengths
from centigan.settings.evaluation import FeatureSettings

COLUMNS = ["class_id", "path", "walk", "length", "largest_step", "largest_over_mean"]


def test_a_step_is_the_euclidean_distance_of_successive_points() -> None:
    walk = np.array([[0, 0], [3, 4], [3, 4], [3, 16]], np.float32)
    np.testing.assert_array_equal(step_lengths(walk), [5, 0, 12])
    np.testing.assert_array_equal(step_lengths(np.stack([walk, 2 * walk])), [[5, 0, 12], [10, 0, 24]])


def test_steps_far_from_the_origin_keep_their_length() -> None:
    walk = np.array([[2**12], [2**12 + 2**-10]], np.float32)
    np.testing.assert_array_equal(step_lengths(walk), [2**-10])


def test_even_steps_give_one_and_a_single_leap_gives_their_number() -> None:
    straight = np.linspace(0, 1, 9)[:, None].astype(np.float32)
    leap = np.repeat(np.array([[0], [1]], np.float32), [4, 5], axis=0)
    ratios = largest_over_mean(step_lengths(np.stack([straight, leap])))
    np.testing.assert_allclose(ratios, [1, 8])


def test_a_walk_that_never_moves_is_even_rather_than_nan() -> None:
    assert largest_over_mean(np.zeros(4)) == 1


def test_scale_does_not_matter() -> None:
    walk = np.random.default_rng(0).random((16, 8), np.float32)
    lengths = step_lengths(walk)
    assert largest_over_mean(lengths) == pytest.approx(largest_over_mean(step_lengths(4 * walk)))
    assert 1 < largest_over_mean(lengths) < 15


@pytest.fixture
def walked(tmp_path: Path) -> Layout:
    """Two classes, two walks of five images at 32 px: a fade from black to grey, and a leap."""
    layout = Layout("walked", tmp_path)
    levels = np.array([[0, 40, 80, 120, 160], [0, 0, 160, 160, 160]], np.uint8)
    walks = np.broadcast_to(levels[None, :, :, None, None, None], (2, 2, 5, 32, 32, 3)).copy()
    walks[..., :16, :] //= 2  # an edge, so that there is something to see
    folder = layout.latent("00")
    folder.mkdir(parents=True)
    save_file({"linear": walks, "spherical": walks[:, ::-1].copy()}, folder / "images.safetensors")
    write_manifest(folder, {}, facts={"classes": ["cat", "dog"]}, of=["images.safetensors"])
    return layout


def test_every_walk_of_either_path_is_a_row_and_a_leap_is_found(walked: Layout) -> None:
    settings = FeatureSettings(network="efficientnet-lite0")
    measure(walked, "00", settings)
    file = walked.metric("smoothness", "00")
    before = file.read_bytes()
    table = pd.read_parquet(file)
    assert list(table.columns) == COLUMNS
    assert len(table) == 2 * 2 * 2
    assert set(table["class_id"]) == {"cat", "dog"}
    by_walk = table.set_index(["path", "class_id", "walk"])["largest_over_mean"]
    assert by_walk["linear", "cat", 1] == pytest.approx(4, abs=1e-3)
    assert by_walk["linear", "cat", 0] < 2.5
    assert by_walk["spherical", "dog", 0] == pytest.approx(4, abs=1e-3)  # the other way round
    assert (table["largest_step"] <= table["length"] + 1e-9).all()
    measure(walked, "00", settings)
    assert file.read_bytes() == before
