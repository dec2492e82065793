"""Images of the same captions by several models, beside the image that a caption was written of.

As Figures 3 to 5 of Reed et al. (2016, arXiv:1605.05396): captions down, models across.
"""

from matplotlib.figure import Figure

from centigan.reporting.figures.rows import Row, broken, fitting_tile, rows_of_pictures
from centigan.reporting.results import Images, Results
from centigan.sheets import evenly

OF_A_KIND = 5  # captions of classes that were learnt, and of those that were not
LETTERS, HEAD = 24, 12  # of a line left of the pictures, and above them
HELD_OUT, UNSEEN = "held-out image", "never learnt"


def of_captions(models: dict[str, Results], *, title: str) -> Figure:
    """A row a caption, seen classes above unseen ones; a column a model of `models`, by its row's name."""
    (first, *_) = models.values()
    rows = [row for split in first.split_names for row in rows_of_captions(list(models.values()), split)]
    side = rows[0].pictures[-1].shape[0]  # of a sample; held-out images are stored at twice that
    tile = fitting_tile(side, 1 + len(models))
    heads = [broken(name, HEAD) for name in (HELD_OUT, *models)]
    return rows_of_pictures(rows, title=title, tile=tile, heads=heads, breaks={1})


def rows_of_captions(models: list[Results], split: str) -> list[Row]:
    """The held-out image of each caption of a split, and a sample of each model."""
    first = models[0]
    asked, unseen = first.asked(split), first.unseen(split)
    real = first.held_out_images(split, per_class=1)
    drawn = [model.samples(split, per_class=1) for model in models]
    kinds = [[c for c in asked if c not in unseen], [c for c in asked if c in unseen]]
    rows: list[Row] = []
    for kind, after in zip(kinds, ("", UNSEEN), strict=True):
        shown = [kind[n] for n in evenly(len(kind), OF_A_KIND)]
        for n, class_id in enumerate(shown):
            pictures: list[Images] = [each[class_id][0] for each in (real, *drawn)]
            apart = bool(after and not n and rows)
            rows.append(Row(broken(asked[class_id][0], LETTERS), pictures, after=after, apart=apart))
    return rows
