"""What is said before a run is what a measurement would refuse in it, and no more."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from centigan.catalogue import METRICS, subject_of_settings, why_not
from centigan.data.embedded import PHOTOGRAPHS
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.metrics.classification import images_of_each_class
from centigan.metrics.features import FeatureSet
from centigan.metrics.frechet import gaussian
from centigan.metrics.kernel import kernel_distances
from centigan.metrics.manifold import manifold
from centigan.params import parse
from centigan.preflight import of_all
from centigan.preflight.counts import Counts, OfClass
from centigan.settings import Settings
from centigan.settings.evaluation import DistributionSettings, FeatureSettings
from centigan.settings.sources import ABOUT
from centigan.similarity import random_pairs

RNG = np.random.default_rng(0)
# enough of everything, and of each thing barely
ENOUGH = {
    "experiment": "own",
    "data": {"classes": 4, "split_size": 2},
    "train": {"batch_size": 16},
    "supervision": {"labelled_per_class": 8},
    "sample": {"per_class": 20, "fresh_per_class": 2},
    "judge": {"name": "auto"},
    "features": {"network": "judge"},
    "inception_score": {"select_groups": 28, "report_groups": 8},
    "distribution": {"kid_subset_size": 28, "neighbours": 6},
    "neighbours": {"per_class": 20, "ms_ssim_per_class": 20},
}
COUNTS = Counts(tuple(OfClass(name, f"0{n // 2}", 8, 7) for n, name in enumerate("abcd")), "class folders")


def problems(changes: dict[str, object] | None = None, counts: Counts | None = COUNTS) -> list[str]:
    values = ENOUGH | {name: ENOUGH.get(name, {}) | more for name, more in (changes or {}).items()}
    settings = parse(Settings, values, "here")
    return [found.text for found in of_all(Layout("own/own"), settings, counts) if not found.good]


def with_images(train: int, held_out: int) -> Counts:
    """The same, but of class c there are so many."""
    few = OfClass("c", "01", train, held_out)
    return Counts((*COUNTS.classes[:2], few, COUNTS.classes[3]), COUNTS.source)


def test_what_is_barely_enough_is_enough() -> None:
    assert problems() == problems(counts=None) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"distribution": {"kid_subset_size": 29}},
            "distribution.kid_subset_size is 29 .*: 28 at most .*; held-out images: 28",
        ),
        (
            {"distribution": {"neighbours": 7}},
            "neighbours is 7, .* need 8 images of a kind: 6 at most.*; held-out images of class 'a': 7",
        ),
        (
            {"distribution": {"manifold_images": 6}},
            "neighbours is 6, .*7 images of a kind: 5 at most .*manifold_images",
        ),
        ({"inception_score": {"select_groups": 29}}, "select_groups is 29 .*: 28 at most .*held-out images"),
        (
            {"inception_score": {"report_groups": 9}},
            "report_groups is 9 .*: 8 at most .*; fresh samples: 8 .raise sample.fresh_per_class",
        ),
        (
            {"neighbours": {"per_class": 21}},
            "neighbours.per_class is 21 .*: 20 at most .*raise sample.per_class",
        ),
        ({"neighbours": {"ms_ssim_per_class": 21}}, "ms_ssim_per_class is 21 .*: 20 at most"),
        (
            {"train": {"batch_size": 17}},
            "batch_size is 17, and split 00 has 16 training images, and 1 more .* 16 at most",
        ),
        (
            {"splits": {1: {"train": {"batch_size": 18}}}},
            "batch_size is 18, and split 01 has 16 training images; 16 at most",
        ),
        (
            {"supervision": {"labelled_per_class": 9}},
            "labelled_per_class is 9, and class 'a' has 8 training images; 8 at most",
        ),
        ({"splits": {1: {"sample": {"per_class": 19}}}}, "samples of each class of split 01: 19"),
        (
            {"model": {"family": "dcgan"}, "linear_probe": {"labels_per_class": 9}},
            "linear_probe.labels_per_class is 9 .*: 8 at most .*; training images of class 'a': 8",
        ),
        ({"data": {"classes": 1}}, "features.network: judge .* there is one class; choose efficientnet"),
        ({"data": {"source": "digits"}}, "data.classes is 4, and digits has 10 classes"),
        ({"data": {"source": "digits", "classes": 10, "order": "devkit"}}, "devkit, which digits lacks"),
        ({"data": {"order": "orders.txt"}}, "orders.txt is neither sorted, nor devkit, nor a file"),
        (
            {"judge": {"name": "efficientnet-lite0"}},
            "knows ImageNet's 1000 classes .* this data has 'a' and 3 more",
        ),
        ({"accuracy": {"resolutions": [64]}}, r"lacks 32 and 128: the tables need \[32, 128\]"),
        (
            {"figures": {"examples": {"title": "", "classes": ["a", "x"]}}},
            "figures.examples.classes names 'x', which the data lack; they begin with a, b, c, d",
        ),
        (
            {"figures": {"class_grid": {"title": "", "classes": ["a", "d"]}}},
            "figures.class_grid.classes are of different splits",
        ),
        (
            {"figures": {"accuracy_by_resolution": {"title": "", "beside": ["lost"]}}},
            "figures.accuracy_by_resolution.beside: ",
        ),
    ],
)
def test_one_more_or_one_less_is_said(changes: dict[str, object], said: str) -> None:
    found = problems(changes)
    assert any(re.search(said, line) for line in found), found


def test_one_held_out_image_is_too_few_for_whatever_setting() -> None:
    (line,) = problems(
        {"distribution": {"neighbours": 1, "kid_subset_size": 22}, "inception_score": {"select_groups": 22}},
        with_images(8, 1),
    )
    assert line == (
        "FID within a class needs 2 images of a kind: held-out images of class 'c': 1 (data.held_out: 0.23 "
        "or more, or add images)"
    )
    assert any("MS-SSIM needs 2 images" in line for line in problems(counts=with_images(1, 7)))


def refuses(measure: Callable[[], object]) -> bool:
    try:
        measure()
    except UserError:
        return True
    return False


@pytest.mark.parametrize("images", range(1, 9))
def test_a_measurement_refuses_what_was_said_to_be_too_few(images: int) -> None:
    features, settings = RNG.random((images, 3)), DistributionSettings(kid_subset_size=4, neighbours=3)
    held_out = with_images(images, images)
    alone = Counts((held_out.classes[2],), held_out.source)
    told = {
        "KID": any(
            "kid_subset_size" in line for line in problems({"distribution": {"kid_subset_size": 4}}, alone)
        ),
        "FID": any(line.startswith("FID") for line in problems(counts=alone)),
        "pairs": any(line.startswith("MS-SSIM") for line in problems(counts=alone)),
        "balls": any(
            "neighbours is 3" in line for line in problems({"distribution": {"neighbours": 3}}, alone)
        ),
    }
    assert told == {
        "KID": refuses(lambda: kernel_distances(features, features, settings)),
        "FID": refuses(lambda: gaussian(features)),
        "pairs": refuses(lambda: random_pairs(images, 10, RNG)),
        "balls": refuses(lambda: manifold(features, settings.neighbours)),
    }


@pytest.mark.parametrize("classes", [1, 2])
def test_the_classification_score_refuses_one_class_and_is_left_out_there(classes: int) -> None:
    ids = np.array(["a", "b"][:classes], dtype=object)
    one = FeatureSet(np.zeros((classes, 2), np.float32), ids, FeatureSettings(), {}, Path())
    sets = {"generated": one, "training": one, "held_out": one}
    settings = parse(Settings, {"experiment": "own", "data": {"classes": classes}}, "here")
    reason = why_not(METRICS["classification"], subject_of_settings(settings))
    assert (reason is not None) == refuses(lambda: images_of_each_class(sets, 5)) == (classes == 1)


def test_one_class_needs_no_judge_and_no_rungs_for_it() -> None:
    one = Counts((COUNTS.classes[0],), COUNTS.source)
    changes = {
        "data": {"classes": 1},
        "train": {"batch_size": 8},
        "features": {"network": "efficientnet-lite0"},
        "accuracy": {"resolutions": [5]},
        "inception_score": {"select_groups": 7, "report_groups": 2},
        "distribution": {"kid_subset_size": 7},
    }
    assert problems(changes, one) == []


def test_the_sources_that_ship_have_the_classes_that_are_said() -> None:
    assert ABOUT["photos"].classes == len(PHOTOGRAPHS)


def test_experiments_beside_this_one_must_be_comparable(tmp_path: Path) -> None:
    (tmp_path / "experiments/other").mkdir(parents=True)
    (tmp_path / "params.yaml").write_text("data: {classes: 4}\n")
    (tmp_path / "experiments/other/protocol.yaml").write_text("data: {classes: 5}\n")
    values = ENOUGH | {"figures": {"accuracy_by_resolution": {"title": "", "beside": ["other"]}}}
    found = of_all(Layout("own", tmp_path), parse(Settings, values, "here"), None)
    assert any("experiment other has other `data` or another `judge`" in one.text for one in found)
