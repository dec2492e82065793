"""What the judge finds of the attributes that were asked for: colour, shape, size (Reed et al. 2016, 4.3).

Classes are attributes, red_circle_large. The class that the judge names an image tells its attributes, and
each is right or not for itself. Combinations that no model learnt, `unseen` in the arrays' facts, are told
apart: of those a model has seen every colour and every shape, but not together. Chance is one over the values
of an attribute.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from centigan.atomic import atomic_path
from centigan.data.held_out import at_training_size
from centigan.data.shapes import Attributes, attributes_of
from centigan.judges import load_judge
from centigan.layout import Layout
from centigan.manifest import read_facts, unseen_of
from centigan.metrics.labels import class_ids_of, right_of_each
from centigan.settings.evaluation import AccuracySettings

COLUMNS = ("class_id", "source", "attribute", "unseen", "correct", "count")
CHUNK = 256  # images the judge sees at a time


def measure(layout: Layout, split: str, settings: AccuracySettings) -> None:
    """Write metrics/attributes/{split}.parquet: class_id, source, attribute, unseen, correct, count."""
    _write(layout, split, layout.samples(split), "", "generated", layout.metric("attributes", split))


def measure_real(layout: Layout, split: str, settings: AccuracySettings) -> None:
    """Write the same of held-out images."""
    path = layout.real_metric("attributes", split)
    _write(layout, split, layout.arrays(split), "held_out_", "held_out", path)


def _write(layout: Layout, split: str, folder: Path, prefix: str, source: str, path: Path) -> None:
    facts, judge = read_facts(layout.arrays(split)), load_judge(layout.judge)
    classes = list(facts["classes"])
    images = np.load(folder / f"{prefix}images.npy", mmap_mode="r")
    labels = np.load(folder / f"{prefix}labels.npy")
    side = facts["resolution"]  # held-out images are stored at twice that
    parts = (at_training_size(images[first : first + CHUNK], side) for first in range(0, len(images), CHUNK))
    named = [judge.classes[label] for part in parts for label in judge.probabilities(part).argmax(1)]
    table = found(list(class_ids_of(labels, classes)), named, unseen_of(facts))
    with atomic_path(path) as temporary:
        table.assign(source=source)[list(COLUMNS)].to_parquet(temporary, index=False)


def found(asked: list[str], named: list[str], unseen: set[str]) -> pd.DataFrame:
    """How often each attribute was right, a row a class and attribute.

    Args:
        asked: the class that each image was asked to be of.
        named: the class that the judge names it.
        unseen: classes that no model learnt.
    """
    frames = []
    for at, name in enumerate((*Attributes._fields, "all")):
        right = [_with(want)[at] == _with(got)[at] for want, got in zip(asked, named, strict=True)]
        frames.append(right_of_each(asked, right).assign(attribute=name))
    counts = pd.concat(frames, ignore_index=True)
    return counts.assign(unseen=counts["class_id"].isin(unseen))


def _with(class_id: str) -> tuple[str, ...]:
    """The attributes of a class, and the class itself, which is right where all of them are."""
    return (*attributes_of(class_id), class_id)
