"""Figures of an experiment: figures/<name>.{svg,png} from tables/*.csv, summary.json and journals.

The counterparts of AC-GAN's figures 3, 5 and 6 (arXiv:1610.09585). The paper's own points are not drawn
in: data and judge differ in all but the ImageNet experiments; its numbers stand in the comparison.
"""

from collections.abc import Callable, Sequence
from math import floor
from pathlib import Path

import matplotlib.style
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator, PercentFormatter

from centigan.atomic import atomic_path
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.reporting.gallery import gallery
from centigan.reporting.labels import MOST_NAMES, name_line_ends, name_points
from centigan.reporting.results import Results
from centigan.reporting.tables import INACCURATE, LOW_DIVERSITY, LOW_FACTOR
from centigan.settings import FigureSettings, GallerySettings

STYLE = Path(__file__).with_name("style.mplstyle")
REAL, GENERATED, ALARM = "#222222", "#0072B2", "#C62828"  # this blue and red differ to all eyes
QUIET, MUTED = "#888888", "#555555"
COLORS = {"real": REAL, "generated": GENERATED}
MARKERS = {"real": "s", "generated": "o"}


def draw(name: str, layout: Layout, settings: FigureSettings, split_names: Sequence[str]) -> None:
    """Write figures/<name>.svg and .png; the same input gives the same bytes.

    Raises:
        UserError: for an unknown figure, or a file that the figure is drawn from and that is missing.
    """
    if name not in FIGURES:
        raise UserError(f"there is no figure {name!r}; there are: {', '.join(FIGURES)}")
    with matplotlib.style.context(STYLE):
        figure = FIGURES[name](Results(layout, split_names), settings)
        for suffix, metadata in (("svg", {"Date": None}), ("png", {"Software": None})):
            with atomic_path(layout.figure(name, suffix)) as temporary:
                figure.savefig(temporary, format=suffix, metadata=metadata)


def accuracy_by_resolution(results: Results, settings: FigureSettings) -> Figure:
    """Figure 3, bottom left: accuracy of real and generated images at every resolution."""
    table, side = results.table("accuracy_by_resolution"), results.resolution
    figure, axes = _axes(settings.title)
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
        below = source == "generated"
        axes.annotate(
            f"{at_model:.1%}",
            (side, at_model),
            xytext=(8, -14 if below else 8),
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
    _percent(axes, "y", f"accuracy under {results.judge['name']}")
    axes.set_ylim(0, 1.08)
    axes.legend(loc="best")
    return figure


def accuracy_by_class(results: Results, settings: FigureSettings) -> Figure:
    """Figure 3, bottom right: accuracy of each class at R (x) and at R/4 (y)."""
    table, side = results.table("by_class"), results.resolution
    x, y = table["accuracy_generated"], table["accuracy_generated_low"]
    figure, axes = _axes(settings.title, square=True)
    _diagonal(axes, 1.0)
    _points(axes, x, y, table["class_id"])
    low = 0.1 * floor(10 * max(0.0, min(x.min(), y.min()) - 0.05))  # accurate classes would crowd a corner
    edge = 0.04 * (1 - low)
    axes.set(xlim=(low - edge, 1 + edge), ylim=(low - edge, 1 + edge))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))  # whole per cents
    judge = results.judge["name"]
    _percent(axes, "x", f"accuracy at {side} px, under {judge}")
    _percent(axes, "y", f"accuracy at {side // LOW_FACTOR} px")
    share = results.summary["accuracy/share_below_diagonal"]
    _note(axes, f"{share:.1%} of {len(table)} classes\nbelow the line")
    name_points(axes, x, y, table["class_id"].tolist())
    return figure


