"""A number that cannot be computed is left out everywhere, and its reason stands where one looks for it."""

import html
import json
import logging

import numpy as np
import pandas as pd
import pytest
from acgan_figures import ACGAN_FIGURES

from centigan.catalogue import files, subject_of
from centigan.layout import Layout
from centigan.reporting.absent import absences, finite, without_infinity
from centigan.reporting.comparison import write_comparison
from centigan.reporting.figures import draw
from centigan.reporting.results import Results
from centigan.reporting.site import write_report
from centigan.reporting.tables import write_tables
from centigan.settings import Settings
from centigan.settings.families.acgan import AcganConfig

SPLITS = ["00", "01"]
ACGAN = subject_of(AcganConfig(), classes_of_a_split=2)
NO_SPREAD = "one value alone has no spread"


def refuse(word: str) -> float:
    raise AssertionError(f"{word} is no JSON")


def edit(layout: Layout, metric: str, column: str, value: float, rows: slice = slice(None)) -> None:
    for split in SPLITS:
        frame = pd.read_parquet(layout.metric(metric, split))
        frame.loc[frame.index[rows], column] = value
        frame.to_parquet(layout.metric(metric, split))


@pytest.fixture
def one_pair(metrics: Layout, settings: Settings) -> Layout:
    """One pair of images a class, and images in one subset alone: nothing to take a deviation of."""
    for split in SPLITS:
        for metric, column in (("ms_ssim", "pair"), ("accuracy", "subset")):
            for path in files(metric, metrics, split):
                frame = pd.read_parquet(path)
                frame[frame[column] == 0].to_parquet(path)
    write_tables(metrics, SPLITS, resolution=32, neighbours=settings.neighbours)
    write_comparison(metrics, SPLITS, network=settings.features.network)
    return metrics


def test_the_summary_is_json_and_leaves_out_what_has_no_value(one_pair: Layout) -> None:
    summary = json.loads(one_pair.summary.read_text(), parse_constant=refuse)
    assert "ms_ssim/training/mean" in summary
    assert not {"ms_ssim/training/std", "ms_ssim/generated/std", "accuracy/held_out/32/std"} & summary.keys()


def test_a_table_says_what_is_empty_and_why(one_pair: Layout) -> None:
    absent = Results(one_pair, SPLITS).table("absent").set_index(["table", "number"])
    assert absent.loc[("summary", "ms_ssim/training/std"), "why"] == NO_SPREAD
    assert absent.loc[("by_class", "ms_ssim_generated_std"), ["cells", "why"]].tolist() == [4, NO_SPREAD]
    assert absent.loc[("ms_ssim_pairs", "std"), "cells"] == 8
    assert absent.loc[("accuracy_by_resolution", "std"), "why"] == NO_SPREAD
    empty = pd.read_csv(one_pair.table("by_class"), keep_default_na=False)["ms_ssim_training_std"]
    assert set(empty) == {""}


def test_the_comparison_gives_the_reason_in_place_of_a_number(one_pair: Layout) -> None:
    table = pd.read_csv(one_pair.table("comparison"), keep_default_na=False).set_index("measurement")
    row = table.loc["Std of MS-SSIM in a real class"]
    assert (row["ours"], row["difference"], row["comparable"]) == ("", "", "no")
    assert row["why"].startswith(NO_SPREAD)


def test_figures_and_pages_show_what_there_is_and_say_what_there_is_not(
    one_pair: Layout, settings: Settings
) -> None:
    for name in ACGAN_FIGURES:
        draw(name, one_pair, getattr(settings.figures, name), SPLITS)
    write_report(one_pair, settings, "abc")
    page = html.unescape(one_pair.report.read_text())
    assert f"ms_ssim/training/std (summary): {NO_SPREAD}" in page
    for file in one_pair.report.parent.rglob("*.html"):
        assert not {"nan", "inf", "NaN"} & set(file.read_text().split())


def test_an_experiment_with_every_number_says_nothing_of_it(
    finished: Layout, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    write_tables(finished, SPLITS, resolution=32, neighbours=settings.neighbours)
    absent = Results(finished, SPLITS).table("absent")
    assert set(absent["table"]) == {"metric", "figure"}  # what AC-GAN cannot do; no number is missing
    assert not caplog.records


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_measurement_that_is_no_number_is_told_and_never_written(
    metrics: Layout, settings: Settings, caplog: pytest.LogCaptureFixture, value: float
) -> None:
    edit(metrics, "smoothness", "largest_over_mean", value)
    edit(metrics, "intra_class", "fid", value, slice(0, 1))
    with caplog.at_level(logging.WARNING):
        write_tables(metrics, SPLITS, resolution=32, neighbours=settings.neighbours)
    summary = json.loads(metrics.summary.read_text(), parse_constant=refuse)
    assert "latent/linear/largest_over_mean" not in summary
    assert "latent/linear/largest_over_mean has no value in 1 place" in caplog.text
    absent = Results(metrics, SPLITS).table("absent").set_index(["table", "number"])
    assert absent.loc[("by_class", "fid"), "cells"] == 2
    assert "not a finite number" in absent.loc[("by_class", "fid"), "why"]
    assert "inf" not in metrics.table("by_class").read_text()


def test_numbers_that_are_numbers_stay_as_they_are() -> None:
    values = {"a": 1.0, "b": 0, "c": np.nan, "d": np.inf}
    assert finite(values) == {"a": 1.0, "b": 0}
    table = pd.DataFrame({"n": [1, 2], "x": [0.5, np.inf], "name": ["inf", "nan"]})
    assert without_infinity(table)["name"].tolist() == ["inf", "nan"]
    assert without_infinity(table)["n"].dtype == np.int64
    shares = ["accuracy_ms_ssim/r", "accuracy_ms_ssim/r2"]
    assert set(absences(values, {}, ACGAN)["number"]) > {
        "c",
        "d",
        *shares,
    }  # shares of no class are left out before
