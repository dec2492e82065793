"""Walks through the latent space, and one latent for every class (AC-GAN, section 4.4 and Fig 8)."""

from matplotlib.figure import Figure

from centigan.errors import UserError
from centigan.reporting.figures.chosen import chosen_classes, why_these
from centigan.reporting.figures.rows import Row, broken, fitting_tile, rows_of_pictures
from centigan.reporting.results import Results
from centigan.settings.figures import ChosenSettings

MOST_CLASSES = 10
NAME, HEAD = 16, 13  # letters in a line of a class's name, left of pictures and above them


def interpolation(results: Results, settings: ChosenSettings) -> Figure:
    """Figure 8, left: the first linear walk of each class."""
    chosen = chosen_classes(results, settings, "interpolation", most=MOST_CLASSES)
    smoothness = results.metric("smoothness").query("path == 'linear' and walk == 0").set_index("class_id")
    rows = []
    for class_id, split, name in chosen.itertuples(index=False):
        walk = results.walks(split, "linear")[class_id][0]
        ratio = smoothness.loc[class_id, "largest_over_mean"]
        rows.append(Row(broken(name, NAME), walk, after=f"{ratio:.2f}"))
    steps = len(rows[0].pictures)
    return rows_of_pictures(
        rows,
        title=settings.title,
        tile=fitting_tile(results.resolution, steps),
        subtitle=f"{why_these(len(rows), results, settings)}; right: the largest step over the mean step",
    )


def class_grid(results: Results, settings: ChosenSettings) -> Figure:
    """Figure 8, right: a latent a row, a class of one split a column."""
    classes = settings.classes
    first = chosen_classes(results, settings, "class_grid", most=1)["split"].iloc[0]
    grid = results.grid(first)
    if classes and (strange := [name for name in classes if name not in grid]):
        raise UserError(
            f"figures.class_grid.classes: {classes[0]!r} and {strange[0]!r} are of different splits, so no "
            "model draws both; name classes of one split"
        )
    shown = list(classes or grid)[:MOST_CLASSES]
    rows = [Row("", pictures) for pictures in zip(*(grid[name] for name in shown), strict=True)]
    return rows_of_pictures(
        rows,
        title=settings.title,
        tile=fitting_tile(results.resolution, len(shown)),
        heads=[broken(results.names[name], HEAD) for name in shown],
        subtitle=f"a row: one z; {len(shown)} of {len(grid)} classes that one model draws, split {first}",
    )
