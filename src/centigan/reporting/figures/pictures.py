"""Images beside images: samples, and samples above real images (AC-GAN, Figs 1, 3 top, 4, 9, App E)."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from centigan.reporting.figures.chosen import chosen_classes, why_these
from centigan.reporting.figures.rows import Row, broken, fitting_tile, rows_of_pictures
from centigan.reporting.gallery import gallery
from centigan.reporting.results import Images, Results, share_correct
from centigan.settings.figures import ChosenSettings, FigureSettings, GallerySettings

EXAMPLES = 5  # classes of Fig 1
ACROSS = 8  # images of a class side by side
EXTREMES = 2  # classes at either end of the diversity
RANDOM_ROWS, RANDOM_COLUMNS = 8, 10
NAME = 16  # letters in a line of a class's name


def examples(results: Results, settings: ChosenSettings) -> Figure:
    """Figure 1: the first samples of a few classes."""
    chosen = chosen_classes(results, settings, "examples", most=EXAMPLES)
    rows = []
    for class_id, split, name in chosen.itertuples(index=False):
        rows.append(Row(broken(name, NAME), results.samples(split, per_class=ACROSS)[class_id]))
    return rows_of_pictures(
        rows,
        title=settings.title,
        tile=fitting_tile(results.resolution, ACROSS),
        subtitle=why_these(len(rows), results, settings),
    )


def resolution_strip(results: Results, settings: ChosenSettings) -> Figure:
    """Figure 3, top: a real and a generated image at every resolution, with the accuracy of their class."""
    class_id, split, name = chosen_classes(results, settings, "resolution_strip", most=1).iloc[0]
    pictures = {
        "held_out": results.held_out_images(split, per_class=1)[class_id][0],
        "generated": results.samples(split, per_class=1)[class_id][0],
    }
    accuracy = results.metric("accuracy").query("class_id == @class_id")
    share = share_correct(accuracy, ["source", "resolution"])
    sides, full = sorted(accuracy["resolution"].unique().tolist()), 2 * results.resolution
    rows = [
        Row(
            source.replace("_", "-"),
            [seen_at(picture, side, full) for side in sides],
            notes=[f"{share[source, side]:.0%} right" for side in sides],
        )
        for source, picture in pictures.items()
    ]
    return rows_of_pictures(
        rows,
        title=f"{settings.title}: {name}",
        tile=fitting_tile(full, len(sides), largest=max(full, 192)),
        heads=[f"{side} px" for side in sides],
        subtitle=f"{why_these(1, results, settings)}; its accuracy under {results.judge['name']}",
    )


def ms_ssim_examples(results: Results, settings: FigureSettings) -> Figure:
    """Figure 4: the least and the most diverse classes, samples above training images."""
    table = results.table("by_class").sort_values(["ms_ssim_generated", "class_id"], ascending=[False, True])
    count = min(EXTREMES, len(table) // 2) or 1
    ends = pd.concat([table.head(count), table.tail(count)]).drop_duplicates("class_id")
    called, rows = results.names, []
    for position, entry in enumerate(ends.itertuples(index=False)):
        class_id, split = str(entry.class_id), str(entry.split)
        generated = results.samples(split, per_class=ACROSS)[class_id]
        real = results.training_images(split, per_class=ACROSS)[class_id]
        name = broken(called[class_id], NAME)
        rows += [
            Row(f"{name}\nsamples", generated, after=f"{entry.ms_ssim_generated:.2f}", apart=position > 0),
            Row("training", real, after=f"{entry.ms_ssim_training:.2f}"),
        ]
    return rows_of_pictures(
        rows,
        title=settings.title,
        tile=fitting_tile(results.resolution, ACROSS),
        subtitle=f"{len(ends)} of {len(table)} classes; right: mean MS-SSIM of pairs, low where they differ",
    )


def random_samples(results: Results, settings: FigureSettings) -> Figure:
    """Figure 9: samples of any class, drawn with a fixed seed."""
    samples = [results.images(split, "generated") for split in results.split_names]
    ends = np.cumsum([len(images) for images in samples])
    wanted = min(RANDOM_ROWS * RANDOM_COLUMNS, int(ends[-1]))
    drawn = np.random.default_rng(0).choice(int(ends[-1]), wanted, replace=False)
    splits = np.searchsorted(ends, drawn, side="right")
    pictures = [samples[split][row - ends[split]] for split, row in zip(splits, drawn, strict=True)]
    rows = [
        Row("", pictures[start : start + RANDOM_COLUMNS]) for start in range(0, len(pictures), RANDOM_COLUMNS)
    ]
    tile = fitting_tile(results.resolution, RANDOM_COLUMNS)
    return rows_of_pictures(rows, title=settings.title, tile=tile)


def gallery_of_all(results: Results, settings: GallerySettings) -> Figure:
    """Appendix E: the first samples of every class."""
    samples = {
        class_id: images
        for split in results.split_names
        for class_id, images in results.samples(split, per_class=settings.per_class).items()
    }
    return gallery(samples, title=settings.title)


def seen_at(image: Images, side: int, full: int) -> Images:
    """uint8 (R, R, 3) shrunk to `side` and enlarged to `full`, both bilinear, as the judge gets it."""
    small = Image.fromarray(image).resize((side, side), Image.Resampling.BILINEAR)
    return np.asarray(small.resize((full, full), Image.Resampling.BILINEAR))
