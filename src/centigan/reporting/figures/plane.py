"""Points in a plane or on a line: samples over what D says, and through training.

The counterparts of Goodfellow et al. (2014), Fig 1, on the line; of Metz et al. (2017), Fig 2, and of
Gulrajani et al. (2017), Fig 1, in the plane.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from centigan.reporting.figures.axes import GENERATED, MUTED, QUIET, REAL, legend_above, subtitle
from centigan.reporting.results import Results
from centigan.settings.figures import FigureSettings
from centigan.sheets import evenly

SHOWN = 2000  # points of a kind
MOST = 1000  # points that are divided (metrics.circles)
ACROSS = 6  # moments of a training
BINS = 60
SAYS = "D's logit, or the critic's value"
Points = npt.NDArray[np.float32]


def plane(results: Results, settings: FigureSettings) -> Figure:
    """Training points and samples of the first split, over D's value of every place."""
    split = results.split_names[0]
    training, samples = (evenly_of(results.points(split, which)) for which in ("training", "generated"))
    rows = results.metric("field").query("split == @split")
    if training.shape[1] == 1:
        return _on_a_line(training[:, 0], samples[:, 0], rows, settings.title)
    figure = Figure(figsize=(6.2, 5.6), layout="constrained")
    axes = figure.subplots()
    axes.set_title(settings.title)
    value = rows["value"].to_numpy()
    reach = float(np.quantile(np.abs(value - np.median(value)), 0.98)) or 1.0
    levels = np.median(value) + np.linspace(-reach, reach, 21)
    coloured(figure, axes, rows, levels, SAYS, cmap="RdBu_r", extend="both", alpha=0.75)
    points_over(axes, training, samples)
    legend_above(axes)
    return figure


def coloured(
    figure: Figure, axes: Axes, field: pd.DataFrame, levels: npt.NDArray[np.float64], says: str, **look: Any
) -> None:
    """A value at every place of a square grid, x1, x2 and value, as colours; `says`: what they are of."""
    side = int(np.sqrt(len(field)))
    x1, x2, value = (field[name].to_numpy().reshape(side, side) for name in ("x1", "x2", "value"))
    shown = axes.contourf(x1, x2, value, levels=levels, **look)
    low, high = levels[[0, -1]]
    ticks = [tick for tick in MaxNLocator(7).tick_values(low, high) if low <= tick <= high]
    figure.colorbar(shown, ax=axes, label=says, shrink=0.8, ticks=ticks)
    axes.set_xlim(x1.min(), x1.max())
    axes.set_ylim(x2.min(), x2.max())
    axes.set_aspect("equal")


def points_over(axes: Axes, training: Points, samples: Points) -> None:
    """Training points and samples, with their entries in the legend."""
    dots(axes, training, 3, REAL, alpha=0.5)
    dots(axes, samples, 4, GENERATED, alpha=0.7)
    for color, label in ((REAL, "training points"), (GENERATED, "samples")):
        axes.scatter([], [], s=25, color=color, label=label)  # nobody sees the colour of a dot


def plane_in_training(results: Results, settings: FigureSettings) -> Figure:
    """A strip: samples of the same latents of the first split, at moments of its training."""
    split = results.split_names[0]
    training = results.points(split, "training")
    found = results.snapshots_of_points(split)
    at = [list(found)[n] for n in evenly(len(found), ACROSS)]
    return moments(
        {
            f"{'' if number else 'iteration '}{iteration:,}": (training, found[iteration])
            for number, iteration in enumerate(at)
        },
        title=settings.title,
    )


