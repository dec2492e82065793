"""Bits a dimension of real images under a trained family."""

from math import log

import numpy as np
import pandas as pd
import pytest
import torch
from small import TRAIN

from centigan.errors import UserError
from centigan.layout import Layout
from centigan.metrics.bits_per_dim import COLUMNS, Gaussian, bits_of, by_class, chosen, measure
from centigan.settings.evaluation import BitsPerDimSettings
from centigan.settings.families.contract import FamilySettings
from centigan.settings.families.vae import VaeConfig
from centigan.settings.stages import BitsPerDimStage, TrainStage
from centigan.training.loop import train_split
from centigan.types import to_network

CPU = torch.device("cpu")
VAE = TrainStage.model_validate(
    {"model": {"family": "vae", "width": 0.05, "latent": 4}, "train": TRAIN.train.model_dump()}
)


class Known:
    """Tells log w for the weights 1, 2, 3, ... 1, 2, ... of one image after another, over two dimensions."""

    bound = "elbo"

    def __init__(self) -> None:
        self.asked = 0

    def log_likelihood(self, images: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
        self.asked += 1
        return torch.full((len(images),), -self.asked * 2 * log(2))

    def log_weight(self, images: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
        self.asked += 1
        return torch.full((len(images),), log(2.0 ** -(2 * self.asked)))


def measured(known: Known, **settings: int) -> float:
    images = torch.zeros(3, 2, 1, 1)
    bits = bits_of(known, images, BitsPerDimSettings.model_validate(settings), torch.Generator())
    assert bits.shape == (3,)
    return float(bits[0])


def test_draws_are_averaged_and_importance_samples_added_up() -> None:
    assert measured(Known(), draws=1) == pytest.approx(1)
    assert measured(Known(), draws=3) == pytest.approx((1 + 2 + 3) / 3)
    mean_of_weights = (1 / 4 + 1 / 16) / 2
    assert measured(Known(), importance=2) == pytest.approx(-np.log2(mean_of_weights) / 2)


def test_one_gaussian_costs_a_quarter_of_a_bit_on_constant_images_whatever_they_show() -> None:
    images = torch.full((4, 2, 8, 8), 40 / 127.5 - 1)
    images[:, 1] = 1.0  # each channel its own
    torch.testing.assert_close(Gaussian(images).bits(images), torch.full((4,), 0.2546), atol=1e-3, rtol=0)


def test_one_gaussian_costs_more_than_8_bits_on_uniform_bytes_and_little_more() -> None:
    """1/2 log2(2 pi e / 12) more: 8.2546."""
    images = to_network(torch.arange(256, dtype=torch.uint8).view(1, 16, 16, 1).expand(1, 16, 16, 3))
    assert Gaussian(images).bits(images).item() == pytest.approx(8.2546, abs=1e-3)


def test_a_class_has_a_row_and_all_together_one_with_its_error() -> None:
    bits = np.array([1, 3, 5, 7], np.float32)
    table = by_class(bits, bits + 1, np.array([0, 0, 1, 1], np.int16), ["cat", "dog"]).set_index("class_id")
    assert table["bits"].to_dict() == {"cat": 2, "dog": 6, "all": 4}
    assert table["gaussian"].to_dict() == {"cat": 3, "dog": 7, "all": 5}
    assert table["images"].to_dict() == {"cat": 2, "dog": 2, "all": 4}
    assert table.loc["all", "std_error"] == pytest.approx(np.std(bits, ddof=1) / 2)


def test_a_part_of_the_images_follows_the_seed_and_is_in_order() -> None:
    rows = chosen(50, 10, 0)
    assert len(set(rows)) == 10
    assert (np.diff(rows) > 0).all()
    assert not np.array_equal(rows, chosen(50, 10, 1))
    assert chosen(3, 10, 0).tolist() == [0, 1, 2]


def of(model: FamilySettings, **settings: int) -> BitsPerDimStage:
    return BitsPerDimStage(model=model, bits_per_dim=BitsPerDimSettings.model_validate(settings))


@pytest.fixture
def trained(layout: Layout) -> Layout:
    train_split(layout, "00", VAE, device=CPU)
    return layout


def test_a_split_is_measured_at_the_models_resolution_and_twice_the_same(trained: Layout) -> None:
    def table(**settings: int) -> pd.DataFrame:
        measure(trained, "00", of(VAE.model, **settings))
        return pd.read_parquet(trained.metric("bits_per_dim", "00"))

    first = table()
    assert tuple(first.columns) == COLUMNS
    assert set(zip(first["source"], first["class_id"], first["images"], strict=True)) == {
        *(("training", name, 5) for name in ("cat", "dog")),
        *(("held_out", name, 2) for name in ("cat", "dog")),
        ("training", "all", 10),
        ("held_out", "all", 4),
    }
    assert first["bound"].unique().tolist() == ["elbo"]
    assert first["bits"].between(7, 40).all()  # of noise, after six steps
    pd.testing.assert_frame_equal(table(), first)
    assert not table(seed=1)["bits"].equals(first["bits"])
    tighter = table(importance=20)
    assert tighter["bound"].unique().tolist() == ["iwae"]
    assert (tighter["bits"] < table(draws=20)["bits"]).all()
    fewer = table(images=3)
    assert fewer.loc[fewer["class_id"] == "all", "images"].tolist() == [3, 3]


def test_what_tells_no_likelihood_or_no_weights_says_so(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_split(layout, "00", TRAIN, device=CPU)
    with pytest.raises(UserError, match="AC-GAN tells no likelihood"):
        measure(layout, "00", of(TRAIN.model))


def test_importance_samples_are_refused_where_there_are_none(
    trained: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("centigan.families.vae.VAE.log_weight")
    with pytest.raises(UserError, match=r"set bits_per_dim\.importance: 1"):
        measure(trained, "00", of(VaeConfig(width=0.05, latent=4), importance=5))
