"""Discriminability against resolution (AC-GAN, section 4.1 and Fig 3).

Images are shrunk to each resolution of a ladder, so that what is finer is lost, and the judge enlarges
them again to its own input. Real images are the held-out ones, stored at twice the model's resolution;
generated ones are enlarged for the rungs above it, which can add nothing. Both resizes are bilinear,
antialiased when shrinking (`judges.images`); the shrunk image is rounded to 8 bits, as a file would be.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from centigan.atomic import atomic_path
from centigan.errors import UserError
from centigan.judges import Judge, load_judge
from centigan.judges.images import Images, resized, to_bytes
from centigan.judges.network import positions
from centigan.layout import Layout
from centigan.manifest import read_facts
from centigan.settings.evaluation import AccuracySettings

COLUMNS = (
    "class_id",
    "source",
    "resolution",
    "subset",
    "correct",
    "correct_of_known",
    "asked",
    "known",
    "count",
)
CHUNK = 256  # images resized at a time: 200 MB as float32 at 256 px


def measure(layout: Layout, split: str, settings: AccuracySettings) -> None:
    """Write metrics/accuracy/{split}.parquet: columns of `COLUMNS`."""
    _write(layout, split, settings, layout.samples(split), "", "generated", layout.metric("accuracy", split))


def measure_real(layout: Layout, split: str, settings: AccuracySettings) -> None:
    """Write the same of held-out images."""
    path = layout.real_metric("accuracy", split)
    _write(layout, split, settings, layout.arrays(split), "held_out_", "held_out", path)


def _write(
    layout: Layout, split: str, settings: AccuracySettings, folder: Path, prefix: str, source: str, path: Path
) -> None:
    judge = load_judge(layout.judge)
    rungs = settings.resolutions or ladder(read_facts(layout.arrays(split))["resolution"])
    images = np.load(folder / f"{prefix}images.npy", mmap_mode="r")
    labels = _labels_of_judge(folder, f"{prefix}labels.npy", judge)
    table = measure_accuracy(
        judge, images, labels, source=source, resolutions=rungs, subsets=settings.subsets
    )
    with atomic_path(path) as temporary:
        table.to_parquet(temporary, index=False)


def measure_accuracy(
    judge: Judge,
    images: Images,
    labels: NDArray[np.int64],
    *,
    source: str,
    resolutions: tuple[int, ...],
    subsets: int,
) -> pd.DataFrame:
    """Count the images that the judge names rightly at each resolution, of its classes and of all it knows.

    A judge that learnt the classes knows no others. One that was trained on ImageNet is asked for those of
    the data alone (`correct`), and, as the paper has it, for all 1000 (`correct_of_known`).

    Args:
        judge: the classifier.
        images: uint8 (N, H, W, 3).
        labels: position of each image's class in judge.classes.
        source: "held_out" or "generated", repeated in every row.
        resolutions: sides in pixels.
        subsets: groups behind the error bar; image k of a class belongs to subset k modulo `subsets`.

    Returns:
        One row per class, resolution and subset that holds an image.
    """
    subset, place = _number_within_class(labels) % subsets, positions(judge.classes, judge.known)
    frames = []
    for side in resolutions:
        named, of_known = _named(judge, images, side, place)
        rows = pd.DataFrame({"label": labels, "subset": subset, "right": named == labels})
        rows["right_of_known"] = of_known == place[labels]
        counts = rows.groupby(["label", "subset"]).agg(
            correct=("right", "sum"), correct_of_known=("right_of_known", "sum"), count=("right", "count")
        )
        frames.append(counts.reset_index().assign(resolution=side))
    table = pd.concat(frames, ignore_index=True)
    table["class_id"] = [judge.classes[label] for label in table["label"]]
    return table.assign(source=source, asked=len(judge.classes), known=len(judge.known))[list(COLUMNS)]


def _named(
    judge: Judge, images: Images, side: int, place: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """What images (N, H, W, 3) are named among the judge's classes, at `place` in `known`, and among all."""
    found = []
    for start in range(0, len(images), CHUNK):
        logits = judge.logits(at_resolution(images[start : start + CHUNK], side))
        found.append((logits[:, place].argmax(1), logits.argmax(1)))
    named, of_known = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return named, of_known


def ladder(resolution: int) -> tuple[int, ...]:
    """Powers of two times the model's resolution, from an eighth of it to twice it."""
    return tuple(resolution * 2**power // 8 for power in range(5))


def at_resolution(images: Images, side: int) -> Images:
    """uint8 (N, H, W, 3) -> uint8 (N, side, side, 3)."""
    return to_bytes(resized(images, side))


def _number_within_class(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """0, 1, 2, ... for the images of each class in their order."""
    return np.asarray(pd.Series(labels).groupby(labels).cumcount(), dtype=np.int64)


def _labels_of_judge(folder: Path, file: str, judge: Judge) -> NDArray[np.int64]:
    """Positions in the split -> positions in judge.classes.

    Raises:
        UserError: for a class without an image, or one that the judge does not know.
    """
    labels = np.load(folder / file)
    classes = read_facts(folder)["classes"]
    for position, class_id in enumerate(classes):
        if class_id not in judge.classes:
            raise UserError(f"{folder}: judge {judge.name} does not know class {class_id}; make it again")
        if not (labels == position).any():
            raise UserError(f"{folder / file}: class {class_id} has no image, so no accuracy; add some")
    return np.array([judge.classes.index(name) for name in classes], dtype=np.int64)[labels]
