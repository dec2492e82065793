"""What was measured of each class, gathered from the metric files: class_id -> rows for its page."""

from typing import Any

import pandas as pd

from centigan.reporting.results import Results, share_correct

Rows = list[dict[Any, Any]]

SOUGHT = ["metric", "class_id", "image"]  # a sample whose neighbours were sought
FOUND = ["neighbour", "neighbour_class", "distance"]


def accuracy(results: Results) -> dict[str, Rows]:
    """Rows resolution, held_out, generated: the share of images that the judge names rightly."""
    keys = ["class_id", "resolution", "source"]
    shares = (
        share_correct(results.metric("accuracy"), keys)
        .unstack("source")
        .reindex(columns=["held_out", "generated"])
    )
    return _rows(shares.reset_index(), "class_id")


def ms_ssim(results: Results) -> dict[str, Rows]:
    """Rows source, pairs, mean, std and quantiles."""
    return _rows(results.table("ms_ssim_pairs"), "class_id")


def intra_class(results: Results) -> dict[str, Rows]:
    """Rows source, fid, precision, recall, density, coverage and the counts of images."""
    return _rows(results.metric("intra_class"), "class_id")


def evenness(results: Results) -> dict[str, Rows]:
    """Rows path, largest_over_mean: mean over the class's walks."""
    walks = results.metric("smoothness")
    means = walks.groupby(["class_id", "path"], sort=False)["largest_over_mean"].mean()
    return _rows(means.reset_index(), "class_id")


def closest(results: Results, metric: str, count: int) -> dict[str, Rows]:
    """The samples closest to a training image: rows image, and of either scope neighbour, distance.

    Each row also tells `neighbour_class_split`, the class of the split's nearest image, and `sought`, how
    many samples' neighbours were sought.
    """
    found = results.metric("neighbours").query("source == 'generated' and metric == @metric")
    of_scope = {
        scope: rows.set_index(SOUGHT)[FOUND].add_suffix(f"_{scope}") for scope, rows in found.groupby("scope")
    }
    rows = of_scope["class"].join(of_scope["split"], how="inner").reset_index()
    rows["sought"] = rows.groupby("class_id")["image"].transform("size")
    rows = rows.sort_values(["class_id", "distance_split", "image"], kind="stable")
    return _rows(rows.groupby("class_id").head(count), "class_id")


def _rows(frame: pd.DataFrame, key: str) -> dict[str, Rows]:
    """Rows by key, so that a thousand classes are looked up and not searched."""
    rows: dict[str, Rows] = {}
    for row in frame.to_dict("records"):
        rows.setdefault(row[key], []).append(row)
    return rows
