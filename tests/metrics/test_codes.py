"""Codes of held-out images: the classes of their neighbours, and their distance from the prior."""

import numpy as np
import pandas as pd
import pytest
import torch
from small import TRAIN

from centigan.errors import UserError
from centigan.layout import Layout
from centigan.metrics.codes import (
    COLUMNS,
    by_components,
    by_discriminants,
    in_a_plane,
    measure,
    nearest,
)
from centigan.reporting.scores import codes_summary
from centigan.types import Given, Latent, Shape

MODEL = TRAIN.model


class Brightness(Latent):
    """The code of an image is its mean, and a prior that is twice as wide."""

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        mean = images.mean((1, 2, 3))
        return torch.stack([mean, torch.zeros_like(mean)], 1)

    def latent(self, count: int, rng: torch.Generator) -> torch.Tensor:
        return torch.rand(count, 2, generator=rng) * 4 - 2

    def generate(self, latent: torch.Tensor, wanted: Given) -> torch.Tensor:
        return latent[:, :1, None, None].expand(-1, 3, 32, 32)


def measured(layout: Layout, monkeypatch: pytest.MonkeyPatch, family: object) -> pd.DataFrame:
    trained = family, ["cat", "dog"], Shape(2, 32)
    monkeypatch.setattr("centigan.metrics.codes.trained_family", lambda *_: trained)
    measure(layout, "00", MODEL)
    return pd.read_parquet(layout.metric("codes", "00"))


def test_the_nearest_code_names_an_image() -> None:
    codes = np.array([[0.0, 0.0], [10.0, 0.0]], np.float32)
    asked = np.array([[1.0, 3.0], [6.0, 0.0], [9.0, 9.0]], np.float32)
    assert nearest(codes, np.array([7, 5]), asked).tolist() == [7, 5, 5]


def test_two_dimensions_are_shown_as_they_are_and_more_on_those_of_the_greatest_spread() -> None:
    rng = np.random.default_rng(0)
    codes = (rng.standard_normal((200, 5)) * [0.01, 9, 0.01, 4, 0.01]).astype(np.float32)
    (same,) = in_a_plane(codes[:, :2], codes[:9, :2])
    assert np.array_equal(same, codes[:9, :2])
    (plane,) = in_a_plane(codes, codes)
    for axis, column in enumerate((1, 3)):  # a sign is of no meaning
        assert abs(np.corrcoef(plane[:, axis], codes[:, column])[0, 1]) > 0.99
    (line,) = in_a_plane(codes[:, :1], codes[:9, :1])
    assert line.shape == (9, 2)


def test_components_go_where_images_spread_and_discriminants_where_classes_part() -> None:
    """Two classes a little apart on one axis, and a wide spread that both have on another."""
    rng = np.random.default_rng(0)
    labels = np.arange(200) % 2
    pixels = (rng.standard_normal((200, 6)) * [9, 0.1, 0.1, 0.1, 0.1, 0.1]).astype(np.float32)
    pixels[:, 3] += labels
    spread, _ = by_components(pixels, pixels[:9], 1)
    parted, asked = by_discriminants(pixels, pixels[:9], labels, 5)
    assert abs(np.corrcoef(spread[:, 0], pixels[:, 0])[0, 1]) > 0.99
    assert abs(np.corrcoef(parted[:, 0], pixels[:, 3])[0, 1]) > 0.95
    assert asked.shape == (9, 1)  # of two classes
    assert by_discriminants(pixels, pixels[:9], labels * 0, 5)[1].shape == (9, 5)


def test_a_code_that_keeps_the_class_names_it_and_one_that_loses_it_does_not(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = layout.arrays("00")
    for prefix in ("", "held_out_"):
        images, labels = (np.load(folder / f"{prefix}{name}.npy") for name in ("images", "labels"))
        images[labels == 0], images[labels == 1] = 30, 220
        np.save(folder / f"{prefix}images.npy", images)
    table = measured(layout, monkeypatch, Brightness())
    assert tuple(table.columns) == COLUMNS
    own = table[table["source"] == "held_out"]
    assert (own["named"] == own["class_id"]).all()
    assert len(table) == 2 * len(own)  # as many draws of the prior
    values = codes_summary(table.assign(split="00"))
    assert values["codes/nearest"] == values["codes/nearest_pixels"] == values["codes/nearest_pca"] == 1
    assert values["codes/nearest_lda"] == 1
    assert values["codes/energy"] > values["codes/floor"] + 0.1  # of a line, not of a square


def test_what_finds_no_codes_says_so(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="AC-GAN finds no codes"):
        measured(layout, monkeypatch, object())
