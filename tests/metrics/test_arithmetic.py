"""Arithmetic on latents, where it is exact: images are latents, and the judge reads attributes off them."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch import Generator, Tensor

from centigan.catalogue import METRICS, subject_of, why_not
from centigan.data.shapes import CLASSES, COLOURS, SHAPES, SIZES, attributes_of
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.metrics import arithmetic
from centigan.metrics.arithmetic import COLUMNS, measure
from centigan.metrics.arithmetic_shown import STEPS
from centigan.metrics.concepts import (
    MEANS,
    SURE,
    TRIALS,
    draw_trials,
    name_images,
    sure_rows,
)
from centigan.reporting.scores import arithmetic_summary
from centigan.settings.families.acgan import AcganConfig
from centigan.settings.families.gan import GanConfig
from centigan.settings.stages import LatentStage
from centigan.types import UNLABELLED, Given, Latent, Shape

STAGE = LatentStage.model_validate({"model": {"family": "gan"}, "latent": {"walks": 1}})
PARTS = (list(COLOURS), list(SHAPES), list(SIZES))
NUMBERS = sum(map(len, PARTS))  # of a latent: one for each word


class Linear(Latent):
    """Draws its latent as the grey of NUMBERS pixels; a third as strong, so that A - B + C is no clipped."""

    def latent(self, count: int, rng: Generator) -> Tensor:
        return torch.rand(count, NUMBERS, generator=rng) * 2 - 1

    def generate(self, latent: Tensor, wanted: Given) -> Tensor:
        assert (wanted.labels == UNLABELLED).all()
        return (latent / 3)[:, None, None, :].expand(-1, 3, 2, -1)


class OneThing(Linear):
    """Draws a large red circle, whatever the latent is."""

    def generate(self, latent: Tensor, wanted: Given) -> Tensor:
        words = [word in ("red", "circle", "large") for part in PARTS for word in part]
        return super().generate(torch.tensor(words).float().expand(len(latent), -1), wanted)


class Reader:
    """The most of each part's pixels is the word of the class."""

    classes = tuple(sorted(CLASSES))

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        levels = torch.from_numpy(images[:, 0, :, 0].astype(np.float32)) / 127.5
        words = dict(zip((word for part in PARTS for word in part), range(NUMBERS), strict=True))
        of_parts = [part.softmax(1) for part in (20 * levels).split([len(part) for part in PARTS], dim=1)]
        of_words = torch.cat(of_parts, dim=1)
        return np.stack(
            [of_words[:, [words[word] for word in name.split("_")]].prod(1).numpy() for name in self.classes],
            axis=1,
        )


@pytest.fixture
def in_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.setattr(arithmetic, "trained_family", lambda *_: (Linear(), CLASSES, Shape(36, 32, 3, 0)))
    monkeypatch.setattr(arithmetic, "load_judge", lambda _: Reader())
    return Layout("shapes/gan", root=tmp_path)


def measured(layout: Layout) -> pd.DataFrame:
    measure(layout, "00", STAGE)
    return pd.read_parquet(layout.metric("arithmetic", "00"))


def test_where_images_are_linear_means_of_ten_are_right_and_better_than_single_latents(
    in_world: Layout,
) -> None:
    table = measured(in_world)
    assert tuple(table.columns) == COLUMNS == METRICS["arithmetic"].columns
    values = arithmetic_summary(table)
    assert values["arithmetic/10"] > 0.9
    assert values["arithmetic/10"] > values["arithmetic/3"] > values["arithmetic/1"] > 1 / 12
    assert values["arithmetic/pixels"] == pytest.approx(values["arithmetic/3"], abs=0.03)  # but for rounding
    assert values["arithmetic/pairs"] == 18
    assert set(values) <= {"arithmetic/1", "arithmetic/3", "arithmetic/10"} | {
        "arithmetic/pixels",
        "arithmetic/pairs",
        *(f"arithmetic/large/{name}" for name in ("first", "middle", "last", "least_rise")),
    }


def test_there_is_more_that_is_large_the_farther_along_the_direction(in_world: Layout) -> None:
    values = arithmetic_summary(measured(in_world))
    assert values["arithmetic/large/first"] < 0.2
    assert values["arithmetic/large/middle"] == pytest.approx(0.5, abs=0.1)
    assert values["arithmetic/large/last"] > 0.8
    assert values["arithmetic/large/least_rise"] > 0.03


def test_rows_are_a_trial_and_a_kind_each_the_same_twice(in_world: Layout) -> None:
    table = measured(in_world)
    counts = table.groupby(["kind", "n"]).size().to_dict()
    pictures = {("example", 3): 2 * (3 * 4 + 9 + 1), ("turn", 4): 2 * 5 + 6 * len(STEPS)}
    counted = {("latents", n): TRIALS for n in MEANS} | {("pixels", 3): TRIALS, ("walk", 1): 700}
    assert counts == counted | pictures
    assert table["image"].notna().sum() == sum(pictures.values())
    counted = table[table["kind"].isin(["latents", "pixels"])]
    right = [
        attributes_of(row.named)[::2] == attributes_of(row.wanted)[::2] for row in counted.itertuples()
    ]  # colour and size
    assert counted["value"].tolist() == right
    pd.testing.assert_frame_equal(measured(in_world), table)


