"""Diversity within classes, alone and against accuracy (AC-GAN, sections 4.2 and 4.3, Figs 5 and 6)."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from centigan.reporting.figures.axes import (
    ALARM,
    COLORS,
    GENERATED,
    MUTED,
    QUIET,
    class_lines,
    diagonal,
    legend_above,
    percent,
    points,
    subtitle,
    titled_axes,
)
from centigan.reporting.labels import MOST_NAMES, LineEnd, name_line_ends, name_points
from centigan.reporting.results import Results
from centigan.reporting.thresholds import INACCURATE
from centigan.settings.figures import FigureSettings

QUANTILES = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}
BINS = 60


def ms_ssim_by_class(results: Results, settings: FigureSettings) -> Figure:
    """Figure 5, left: mean MS-SSIM of each class, real (x) and generated (y)."""
    table, summary = results.table("by_class"), results.summary
    x, y = table["ms_ssim_training"], table["ms_ssim_generated"]
    figure, axes = titled_axes(settings.title, square=True)
    top = 1.12 * max(x.max(), y.max(), 0.05)
    diagonal(axes, top)
    most_uniform = results.most_uniform
    axes.axhline(most_uniform, color=ALARM, linewidth=1.2)
    right = _crowded_left(x, y - most_uniform, top)
    axes.annotate(
        f"most uniform real class, {most_uniform:.2f}",
        (0.99 if right else 0.01, most_uniform),
        xycoords=("axes fraction", "data"),
        xytext=(0, 4),
        textcoords="offset points",
        ha="right" if right else "left",
        color=ALARM,
        fontsize=8,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
    )
    points(axes, x, y)
    axes.set(xlim=(0, top), ylim=(0, top))
    axes.set(xlabel="MS-SSIM of real training images", ylabel="MS-SSIM of generated images")
    share = summary["ms_ssim/share_below_max_training"]
    subtitle(axes, f"{share:.1%} of {len(table)} classes below the red line")
    name_points(axes, x, y, table["class_id"].tolist(), lines=[most_uniform])
    return figure


def ms_ssim_in_training(results: Results, settings: FigureSettings) -> Figure:
    """Figure 5, right: mean MS-SSIM of each class through training; red: less diverse than real classes."""
    table = results.table("ms_ssim_in_training").sort_values(["class_id", "iteration"])
    figure, axes = titled_axes(settings.title)
    curves = {str(class_id): rows for class_id, rows in table.groupby("class_id")}
    uniform = set(results.less_diverse)
    looks = class_lines(len(curves)) if len(curves) <= MOST_NAMES else None
    ends = []
    for number, (class_id, rows) in enumerate(curves.items()):
        look = looks[number] if looks else _one_of_many(len(curves), uniform=class_id in uniform)
        marker = "o" if len(rows) == 1 else None  # of one point no line is seen
        axes.plot(rows["iteration"], rows["ms_ssim"], marker=marker, markersize=4, **look)
        end = float(rows["iteration"].iloc[-1]), float(rows["ms_ssim"].iloc[-1])
        color = ALARM if class_id in uniform else MUTED
        ends.append(LineEnd(*end, class_id, look["color"], color, stands_out=class_id in uniform))
    axes.axhline(results.most_uniform, color=ALARM, linestyle=":", linewidth=1.2)
    axes.set_ylim(0, 1.12 * max(table["ms_ssim"].max(), results.most_uniform))
    if len(at := table["iteration"].unique()) == 1:
        axes.set_xticks(at)  # the only place on the axis that has a meaning
    axes.set(xlabel="iteration", ylabel="MS-SSIM of generated images")
    marked = "names" if looks else "lines" if len(at) > 1 else "points"
    red = f"{marked} in red: {len(uniform)} of {len(curves)} classes"
    subtitle(
        axes,
        f"dotted: most uniform real class, {results.most_uniform:.2f}\n"
        f"{red}, whose final samples are less diverse",
    )
    name_line_ends(axes, ends)
    return figure


def ms_ssim_pairs(results: Results, settings: FigureSettings) -> Figure:
    """Every pair, not only the classes' means: all pairs above; quantiles within each class below."""
    table = results.metric("ms_ssim")
    figure = Figure(figsize=(6.4, 6.2), layout="constrained")
    grid = figure.add_gridspec(2, 2)
    above = figure.add_subplot(grid[0, :])
    edges = np.linspace(0, max(0.05, float(table["ms_ssim"].max())), BINS + 1)
    for source, color in (("training", COLORS["training"]), ("generated", GENERATED)):
        values = table.loc[table["source"] == source, "ms_ssim"]
        share, _ = np.histogram(values, edges)
        label = f"{source}, {len(values):,} pairs, median {values.median():.2f}"
        above.stairs(share / len(values), edges, color=color, linewidth=1.6, label=label)
        above.stairs(share / len(values), edges, color=color, alpha=0.15, fill=True)
    above.set_title(settings.title)
    above.set(xlabel="MS-SSIM of a pair", xlim=(0, edges[-1]), ylim=(0, None))
    percent(above, "y", "share of pairs")
    legend_above(above)
    below = None
    for column, source in enumerate(("training", "generated")):
        below = figure.add_subplot(grid[1, column], sharey=below)
        _bands(below, table[table["source"] == source], source)
        below.set_ylim(0, edges[-1])
    return figure


