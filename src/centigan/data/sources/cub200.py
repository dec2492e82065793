"""Caltech-UCSD Birds 200 (Wah et al. 2011) with the captions of Reed et al. (2016), as both are unpacked.

CUB_200_2011/ may lie in the root or be it: images.txt, image_class_labels.txt, classes.txt, each line an id
and a value, and images/<class>/. Captions are text_c10/<class>/<image>.txt there, in the root, or in
cvpr2016_cub/. Where trainvalclasses.txt and testclasses.txt lie beside, 150 classes are seen and 50 unseen,
and a share of each class is held out; else train_test_split.txt says what is.
"""

from pathlib import Path, PurePosixPath

from centigan.data.sources.captioned import (
    Listed,
    apart,
    listing_of,
    refuse,
    unseen_classes,
)
from centigan.data.sources.listing import Listing, Subset
from centigan.data.sources.texts import lines_of
from centigan.errors import UserError

FOLDER, OF_CAPTIONS = "CUB_200_2011", "cvpr2016_cub"
IMAGES, LABELS, CLASSES, PARTS = "images.txt", "image_class_labels.txt", "classes.txt", "train_test_split.txt"
PUBLISHED = 11_788  # images


def list_cub200(root: Path, held_out: float) -> Listing:
    """All images under `root` that images.txt names.

    Args:
        held_out: share of each class, where there are unseen classes.

    Raises:
        UserError: for a file that is missing or contradicts another, and as of captions.
    """
    home = root / FOLDER if (root / FOLDER).is_dir() else root
    places = list(dict.fromkeys((root, home, root / OF_CAPTIONS)))
    classes, paths = _table(home / CLASSES), _table(home / IMAGES)
    names = _named(home, classes, paths)
    unseen = unseen_classes(places, classes.values())
    parts = _published_parts(home, names) if unseen is None else apart(list(names.values()), held_out)
    folder = (home / "images").relative_to(root)
    listed = [
        Listed(f"{folder}/{PurePosixPath(paths[number]).parent}", name, class_id, parts[class_id, name])
        for number, (class_id, name) in names.items()
    ]
    return listing_of(
        "CUB-200-2011",
        root,
        listed,
        places,
        named_in=IMAGES,
        published=PUBLISHED,
        classes=sorted(classes.values()),
        unseen=unseen or (),
        words={class_id: class_id.partition(".")[2].replace("_", " ") for class_id in classes.values()},
    )


def _table(file: Path) -> dict[str, str]:
    """id -> value, a line each."""
    if not file.exists():
        raise UserError(f"{file} is missing; unpack CUB_200_2011.tgz anew")
    rows = {}
    for number, line in enumerate(lines_of(file), 1):
        key, _, value = line.strip().partition(" ")
        if not key:
            continue
        if not value or key in rows:
            raise UserError(f"{file}, line {number}, is no id of its own and a value; unpack the file anew")
        rows[key] = value.strip()
    return rows


def _named(home: Path, classes: dict[str, str], paths: dict[str, str]) -> dict[str, tuple[str, str]]:
    """id of each image -> its class and name.

    Raises:
        UserError: for images without a class, and classes that are none.
    """
    labels = _table(home / LABELS)
    refuse(
        [f"{home / LABELS} has no class of image {number}" for number in paths if number not in labels]
        + [
            f"{home / IMAGES}: image {number} is {path}, no <class>/<image>"
            for number, path in paths.items()
            if len(parts := PurePosixPath(path).parts) != 2 or ".." in parts
        ]
        + [
            f"{home / LABELS}: image {number} has class {label}, which {CLASSES} does not have"
            for number, label in labels.items()
            if label not in classes
        ]
    )
    return {number: (classes[labels[number]], PurePosixPath(path).name) for number, path in paths.items()}


def _published_parts(home: Path, names: dict[str, tuple[str, str]]) -> dict[tuple[str, str], Subset]:
    said = _table(home / PARTS)
    refuse(
        [
            f"{home / PARTS} says neither 1 nor 0 of image {number}, whether it is one of training"
            for number in names
            if said.get(number) not in {"0", "1"}
        ]
    )
    return {name: "train" if said[number] == "1" else "held_out" for number, name in names.items()}
