"""What a shift by some pixels changes, of pixels and of a discriminator's features."""

from matplotlib.figure import Figure

from centigan.reporting.figures.axes import GENERATED, QUIET, REAL, legend_above, titled_axes
from centigan.reporting.results import Results
from centigan.settings.figures import FigureSettings

LINES = {"pixels": ("of pixels", REAL), "features": ("of the model's features", GENERATED)}


def shift(results: Results, settings: FigureSettings) -> Figure:
    """Mean over splits of both distances against the shift, over the distance to another image."""
    means = results.metric("shift").groupby(["distance", "shift"])["ratio"].mean()
    figure, axes = titled_axes(settings.title)
    for name, (label, color) in LINES.items():
        curve = means[name]
        axes.plot([0, *curve.index], [0, *curve], "o-", color=color, label=label)
    axes.axhline(1, color=QUIET, linewidth=1)
    axes.set_xticks([0, *means["pixels"].index])
    axes.set_xlabel("shift, pixels")
    axes.set_ylabel("distance to its shifted image,\nover that to another image")
    axes.set_ylim(bottom=0)
    legend_above(axes)
    return figure
