"""What a linear classifier reads from features: what it learns from, how its C is chosen."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.svm import LinearSVC

from centigan.errors import UserError
from centigan.layout import Layout
from centigan.metrics import linear_probe, own_features
from centigan.metrics.linear_probe import (
    COLUMNS,
    chosen_cost,
    in_their_span,
    labelled_rows,
    learn_and_name,
    measure,
)
from centigan.metrics.own_features import CPU
from centigan.settings.evaluation import LinearProbeSettings
from centigan.settings.families.dcgan import DcganConfig
from centigan.settings.families.gan import GanConfig
from centigan.settings.stages import LinearProbeStage, TrainStage
from centigan.training.loop import train_split

SETTINGS = LinearProbeSettings(labels_per_class=3, draws=2, folds=3, costs=(0.1, 10.0))
MODEL = DcganConfig(width=0.05, discriminator_lr=2e-3)
TRAIN = TrainStage.model_validate(
    {
        "model": MODEL.model_dump(),
        "train": {
            "batch_size": 4,
            "iterations": 4,
            "log_every": 2,
            "snapshot_every": 4,
            "snapshot_per_class": 2,
        },
    }
)
STAGE = LinearProbeStage(model=MODEL, train=TRAIN.train, linear_probe=SETTINGS)


def clouds(count: int, dimensions: int, apart: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features (3 count, dimensions) of three classes about centres of their own, and their labels."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(3), count)
    noise = rng.standard_normal((3 * count, dimensions))
    return (noise + apart * np.eye(3, dimensions)[labels]).astype(np.float32), labels


def test_classes_that_are_far_apart_are_all_named() -> None:
    features, labels = clouds(5, 40, 30)
    asked, wanted = clouds(50, 40, 30, seed=1)
    named, _ = learn_and_name(features, labels, asked, SETTINGS)
    assert (named == wanted).all()


def test_neither_a_shift_nor_a_scale_of_the_features_changes_what_is_named() -> None:
    features, labels = clouds(6, 40, 2)
    asked, _ = clouds(60, 40, 2, seed=1)
    named, cost = learn_and_name(features, labels, asked, SETTINGS)
    for factor, shift in ((1024, 0), (1, 64), (1 / 1024, 0)):
        moved, moved_cost = learn_and_name(
            features * factor + shift, labels, asked * factor + shift, SETTINGS
        )
        assert moved_cost == cost
        assert (moved == named).mean() > 0.99


def test_coordinates_in_the_span_of_the_images_decide_as_the_features_do() -> None:
    features, labels = clouds(6, 200, 2)
    asked, _ = clouds(20, 200, 2, seed=1)
    coordinates, basis = in_their_span(features)
    assert coordinates.shape == (18, 18)
    np.testing.assert_allclose(basis.T @ basis, np.eye(18), atol=1e-5)
    decisions = [
        LinearSVC(C=0.3, dual=False, tol=1e-9).fit(known, labels).decision_function(others)
        for known, others in ((features, asked), (coordinates, asked @ basis))
    ]
    np.testing.assert_allclose(*decisions, rtol=1e-3, atol=1e-4)


def test_c_is_chosen_by_labelled_images_alone_and_the_smallest_of_equals() -> None:
    """Held-out images are no argument of it. Where every C names all, the smallest is taken."""
    features, labels = clouds(6, 40, 30)
    both = SETTINGS.model_copy(update={"costs": (10.0, 0.1, 1.0)})
    assert chosen_cost(features / 30, labels, both) == 0.1
    noise = np.random.default_rng(2).standard_normal(features.shape).astype(np.float32)
    assert (
        learn_and_name(features, labels, noise, both)[1]
        == learn_and_name(features, labels, features, both)[1]
    )


def test_an_image_that_chooses_c_is_none_that_the_classifier_learnt_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    features, labels = clouds(6, 4, 30)
    asked: list[float] = []

    class Remembering:
        def __init__(self, cost: float) -> None:
            self.learnt: set[float] = set()

        def fit(self, known: np.ndarray, classes: np.ndarray) -> "Remembering":
            self.learnt = set(known[:, 0].tolist())
            return self

        def predict(self, others: np.ndarray) -> np.ndarray:
            assert not self.learnt.intersection(others[:, 0].tolist())
            asked.extend(others[:, 0].tolist())
            return np.zeros(len(others), dtype=np.int64)

    monkeypatch.setattr(linear_probe, "_classifier", Remembering)
    chosen_cost(features, labels, SETTINGS)
    assert sorted(asked) == sorted(2 * features[:, 0].tolist())  # once for each C


def test_a_c_that_is_too_small_is_not_chosen() -> None:
    """1e-7 leaves all decisions at those of the class sizes."""
    features, labels = (each[3:] for each in clouds(6, 40, 30))  # of the first class half as many
    either = SETTINGS.model_copy(update={"costs": (1e-7, 1.0)})
    assert chosen_cost(features / 30, labels, either) == 1.0


def test_each_draw_has_other_images_and_as_many_of_each_class() -> None:
    labels = np.repeat(np.arange(3), 20)
    drawn = [labelled_rows(labels, SETTINGS, "00", draw) for draw in (0, 1, 0)]
    assert (drawn[0] == drawn[2]).all()
    assert set(drawn[0]) != set(drawn[1])
    for rows in drawn:
        assert np.bincount(labels[rows]).tolist() == [3, 3, 3]
        assert len(set(rows)) == 9
    with pytest.raises(UserError, match=r"labels_per_class is 3, and class 0 of the split has 2 training"):
        labelled_rows(np.array([0, 0, 1, 1, 1]), SETTINGS, "00", 0)


@pytest.fixture
def trained(layout: Layout) -> Layout:
    train_split(layout, "00", TRAIN, device=CPU)
    return layout


def table(layout: Layout) -> pd.DataFrame:
    measure(layout, "00", STAGE)
    return pd.read_parquet(layout.metric("linear_probe", "00"))


def test_a_split_is_measured_by_three_kinds_of_features_and_twice_the_same(trained: Layout) -> None:
    first = table(trained)
    assert tuple(first.columns) == COLUMNS
    rows = [(kind, draw) for kind in ("trained", "untrained", "pixels") for draw in (0, 1)]
    assert [*first.groupby(["features", "draw"], sort=False).groups] == rows
    assert len(first) == 12
    assert first["count"].unique().tolist() == [2]  # held out, of each class
    assert first["labels_per_class"].unique().tolist() == [3]
    pd.testing.assert_frame_equal(table(trained), first)


def test_untrained_features_are_those_of_the_first_weights_of_the_training(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A training that moves nothing leaves what the untrained networks are."""
    model = MODEL.model_copy(update={"discriminator_lr": 1e-30})
    train_split(layout, "00", TrainStage(model=model, train=TRAIN.train), device=CPU)
    seen: dict[str, list[torch.Tensor]] = {}

    def weights(family: object, images: torch.Tensor, device: torch.device) -> None:
        seen[str(len(seen))] = [p.detach().clone() for p in family.discriminator.parameters()]

    monkeypatch.setattr(own_features, "take_statistics", weights)
    measure(layout, "00", STAGE.model_copy(update={"model": model}))
    torch.testing.assert_close(seen["0"], seen["1"], rtol=0, atol=1e-20)


def test_dark_and_light_images_are_told_apart_by_every_kind(trained: Layout) -> None:
    folder = trained.arrays("00")
    for prefix in ("", "held_out_"):
        images, labels = (np.load(folder / f"{prefix}{name}.npy") for name in ("images", "labels"))
        images //= 3
        images[labels == 1] += 170
        np.save(folder / f"{prefix}images.npy", images)
    found = table(trained)
    assert (found["correct"] == found["count"]).all()


def test_features_that_are_no_numbers_are_refused(trained: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        own_features, "represented", lambda _, images, device=CPU: np.full((len(images), 2), np.nan)
    )
    with pytest.raises(UserError, match="trained features hold NaN"):
        measure(trained, "00", STAGE)


def test_a_family_without_features_says_so(layout: Layout) -> None:
    model = GanConfig(width=0.05)
    train_split(layout, "00", TrainStage(model=model, train=TRAIN.train), device=CPU)
    with pytest.raises(UserError, match="GAN has no features of images"):
        measure(layout, "00", STAGE.model_copy(update={"model": model}))
