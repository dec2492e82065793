"""How well clusters are classes: by algebra, beside scikit-learn, and of a trained split."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import normalized_mutual_info_score
from small import TRAIN
from torch import Tensor

from centigan.errors import UserError
from centigan.layout import Layout
from centigan.metrics.clustering import COLUMNS, ByPixels, measure
from centigan.metrics.confusion import (
    ASSIGNMENT,
    K_MEANS,
    MAJORITY,
    called_by_the_surest,
    classes_of_clusters,
    confusion,
    normalised_mutual_information,
    rule_of,
    share_right,
)
from centigan.reporting.scores import clustering_summary
from centigan.types import Shape

PERFECT = np.diag([5, 6, 7])
MODEL = TRAIN.model


def right(counts: np.ndarray) -> float:
    """Of images that call the clusters and are counted."""
    return share_right(counts, classes_of_clusters(counts))


def test_images_are_counted_by_label_and_cluster() -> None:
    counts = confusion(np.array([0, 0, 1, 1]), np.array([2, 2, 0, 1]), 2, 3)
    assert counts.tolist() == [[0, 0, 2], [1, 1, 0]]
    with pytest.raises(UserError, match="without a label"):
        confusion(np.array([-1]), np.array([0]), 2, 2)


def test_perfect_clusters_are_right_and_tell_everything_in_whatever_order() -> None:
    for counts in (PERFECT, PERFECT[:, [2, 0, 1]]):
        assert right(counts) == 1
        assert normalised_mutual_information(counts) == pytest.approx(1)
    assert classes_of_clusters(PERFECT[:, [2, 0, 1]]).tolist() == [2, 0, 1]


def test_one_cluster_is_right_for_one_class_and_tells_nothing() -> None:
    counts = np.array([[0, 5, 0], [0, 6, 0], [0, 7, 0]])
    assert right(counts) == pytest.approx(7 / 18)
    assert normalised_mutual_information(counts) == 0
    assert normalised_mutual_information(np.array([[4]])) == 1


def test_uniform_clusters_are_right_by_chance_and_tell_nothing() -> None:
    counts = np.full((4, 4), 3)
    assert right(counts) == 1 / 4
    assert normalised_mutual_information(counts) == pytest.approx(0)


def test_a_class_names_one_cluster_where_there_are_no_more_clusters() -> None:
    """By majority both would be the first class, and 14 of 17 right; the best assignment has 11."""
    counts = np.array([[8, 6], [0, 3]])
    assert rule_of(counts) == ASSIGNMENT
    assert classes_of_clusters(counts).tolist() == [0, 1]
    assert right(counts) == pytest.approx(11 / 17)
    fewer = np.array([[1, 9], [8, 0], [5, 5]])
    assert classes_of_clusters(fewer).tolist() == [1, 0]


def test_more_clusters_than_classes_are_each_called_by_their_majority() -> None:
    counts = np.array([[8, 6, 1, 0], [0, 3, 4, 0]])
    assert rule_of(counts) == MAJORITY
    assert classes_of_clusters(counts).tolist() == [0, 0, 1, -1]
    assert right(counts) == pytest.approx(18 / 22)


def test_a_cluster_without_training_images_is_never_right() -> None:
    named = classes_of_clusters(np.array([[8, 0, 0], [0, 4, 0]]))
    assert share_right(np.array([[1, 0, 1], [0, 1, 1]]), named) == 1 / 2


def test_a_cluster_is_called_by_the_image_that_is_surest_of_it() -> None:
    """Of cluster 0 the second: e^3 / (e^3 + e^0), while the first image says e^9 / (e^9 + e^8)."""
    logits = np.array([[9, 8], [3, 0], [0, 2], [0, 1]], np.float32)
    named, chosen = called_by_the_surest(logits, np.array([5, 6, 7, 5]))
    assert named.tolist() == [6, 7]
    assert chosen.tolist() == [False, True, True, False]


def test_one_image_may_call_two_clusters_and_a_cluster_into_which_it_does_not_fall() -> None:
    logits = np.array([[5, 0, 4], [9, 0, -9]], np.float32)
    named, chosen = called_by_the_surest(logits, np.array([1, 0]))
    assert named.tolist() == [0, 1, 1]
    assert chosen.tolist() == [True, True]


def test_k_means_of_pixels_finds_dark_and_light_and_no_more_clusters_than_there_are_images() -> None:
    images = torch.cat([torch.full((4, 1, 8, 8), value) for value in (-1.0, 0.9)])
    images[0] += 0.1
    by_pixels = ByPixels(images, 2)
    found = by_pixels.cluster_logits(images)
    assert found.argmax(1).tolist() in ([0] * 4 + [1] * 4, [1] * 4 + [0] * 4)
    light = found[-1].argmax()
    assert found[-1, light].item() == pytest.approx(0, abs=1e-4)
    assert found[1, light].item() == pytest.approx(-64 * 1.9**2 / 2, rel=1e-4)
    assert ByPixels(images, 9).cluster_logits(images).shape == (8, 3)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), min_size=1, max_size=40))
def test_the_information_is_that_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    labels, found = np.array(pairs).T
    ours = normalised_mutual_information(confusion(labels, found, 4, 6))
    assert ours == pytest.approx(normalized_mutual_info_score(labels, found), abs=1e-9)


class ByBrightness:
    """The cluster of an image is the edge that is nearest to its mean."""

    def __init__(self, *edges: float) -> None:
        self.edges = torch.tensor(edges)

    def cluster_logits(self, images: Tensor) -> Tensor:
        return -(images.mean((1, 2, 3)).unsqueeze(1) - self.edges).abs()


@pytest.mark.parametrize(
    ("edges", "rule", "called", "surest"),
    [
        (
            (1.0, -1.0),
            ASSIGNMENT,
            ["dog", "cat"],
            1 / 2,
        ),  # the first of each calls; a cat and a dark dog are left
        ((0.0, 1.0, -1.0), MAJORITY, [None, "dog", "cat"], 1 / 2),
    ],
)
def test_held_out_images_are_counted_in_clusters_that_training_images_name(
    layout: Layout,
    monkeypatch: pytest.MonkeyPatch,
    edges: tuple[float],
    rule: str,
    called: list[str | None],
    surest: float,
) -> None:
    """Cats, label 0, are dark, and dogs are light; one held-out dog is dark."""
    folder = layout.arrays("00")
    for prefix in ("", "held_out_"):
        images, labels = (np.load(folder / f"{prefix}{name}.npy") for name in ("images", "labels"))
        images[labels == 0], images[labels == 1] = 30, 220
        if prefix:
            images[labels.argmax()] = 30
        np.save(folder / f"{prefix}images.npy", images)
    trained = ByBrightness(*edges), ["cat", "dog"], Shape(2, 32)
    monkeypatch.setattr("centigan.metrics.clustering.trained_family", lambda *_: trained)
    measure(layout, "00", MODEL)
    table = pd.read_parquet(layout.metric("clustering", "00"))
    assert tuple(table.columns) == COLUMNS
    by_pixels = table[table["found_by"] == K_MEANS]
    assert len(by_pixels) == 2 * 2 * 2  # only two images differ
    table = table[table["found_by"] == "model"]
    assert len(table) == 2 * 2 * len(edges)
    assert table["rule"].unique().tolist() == [rule]
    assert [None if pd.isna(name) else name for name in table["called"][: len(edges)]] == called
    counts = table.groupby(["source", "class_id", "called"])["count"].sum()
    assert counts["training"].to_dict() == crossed(cats=(5, 0), dogs=(0, 5))
    assert counts["held_out"].to_dict() == crossed(cats=(2, 0), dogs=(1, 1))

    values = clustering_summary(pd.concat([table, by_pixels]).assign(split="00"))
    assert values["clustering/accuracy"] == values["clustering/k_means"] == 3 / 4
    assert values["clustering/used"] == 2
    assert values["clustering/surest"] == surest


def crossed(cats: tuple[int, int], dogs: tuple[int, int]) -> dict[tuple[str, str], int]:
    """Cats and dogs in the cluster called cat, and in that called dog."""
    cells = [(name, called) for name in ("cat", "dog") for called in ("cat", "dog")]
    return dict(zip(cells, [*cats, *dogs], strict=True))


def test_what_finds_no_clusters_says_so(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = object(), ["cat", "dog"], Shape(2, 32)
    monkeypatch.setattr("centigan.metrics.clustering.trained_family", lambda *_: trained)
    with pytest.raises(UserError, match="AC-GAN finds no clusters"):
        measure(layout, "00", MODEL)
