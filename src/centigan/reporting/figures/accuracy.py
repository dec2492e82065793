"""Accuracy of the judge on real and generated images (AC-GAN, section 4.1 and Fig 3, bottom)."""

from math import ceil, floor

from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from centigan.reporting.figures.axes import (
    COLORS,
    MARKERS,
    QUIET,
    diagonal,
    legend_above,
    percent,
    points,
    subtitle,
    titled_axes,
)
from centigan.reporting.labels import name_points
from centigan.reporting.results import Results
from centigan.reporting.thresholds import LOW_FACTOR
from centigan.settings.figures import FigureSettings


def accuracy_by_resolution(results: Results, settings: FigureSettings) -> Figure:
    """Figure 3, bottom left: accuracy of real and generated images at every resolution."""
    table, side = results.table("accuracy_by_resolution"), results.resolution
    figure, axes = titled_axes(settings.title)
    axes.axvline(side, color=QUIET, linestyle="--", linewidth=1)
    for source, rows in table.groupby("source", sort=False):
        label = {"real": "real, held out", "generated": "generated"}[str(source)]
        axes.errorbar(
            rows["resolution"],
            rows["accuracy"],
            yerr=rows["std"].fillna(0),
            color=COLORS[str(source)],
            marker=MARKERS[str(source)],
            label=label,
        )
        at_model = rows[rows["resolution"] == side]["accuracy"].iloc[0]
        axes.annotate(
            f"{at_model:.1%}",
            (side, at_model),
            xytext=(8, -14 if source == "generated" else 8),
            textcoords="offset points",
            color=COLORS[str(source)],
            fontweight="bold",
        )
    chance = 1 / results.summary["data/classes"]
    axes.axhline(chance, color=QUIET, linestyle=":", linewidth=1, label=f"chance, {100 * chance:.3g}%")
    axes.set_xscale("log", base=2)
    pixels = sorted(table["resolution"].unique())
    axes.set_xticks(pixels, [str(p) for p in pixels])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(f"resolution, px (dashed: the model's, {side})")
    percent(axes, "y", f"accuracy under {results.judge['name']}")
    axes.set_ylim(0, 1.08)
    legend_above(axes)
    return figure


def accuracy_by_class(results: Results, settings: FigureSettings) -> Figure:
    """Figure 3, bottom right: accuracy of each class at R (x) and at R/4 (y)."""
    table, side = results.table("by_class"), results.resolution
    x, y = table["accuracy_generated"], table["accuracy_generated_low"]
    figure, axes = titled_axes(settings.title, square=True)
    diagonal(axes, 1.0)
    points(axes, x, y)
    low = 0.1 * floor(10 * max(0.0, min(x.min(), y.min()) - 0.05))  # accurate classes would crowd a corner
    high = min(1.0, 0.1 * ceil(10 * (max(x.max(), y.max()) + 0.02)))  # and inaccurate ones the other
    edge = 0.04 * (high - low)
    axes.set(xlim=(low - edge, high + edge), ylim=(low - edge, high + edge))
    judge = results.judge["name"]
    percent(axes, "x", f"accuracy at {side} px, under {judge}")
    percent(axes, "y", f"accuracy at {side // LOW_FACTOR} px")
    share = results.summary["accuracy/share_below_diagonal"]
    subtitle(axes, f"{share:.1%} of {len(table)} classes below the line")
    name_points(axes, x, y, table["class_id"].tolist())
    return figure
