"""Tiny ImageNet (Stanford's CS231n, 2015): 200 classes of ImageNet at 64 x 64, read as its zip is unpacked.

wnids.txt names the classes by WordNet ids, words.txt says what ids mean. Training images of a class lie in
train/<id>/images/; those of val/images/ are held out, and val/val_annotations.txt says of which class each
is. The test images have no labels, and are not read. http://cs231n.stanford.edu/tiny-imagenet-200.zip
"""

from pathlib import Path

import pandas as pd
from tqdm import tqdm

from centigan.data.sources.captioned import refuse, told
from centigan.data.sources.class_names import words_in
from centigan.data.sources.listing import Listing, Range, class_frame, in_order
from centigan.data.sources.sift import Sieve
from centigan.errors import UserError

FOLDER, IDS, WORDS, ANNOTATIONS = "tiny-imagenet-200", "wnids.txt", "words.txt", "val/val_annotations.txt"
SIGNS = (ANNOTATIONS, f"{FOLDER}/{IDS}")
TRAIN, HELD_OUT = "train/{}/images", "val/images"
BELONG = {IDS, WORDS, "train", "val", "test"}
OF_A_CLASS = {"train": 500, "held_out": 50}
CLASSES = 200


def list_tiny_imagenet(root: Path) -> Listing:
    """All images of the folder at `root`, or of tiny-imagenet-200/ there.

    Raises:
        UserError: for a list that is missing or damaged, a class without its folder, an annotation without
            its image, and an image of val/ without an annotation.
    """
    place = root / FOLDER if (root / FOLDER).is_dir() else root
    classes = _lines(place / IDS)
    labels = _annotations(place / ANNOTATIONS)
    sieve = Sieve(root)
    sieve.outside(root, {FOLDER} if place != root else BELONG)
    held_out = sieve.images_in(place / HELD_OUT) if (place / HELD_OUT).is_dir() else []
    refuse(_faults(place, classes, labels, {image.name for image in held_out}))
    of_class: dict[str, list[Range]] = {class_id: [] for class_id in classes}
    for image in held_out:
        of_class[labels[image.name]].append(image)
    frames = [class_frame(images, "held_out", class_id) for class_id, images in of_class.items()]
    for class_id in tqdm(classes, desc="index train", unit="class", disable=None):
        frames.append(class_frame(sieve.images_in(place / TRAIN.format(class_id)), "train", class_id))
    images = in_order(pd.concat(frames))
    training = int((images["subset"] == "train").sum())
    return Listing(
        source="Tiny ImageNet",
        found=[
            f"{IDS}: {len(classes)} classes",
            f"train/: {told(training, CLASSES * OF_A_CLASS['train'])}",
            f"{ANNOTATIONS}: {told(len(labels), CLASSES * OF_A_CLASS['held_out'])}",
        ],
        classes=sorted(classes),
        images=images,
        words=_words(place / WORDS, classes),
        official=_official(classes),
        rejected=sieve.rejected,
        passed_over=sieve.passed_over,
    )


def _faults(place: Path, classes: list[str], labels: dict[str, str], there: set[str]) -> list[str]:
    """What contradicts another part, a line each."""
    file = place / ANNOTATIONS
    folders = [place / TRAIN.format(class_id) for class_id in classes]
    return [
        *(f"{place / IDS} names class {one} twice" for one in classes if classes.count(one) > 1),
        *(f"{folder} is missing, and {IDS} names its class" for folder in folders if not folder.is_dir()),
        *(
            f"{file}: the class of {name}, {label}, is not in {IDS}"
            for name, label in labels.items()
            if label not in classes
        ),
        *(f"{file} names {name}, which is not in {HELD_OUT}/" for name in sorted(labels.keys() - there)),
        *(f"{place / HELD_OUT / name} has no line in {file.name}" for name in sorted(there - labels.keys())),
    ]


def _annotations(file: Path) -> dict[str, str]:
    """Name of an image of val/ -> its class."""
    labels = {}
    for number, line in enumerate(_lines(file), 1):
        name, *others = line.split("\t")
        if not others or name in labels:
            what = "names an image twice" if others else "is not a name, a tab and a class"
            raise UserError(f"{file}, line {number}, {what}: {line[:60]!r}; unpack the zip anew")
        labels[name] = others[0]
    return labels


def _words(file: Path, classes: list[str]) -> dict[str, str]:
    """What each class is called; empty where the file is not there, since only captions use it."""
    if not file.is_file():
        return {}
    known = words_in(_lines(file), "\t")
    return {class_id: known[class_id] for class_id in classes if class_id in known}


def _lines(file: Path) -> list[str]:
    try:
        lines = [line.strip() for line in file.read_text(encoding="utf-8-sig").splitlines()]
    except FileNotFoundError:
        raise UserError(f"{file} is missing; unpack {FOLDER}.zip anew") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{file} is no text ({error.reason}); unpack {FOLDER}.zip anew") from None
    if not (lines := list(filter(None, lines))):
        raise UserError(f"{file} is empty; unpack {FOLDER}.zip anew")
    return lines


def _official(classes: list[str]) -> dict[str, dict[str, int]]:
    """How many images each class should have; nothing is known of another set of this layout."""
    if len(classes) != CLASSES:
        return {}
    return {subset: dict.fromkeys(classes, count) for subset, count in OF_A_CLASS.items()}
