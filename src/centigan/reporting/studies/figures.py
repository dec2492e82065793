"""The figures of a study: its numbers as dots, and samples of every row."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from centigan.reporting.figures.axes import GENERATED, MUTED, QUIET
from centigan.reporting.figures.plane import Points, moments
from centigan.reporting.figures.rows import Row, broken, fitting_tile, rows_of_pictures
from centigan.reporting.results import Images, Results
from centigan.reporting.studies.captions import of_captions
from centigan.reporting.studies.columns import Column, column
from centigan.reporting.studies.results import StudyResults
from centigan.settings import Settings
from centigan.sheets import evenly

ACROSS = 3  # panels side by side
PICTURES = 10  # of a row
LETTERS = 14  # of a line above a picture
HEADING = 28  # the same above a panel, left of what is better
LINE = 0.17  # inches that one takes
BETTER = {"lower": "← better", "higher": "better →", "": ""}


def dots(results: StudyResults) -> Figure:
    """A panel a column, a line a row: each point as a dot, their mean as a stroke."""
    columns = [column(name) for name in results.study.columns]
    across = min(ACROSS, len(columns))
    down = -(-len(columns) // across)
    headings = [broken(own.label, HEADING) for own in columns]
    breaks = [heading.count("\n") for heading in headings]
    broken_lines = sum(max(breaks[n : n + across]) for n in range(0, len(breaks), across))
    names = max(1.2, 0.3 + 0.08 * max(map(len, results.rows)))
    size = (names + 3.0 * across, down * (1.1 + 0.32 * len(results.rows)) + LINE * broken_lines)
    figure = Figure(figsize=size, layout="constrained")
    panels = list(figure.subplots(down, across, sharey=True, squeeze=False).flat)
    for axes, own, heading in zip(panels, columns, headings, strict=False):
        _dots_of(axes, results, own)
        axes.set_title(heading, fontsize=10)
        axes.set_title(BETTER[own.better], loc="right", fontsize=8, fontweight="normal", color=QUIET)
    for axes in panels[len(columns) :]:
        axes.set_visible(False)
    return figure


def _dots_of(axes: Axes, results: StudyResults, own: Column) -> None:
    """One column: a line a row."""
    for height, row in enumerate(results.rows):
        numbers = results.numbers.loc[[point.own for point in results.points_of(row)], own.name].dropna()
        axes.plot(numbers, [height] * len(numbers), "o", color=GENERATED, alpha=0.55, markeredgewidth=0)
        if len(numbers) > 1:
            axes.plot([numbers.mean()], [height], "|", color="#222222", markersize=15, markeredgewidth=2)
        if not len(numbers):
            axes.annotate("not measured", (0.5, height), xycoords=("axes fraction", "data"), va="center",
                          ha="center", color=MUTED, fontsize=8)  # fmt: skip
    axes.set_yticks(range(len(results.rows)), results.rows)
    axes.set_ylim(len(results.rows) - 0.5, -0.5)
    axes.margins(x=0.1)
    axes.locator_params(axis="x", nbins=5)


def samples(results: StudyResults, *, title: str) -> Figure:
    """A line a row: the first samples of its first point, under their classes where they are asked for.

    Of points a panel a row: samples over training points. Of captions a line a caption, and a column a row.
    """
    first = {row: results.points_of(row)[0] for row in results.rows}
    if results.by_caption:
        return of_captions({row: results.of(point) for row, point in first.items()}, title=title)
    if all(results.settings[point.name].data.kind == "points" for point in first.values()):
        return moments({row: _points(results.of(point)) for row, point in first.items()}, title=title)
    drawn = {}
    for row in results.rows:
        point = results.points_of(row)[0]
        drawn[row] = _samples(results.of(point), results.settings[point.name])
    heads = next((names for names, _ in drawn.values() if names), [])
    side = next(iter(drawn.values()))[1][0].shape[0]
    rows = [
        Row(broken(row, LETTERS), pictures, after="" if names else "no class asked for")
        for row, (names, pictures) in drawn.items()
    ]
    tile = fitting_tile(side, max(len(row.pictures) for row in rows))
    return rows_of_pictures(rows, title=title, tile=tile, heads=[broken(name, LETTERS) for name in heads])


def _points(results: Results) -> tuple[Points, Points]:
    """Training points and samples of the first split."""
    split = results.split_names[0]
    return results.points(split, "training"), results.points(split, "generated")


def _samples(results: Results, settings: Settings) -> tuple[list[str], list[Images]]:
    """Classes and a sample of each where the family draws by class, else the first samples of all splits."""
    if settings.model.draws_classes:
        classes = results.classes
        shown = classes.iloc[evenly(len(classes), PICTURES)]
        each = max(1, PICTURES // len(shown))
        pictures: list[Images] = []
        names: list[str] = []
        for split in shown["split"].unique():
            of_split = results.samples(split, per_class=each)
            for class_id in shown.loc[shown["split"] == split, "class_id"]:
                pictures += list(of_split[class_id])
                names += [results.names[class_id]] * len(of_split[class_id])
        return names, pictures
    each = -(-PICTURES // len(results.split_names))
    some = [results.images(split, "generated")[:each] for split in results.split_names]
    return [], list(np.concatenate(some)[:PICTURES])
