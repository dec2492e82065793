"""Codes of held-out images over the prior (Makhzani et al. 2015, Fig 2)."""

from matplotlib import color_sequences
from matplotlib.figure import Figure

from centigan.reporting.figures.axes import QUIET, subtitle, titled_axes
from centigan.reporting.labels import MOST_NAMES
from centigan.reporting.results import Results
from centigan.settings.figures import FigureSettings


def codes(results: Results, settings: FigureSettings) -> Figure:
    """Of the first split: a dot a held-out image, in the colour of its class; draws of the prior in grey."""
    split = results.split_names[0]
    rows = results.metric("codes").query("split == @split")
    figure, axes = titled_axes(settings.title, square=True)
    prior, images = (rows[rows["source"] == source] for source in ("prior", "held_out"))
    axes.scatter(prior["x1"], prior["x2"], s=4, color=QUIET, alpha=0.35, linewidths=0, rasterized=True)
    colors = color_sequences["tab10"]
    for number, (class_id, own) in enumerate(images.groupby("class_id", sort=False)):
        axes.scatter(
            own["x1"],
            own["x2"],
            s=9,
            color=colors[number % len(colors)],
            alpha=0.8,
            linewidths=0,
            rasterized=True,
            label=results.names[str(class_id)],
        )
    if images["class_id"].nunique() <= MOST_NAMES:
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), handletextpad=0.1)
    subtitle(axes, f"{len(images)} held-out images of split {split}; grey: as many draws of the prior")
    of_code = rows["dimensions"].iloc[0] <= 2
    axes.set_xlabel("z1" if of_code else "first principal component of z")
    axes.set_ylabel("z2" if of_code else "second")
    axes.set_aspect("equal", adjustable="datalim")
    return figure
