"""Points over the model's own density, in a plane or on a line (Lucas et al. 2019, section 3)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from centigan.reporting.figures.axes import GENERATED, REAL, legend_above
from centigan.reporting.figures.plane import Points, densities, dots, evenly_of
from centigan.reporting.results import Results
from centigan.settings.figures import FigureSettings

DEPTH = 12  # nats below the densest place that colours tell apart
SAYS = "log density, nats"


def density(results: Results, settings: FigureSettings) -> Figure:
    """Training points and samples of the first split, over the log density of every place."""
    split = results.split_names[0]
    training, samples = (evenly_of(results.points(split, which)) for which in ("training", "generated"))
    field = results.metric("density").query("split == @split and kind == 'field'")
    on_a_line = training.shape[1] == 1
    figure = Figure(figsize=(6.0, 3.4) if on_a_line else (6.2, 5.6), layout="constrained")
    axes = figure.subplots()
    axes.set_title(settings.title)
    if on_a_line:
        _line(axes, training, samples, field)
    else:
        _plane(figure, axes, field)
        _points(axes, training, samples)
    legend_above(axes)
    return figure


def _plane(figure: Figure, axes: Axes, field: pd.DataFrame) -> None:
    """The log density as colours, down to so many nats below its greatest value."""
    side = int(np.sqrt(len(field)))
    x1, x2, value = (field[name].to_numpy().reshape(side, side) for name in ("x1", "x2", "value"))
    levels = np.linspace(value.max() - DEPTH, value.max(), 25)
    shown = axes.contourf(x1, x2, np.maximum(value, levels[0]), levels=levels, cmap="YlOrBr_r")
    ticks = [tick for tick in MaxNLocator(7).tick_values(*levels[[0, -1]]) if levels[0] <= tick <= levels[-1]]
    figure.colorbar(shown, ax=axes, label=SAYS, shrink=0.8, ticks=ticks)
    axes.set_xlim(x1.min(), x1.max())
    axes.set_ylim(x2.min(), x2.max())
    axes.set_aspect("equal")


def _points(axes: Axes, training: Points, samples: Points) -> None:
    dots(axes, training, 3, REAL, alpha=0.5)
    dots(axes, samples, 4, GENERATED, alpha=0.7)
    for color, label in ((REAL, "training points"), (GENERATED, "samples")):
        axes.scatter([], [], s=25, color=color, label=label)  # nobody sees the colour of a dot


def _line(axes: Axes, training: Points, samples: Points, field: pd.DataFrame) -> None:
    """Histograms of the points, and the model's density as a curve."""
    densities(axes, training[:, 0], samples[:, 0])
    axes.plot(field["x1"], np.exp(field["value"]), color="#E69F00", label="the model's density")
    axes.set_ylabel("density")
