"""What MLflow is given of a finished experiment: the report as one page, metrics of all and of one split."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from acgan_figures import ACGAN_FIGURES
from PIL import Image

from centigan.layout import Layout
from centigan.reporting.published import PAPER
from centigan.reporting.site import write_report
from centigan.settings import Settings
from centigan.tracking import one_page as pages
from centigan.tracking.one_page import one_page
from centigan.tracking.scores import constants_of, metrics_of, scores_of

REFERENCE = re.compile(r'(?:src|href)="([^"]*)"')


@pytest.fixture
def report(finished: Layout, settings: Settings) -> Path:
    """A site, whose figures have tests of their own."""
    finished.figure("gallery").parent.mkdir()
    for name in ACGAN_FIGURES:
        finished.figure(name).write_text(
            '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="9"></svg>'
        )
        Image.new("RGB", (90, 9), "white").save(finished.figure(name, "png"))
    write_report(finished, settings, "abc123")
    return finished.report


def test_the_page_has_its_style_and_pictures_and_refers_to_no_file(report: Path) -> None:
    page = one_page(report, classes=4)
    references = set(REFERENCE.findall(page)) - {PAPER.link}
    assert {start for at in references if not (start := at[:5]).startswith(("#", "data:"))} == set()
    assert ".numbers" in page.partition("</style>")[0]
    assert page.count("<script") == 1


def test_every_link_within_the_page_leads_somewhere(report: Path) -> None:
    page = one_page(report, classes=4)
    targets = {at for at in REFERENCE.findall(page) if at.startswith("#")}
    assert {f"#figure-{name}" for name in ACGAN_FIGURES} <= targets
    assert [at for at in targets if f'id="{at[1:]}"' not in page] == []


def test_the_page_says_what_is_left_out_and_where_it_is(
    report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "of all 1000 classes with their pictures" in one_page(report, classes=1000)
    assert "Shown small" not in one_page(report, classes=4)
    heavy = report.parent / "figures" / "gallery.svg"
    monkeypatch.setattr(pages, "HEAVIEST", heavy.stat().st_size)
    heavy.write_text(heavy.read_text() + " ")
    page = one_page(report, classes=4)
    assert "Shown small here, since the page would be too heavy: Samples of every class." in page
    assert page.count("data:image/svg+xml") == len(ACGAN_FIGURES) - 1


def test_no_page_is_heavier_than_a_browser_likes(report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = (report.parent / "figures" / "gallery.svg").stat().st_size
    monkeypatch.setattr(pages, "ROOM", 3 * one)
    assert one_page(report, classes=4).count("data:image/svg+xml") == 3


def test_metrics_are_measurements_and_what_they_rest_on_are_parameters(
    finished: Layout, settings: Settings
) -> None:
    summary = json.loads(finished.summary.read_text())
    metrics = metrics_of(finished, settings)
    rest = summary.keys() - metrics.keys()
    groups = {f"inception_score/{name}" for name in ("samples", "fresh", "training", "held_out")}
    sizes = {f"{group}/{what}" for group in groups for what in ("groups", "images")}
    assert rest - sizes == {
        *("model/resolution", "data/classes", "data/splits", "data/classes_of_a_split"),
        *("accuracy/subsets", "ms_ssim/pairs", "images/held_out", "images/generated"),
        *("judge/asked", "judge/known"),
        *("neighbours/images/generated", "neighbours/images/held_out", "neighbours/duplicate_below"),
    }
    whole = {name for name, value in summary.items() if isinstance(value, int)} - rest
    assert whole <= {"neighbours/duplicates/generated", "neighbours/duplicates/held_out"}
    params = constants_of(finished, {"data.classes": "4", "neighbours.duplicate_below": "5.0"})
    assert params["images.generated"] == json.dumps(summary["images/generated"])
    assert not {"data.classes", "neighbours.duplicate_below", "model.resolution"} & params.keys()


def test_a_splits_metrics_mean_what_the_experiments_of_the_same_name_mean(
    finished: Layout, settings: Settings
) -> None:
    rows = pd.read_parquet(finished.metric("accuracy", "00"))
    extra = rows[(rows["class_id"] == "a") & (rows["source"] == "generated")]
    pd.concat([rows, extra]).to_parquet(finished.metric("accuracy", "00"))  # a class counts once, at any size
    metrics = metrics_of(finished, settings)
    scores = [scores_of(finished, settings, split) for split in ("00", "01")]
    assert scores[0].keys() == scores[1].keys()
    assert scores[0].keys() <= metrics.keys()
    assert {"accuracy/generated/32", "ms_ssim/training/mean", "fid/intra_class/held_out"} <= scores[0].keys()
    for name in scores[0]:  # splits of two classes each
        assert (scores[0][name] + scores[1][name]) / 2 == pytest.approx(metrics[name], rel=1e-5), name
