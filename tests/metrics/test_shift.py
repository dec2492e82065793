"""An image beside its shift: distances by hand, of pixels and of features that do not see a shift."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import torch
from small import TRAIN
from torch import Tensor, nn

from centigan.errors import UserError
from centigan.layout import Layout
from centigan.metrics.shift import COLUMNS, SHIFTS, between, measure, shifted
from centigan.reporting.scores import shift_summary
from centigan.types import Shape

MODEL = TRAIN.model


class Seen:
    """Features: some function of pixels."""

    def __init__(self, features: Callable[[Tensor], Tensor]) -> None:
        self.networks: dict[str, nn.Module] = {}
        self.features = features

    def represent(self, images: Tensor) -> Tensor:
        return self.features(images)


def measured(layout: Layout, monkeypatch: pytest.MonkeyPatch, family: object) -> pd.DataFrame:
    trained = family, ["cat", "dog"], Shape(2, 32)
    monkeypatch.setattr("centigan.metrics.shift.trained_family", lambda *_: trained)
    measure(layout, "00", MODEL)
    return pd.read_parquet(layout.metric("shift", "00"))


@pytest.mark.parametrize(
    ("across", "down", "wanted"),
    [
        (1, 0, [[1, 1, 2], [4, 4, 5], [7, 7, 8]]),
        (-1, 0, [[2, 3, 3], [5, 6, 6], [8, 9, 9]]),
        (0, 1, [[1, 2, 3], [1, 2, 3], [4, 5, 6]]),
        (0, -2, [[7, 8, 9], [7, 8, 9], [7, 8, 9]]),
    ],
)
def test_an_image_moves_and_its_border_repeats(across: int, down: int, wanted: list[list[int]]) -> None:
    image = torch.arange(1.0, 10).view(1, 1, 3, 3)
    assert shifted(image, across, down)[0, 0].tolist() == wanted


def test_the_distance_between_images_is_the_mean_over_pairs() -> None:
    assert between(torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 0.0]])) == pytest.approx(10 / 3)


def test_an_edge_moves_as_many_columns_as_pixels_and_only_across(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Images black on the left and white on the right, or their opposite: 4 of 32 columns change, or none."""
    path = layout.arrays("00") / "held_out_images.npy"
    images = np.zeros_like(np.load(path))
    images[:, :, images.shape[2] // 2 :] = 255
    images[::2] = 255 - images[::2]
    np.save(path, images)
    table = measured(layout, monkeypatch, Seen(lambda x: x.mean((1, 2))))  # of columns
    assert tuple(table.columns) == COLUMNS
    values = shift_summary(table.assign(split="00"))
    assert len(values) == 2 * len(SHIFTS)
    count, opposite = len(images), len(images) // 2 * (len(images) - len(images) // 2)
    far = opposite / (count * (count - 1) / 2)  # share of pairs that are far apart; the others are the same
    assert values["shift/pixels/4"] == pytest.approx((4 / 32) ** 0.5 / 2 / far, rel=0.1)  # the edge is soft
    for shift in SHIFTS:
        assert values[f"shift/features/{shift}"] == pytest.approx(values[f"shift/pixels/{shift}"], rel=1e-3)


def test_features_that_no_shift_changes_are_not_moved(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Images of one colour each."""
    path = layout.arrays("00") / "held_out_images.npy"
    images = np.load(path)
    images[:] = np.linspace(0, 255, len(images)).astype(np.uint8)[:, None, None, None]
    np.save(path, images)
    values = shift_summary(measured(layout, monkeypatch, Seen(lambda x: x.flatten(1))).assign(split="00"))
    assert all(value == 0 for value in values.values())


def test_features_that_are_all_the_same_are_refused(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="all the same"):
        measured(layout, monkeypatch, Seen(lambda x: torch.zeros(len(x), 2)))


def test_what_has_no_features_says_so(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="AC-GAN has no features"):
        measured(layout, monkeypatch, object())
