"""Held-out images drawn again, and walks between the codes of two of them."""

from matplotlib.figure import Figure

from centigan.reporting.figures.rows import Row, fitting_tile, rows_of_pictures
from centigan.reporting.results import Results
from centigan.settings.figures import FigureSettings
from centigan.sheets import evenly

ACROSS, BLOCKS = 12, 2  # images a row, pairs of rows
WALKS = 4


def reconstructions(results: Results, settings: FigureSettings) -> Figure:
    """Of the first split: real images above what is drawn of them; below, each walk between two real ones."""
    split = results.split_names[0]
    found, ratio = results.reconstructions(split), results.right_over_wrong(split)
    shown = evenly(len(found["images"]), ACROSS * BLOCKS)
    rows = []
    for start in range(0, len(shown), ACROSS):
        part = shown[start : start + ACROSS]
        rows += [
            Row("real", found["images"][part], apart=start > 0),
            Row("drawn again", found["reconstructed"][part]),
        ]
    for number, (walk, (first, last)) in enumerate(
        zip(found.get("walks", [])[:WALKS], found.get("ends", []), strict=False)
    ):
        pictures = [found["images"][first], *walk, found["images"][last]]
        rows.append(Row("" if number else "real, walk, real", pictures, apart=number == 0))
    across = max(len(row.pictures) for row in rows)
    return rows_of_pictures(
        rows,
        title=settings.title,
        tile=fitting_tile(results.resolution, across),
        subtitle=f"{len(shown)} of {len(found['images'])} held-out images of split {split}; distance to "
        f"the own image over that to another: {ratio:.2f}",
    )
