"""What applies to which family: one function, asked everywhere."""

import importlib

import pytest

from centigan.catalogue import (
    FIGURES,
    METRICS,
    TABLES,
    Subject,
    absent,
    applying,
    has_of_data,
    subject_of,
    why_no_number,
    why_not,
    why_not_made,
)
from centigan.layout import TABLES as EVERY_TABLE
from centigan.settings.data import ContentSettings
from centigan.settings.families.acgan import AcganConfig
from centigan.settings.families.contract import FamilySettings
from centigan.settings.families.gan_cls import GanClsConfig
from centigan.settings.stages import STAGES

GAN = Subject("GAN", frozenset({"latent", "labels", "images"}))
PIXELCNN = Subject("PixelCNN", frozenset({"by_class", "labels", "images"}))


class Unconditional(FamilySettings):
    title = "GAN"


OF_OTHERS = {  # abilities, and what only some data have
    "captions",
    "matches",
    "encodes",
    "likelihood",
    "binary_likelihood",
    "noisy",
    "reconstructs",
    "clusters",
    "represents",
    "discriminates",
    "density",
    "demonstrates",
    "stacked_digits",
    "attributes",
    "noise",
}
KINDS = {"metric": METRICS, "table": TABLES, "figure": FIGURES}


def test_a_family_of_classes_and_latents_lacks_only_what_needs_an_ability_of_others() -> None:
    acgan = subject_of(AcganConfig(), classes_of_a_split=10)
    assert all(KINDS[kind][name].needs & OF_OTHERS for kind, name, _ in absent(acgan))
    assert {"bits_per_dim", "reconstructions"} <= {name for _, name, _ in absent(acgan)}


def test_the_reason_is_one_sentence_that_names_the_family() -> None:
    assert why_not(METRICS["accuracy"], GAN) == (
        "needs a model that draws images of a class; GAN draws without classes"
    )
    assert why_not(FIGURES["interpolation"], PIXELCNN) == (
        "needs a model with a latent space; PixelCNN has none"
    )


def test_what_remains_without_classes_needs_none() -> None:
    assert [*applying(METRICS, GAN)] == ["neighbours", "smoothness", "inception_score", "distribution"]
    assert [*applying(FIGURES, GAN)] == ["memorisation", "random_samples", "training_curves"]
    assert [*applying(TABLES, GAN)] == ["inception_score", "distribution", "duplicates"]


def test_a_model_of_one_class_draws_images_of_a_class() -> None:
    of_one_class = absent(subject_of(Unconditional(), classes_of_a_split=1))
    assert all(KINDS[kind][name].needs & (OF_OTHERS | {"classifies"}) for kind, name, _ in of_one_class)
    assert absent(subject_of(Unconditional(), classes_of_a_split=2)) == absent(GAN)


def test_of_one_class_nothing_is_told_by_class() -> None:
    alone = subject_of(AcganConfig(), classes_of_a_split=1, several_classes=False)
    assert [*applying(METRICS, alone)] == ["neighbours", "smoothness", "inception_score", "distribution"]
    assert why_not_made("judge", alone) == why_not(METRICS["ms_ssim"], alone)
    assert why_not(METRICS["ms_ssim"], alone) == (
        "needs images of two classes or more; AC-GAN was trained on images of one"
    )


def test_captions_of_one_class_are_learnt_and_only_what_they_find_of_classes_is_left_out() -> None:
    data = has_of_data(ContentSettings(source="coco_captions", classes=1))
    alone = subject_of(GanClsConfig(), classes_of_a_split=1, data=data, several_classes=False)
    assert [why_not_made(rule, alone) for rule in ("text", "embed")] == [None, None]
    assert "matched" in applying(METRICS, alone)
    assert "two classes or more" in str(why_not(METRICS["retrieval"], alone))


def test_what_is_of_points_is_not_missed_of_images_and_the_other_way_round() -> None:
    of_points = subject_of(Unconditional(), classes_of_a_split=2, data=["points"])
    assert not {"modes", "plane"} & {name for _, name, _ in absent(GAN)}
    assert not {"accuracy", "gallery"} & {name for _, name, _ in absent(of_points)}
    assert [*applying(METRICS, of_points)] == ["energy"]


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_needs_what_the_metrics_and_tables_behind_it_need(name: str) -> None:
    figure = FIGURES[name]
    needed = frozenset[str]()
    for source in figure.sources:
        behind = METRICS.get(source) or TABLES.get(source.removeprefix("tables/"))
        needed |= behind.needs if behind else frozenset()
    assert needed <= figure.needs
    assert figure.table is None or figure.table in TABLES


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_has_a_stage_and_a_module_that_measures(name: str) -> None:
    metric, module = METRICS[name], importlib.import_module(f"centigan.metrics.{name}")
    # besides what a training depends on, and what samples and all that is measured of them do
    beside = {"model", "train", "supervision", "sample", "features"}
    assert len(STAGES[metric.stage].model_fields.keys() - beside) <= 1
    assert callable(module.measure)
    assert hasattr(module, "measure_real") == bool(metric.of_real)
    if "source" in metric.columns and metric.per == "split":
        assert metric.baseline or metric.own != "generated"  # samples beside a baseline, or real images alone


def test_stacked_digits_have_modes_and_other_images_have_not() -> None:
    data = {name: has_of_data(ContentSettings(source=name)) for name in ("stacked_digits", "digits")}
    of = {name: subject_of(Unconditional(), classes_of_a_split=1000, data=has) for name, has in data.items()}
    assert why_not(METRICS["stacked_modes"], of["stacked_digits"]) is None
    assert why_not(METRICS["stacked_modes"], of["digits"]) == (
        "needs stacked digits; GAN was trained on others"
    )


def test_a_number_that_does_not_apply_has_its_metrics_reason() -> None:
    for name in ("accuracy/generated/32", "ms_ssim/training/max", "accuracy_ms_ssim/r", "cas/generated"):
        assert "draws without classes" in str(why_no_number(name, GAN))
    assert why_no_number("fid/intra_class/generated", GAN)
    assert why_no_number("fid/generated", GAN) is None
    assert why_no_number("latent/linear/largest_over_mean", PIXELCNN)
    assert set(TABLES) < set(EVERY_TABLE)
