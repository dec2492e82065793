"""What `centigan measure` says of the file that it wrote."""

import logging
from pathlib import Path

import pandas as pd
import pytest
from reporting.conftest import SPLITS

from centigan.catalogue import METRICS
from centigan.cli import evaluation
from centigan.layout import Layout
from centigan.reporting.alone import said
from centigan.settings import Settings

DISTRIBUTION = (
    "fid/generated 10, kid/generated 0.01, precision/generated 0.8, recall/generated 0.6, "
    "density/generated 0.9, coverage/generated 0.7"
)


def test_the_numbers_are_those_of_the_summary(first: Layout) -> None:
    measured = [path.name for path in (first.results / "metrics").iterdir()]
    names = {metric: METRICS[metric].names(SPLITS)[0] for metric in measured}
    told = {metric: said(metric, first.metric(metric, name), name) for metric, name in names.items()}
    assert told["distribution"] == DISTRIBUTION
    assert told["class_output"] == "class_output/model 0.75"
    assert told["inception_score"] == "inception_score/samples 2.5, inception_score/fresh 2"
    assert {metric for metric, numbers in told.items() if not numbers} == {
        *("accuracy", "ms_ssim", "ms_ssim_in_training", "neighbours")
    }


def test_a_likelihood_is_told_with_its_kind(tmp_path: Path) -> None:
    rows = [("all", source, 4, 3.25, 4.5, "elbo") for source in ("held_out", "training")]
    columns = ["class_id", "source", "images", "bits", "gaussian", "bound"]
    pd.DataFrame(rows, columns=columns).to_parquet(tmp_path / "00.parquet")
    told = said("bits_per_dim", tmp_path / "00.parquet", "00")
    kind = "an upper bound, by single draws of the encoder (ELBO)"
    assert told == f"bits_per_dim/held_out 3.25, bits_per_dim/training 3.25; {kind}"


def test_the_command_tells_file_and_numbers_and_in_the_workflow_the_file(
    first: Layout, settings: Settings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(evaluation, "open_project", lambda *_: (first, settings))
    monkeypatch.setattr(evaluation, "need_inputs", lambda *_: None)
    for name in ("measure", "measure_real"):
        monkeypatch.setattr(f"centigan.metrics.distribution.{name}", lambda *_: None)
    handed = '{"distribution": {}}'
    evaluation.measure("distribution")
    evaluation.measure("distribution", settings=handed)
    evaluation.measure("distribution", real=True)
    own, real = first.metric("distribution", "all"), first.real_metric("distribution", "all")
    assert caplog.messages == [
        f"all splits: {own}: {DISTRIBUTION}",
        f"all splits: {own}",
        f"all splits: {real}",
    ]
