"""How training went: losses, and what else a family records. The paper shows no such figure."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from centigan.reporting.figures.axes import BESIDE, GENERATED, REAL, legend_above, percent
from centigan.reporting.results import Results
from centigan.settings.figures import FigureSettings

MOST_LINES = 10
SHARES = ("source_", "class_", "matched")  # what keys of the journal begin with that are shares


def training_curves(results: Results, settings: FigureSettings) -> Figure:
    """What the family's settings name of its journal, such as losses and D's accuracies, of every split."""
    histories = {split: results.history(split).set_index("iteration") for split in results.split_names}
    contents = results.family.curves
    figure = Figure(figsize=(6.0, round(2.2 * len(contents), 1)), layout="constrained")
    panels = figure.subplots(len(contents), 1, sharex=True, squeeze=False)[:, 0]
    panels[0].set_title(settings.title)
    for axes, (ylabel, curves) in zip(panels, contents.items(), strict=True):
        for (column, label), color in zip(curves.items(), (REAL, GENERATED, *BESIDE), strict=False):
            _curves(axes, column, histories, label=label, color=color)
        axes.set_ylabel(ylabel)
        legend_above(axes)
        if all(column.startswith(SHARES) for column in curves):
            percent(axes, "y", ylabel)
            axes.set_ylim(-0.03, 1.05)
    panels[-1].set_xlabel("iteration")
    return figure


def _curves(axes: Axes, column: str, histories: dict[str, pd.DataFrame], *, label: str, color: str) -> None:
    """The mean, and faintly each split's line, or where these would blur the middle 90 % of many splits."""
    values = pd.concat([history[column] for history in histories.values()]).groupby(level=0)
    if len(histories) > MOST_LINES:
        low, high = values.quantile(0.05), values.quantile(0.95)
        axes.fill_between(low.index, low, high, color=color, alpha=0.2, linewidth=0)
    elif len(histories) > 1:
        for history in histories.values():
            axes.plot(history.index, history[column], color=color, linewidth=0.8, alpha=1 / len(histories))
    mean = values.mean()
    marker = "o" if len(mean) == 1 else None  # of one point no line is seen
    axes.plot(mean.index, mean, color=color, linewidth=1.6, marker=marker, label=label)
