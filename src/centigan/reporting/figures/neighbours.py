"""Nearest training images, and how near they are (AC-GAN, section 4.4, App C, Figs 7 and 10)."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from centigan.metrics.memorisation import scope_of
from centigan.reporting.figures.axes import ALARM, COLORS, subtitle, titled_axes
from centigan.reporting.figures.chosen import chosen_classes, why_these
from centigan.reporting.figures.rows import Row, broken, fitting_tile, rows_of_pictures
from centigan.reporting.results import Images, Results
from centigan.settings.figures import ChosenSettings, FigureSettings

MOST_CLASSES = 6
PER_CLASS = 3  # samples of a class
NAME, NOTE = 16, 13  # letters in a line of a class's name, left of pictures and under them
POINTS = 1000  # of a curve; more cannot be seen
HEADS = ("sample", "nearest in\nits class", "nearest in\nthe split")


def neighbours_l1(results: Results, settings: ChosenSettings) -> Figure:
    """Figure 7: the samples that come nearest to a training image, by L1."""
    return _neighbours(results, settings, "l1", "in levels of 255, mean over pixels")


def neighbours_ms_ssim(results: Results, settings: ChosenSettings) -> Figure:
    """Figure 10: the same by MS-SSIM."""
    return _neighbours(results, settings, "ms_ssim", "1 - MS-SSIM")


def memorisation(results: Results, settings: FigureSettings) -> Figure:
    """How far samples, and real images that G never saw, lie from the nearest training image."""
    neighbours = results.metric("neighbours")
    scope = scope_of(neighbours)
    nearest = neighbours.query("metric == 'l1' and scope == @scope")
    summary = results.summary
    figure, axes = titled_axes(settings.title)
    for source, label in (("held_out", "real, held out"), ("generated", "generated")):
        distances = np.sort(nearest.loc[nearest["source"] == source, "distance"])
        shares = np.linspace(0, 1, min(POINTS, len(distances)))
        axes.plot(
            np.quantile(distances, shares, method="inverted_cdf"),
            shares,
            color=COLORS[source],
            drawstyle="steps-post",
            label=f"{label}, {len(distances):,} images",
        )
    if (threshold := summary.get("neighbours/duplicate_below")) is not None:
        axes.axvline(
            threshold, color=ALARM, linestyle="--", linewidth=1, label=f"a copy: below {threshold:g}"
        )
    axes.set(xlim=(0, None), ylim=(-0.02, 1.02))
    axes.set_xlabel(f"L1 distance to the nearest training image of the {scope}, levels of 255")
    axes.set_ylabel("share of images as near or nearer")
    axes.legend(loc="best")
    if text := _verdict(summary, scope):
        subtitle(axes, text)
    return figure


def _neighbours(results: Results, settings: ChosenSettings, metric: str, unit: str) -> Figure:
    chosen = chosen_classes(results, settings, f"neighbours_{metric}", most=MOST_CLASSES)
    table = results.metric("neighbours").query("source == 'generated' and metric == @metric")
    table = table.sort_values(["distance", "image"]).set_index("class_id")
    called = results.names
    rows, most = [], 0
    for class_id, split, name in chosen.itertuples(index=False):
        own = table.loc[[class_id]]
        queries = own.loc[own["scope"] == "class", "image"].head(PER_CLASS).tolist()
        found = [_found(results, split, own[own["image"] == image], called) for image in queries]
        pictures = [picture for group in found for picture, _ in group]
        notes = [words for group in found for _, words in group]
        rows.append(Row(broken(name, NAME), pictures, notes=notes))
        most = max(most, len(queries))
    return rows_of_pictures(
        rows,
        title=settings.title,
        tile=fitting_tile(results.resolution, most * len(HEADS)),
        heads=HEADS * most,
        breaks=range(0, most * len(HEADS), len(HEADS)),
        subtitle=f"{why_these(len(rows), results, settings)}, of each the nearest samples; distance {unit}",
    )


def _found(
    results: Results, split: str, rows: pd.DataFrame, called: dict[str, str]
) -> list[tuple[Images, str]]:
    """A sample and its nearest training images, with the words under each."""
    by_scope = rows.set_index("scope").to_dict("index")
    training = results.images(split, "training")
    sample = results.images(split, "generated")[int(rows["image"].iloc[0])]
    found = [(sample, "")]
    for scope in ("class", "split"):
        nearest = by_scope[scope]
        elsewhere = scope == "split" and nearest["neighbour"] != by_scope["class"]["neighbour"]
        of = "\n" + broken(f"of {called[nearest['neighbour_class']]}", NOTE) if elsewhere else ""
        digits = 1 if nearest["metric"] == "l1" else 2
        found.append((training[int(nearest["neighbour"])], f"{nearest['distance']:.{digits}f}{of}"))
    return found


def _verdict(summary: dict[str, float], scope: str) -> str:
    """Duplicates and the permutation test, as far as they were computed."""
    parts = []
    if "neighbours/l1/share_closer" in summary:
        share = summary["neighbours/l1/share_closer"]
        parts.append(f"{share:.1%} of samples nearer than the median held-out image of their {scope}")
    if "neighbours/l1/p_closer" in summary:
        parts.append(f"permutation test that samples are nearer: p = {summary['neighbours/l1/p_closer']:.2g}")
    if "neighbours/duplicates/generated" in summary:
        parts.append(f"copies: {summary['neighbours/duplicates/generated']:.0f}")
    return "\n".join([";  ".join(parts[:1]), ";  ".join(parts[1:])]).strip()
