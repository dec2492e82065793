"""Nearest training images by a family's own features (Donahue et al. 2017, section 4)."""

import pandas as pd
from matplotlib.figure import Figure

from centigan.reporting.figures.rows import Row, broken, fitting_tile, rows_of_pictures
from centigan.reporting.results import Results
from centigan.settings.figures import FigureSettings
from centigan.sheets import evenly

QUERIES = 6
NOTE = 13  # letters in a line under a picture
KINDS = {"trained": "by its features", "pixels": "by pixels"}


def code_neighbours(results: Results, settings: FigureSettings) -> Figure:
    """Of the first split: a held-out image and its nearest training images, by features and by pixels."""
    split = results.split_names[0]
    of_all = results.metric("code_neighbours").query("split == @split")
    asked = of_all["image"].unique()
    queries = asked[evenly(len(asked), QUERIES)]
    rows = [
        _row(results, split, of_all.query("image == @query and features == @kind"), name, n > 0)
        for query in queries
        for n, (kind, name) in enumerate(KINDS.items())
    ]
    across = max(len(row.pictures) for row in rows)
    shares = [f"{name} {results.summary[f'code_neighbours/{kind}']:.1%}" for kind, name in KINDS.items()]
    return rows_of_pictures(
        rows,
        title=settings.title,
        tile=fitting_tile(results.resolution, across),
        heads=("held out", "nearest", *(str(rank) for rank in range(2, across))),
        breaks=(1,),
        subtitle=f"{len(queries)} of {len(asked)} held-out images of split {split}, evenly from their list; "
        f"of the nearest {across - 1}\nthose of the query's class, all splits: {', '.join(shares)}",
    )


def _row(results: Results, split: str, found: pd.DataFrame, name: str, follows: bool) -> Row:
    """A query and its neighbours, the nearest first; under one of another class the class."""
    query, training = results.images(split, "held_out"), results.images(split, "training")
    of, called = found["class_id"].iloc[0], results.names
    pictures = [query[int(found["image"].iloc[0])]]
    notes = [""]
    for neighbour, its_class in found.sort_values("rank")[["neighbour", "neighbour_class"]].itertuples(
        index=False
    ):
        pictures.append(training[int(neighbour)])
        notes.append("" if its_class == of else broken(f"of {called[str(its_class)]}", NOTE))
    return Row(f"{called[of]}\n{name}" if not follows else name, pictures, notes=notes, apart=not follows)
