"""Nearest training images by features: which are near, and how many are of the query's class."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.neighbors import NearestNeighbors
from small import TRAIN

from centigan.errors import UserError
from centigan.layout import Layout
from centigan.metrics import code_neighbours, own_features
from centigan.metrics.code_neighbours import COLUMNS, CPU, measure, nearest, of_length_1
from centigan.reporting.scores import code_neighbours_summary
from centigan.settings.families.dcgan import DcganConfig
from centigan.settings.stages import TrainStage
from centigan.training.loop import train_split

STAGE = TrainStage.model_validate(
    TRAIN.model_dump() | {"model": DcganConfig(width=0.05, discriminator_lr=2e-3).model_dump()}
)


def cloud(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, 12)).astype(np.float32)


def table(layout: Layout) -> pd.DataFrame:
    measure(layout, "00", STAGE)
    return pd.read_parquet(layout.metric("code_neighbours", "00"))


@pytest.fixture
def trained(layout: Layout) -> Layout:
    train_split(layout, "00", STAGE, device=CPU)
    return layout


def test_the_nearest_by_angle_is_not_the_nearest_by_distance() -> None:
    known = np.array([[9.0, 9.0], [1.0, 0.0], [9.0, 8.0]], np.float32)
    asked = np.array([[1.0, 1.0]], np.float32)
    assert nearest(known, asked)[0].tolist() == [1, 2, 0]
    assert nearest(of_length_1(known), of_length_1(asked))[0].tolist() == [0, 2, 1]


def test_of_equals_the_lower_row_comes_first_and_a_feature_of_zeros_is_no_fault() -> None:
    known = np.array([[0.0, 2.0], [3.0, 0.0], [0.0, 5.0], [0.0, 0.0]], np.float32)
    found = nearest(of_length_1(known), of_length_1(np.array([[0.0, 1.0]], np.float32)))
    assert found[0, :2].tolist() == [0, 2]


def test_the_search_is_that_of_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_neighbours, "CHUNK", 7)
    known, asked = cloud(300), cloud(40, seed=1)
    for metric, found in (
        ("euclidean", nearest(known, asked)),
        ("cosine", nearest(of_length_1(known), of_length_1(asked))),
    ):
        reference = NearestNeighbors(n_neighbors=5, metric=metric, algorithm="brute").fit(known)
        assert np.array_equal(found, reference.kneighbors(asked, return_distance=False))


def test_a_split_is_asked_by_three_kinds_of_features_and_twice_the_same(trained: Layout) -> None:
    first = table(trained)
    assert tuple(first.columns) == COLUMNS
    known = len(np.load(trained.arrays("00") / "labels.npy"))
    queries = len(np.load(trained.arrays("00") / "held_out_labels.npy"))
    counts = first["features"].value_counts(sort=False)
    assert counts.to_dict() == dict.fromkeys(("trained", "untrained", "pixels"), queries * min(5, known))
    assert first["neighbour"].between(0, known - 1).all()
    assert not first.duplicated(["features", "image", "neighbour"]).any()
    pd.testing.assert_frame_equal(table(trained), first)


def test_light_images_have_light_neighbours_of_every_kind(trained: Layout) -> None:
    folder = trained.arrays("00")
    for prefix in ("", "held_out_"):
        images, labels = (np.load(folder / f"{prefix}{name}.npy") for name in ("images", "labels"))
        images //= 8
        images[labels == 1] += 200
        np.save(folder / f"{prefix}images.npy", images)
    found = table(trained)
    as_near = found[found["rank"] <= (np.load(folder / "labels.npy") == 1).sum()]
    shares = code_neighbours_summary(as_near)
    assert shares == {f"code_neighbours/{kind}": 1.0 for kind in ("trained", "untrained", "pixels")}


def test_a_share_is_of_all_queries_and_ranks() -> None:
    frame = pd.DataFrame(
        [
            ("a", "trained", "a"),
            ("a", "trained", "b"),
            ("b", "trained", "b"),
            ("b", "trained", "b"),
            ("b", "pixels", "a"),
        ],
        columns=["class_id", "features", "neighbour_class"],
    )
    assert code_neighbours_summary(frame) == {"code_neighbours/trained": 0.75, "code_neighbours/pixels": 0.0}


def test_features_that_are_no_numbers_are_refused(trained: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        own_features, "represented", lambda _, images, device: np.full((len(images), 2), np.nan)
    )
    with pytest.raises(UserError, match="trained features hold NaN"):
        table(trained)


def test_a_family_without_features_says_so(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_neighbours, "trained_family", lambda *_: (object(), ["cat", "dog"], None))
    with pytest.raises(UserError, match="DCGAN has no features of images"):
        measure(layout, "00", STAGE)


def test_an_image_is_a_row_of_its_file(trained: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not all are asked, and of each the labels are those of these rows."""
    monkeypatch.setattr(code_neighbours, "MOST", 2)
    labels = np.load(trained.arrays("00") / "held_out_labels.npy")
    found = table(trained).drop_duplicates("image")
    assert found["image"].tolist() == [0, len(labels) - 1]
    classes = {0: "cat", 1: "dog"}
    assert found["class_id"].tolist() == [classes[labels[0]], classes[labels[-1]]]
    assert torch.tensor(labels).unique().tolist() == [0, 1]