def moments(panels: dict[str, tuple[Points, Points]], *, title: str) -> Figure:
    """A strip: under each label samples (N, d) over training points (N, d), all at one scale."""
    across = min(len(panels), ACROSS)
    down = -(-len(panels) // across)
    figure = Figure(figsize=(2.0 * across + 0.4, 2.3 * down + 0.4), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", weight="bold", size=12)
    places = list(figure.subplots(down, across, sharex=True, sharey=True, squeeze=False).flat)
    every = np.concatenate([training for training, _ in panels.values()])
    low, high = every.min(0), every.max(0)
    margin = 0.25 * float((high - low).max())
    for axes, (label, (training, samples)) in zip(places, panels.items(), strict=False):
        _moment(axes, evenly_of(training), evenly_of(samples))
        axes.set_title(label, size=9, weight="normal")
        axes.set_xlim(low[0] - margin, high[0] + margin)
        if training.shape[1] == 2:
            axes.set_ylim(low[1] - margin, high[1] + margin)
            axes.set_aspect("equal")
        axes.set_xticks([])
        axes.set_yticks([])
    for axes in places[len(panels) :]:
        axes.set_visible(False)
    return figure


def circles(results: Results, settings: FigureSettings) -> Figure:
    """How each method divides the plane around two circles (Springenberg 2015, Fig 2)."""
    split = results.split_names[0]
    rows = results.metric("circles").query("split == @split")
    folder = results.layout.arrays(split)
    labels = np.load(folder / "labels.npy")
    shown = evenly(len(labels), MOST)
    points, labels = results.points(split, "training")[shown], labels[shown]
    figure = Figure(figsize=(8.4, 3.2), layout="constrained")
    figure.suptitle(settings.title, x=0.01, ha="left", weight="bold", size=12)
    for axes, (method, found) in zip(figure.subplots(1, 3), rows.groupby("method", sort=False), strict=True):
        side = int(np.sqrt(len(found)))
        x1, x2, cluster = (found[name].to_numpy().reshape(side, side) for name in ("x1", "x2", "cluster"))
        axes.pcolormesh(x1, x2, cluster, cmap="Pastel1", rasterized=True)
        for label, color in enumerate((REAL, GENERATED)):
            own = points[labels == label]
            dots(axes, own, 3, color)
        name = results.subject.title if method == "model" else str(method)
        axes.set_title(f"{name}: {found['accuracy'].iloc[0]:.1%}", size=10)
        axes.set_aspect("equal")
        axes.set_xticks([])
        axes.set_yticks([])
    return figure


def evenly_of(points: Points) -> Points:
    """At most SHOWN of them, evenly."""
    return points[evenly(len(points), SHOWN)]


def _moment(axes: Axes, training: Points, samples: Points) -> None:
    if training.shape[1] == 1:
        densities(axes, training[:, 0], samples[:, 0])
        return
    dots(axes, training, 1.5, QUIET, alpha=0.5)
    dots(axes, samples, 2.5, GENERATED, alpha=0.7)


def dots(axes: Axes, points: Points, size: float, color: str, *, alpha: float = 1) -> None:
    """Points (N, 2), as pixels within the drawing: thousands of marks would be megabytes."""
    axes.scatter(
        points[:, 0],
        points[:, 1],
        s=size,
        color=color,
        alpha=alpha,
        linewidths=0,
        rasterized=True,
    )


def _on_a_line(training: Points, samples: Points, rows: pd.DataFrame, title: str) -> Figure:
    """Densities and D above, the lines of z to G(z) below (Goodfellow et al. 2014, Fig 1)."""
    field, drawn = rows.query("kind == 'field'"), rows.query("kind == 'map'")
    figure = Figure(figsize=(6.0, 5.0 if len(drawn) else 3.4), layout="constrained")
    upper, *lower = figure.subplots(2, 1, height_ratios=[3, 2]) if len(drawn) else [figure.subplots()]
    upper.set_title(title)
    densities(upper, training, samples)
    upper.set_ylabel("density")
    beside = upper.twinx()
    beside.plot(field["x1"], field["value"], color="#E69F00", label=SAYS)
    beside.set_ylabel("D", color=MUTED)
    beside.grid(visible=False)
    for line in beside.get_lines():
        upper.plot([], [], color=line.get_color(), label=line.get_label())
    legend_above(upper)
    for axes in lower:
        z, x = drawn["x1"].to_numpy(), drawn["value"].to_numpy()
        places = evenly(len(z), 41)
        span = np.interp(z, (z.min(), z.max()), upper.get_xlim())  # z has an axis of its own
        for place in places:
            axes.plot([span[place], x[place]], [0, 1], color=QUIET, linewidth=0.8)
        axes.set_yticks([0, 1], ["z", "G(z)"])
        axes.set_xlim(upper.get_xlim())
        at = np.arange(np.ceil(z.min()), z.max() + 1e-6)
        named = [f"{tick:g}".replace("-", "\N{MINUS SIGN}") for tick in at]
        axes.set_xticks(np.interp(at, (z.min(), z.max()), upper.get_xlim()), named)
        axes.grid(visible=False)
        subtitle(axes, "where G takes each z, below, of the points above")
    return figure


def densities(axes: Axes, training: Points, samples: Points) -> None:
    """Histograms of points (N,) on a line."""
    low, high = training.min() - 1, training.max() + 1
    bins = np.linspace(low, high, BINS).tolist()
    # by weights, not `density`: of samples beyond the axes the shares within would be too large
    of_training, of_samples = ([1 / (len(x) * (bins[1] - bins[0]))] * len(x) for x in (training, samples))
    axes.hist(training, bins, weights=of_training, histtype="step", color=REAL, label="training points")
    axes.hist(samples, bins, weights=of_samples, color=GENERATED, alpha=0.4, label="samples")
