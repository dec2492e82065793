"""Nats of binarised images under a trained family."""

from math import log

import pandas as pd
import pytest
import torch
from small import TRAIN

from centigan.errors import UserError
from centigan.layout import Layout
from centigan.metrics.binary_nats import COLUMNS, Pixels, floor, measure, nats_of
from centigan.settings.evaluation import BitsPerDimSettings
from centigan.settings.families.contract import FamilySettings
from centigan.settings.stages import BitsPerDimStage, TrainStage
from centigan.training.loop import train_split

CPU = torch.device("cpu")
SMALL = {"width": 0.05, "steps": 2, "latent": 2}


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


class Known:
    """Two equally likely codes; under either, an image's white pixels are certain, or worth a half."""

    bound = "elbo"

    def __init__(self) -> None:
        self.seen: list[torch.Tensor] = []

    def binary_log_likelihood(self, binary: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
        self.seen.append(binary)
        return -(binary > 0).flatten(1).sum(1) * log(2)

    def binary_log_weight(self, binary: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
        self.seen.append(binary)
        return torch.full((len(binary),), log(len(self.seen)))


def test_each_draw_is_of_a_binarisation_of_its_own() -> None:
    known, grey = Known(), torch.zeros(3, 1, 16, 16)
    nats = nats_of(known, grey, BitsPerDimSettings(draws=50), rng())
    assert nats.shape == (3,)
    torch.testing.assert_close(nats, torch.full((3,), 128 * log(2)), rtol=0.02, atol=0)
    assert not torch.equal(known.seen[0], known.seen[1])


def test_importance_samples_are_of_one_binarisation() -> None:
    """Else the mean of their weights would be no probability of any image."""
    known, grey = Known(), torch.zeros(2, 1, 8, 8)
    nats = nats_of(known, grey, BitsPerDimSettings(importance=3), rng())
    torch.testing.assert_close(nats, torch.full((2,), -log((1 + 2 + 3) / 3)))
    assert all(torch.equal(binary, known.seen[0]) for binary in known.seen)
    assert set(known.seen[0].unique().tolist()) == {-1.0, 1.0}


def test_independent_pixels_cost_a_bit_where_each_is_white_half_the_time() -> None:
    images = torch.tensor([-1.0, 1.0]).view(2, 1, 1, 1).expand(2, 1, 8, 8)
    torch.testing.assert_close(Pixels(images).nats(images), torch.full((2,), 64 * log(2)))


def test_independent_pixels_have_the_mean_cost_of_binarisations() -> None:
    grey = torch.rand(20, 1, 4, 4, generator=rng()) * 2 - 1
    apart = Pixels(grey)
    many = torch.where(torch.rand(4000, 1, 4, 4, generator=rng()) < (grey[:1] + 1) / 2, 1.0, -1.0)
    assert apart.nats(many).mean().item() == pytest.approx(apart.nats(grey[:1]).item(), rel=0.02)


def test_draws_from_half_grey_cost_a_bit_a_pixel_and_black_and_white_costs_nothing() -> None:
    images = torch.stack([torch.zeros(1, 8, 8), torch.ones(1, 8, 8), -torch.ones(1, 8, 8)])
    torch.testing.assert_close(floor(images), torch.tensor([64 * log(2), 0.0, 0.0]))


def of(model: FamilySettings, **settings: int) -> BitsPerDimStage:
    return BitsPerDimStage(model=model, bits_per_dim=BitsPerDimSettings.model_validate(settings))


def test_a_split_is_measured_twice_the_same(layout: Layout) -> None:
    stage = TrainStage.model_validate(
        {"model": {"family": "draw"} | SMALL, "train": TRAIN.train.model_dump()}
    )
    train_split(layout, "00", stage, device=CPU)

    def table(**settings: int) -> pd.DataFrame:
        measure(layout, "00", of(stage.model, **settings))
        return pd.read_parquet(layout.metric("binary_nats", "00"))

    first = table()
    assert tuple(first.columns) == COLUMNS
    of_all = first[first["class_id"] == "all"].set_index("source")
    assert of_all["images"].to_dict() == {"training": 10, "held_out": 4}
    assert first["bound"].unique().tolist() == ["elbo"]
    assert (first["nats"] > 1000).all()  # 3 x 32 x 32 pixels of noise cost up to log 2 each: 2129
    assert (first["pixels"] < 2400).all()
    assert (first["floor"] < first["pixels"]).all()
    assert (first["floor"] < first["nats"]).all()
    pd.testing.assert_frame_equal(table(), first)
    tighter = table(importance=20)
    assert tighter["bound"].unique().tolist() == ["iwae"]
    assert tighter["nats"].iloc[-1] < table(draws=20)["nats"].iloc[-1]


def test_what_tells_no_likelihood_of_binarised_images_says_so(layout: Layout) -> None:
    train_split(layout, "00", TRAIN, device=CPU)
    with pytest.raises(UserError, match="AC-GAN tells no likelihood of binarised"):
        measure(layout, "00", of(TRAIN.model))