def ms_ssim_by_class(results: Results, settings: FigureSettings) -> Figure:
    """Figure 5, left: mean MS-SSIM of each class, real (x) and generated (y)."""
    table, summary = results.table("by_class"), results.summary
    x, y = table["ms_ssim_real"], table["ms_ssim_generated"]
    figure, axes = _axes(settings.title, square=True)
    top = 1.12 * max(x.max(), y.max(), 0.05)
    _diagonal(axes, top)
    most_uniform = summary["ms_ssim/real/max"]
    axes.axhline(most_uniform, color=ALARM, linewidth=1.2)
    axes.annotate(
        f"most uniform real class, {most_uniform:.2f}",
        (0.01, most_uniform),
        xycoords=("axes fraction", "data"),
        xytext=(0, 4),
        textcoords="offset points",
        color=ALARM,
        fontsize=8,
    )
    _points(axes, x, y, table["class_id"])
    axes.set(xlim=(0, top), ylim=(0, top))
    axes.set(xlabel="MS-SSIM of real training images", ylabel="MS-SSIM of generated images")
    share = summary["ms_ssim/share_below_max_real"]
    _note(axes, f"{share:.1%} of {len(table)} classes\nbelow the red line")
    name_points(axes, x, y, table["class_id"].tolist())
    return figure


def ms_ssim_in_training(results: Results, settings: FigureSettings) -> Figure:
    """Figure 5, right: mean MS-SSIM of each class through training, collapsed classes in red."""
    table = results.table("ms_ssim_in_training").sort_values(["class_id", "iteration"])
    most_uniform = results.summary["ms_ssim/real/max"]
    figure, axes = _axes(settings.title)
    few = table["class_id"].nunique() <= MOST_NAMES
    ends = []
    for class_id, rows in table.groupby("class_id"):
        x, y = rows["iteration"].iloc[-1], rows["ms_ssim"].iloc[-1]
        color = ALARM if y > most_uniform else GENERATED
        axes.plot(
            rows["iteration"],
            rows["ms_ssim"],
            color=color,
            linewidth=1.4 if few else 0.6,
            alpha=0.8 if few else 0.35,
        )
        ends.append((float(x), float(y), str(class_id), color))
    axes.axhline(most_uniform, color=ALARM, linestyle="--", linewidth=1)
    axes.set_ylim(0, 1.12 * max(table["ms_ssim"].max(), most_uniform))
    axes.set(xlabel="iteration", ylabel="MS-SSIM of generated images")
    collapsed = sum(y > most_uniform for _, y, _, _ in ends)
    _subtitle(
        axes,
        f"dashed: most uniform real class, {most_uniform:.2f};  {collapsed} of {len(ends)} classes end above",
    )
    name_line_ends(axes, ends)
    return figure


def accuracy_and_ms_ssim(results: Results, settings: FigureSettings) -> Figure:
    """Figure 6: accuracy of each class's samples against their mean MS-SSIM."""
    table, summary = results.table("by_class"), results.summary
    x, y = table["ms_ssim_generated"], table["accuracy_generated"]
    figure, axes = _axes(settings.title)
    axes.axvline(LOW_DIVERSITY, color=QUIET, linestyle="--", linewidth=1)
    axes.axhline(INACCURATE, color=QUIET, linestyle="--", linewidth=1)
    _points(axes, x, y, table["class_id"])
    axes.set(xlim=(0, 1.12 * max(x.max(), LOW_DIVERSITY)), ylim=(-0.04, 1.08))
    axes.set_xlabel("MS-SSIM of generated images")
    _percent(axes, "y", f"accuracy at {results.resolution} px, under {results.judge['name']}")
    _subtitle(axes, _joint_numbers(summary))
    name_points(axes, x, y, table["class_id"].tolist())
    return figure


