"""Arithmetic on mean latents, and random ones moved in a direction (Radford et al. 2015, Figs 7 and 8)."""

from io import BytesIO

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from centigan.data.shapes import attributes_of
from centigan.reporting.figures.rows import Block, Row, blocks_of_pictures, broken, fitting_tile
from centigan.reporting.results import Images, Results
from centigan.settings.figures import FigureSettings

ACROSS = 8  # pictures a row: three, their mean, three of Y, one of pixels
NAME = 16  # letters in a line of a row's name
LARGEST = 96  # pixels of a picture
NOT_ENOUGH = "the judge is sure of too few of this model's images for a trial"
NO_DIRECTION = "the judge is sure of too few small or large ones for a direction"


def arithmetic(results: Results, settings: FigureSettings) -> Figure:
    """Of the first split: trials of A - B + C, a block each; then z moved from small to large, a row each."""
    split = results.split_names[0]
    rows = results.metric("arithmetic").query("split == @split")
    trials, turned = rows[rows["kind"] == "example"], rows[rows["kind"] == "turn"]
    blocks = [_trial(trial) for _, trial in trials.groupby("trial")]
    blocks += [_turn(turned)] if len(turned) else []
    lacking = [why for found, why in ((trials, NOT_ENOUGH), (turned, NO_DIRECTION)) if found.empty]
    return blocks_of_pictures(
        blocks,
        title=settings.title,
        tile=fitting_tile(results.resolution, ACROSS, largest=max(results.resolution, LARGEST)),
        subtitle="; ".join([f"{results.subject.title}, split {split}", *lacking]),
    )


def _trial(trial: pd.DataFrame) -> Block:
    """Rows of A, B and C with their means; beside them the nine of Y, and what comes of pixels."""
    pictures = dict(zip(trial["place"], map(_picture, trial["image"]), strict=True))
    named = dict(zip(trial["place"], map(_words, trial["named"]), strict=True))
    rows = []
    for at, name in enumerate("ABC"):
        own = [pictures[f"{name}/{place}"] for place in (0, 1, 2, "mean")]
        nine = [pictures[f"Y/{place}"] for place in range(3 * at, 3 * at + 3)]
        rows.append(Row(broken(f"{name}: {named[f'{name}/0']}", NAME), [*own, *nine]))
    rows[1] = Row(rows[1].name, [*rows[1].pictures, pictures["pixels"]])
    return Block(
        f"A - B + C: {_words(trial['wanted'].iloc[0])}?",
        f"Left images whose latents make the mean. In the middle of the nine Y = A - B + C, "
        f"which the judge calls a {named['Y/4']}; around it Y and noise. Right the same of pixels, "
        f"a {named['pixels']}.",
        rows,
        heads=["", "", "", "mean", "", "Y", "", "pixels"],
        breaks=(3, 4, 7),
    )


def _turn(turned: pd.DataFrame) -> Block:
    """Both ends of the direction; then a row a z, with the probability of large at its first and last t."""
    ends, paths = turned[turned["trial"] < 0], turned[turned["trial"] >= 0]
    rows = [
        Row(name, [_picture(image) for image in ends.loc[ends["place"].str.startswith(name), "image"]])
        for name in ("small", "large")
    ]
    for number, path in paths.groupby("trial"):
        first, last = path["value"].iloc[[0, -1]]
        rows.append(
            Row(
                "" if number else "z + t d",
                [_picture(image) for image in path["image"]],
                after=f"{first:.2f} to {last:.2f}",
                apart=number == 0,
            )
        )
    steps = ", ".join(f"{t:g}" for t in paths["t"].unique())
    return Block(
        "From small to large",
        f"Four images of either end, and their mean's. Below random z + t d, where d leads from the mean of "
        f"small to that of large, t = {steps}; right P(large) at both ends, says the judge.",
        rows,
    )


def _words(class_id: str) -> str:
    """red_circle_large -> large red circle."""
    colour, shape, size = attributes_of(class_id)
    return f"{size} {colour} {shape}"


def _picture(file: bytes) -> Images:
    pixels: Images = np.asarray(Image.open(BytesIO(file)))
    return pixels
