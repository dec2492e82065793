"""Summary numbers of the measurements beyond the paper's own, from rows whose means are known."""

import pandas as pd
import pytest

from centigan.reporting import scores
from centigan.settings.evaluation import NeighbourSettings


def test_an_inception_score_is_the_mean_of_its_groups_and_their_spread() -> None:
    rows = [("samples", 0, 50, 4.0), ("samples", 1, 50, 6.0), ("fresh", 0, 30, 5.0)]
    values = scores.inception_summary(pd.DataFrame(rows, columns=["set", "group", "images", "score"]))
    assert values["inception_score/samples"] == 5
    assert values["inception_score/samples/std"] == 1  # of the population, as the field reports it
    assert values["inception_score/samples/images"] == 100
    assert "inception_score/fresh/std" not in values  # one group has none


def test_the_accuracy_score_weighs_classes_alike() -> None:
    rows = [("a", "generated", 1, 10), ("b", "generated", 90, 100), ("a", "training", 10, 10)]
    counts = pd.DataFrame(rows, columns=["class_id", "trained_on", "correct", "count"])
    assert scores.classification_summary(counts) == {
        "cas/generated": pytest.approx(0.5),
        "cas/training": 1.0,
    }


def test_a_distance_keeps_its_deviation_only_where_it_has_one() -> None:
    columns = ["source", "metric", "value", "std", "training", "images"]
    rows = [("generated", "fid", 3.0, None, 9, 9), ("held_out", "kid", 0.1, 0.01, 9, 9)]
    intra = pd.DataFrame(
        [("a", "generated", 2.0), ("b", "generated", 4.0)], columns=["class_id", "source", "fid"]
    )
    assert scores.distribution_summary(pd.DataFrame(rows, columns=columns)) == {
        "fid/generated": 3.0,
        "kid/held_out": 0.1,
        "kid/held_out/std": 0.01,
    }
    assert scores.intra_class_summary(intra) == {"fid/intra_class/generated": 3.0}


def test_quantiles_of_pairs_lie_around_their_median() -> None:
    pairs = pd.DataFrame({"class_id": "a", "source": "training", "ms_ssim": [k / 100 for k in range(101)]})
    row = scores.ms_ssim_pairs(pairs).iloc[0]
    assert (row["pairs"], row["q05"], row["median"], row["q95"]) == (101, 0.05, 0.5, 0.95)


def test_a_copy_is_counted_and_makes_samples_closer() -> None:
    rows = [
        (source, "a", image, metric, scope, 0, "a", distance + image / 100)
        for source, distance in (("generated", 0.0), ("held_out", 20.0))
        for image in range(8)
        for metric in ("l1", "ms_ssim")
        for scope in ("class", "split")
    ]
    columns = ["source", "class_id", "image", "metric", "scope", "neighbour", "neighbour_class", "distance"]
    frame = pd.DataFrame(rows, columns=columns)
    values = scores.neighbour_summary(frame, NeighbourSettings(permutations=999))
    assert (values["neighbours/duplicates/generated"], values["neighbours/duplicates/held_out"]) == (8, 0)
    assert (values["neighbours/images/generated"], values["neighbours/l1/share_closer"]) == (8, 1)
    assert values["neighbours/l1/p_closer"] < 0.01
    assert values["neighbours/ms_ssim/median_held_out"] == pytest.approx(20 + 3.5 / 100)


def test_the_class_output_weighs_classes_alike_and_tells_the_classifier_apart() -> None:
    rows = [
        ("a", "model", 1, 2),
        ("b", "model", 10, 10),
        ("a", "classifier", 0, 2),
        ("b", "classifier", 5, 10),
    ]
    frame = pd.DataFrame(rows, columns=["class_id", "named_by", "correct", "count"])
    assert scores.class_output_summary(frame) == {"class_output/classifier": 0.25, "class_output/model": 0.75}
    assert [*scores.class_output_summary(frame[:2])] == ["class_output/model"]


def test_clusters_are_counted_split_by_split() -> None:
    """In split 00 two of three held-out images are right; in 01 the clusters are the classes."""
    rows = [
        ("00", "held_out", "a", 0, "a", 2),
        ("00", "held_out", "b", 0, "a", 1),
        ("00", "training", "b", 1, "b", 9),
        ("01", "held_out", "c", 0, "d", 0),
        ("01", "held_out", "c", 1, "c", 1),
        ("01", "held_out", "d", 0, "d", 3),
        ("01", "held_out", "d", 1, "c", 0),
    ]
    frame = pd.DataFrame(rows, columns=["split", "source", "class_id", "cluster", "called", "count"])
    frame = frame.assign(found_by="model", surest="a", rest=frame["count"])
    by_pixels = frame.assign(found_by="k-means", called="a")
    assert scores.clustering_summary(pd.concat([frame, by_pixels])) == {
        "clustering/accuracy": pytest.approx((2 / 3 + 1) / 2),
        "clustering/nmi": pytest.approx((0 + 1) / 2),
        "clustering/surest": pytest.approx((2 / 3 + 0) / 2),
        "clustering/k_means": pytest.approx((2 / 3 + 0) / 2),
        "clustering/used": 1 / 2,  # one of a training image in 00, none in 01
    }


def test_the_linear_probe_weighs_classes_alike_and_tells_the_spread_of_its_draws() -> None:
    rows = [("a", 0, 1, 2), ("b", 0, 10, 10), ("a", 1, 0, 2), ("b", 1, 5, 10)]
    frame = pd.DataFrame(rows, columns=["class_id", "draw", "correct", "count"]).assign(features="pixels")
    values = scores.linear_probe_summary(frame)
    assert values == {"linear_probe/pixels": 0.5, "linear_probe/pixels/std": pytest.approx(0.5 / 2**0.5)}
    assert scores.linear_probe_summary(frame[:2]) == {"linear_probe/pixels": 0.75}


def test_the_worst_walk_is_told_beside_the_mean() -> None:
    frame = pd.DataFrame({"path": ["linear", "linear"], "largest_over_mean": [1.0, 3.0]})
    assert scores.smoothness_summary(frame) == {
        "latent/linear/largest_over_mean": 2.0,
        "latent/linear/largest_over_mean/worst": 3.0,
    }
