"""Points over the model's own density, in a plane or on a line (Lucas et al. 2019, section 3)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from centigan.reporting.figures.axes import legend_above
from centigan.reporting.figures.plane import Points, coloured, densities, evenly_of, points_over
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
        points_over(axes, training, samples)
    legend_above(axes)
    return figure


def _plane(figure: Figure, axes: Axes, field: pd.DataFrame) -> None:
    """The log density as colours, down to so many nats below its greatest value."""
    greatest = field["value"].max()
    levels = np.linspace(greatest - DEPTH, greatest, 25)
    shown = field.assign(value=field["value"].clip(lower=levels[0]))
    coloured(figure, axes, shown, levels, SAYS, cmap="YlOrBr_r")


def _line(axes: Axes, training: Points, samples: Points, field: pd.DataFrame) -> None:
    """Histograms of the points, and the model's density as a curve."""
    densities(axes, training[:, 0], samples[:, 0])
    axes.plot(field["x1"], np.exp(field["value"]), color="#E69F00", label="the model's density")
    axes.set_ylabel("density")
