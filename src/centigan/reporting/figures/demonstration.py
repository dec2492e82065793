"""What a family's paper shows: sheets of images, as the family drew them, one under the other."""

from matplotlib.figure import Figure

from centigan.reporting.figures.rows import Block, Row, blocks_of_pictures, broken, fitting_tile
from centigan.reporting.results import DrawnSheet, Results
from centigan.settings.figures import FigureSettings

NAME, HEAD = 20, 10  # letters in a line of a row's and of a column's label
LARGEST = 96  # pixels of a picture: there are many


def demonstration(results: Results, settings: FigureSettings) -> Figure:
    """All sheets of the first split, with titles, captions and labels; classes by their names."""
    split = results.split_names[0]
    sheets = results.sheets(split)
    across = max(sheet.images.shape[1] for sheet in sheets)
    return blocks_of_pictures(
        [_block(sheet, results.names) for sheet in sheets],
        title=settings.title,
        tile=fitting_tile(results.resolution, across, largest=max(results.resolution, LARGEST)),
        subtitle=f"{results.subject.title}, split {split}",
    )


def _block(sheet: DrawnSheet, called: dict[str, str]) -> Block:
    rows, columns = ([called.get(label, label) for label in labels] for labels in (sheet.rows, sheet.columns))
    return Block(
        sheet.title,
        sheet.caption,
        [
            Row(broken(name, NAME), pictures)
            for name, pictures in zip(rows or [""] * len(sheet.images), sheet.images, strict=True)
        ],
        [broken(name, HEAD) for name in columns],
    )