def accuracy_and_ms_ssim(results: Results, settings: FigureSettings) -> Figure:
    """Figure 6: accuracy of each class's samples against their mean MS-SSIM."""
    table = results.table("by_class")
    x, y = table["ms_ssim_generated"], table["accuracy_generated"]
    figure, axes = titled_axes(settings.title)
    axes.axvline(results.most_uniform, color=ALARM, linewidth=1.2)
    axes.axhline(INACCURATE, color=QUIET, linestyle="--", linewidth=1)
    points(axes, x, y)
    axes.set(xlim=(0, 1.12 * max(x.max(), results.most_uniform)), ylim=(-0.04, 1.08))
    axes.set_xlabel("MS-SSIM of generated images")
    percent(axes, "y", f"accuracy at {results.resolution} px, under {results.judge['name']}")
    subtitle(axes, _joint_numbers(results.summary, len(results.less_diverse), len(table)))
    name_points(axes, x, y, table["class_id"].tolist())
    return figure


def _crowded_left(x: "pd.Series[float]", above: "pd.Series[float]", top: float) -> bool:
    """Whether the left half of a line has more points just above it than the right half."""
    near = x[above.between(0, 0.05 * top)]
    return bool((near < top / 2).sum() > (near >= top / 2).sum())


def _bands(axes: Axes, pairs: pd.DataFrame, source: str) -> None:
    """Quantiles of each class's pairs, classes in the order of their medians."""
    groups = pairs.groupby("class_id")["ms_ssim"]
    quantiles = pd.DataFrame({name: groups.quantile(share) for name, share in QUANTILES.items()})
    quantiles = quantiles.sort_values("median")
    numbers, color = np.arange(len(quantiles)), COLORS[source]
    if len(quantiles) <= MOST_NAMES:
        axes.vlines(numbers, quantiles["q05"], quantiles["q95"], color=color, linewidth=1, alpha=0.6)
        axes.vlines(numbers, quantiles["q25"], quantiles["q75"], color=color, linewidth=5, alpha=0.5)
        axes.plot(numbers, quantiles["median"], "o", color=color, markersize=5)
        axes.set_xticks(numbers, [str(name) for name in quantiles.index])
        if max(len(str(name)) for name in quantiles.index) > 2:
            axes.tick_params(axis="x", labelrotation=90)
    else:
        axes.fill_between(numbers, quantiles["q05"], quantiles["q95"], color=color, alpha=0.15, linewidth=0)
        axes.fill_between(numbers, quantiles["q25"], quantiles["q75"], color=color, alpha=0.3, linewidth=0)
        axes.plot(numbers, quantiles["median"], color=color, linewidth=1.4)
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.set_xlabel(f"classes, by median: {source}")
    if source == "training":
        axes.set_ylabel("MS-SSIM of a pair")
        axes.set_title(
            "median, half and 90% of each class's pairs", fontsize=9, color=MUTED, fontweight="normal"
        )


def _one_of_many(count: int, *, uniform: bool) -> dict[str, Any]:
    """The look of a line among so many that no colour could tell them apart."""
    faint = max(0.08, min(0.4, 50 / count))
    return {
        "color": ALARM if uniform else GENERATED,
        "linewidth": 0.6,
        "alpha": min(1.0, faint * (4 if uniform else 1)),
        "zorder": 2.5 if uniform else 2,
    }


def _joint_numbers(summary: dict[str, float], uniform: int, classes: int) -> str:
    """r, and a sentence on the classes at either side of the line, as far as they have a value."""
    lines = []
    if "accuracy_ms_ssim/r" in summary:
        r, square = summary["accuracy_ms_ssim/r"], summary["accuracy_ms_ssim/r2"]
        lines.append(f"Pearson's r = {r:.2f}, r² = {square:.2f}.")
    low = summary.get("accuracy_ms_ssim/share_low_diversity_inaccurate")
    high = summary.get("accuracy_ms_ssim/share_high_diversity_accurate")
    right = f"{uniform} of {classes} classes" if uniform else "no class"
    lines.append(f"Right of the red line, less diverse than any real class: {right}.")
    if low is not None:
        lines.append(f"Of these, {low:.0%} have an accuracy of at most 1%.")
    if high is not None:
        lines.append(f"Of the {classes - uniform} left of it, {high:.0%} have more than 1%.")
    return "\n".join(lines)
