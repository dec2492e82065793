"""A family that draws without classes: what remains of tables, figures and page, and why the rest lacks."""

import json

import numpy as np
import pandas as pd
import pytest

from centigan.catalogue import FIGURES, METRICS, applying
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.reporting.comparison import write_comparison
from centigan.reporting.figures import draw
from centigan.reporting.results import Results
from centigan.reporting.site import write_report
from centigan.reporting.tables import write_tables
from centigan.settings import Settings
from centigan.settings.families.acgan import AcganConfig
from centigan.tracking.scores import metrics_of, scores_of

SPLITS = ["00", "01"]
REASON = "needs a model that draws images of a class; AC-GAN draws without classes"


@pytest.fixture
def unconditional(metrics: Layout, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """The experiment by hand, of a family without classes: what does not apply was never measured."""
    monkeypatch.setattr(AcganConfig, "abilities", property(lambda _: frozenset({"latent"})))
    for name in METRICS.keys() - applying(METRICS, Results(metrics, SPLITS).subject).keys():
        for folder in (metrics.metric(name, "all").parent, metrics.real_metric(name, "all").parent):
            for file in folder.glob("*.parquet"):
                file.unlink()
    for split in SPLITS:
        path = metrics.metric("neighbours", split)
        rows = pd.read_parquet(path).query("scope == 'split'")
        rows.assign(class_id=None).to_parquet(path)
        labels = np.load(metrics.samples(split) / "labels.npy")
        np.save(metrics.samples(split) / "labels.npy", np.full_like(labels, -1))
    write_tables(metrics, SPLITS, resolution=32, neighbours=settings.neighbours)
    write_comparison(metrics, SPLITS, network=settings.features.network)
    return metrics


def test_the_summary_has_the_numbers_that_apply_and_no_key_of_the_others(unconditional: Layout) -> None:
    summary = json.loads(unconditional.summary.read_text())
    starts = {name.partition("/")[0] for name in summary}
    assert {"fid", "kid", "inception_score", "neighbours", "latent", "images"} <= starts
    assert not {"accuracy", "judge", "ms_ssim", "accuracy_ms_ssim", "cas"} & starts
    assert not [name for name in summary if name.startswith("fid/intra_class")]


def test_tables_that_do_not_apply_are_empty_and_the_reason_is_told(unconditional: Layout) -> None:
    assert len(pd.read_csv(unconditional.table("accuracy_by_resolution"))) == 0
    assert len(pd.read_csv(unconditional.table("distribution"))) == 12
    told = pd.read_csv(unconditional.table("absent")).set_index(["table", "number"])["why"]
    assert told["metric", "accuracy"] == told["table", "by_class"] == told["figure", "gallery"] == REASON
    assert ("metric", "distribution") not in told.index
    assert ("summary", "accuracy_ms_ssim/r") not in told.index
    rows = pd.read_csv(unconditional.table("comparison"), keep_default_na=False).set_index("measurement")
    row = rows.loc["Accuracy of samples at R"]
    assert (row["ours"], row["comparable"]) == ("", "no")
    assert row["why"].startswith(REASON)


def test_figures_that_apply_are_drawn_and_another_gives_its_reason(
    unconditional: Layout, settings: Settings
) -> None:
    for name in applying(FIGURES, Results(unconditional, SPLITS).subject):
        draw(name, unconditional, getattr(settings.figures, name), SPLITS)
        assert unconditional.figure(name).exists()
    with pytest.raises(UserError, match=f"figure gallery {REASON}"):
        draw("gallery", unconditional, settings.figures.gallery, SPLITS)


def test_the_page_shows_what_there_is_and_why_the_rest_is_missing(
    unconditional: Layout, settings: Settings
) -> None:
    for name in applying(FIGURES, Results(unconditional, SPLITS).subject):
        draw(name, unconditional, getattr(settings.figures, name), SPLITS)
    write_report(unconditional, settings, None)
    page = unconditional.report.read_text()
    assert f"accuracy (metric): {REASON}" in page
    assert "figures/memorisation.html" in page
    assert "classes.html" not in page
    assert not (unconditional.report.parent / "classes").exists()


def test_mlflow_gets_the_numbers_that_apply(unconditional: Layout, settings: Settings) -> None:
    assert "fid/generated" in metrics_of(unconditional, settings)
    assert {name.partition("/")[0] for name in scores_of(unconditional, settings, "00")} == {"latent"}
