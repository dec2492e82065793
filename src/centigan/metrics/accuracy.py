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
from centigan.layout import Layout
from centigan.manifest import read_facts
from centigan.settings.evaluation import AccuracySettings

CHUNK = 256  # images resized at a time: 200 MB as float32 at 256 px


def measure(layout: Layout, split: str, settings: AccuracySettings) -> None:
    """Write metrics/accuracy/{split}.parquet: class_id, source, resolution, subset, correct, count."""
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
    """Count the images that the judge names rightly at each resolution.

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
    subset = _number_within_class(labels) % subsets
    frames = []
    for side in resolutions:
        named = np.concatenate(
            [
                judge.probabilities(at_resolution(images[start : start + CHUNK], side)).argmax(1)
                for start in range(0, len(images), CHUNK)
            ]
        )
        rows = pd.DataFrame({"label": labels, "subset": subset, "right": named == labels})
        counts = rows.groupby(["label", "subset"])["right"].agg(correct="sum", count="count")
        frames.append(counts.reset_index().assign(resolution=side))
    table = pd.concat(frames, ignore_index=True)
    table["class_id"] = [judge.classes[label] for label in table["label"]]
    table["source"] = source
    return table[["class_id", "source", "resolution", "subset", "correct", "count"]]


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
