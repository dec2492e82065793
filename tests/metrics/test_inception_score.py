import json
from pathlib import Path

import numpy as np
import pytest
import torch
from both_parts import both_parts
from sklearn.datasets import load_digits
from stored_features import PER_CLASS, store
from torch_fidelity.metric_isc import isc_features_to_metric

from centigan.errors import UserError
from centigan.metrics import inception_score as chunks
from centigan.metrics.inception_score import grouped, inception_score, measure
from centigan.settings.evaluation import InceptionScoreSettings

CERTAIN = 1000.0  # a logit so far above the others that its class has the whole probability
SETTINGS = InceptionScoreSettings(select_groups=4, report_groups=3)


def scores(logits: np.ndarray, groups: int) -> list[float]:
    return [inception_score(logits[rows]) for rows in grouped(len(logits), groups)]


def test_the_score_of_images_that_nobody_can_name_is_one() -> None:
    assert inception_score(np.zeros((9, 7))) == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("classes", [2, 10, 1008])
def test_the_score_of_surely_named_balanced_classes_is_their_number(classes: int) -> None:
    logits = CERTAIN * np.tile(np.eye(classes, dtype=np.float32), (3, 1))
    assert inception_score(logits) == pytest.approx(classes, rel=1e-12)


def test_the_score_of_one_class_is_one_however_surely_it_is_named() -> None:
    assert inception_score(CERTAIN * np.eye(10)[[3] * 5]) == pytest.approx(1, rel=1e-12)


def test_classes_that_no_image_shows_leave_the_score_finite() -> None:
    """Their probability is 0 in every image and in the mean: 0 log (0 / 0), which counts as 0."""
    assert inception_score(CERTAIN * np.eye(10)[[0, 1]]) == pytest.approx(2, rel=1e-12)


def test_two_images_by_hand() -> None:
    """p = (3/4, 1/4) and (1/4, 3/4), mean (1/2, 1/2): KL = 3/4 log 3/2 + 1/4 log 1/2 for both."""
    logits = np.log([[3.0, 1.0], [1.0, 3.0]])
    assert inception_score(logits) == pytest.approx(np.exp(0.75 * np.log(1.5) + 0.25 * np.log(0.5)))


@pytest.mark.parametrize(("count", "groups"), [(1000, 10), (1003, 10), (77, 5), (12, 1)])
def test_equal_to_torch_fidelity_leftovers_included(count: int, groups: int) -> None:
    logits = 3 * np.random.default_rng(0).standard_normal((count, 1008)).astype(np.float32)
    expected = isc_features_to_metric(torch.from_numpy(logits), splits=groups)
    found = scores(logits, groups)
    assert np.mean(found) == pytest.approx(expected["inception_score_mean"], rel=1e-10)
    assert np.std(found) == pytest.approx(expected["inception_score_std"], rel=1e-6)


def test_equal_to_torch_fidelity_on_digits() -> None:
    """Sixty-four pixels as the logits of as many classes."""
    pixels = load_digits().data.astype(np.float32)
    expected = isc_features_to_metric(torch.from_numpy(pixels), splits=10)
    assert np.mean(scores(pixels, 10)) == pytest.approx(expected["inception_score_mean"], rel=1e-10)


def test_every_image_is_in_one_group_and_groups_differ_by_one_image_at_most() -> None:
    groups = grouped(103, 10)
    assert sorted(np.concatenate(groups).tolist()) == list(range(103))
    assert {len(rows) for rows in groups} == {10, 11}


def test_classes_in_their_order_are_shuffled_before_they_are_grouped() -> None:
    """Unshuffled, every group would be one class, and every score 1."""
    logits = CERTAIN * np.repeat(np.eye(10), 100, axis=0)
    assert min(scores(logits, 10)) > 9


def test_chunks_change_nothing_but_the_last_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    logits = np.random.default_rng(0).standard_normal((50, 20))
    whole = inception_score(logits)
    monkeypatch.setattr(chunks, "CHUNK", 7)
    assert inception_score(logits) == pytest.approx(whole, rel=1e-12)


def test_a_group_needs_an_image() -> None:
    with pytest.raises(UserError, match="needs an image"):
        inception_score(np.zeros((0, 10)))


def test_each_set_is_scored_in_its_own_number_of_groups(tmp_path: Path) -> None:
    layout = store(tmp_path)
    table = both_parts("inception_score", layout, ["00", "01"], SETTINGS)
    assert list(table.columns) == ["set", "group", "images", "score"]
    groups = table.groupby("set")["group"].apply(list).to_dict()
    assert groups == {
        "samples": [0, 1, 2, 3],
        "fresh": [0, 1, 2],
        "training": [0, 1, 2, 3],
        "held_out": [0, 1, 2, 3],
    }
    images = table.groupby("set")["images"].sum()
    assert images["samples"] == 4 * PER_CLASS["generated"]
    assert images["fresh"] == 4 * PER_CLASS["fresh"]
    assert table["score"].between(1, 1000).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"select_groups": 81},
            r"select_groups is 81, but the set samples has 80 .* raise sample\.per_class",
        ),
        ({"report_groups": 49}, r"report_groups is 49, but the set fresh has 48 .*sample\.fresh_per_class"),
        ({"select_groups": 41}, r"the set held_out has 40 .* raise data\.held_out"),
    ],
)
def test_more_groups_than_images_name_the_settings(
    settings: dict[str, int], message: str, tmp_path: Path
) -> None:
    layout = store(tmp_path)
    with pytest.raises(UserError, match=message):
        both_parts("inception_score", layout, ["00", "01"], InceptionScoreSettings(**settings))


def test_features_of_weights_that_have_gone_are_refused(tmp_path: Path) -> None:
    layout = store(tmp_path)
    for split in ("00", "01"):
        path = layout.features(split) / "facts.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "weights_sha256": "0" * 64}))
    with pytest.raises(UserError, match="other weights than efficientnet-lite0"):
        measure(layout, ["00", "01"], SETTINGS)
