"""STL-10 as two sources, read in place: the labelled images by class, or the unlabelled ones as one class.

`stl10` trains on the 5,000 labelled images and holds the 8,000 test images out. `stl10_unlabelled` trains on
all 100,000 unlabelled images, as one class `unlabelled`. Nothing says which of them papers held out, so here,
too, the test images are held out, without their labels. The ten folds of 1,000 training images, by which
classifiers are measured, are checked and not used. An image is named by its file and its row there.
"""

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from centigan.data.published_archive import reading
from centigan.data.sources.class_names import is_no_name
from centigan.data.sources.listing import Listing, Subset, in_order, record_frame
from centigan.data.stl10_raw import (
    CLASSES,
    DATA_SET,
    FOLDER,
    FOLDS,
    IMAGE,
    NAMES,
    PARTS,
    Part,
    Published,
    Read,
    as_published,
    read_part,
)
from centigan.errors import UserError

Name = Literal["stl10", "stl10_unlabelled"]
UNLABELLED = "unlabelled"  # the one class
SUBSETS: dict[Name, dict[Subset, Part]] = {
    "stl10": {"train": PARTS["train"], "held_out": PARTS["test"]},
    "stl10_unlabelled": {"train": PARTS["unlabelled"], "held_out": PARTS["test"]},
}
FOLD_COUNT, FOLD_SHARE = 10, 5  # a fold has one image of five


def list_stl10(name: Name, root: Path, *, published: Published | None = None) -> Listing:
    """All images that a source has of STL-10's folder under `root`.

    A set of this format with other numbers of images than were published is read, and told.

    Args:
        published: what to check against, instead of what the authors published.

    Raises:
        UserError: for a file that is missing, damaged or in contradiction to another.
    """
    if not (root / FOLDER).is_dir():
        raise UserError(f"{root} holds no {FOLDER}; unpack it there or run `centigan raw stl10`")
    expected = published or as_published()
    parts = {subset: read_part(root, part, expected) for subset, part in SUBSETS[name].items()}
    found = [part.told for part in parts.values()]
    names = [UNLABELLED]
    if name == "stl10":
        names = _read_names(root / FOLDER / NAMES)
        found += _told_folds(root / FOLDER / FOLDS, parts["train"].images)
    images = pd.concat([_frame(part, subset, names) for subset, part in parts.items()])
    return Listing(
        source={"stl10": "STL-10", "stl10_unlabelled": "STL-10, unlabelled"}[name],
        found=found,
        classes=sorted(names),
        images=in_order(images),
        encoding="columns96",
        official={
            subset: dict.fromkeys(names, expected.images[part.path.name] // len(names))
            for subset, part in parts.items()
        },
        checksummed=all(part.published for part in parts.values()),
    )


def _frame(part: Read, subset: Subset, names: list[str]) -> pd.DataFrame:
    """The images of a part, of the classes that the labels say, or all of the only class."""
    if part.labels is None or len(names) == 1:
        class_ids = np.full(part.images, names[0])
    else:
        class_ids = np.array(names)[part.labels - 1]
    return record_frame(part.path, IMAGE * np.arange(part.images), IMAGE, subset, class_ids)


def _read_names(file: Path) -> list[str]:
    """The classes in the order of their labels."""
    with reading(file, DATA_SET):
        names = file.read_text(encoding="ascii").split()
    if not len(names) == len(set(names)) == CLASSES or any(map(is_no_name, names)):
        raise UserError(f"{file} does not name {CLASSES} different classes; fetch it anew")
    return names


def _told_folds(file: Path, images: int) -> list[str]:
    """A line about the folds, checked against the number of training images; none without the file."""
    if not file.exists():
        return []
    with reading(file, DATA_SET):
        text = file.read_text(encoding="ascii")
        folds = [[int(number) for number in line.split()] for line in text.splitlines() if line.strip()]
    advice = "fetch it anew, or remove it: no training reads it"
    if len(folds) != FOLD_COUNT:
        raise UserError(f"{file} has {len(folds)} lines instead of {FOLD_COUNT}; {advice}")
    size = images // FOLD_SHARE
    for line, fold in enumerate(folds, 1):
        if len(fold) != size or not all(0 <= number < images for number in fold):
            raise UserError(
                f"{file}, line {line}, is not {size:,} numbers of training images, 0 to {images - 1:,}; "
                f"{advice}"
            )
    return [f"{FOLDER}/{FOLDS}: {FOLD_COUNT} folds of {size:,} training images, which no training uses"]
