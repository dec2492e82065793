"""Errors of images drawn again."""

import numpy as np
import pandas as pd
import pytest
import torch
from small import TRAIN

from centigan.errors import UserError
from centigan.layout import Layout
from centigan.metrics.reconstruction import COLUMNS, measure, squared_error
from centigan.reporting.scores import reconstruction_summary
from centigan.types import Shape


class Darker:
    """Draws every image again, 51 of 255 levels darker."""

    def reconstruct(self, images: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
        return images - 51 / 127.5


def test_the_error_of_white_drawn_black_is_1_and_of_a_fifth_darker_a_twenty_fifth() -> None:
    white = np.full((2, 4, 4, 3), 255, np.uint8)
    assert squared_error(white, white - white).tolist() == [1, 1]
    assert squared_error(white, white - np.uint8(51)) == pytest.approx([0.04, 0.04])


def test_held_out_images_a_fifth_darker_have_14_decibels(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = layout.arrays("00") / "held_out_images.npy"
    np.save(path, np.clip(np.load(path), 60, 255))
    trained = Darker(), ["cat", "dog"], Shape(2, 32)
    monkeypatch.setattr("centigan.metrics.reconstruction.trained_family", lambda *_: trained)
    measure(layout, "00", TRAIN.model)
    table = pd.read_parquet(layout.metric("reconstruction", "00"))
    assert tuple(table.columns) == COLUMNS
    values = reconstruction_summary(table.assign(split="00"))
    assert values["reconstruction/mse"] == pytest.approx(0.04, abs=1e-4)
    assert values["reconstruction/psnr"] == pytest.approx(13.98, abs=0.02)
    assert 0.5 < values["reconstruction/ms_ssim"] < 1
    assert 0 < values["reconstruction/right_over_wrong"] < 1


def test_what_draws_no_image_again_says_so(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = object(), ["cat", "dog"], Shape(2, 32)
    monkeypatch.setattr("centigan.metrics.reconstruction.trained_family", lambda *_: trained)
    with pytest.raises(UserError, match="AC-GAN draws no image again"):
        measure(layout, "00", TRAIN.model)