def levels(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Grey levels (NUMBERS,) of each picture, by its place."""
    files = dict(zip(table["place"], table["image"], strict=True))
    return {place: np.asarray(Image.open(BytesIO(file)), int)[0, :, 0] for place, file in files.items()}


def test_the_pictures_of_a_trial_are_of_the_latents_that_are_counted(in_world: Layout) -> None:
    table = measured(in_world)
    for number in range(2):
        trial = table[(table["kind"] == "example") & (table["trial"] == number)]
        shown, named = levels(trial), trial.set_index("place")["named"]
        means = [shown[f"{name}/mean"] for name in "ABC"]
        for name, mean in zip("ABC", means, strict=True):
            single = [shown[f"{name}/{at}"] for at in range(3)]
            np.testing.assert_allclose(np.mean(single, 0), mean, atol=1)
            assert len({named[f"{name}/{at}"] for at in range(3)}) == 1
        a, b, c = means
        np.testing.assert_allclose(shown["Y/4"], np.clip(a - b + c, 0, 255), atol=2)
        np.testing.assert_allclose(shown["pixels"], shown["Y/4"], atol=2)
        for at in (0, 1, 2, 3, 5, 6, 7, 8):
            apart = np.abs(shown[f"Y/{at}"] - shown["Y/4"])
            assert 1 < apart.max() <= 127.5 / 3 * 0.25 + 1
        counted = table.query("kind == 'latents' and n == 3").iloc[number]
        assert (named["Y/4"], trial["wanted"].iloc[0]) == (counted["named"], counted["wanted"])


def test_pictures_of_a_direction_lead_from_random_latents_by_the_difference_of_the_ends(
    in_world: Layout,
) -> None:
    rows = measured(in_world).query("kind == 'turn'")
    ends = levels(rows[rows["trial"] < 0])
    for name in ("small", "large"):
        np.testing.assert_allclose(
            np.mean([ends[f"{name}/{at}"] for at in range(4)], 0), ends[f"{name}/mean"], atol=1
        )
    for _, path in rows[rows["trial"] >= 0].groupby("trial"):
        assert path["t"].tolist() == list(STEPS)
        shown = np.stack(list(levels(path).values()))
        moved = shown[0] + np.array(STEPS)[:, None] * (ends["large/mean"] - ends["small/mean"])
        np.testing.assert_allclose(shown, np.clip(moved, 0, 255), atol=3)


def test_trials_are_of_latents_that_show_a_and_b_and_c_and_of_two_pairs() -> None:
    rows = np.arange(36 * 12).reshape(36, 12)
    pools = dict(zip(CLASSES, rows, strict=True))
    pools["blue_square_large"] = pools["blue_square_large"][:9]  # too few
    pools["cyan_circle_small"] = pools["cyan_circle_small"][:0]
    trials = draw_trials(pools, np.random.default_rng(0))
    of_row = {row: name for name, own in pools.items() for row in own}
    assert len(trials.wanted) == TRIALS
    for a, b, c, wanted in zip(*trials.rows, trials.wanted, strict=True):
        names = [{of_row[row] for row in own} for own in (a, b, c)]
        (shown_a,), (shown_b,), (shown_c,) = (map(attributes_of, own) for own in names)
        assert all(len(set(own)) == MEANS[-1] for own in (a, b, c))
        assert shown_a == shown_b._replace(size="large")
        assert (shown_b.size, shown_c.size) == ("small", "small")
        assert shown_b != shown_c
        assert attributes_of(wanted) == shown_c._replace(size="large")
    shown = {of_row[row] for own in trials.rows[0] for row in own}
    assert len(shown) == 16
    assert "blue_square_large" in trials.wanted
    assert "cyan_circle_large" not in trials.wanted


def test_only_images_that_the_judge_is_sure_of_are_picked() -> None:
    found = name_images(Reader(), np.zeros((2, 2, NUMBERS, 3), np.uint8))  # every class alike
    assert found.sure.max() < SURE
    assert found.large.tolist() == pytest.approx([0.5, 0.5])
    assert not any(map(len, sure_rows(found, Reader.classes).values()))


def test_a_model_that_draws_one_thing_has_no_trials(
    in_world: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arithmetic, "trained_family", lambda *_: (OneThing(), CLASSES, Shape(36, 32, 3, 0)))
    table = measured(in_world)
    assert tuple(table.columns) == COLUMNS
    assert arithmetic_summary(table) == {"arithmetic/pairs": 0}


def test_what_has_no_latents_says_so(in_world: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arithmetic, "trained_family", lambda *_: (object(), CLASSES, Shape(36, 32, 3, 0)))
    with pytest.raises(UserError, match="split 00: GAN has no latent space"):
        measure(in_world, "00", STAGE)


def test_it_is_measured_of_attributes_and_of_models_that_draw_without_classes() -> None:
    gan, acgan = (
        subject_of(model, classes_of_a_split=36, data=["images", "attributes"])
        for model in (GanConfig(), AcganConfig())
    )
    assert why_not(METRICS["arithmetic"], gan) is None
    assert "draws images of a class" in str(why_not(METRICS["arithmetic"], acgan))
    others = subject_of(GanConfig(), classes_of_a_split=36)
    assert "classes that are attributes" in str(why_not(METRICS["arithmetic"], others))