def training_curves(results: Results, settings: FigureSettings) -> Figure:
    """Losses, and D's accuracies about source and class, of every split."""
    histories = {split: results.history(split).set_index("iteration") for split in results.split_names}
    figure = Figure(figsize=(6.0, 6.6), layout="constrained")
    panels = figure.subplots(3, 1, sharex=True)
    contents = (
        ("loss", {"loss_discriminator": "discriminator", "loss_generator": "generator"}),
        ("D tells the source", {"source_real": "of real images", "source_fake": "of generated"}),
        ("D names the class", {"class_real": "of real images", "class_fake": "of generated"}),
    )
    for axes, (ylabel, curves) in zip(panels, contents, strict=True):
        for (column, label), color in zip(curves.items(), (REAL, GENERATED), strict=True):
            _curves(axes, column, histories, label=label, color=color)
        axes.set_ylabel(ylabel)
        axes.legend(loc="best", ncols=2)
        if ylabel != "loss":
            _percent(axes, "y", ylabel)
            axes.set_ylim(-0.03, 1.05)
    panels[0].set_title(settings.title)
    panels[-1].set_xlabel("iteration")
    return figure


def _gallery(results: Results, settings: FigureSettings) -> Figure:
    per_class = settings.per_class if isinstance(settings, GallerySettings) else 10
    samples = {
        class_id: images
        for split in results.split_names
        for class_id, images in results.samples(split, per_class=per_class).items()
    }
    return gallery(samples, title=settings.title)


FIGURES: dict[str, Callable[[Results, FigureSettings], Figure]] = {
    "accuracy_by_resolution": accuracy_by_resolution,
    "accuracy_by_class": accuracy_by_class,
    "ms_ssim_by_class": ms_ssim_by_class,
    "ms_ssim_in_training": ms_ssim_in_training,
    "accuracy_and_ms_ssim": accuracy_and_ms_ssim,
    "training_curves": training_curves,
    "gallery": _gallery,
}


def _axes(title: str, *, square: bool = False) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(5.0, 5.2) if square else None, layout="constrained")
    axes = figure.subplots()
    axes.set_title(title)
    if square:
        axes.set_aspect("equal")
    return figure, axes


def _subtitle(axes: Axes, text: str) -> None:
    """One quiet line between title and axes."""
    axes.set_title(axes.get_title(loc="left"), pad=24)
    axes.annotate(
        text,
        (0, 1),
        xycoords="axes fraction",
        xytext=(0, 9),
        textcoords="offset points",
        color=MUTED,
        fontsize=9,
    )


def _points(axes: Axes, x: "pd.Series[float]", y: "pd.Series[float]", names: "pd.Series[str]") -> None:
    few = len(names) <= MOST_NAMES
    axes.scatter(x, y, s=34 if few else 9, color=GENERATED, alpha=0.9 if few else 0.5, linewidths=0)


def _diagonal(axes: Axes, top: float) -> None:
    axes.plot([0, top], [0, top], color=QUIET, linewidth=1)


def _note(axes: Axes, text: str) -> None:
    axes.text(0.97, 0.04, text, transform=axes.transAxes, ha="right", va="bottom", color=MUTED, fontsize=9)


def _percent(axes: Axes, which: str, label: str) -> None:
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axis.set_label_text(label)


def _joint_numbers(summary: dict[str, float]) -> str:
    """r and the two shares, as far as they have a value."""
    parts = []
    if "accuracy_ms_ssim/r" in summary:
        parts.append(f"r = {summary['accuracy_ms_ssim/r']:.2f}, r² = {summary['accuracy_ms_ssim/r2']:.2f}")
    low = summary.get("accuracy_ms_ssim/share_low_diversity_inaccurate")
    high = summary.get("accuracy_ms_ssim/share_high_diversity_accurate")
    parts.append("no class right of 0.25" if low is None else f"right of 0.25: {low:.0%} at most 1%")
    parts.append("none left of it" if high is None else f"left: {high:.0%} above 1%")
    return ";  ".join(parts)


def _curves(axes: Axes, column: str, histories: dict[str, pd.DataFrame], *, label: str, color: str) -> None:
    """One faint line a split, and their mean where there are several."""
    if len(histories) > 1:
        alpha = float(np.clip(2 / len(histories), 0.08, 0.4))
        for history in histories.values():
            axes.plot(history.index, history[column], color=color, linewidth=0.8, alpha=alpha)
    mean = pd.concat([history[column] for history in histories.values()]).groupby(level=0).mean()
    axes.plot(mean.index, mean, color=color, linewidth=1.6, label=label)
