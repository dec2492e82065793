"""How near an encoder is to the inverse of its generator."""

import pandas as pd
import pytest
import torch
from small import TRAIN

from centigan.errors import UserError
from centigan.layout import Layout
from centigan.metrics.inverse import COLUMNS, measure
from centigan.reporting.scores import inverse_summary
from centigan.types import Given, Latent, Shape


class Grey(Latent):
    """Of two latents the first is an image's grey; `told` of the two the encoder finds."""

    def __init__(self, told: list[float]) -> None:
        self.told = torch.tensor(told)
        self.asked: list[int] = []

    def latent(self, count: int, rng: torch.Generator) -> torch.Tensor:
        return torch.rand(count, 2, generator=rng) * 2 - 1

    def generate(self, latent: torch.Tensor, wanted: Given) -> torch.Tensor:
        self.asked += wanted.labels.tolist()
        return latent[:, :1, None, None].expand(-1, 3, 32, 32)

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        return images.mean((1, 2, 3))[:, None] * self.told


def measured(layout: Layout, monkeypatch: pytest.MonkeyPatch, family: object) -> dict[str, float]:
    trained = family, ["cat", "dog"], Shape(2, 32)
    monkeypatch.setattr("centigan.metrics.inverse.trained_family", lambda *_: trained)
    measure(layout, "00", TRAIN.model)
    table = pd.read_parquet(layout.metric("inverse", "00"))
    assert tuple(table.columns) == COLUMNS
    return inverse_summary(table.assign(split="00"))


def test_what_an_image_shows_of_its_latent_is_found_and_drawn_again(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second latent is lost: its own is 1/2 away on average, another latent 0.87, which is .57."""
    values = measured(layout, monkeypatch, Grey([1.0, 0.0]))
    assert values["inverse/images"] < 0.01  # but for rounding
    assert values["inverse/codes"] == pytest.approx(0.57, abs=0.04)


def test_an_encoder_that_tells_nothing_is_no_nearer_to_its_own_latent_than_to_others(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = measured(layout, monkeypatch, Grey([0.0, 0.0]))
    assert values["inverse/codes"] == pytest.approx(1, abs=1e-3)
    assert values["inverse/images"] == pytest.approx(1, abs=1e-3)


def test_a_family_of_classes_draws_as_many_of_each(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    family = Grey([1.0, 0.0])
    measured(layout, monkeypatch, family)
    assert family.asked.count(0) == family.asked.count(1) == 1000  # each is drawn again
    assert len(family.asked) == 2000


def test_what_finds_no_codes_says_so(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="AC-GAN finds no codes"):
        measured(layout, monkeypatch, object())
