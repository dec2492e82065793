"""Walks between captions: how even they are."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from centigan.errors import UserError
from centigan.layout import Layout
from centigan.metrics.caption_walks import SHEET, measure
from centigan.reporting.scores import caption_walks_summary
from centigan.settings.evaluation import FeatureSettings


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout("walked", tmp_path)


def write(layout: Layout, name: str, levels: np.ndarray) -> None:
    folder = layout.demonstrations("00")
    folder.mkdir(parents=True)
    walks = np.broadcast_to(levels[:, :, None, None, None], (*levels.shape, 32, 32, 3)).copy()
    walks[..., :16, :] //= 2  # an edge, so that there is something to see
    save_file({name: walks}, folder / "images.safetensors")


def test_a_walk_that_is_one_leap_has_all_steps_for_its_largest_and_one_that_rests_is_even(
    layout: Layout,
) -> None:
    write(layout, SHEET, np.array([[0, 0, 0, 160, 160], [90, 90, 90, 90, 90]], np.uint8))
    measure(layout, "00", FeatureSettings(network="efficientnet-lite0"))
    table = pd.read_parquet(layout.metric("caption_walks", "00"))
    assert list(table.columns) == ["walk", "length", "largest_step", "largest_over_mean"]
    np.testing.assert_allclose(table["largest_over_mean"], [4, 1])
    np.testing.assert_allclose(table["length"], table["largest_step"])


def test_equal_steps_give_one_and_the_worst_walk_is_told_beside_the_mean() -> None:
    even = pd.DataFrame({"largest_over_mean": [1.0, 1.0]})
    assert set(caption_walks_summary(even).values()) == {1.0}
    assert caption_walks_summary(pd.DataFrame({"largest_over_mean": [1.0, 4.0]})) == {
        "caption_walks/largest_over_mean": 2.5,
        "caption_walks/largest_over_mean/worst": 4.0,
    }


def test_a_demonstration_without_such_walks_is_told(layout: Layout) -> None:
    write(layout, "styles", np.zeros((2, 5), np.uint8))
    with pytest.raises(UserError, match=r"images\.safetensors lacks 'between_captions'; delete the folder"):
        measure(layout, "00", FeatureSettings(network="efficientnet-lite0"))
