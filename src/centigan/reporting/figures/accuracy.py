"""Accuracy of the judge on real and generated images (AC-GAN, section 4.1 and Fig 3, bottom)."""

from itertools import cycle
from math import ceil, floor

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from centigan.errors import UserError
from centigan.layout import Layout
from centigan.manifest import read_object
from centigan.params import load
from centigan.reporting.figures.axes import (
    BESIDE,
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
from centigan.reporting.results import Results, present
from centigan.reporting.thresholds import LOW_FACTOR
from centigan.settings.figures import CurvesSettings, FigureSettings

NEAR_CHANCE = 0.1  # below it there is no room for a number under its point: the axis and chance are there


def accuracy_by_resolution(results: Results, settings: CurvesSettings) -> Figure:
    """Figure 3, bottom left: accuracy of real and generated images at every resolution.

    Raises:
        UserError: when an experiment beside this one has other data or another judge.
    """
    table, side = results.table("accuracy_by_resolution"), results.resolution
    figure, axes = titled_axes(settings.title)
    axes.axvline(side, color=QUIET, linestyle="--", linewidth=1)
    for source, rows in table.groupby("source", sort=False):
        label = {"held_out": "real, held out", "generated": "generated"}[str(source)]
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
            xytext=(8, -14 if source == "generated" and at_model > NEAR_CHANCE else 8),
            textcoords="offset points",
            color=COLORS[str(source)],
            fontweight="bold",
        )
    pixels = sorted(table["resolution"].unique())
    for name, color in zip(settings.beside, cycle(BESIDE)):
        _curve_beside(axes, results.layout, name, color, pixels)
    chance = 1 / results.summary["judge/asked"]
    axes.axhline(chance, color=QUIET, linestyle=":", linewidth=1, label=f"chance, {100 * chance:.3g}%")
    axes.set_xscale("log", base=2)
    axes.set_xticks(pixels, [str(p) for p in pixels])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(f"resolution, px (dashed: the model's, {side})")
    percent(axes, "y", f"accuracy under {results.judge['name']}")
    axes.set_ylim(0, 1.08)
    legend_above(axes, columns=2 if settings.beside else 4)
    return figure


def _curve_beside(axes: Axes, layout: Layout, name: str, color: str, pixels: list[int]) -> None:
    """The samples of another experiment at those of `pixels` that it has, or the word that it is not run."""
    own, other = load(layout.experiment, layout.root), load(name, layout.root)
    if (own.data, own.judge) != (other.data, other.judge):
        raise UserError(
            f"figures.accuracy_by_resolution.beside: experiment {name} differs from {own.experiment} in "
            "`data` or `judge`, so that their accuracies cannot be compared; leave it out"
        )
    path = Layout(name, layout.root).summary
    if not path.is_file():
        axes.plot([], [], " ", label=f"{name}: not run here")
        return
    summary = read_object(present(path))
    at = {side: f"accuracy/generated/{side}" for side in pixels if f"accuracy/generated/{side}" in summary}
    axes.errorbar(
        list(at),
        [summary[key] for key in at.values()],
        yerr=[summary.get(f"{key}/std", 0.0) for key in at.values()],
        color=color,
        marker="D",
        label=f"generated, {name}",
    )


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
