"""Which of an experiment's numbers are metrics, and the same metrics of a single split under the same names.

summary.json tells of all splits together. What it says of how much was measured, not how well, is the same
for every such run: MLflow holds that as parameters.
"""

import json
import re
from collections.abc import Callable

import numpy as np
import pandas as pd

from centigan.catalogue import METRICS, applying, files, subject_of_settings
from centigan.layout import Layout
from centigan.settings import Settings

# sizes and thresholds: names of summary.json that are no measurement
CONSTANT = re.compile(
    r"(data|images|neighbours/images)/.+|model/resolution|accuracy/subsets|ms_ssim/pairs|judge/(asked|known)"
    r"|inception_score/.+/(groups|images)|modes/number|neighbours/duplicate_below"
)
DIGITS = 6  # significant ones, as in summary.json


def metrics_of(layout: Layout, settings: Settings) -> dict[str, float]:
    """The experiment's measurements that are known; first what MLflow's comparison opens with."""
    summary = _summary(layout)
    first = f"accuracy/generated/{settings.arrays.resolution}"
    names = sorted(summary, key=lambda name: name != first)
    return {name: float(summary[name]) for name in names if not CONSTANT.fullmatch(name)}


def constants_of(layout: Layout, params: dict[str, str]) -> dict[str, str]:
    """What the measurements rest on, named like the settings; what a setting says already is left out."""
    named = {name.replace("/", "."): v for name, v in _summary(layout).items() if CONSTANT.fullmatch(name)}
    said = {*params, "model.resolution"}  # which is arrays.resolution
    return {name: json.dumps(value, allow_nan=False) for name, value in named.items() if name not in said}


def scores_of(layout: Layout, settings: Settings, split: str) -> dict[str, float]:
    """One split's measurements: of each the mean over its classes, under the name that summary.json has."""
    named: dict[str, float] = {}
    for metric in applying(METRICS, subject_of_settings(settings)):
        paths = files(metric, layout, split)
        if metric in OF_SPLIT and all(path.exists() for path in paths):
            named |= OF_SPLIT[metric](pd.concat([pd.read_parquet(path) for path in paths]))
    return {name: float(f"{value:.{DIGITS}g}") for name, value in named.items() if np.isfinite(value)}


def _accuracy(rows: pd.DataFrame) -> dict[str, float]:
    counts = rows.groupby(["source", "resolution", "class_id"])[["correct", "count"]].sum()
    share = (counts["correct"] / counts["count"]).rename("share")
    means = share.groupby(level=["source", "resolution"]).mean().reset_index()
    return {f"accuracy/{row['source']}/{row['resolution']}": row["share"] for row in means.to_dict("records")}


def _ms_ssim(rows: pd.DataFrame) -> dict[str, float]:
    of_class = rows.groupby(["source", "class_id"])["ms_ssim"].agg(["mean", "std"])
    table = of_class.groupby(level="source").mean().to_dict("index")
    return {f"ms_ssim/{source}/{name}": v for source, row in table.items() for name, v in row.items()}


def _intra_class(rows: pd.DataFrame) -> dict[str, float]:
    fid = rows.groupby("source")["fid"].mean()
    return {f"fid/intra_class/{source}": mean for source, mean in fid.items()}


def _smoothness(rows: pd.DataFrame) -> dict[str, float]:
    steps = rows.groupby("path")["largest_over_mean"].mean()
    return {f"latent/{walk}/largest_over_mean": mean for walk, mean in steps.items()}


OF_SPLIT: dict[str, Callable[[pd.DataFrame], dict[str, float]]] = {
    "accuracy": _accuracy,
    "ms_ssim": _ms_ssim,
    "intra_class": _intra_class,
    "smoothness": _smoothness,
}


def _summary(layout: Layout) -> dict[str, float]:
    return json.loads(layout.summary.read_text(encoding="utf-8"))
