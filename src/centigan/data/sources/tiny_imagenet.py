"""Tiny ImageNet (Stanford's CS231n, 2015): 200 classes of ImageNet at 64 x 64, read as its zip is unpacked.

wnids.txt names the classes by WordNet ids, words.txt says what ids mean. Training images of a class lie in
train/<id>/images/; those of val/images/ are held out, and val/val_annotations.txt says of which class each
is. The test images have no labels, and are not read. http://cs231n.stanford.edu/tiny-imagenet-200.zip
"""

from collections import Counter
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from centigan.data.sources.captioned import refuse, told
from centigan.data.sources.class_names import is_no_name, words_in
from centigan.data.sources.listing import Listing, Range, class_frame, in_order, printable
from centigan.data.sources.sift import Sieve
from centigan.data.sources.texts import lines_of
from centigan.errors import UserError, plural

FOLDER, IDS, WORDS, ANNOTATIONS = "tiny-imagenet-200", "wnids.txt", "words.txt", "val/val_annotations.txt"
SIGNS = (ANNOTATIONS, f"{FOLDER}/{IDS}")
TRAIN, HELD_OUT = "train/{}/images", "val/images"
BOXES = "{}_boxes.txt"
BELONG = {IDS, WORDS, "train", "val", "test"}
OF_A_CLASS = {"train": 500, "held_out": 50}
CLASSES = 200
ADVICE = f"unpack {FOLDER}.zip anew"


def list_tiny_imagenet(root: Path) -> Listing:
    """All images of the folder at `root`, or of tiny-imagenet-200/ there.

    Raises:
        UserError: for a list that is missing or damaged, a class without its folder, an annotation without
            its image, an image of val/ without an annotation, and one of another class's name.
    """
    place = root / FOLDER if (root / FOLDER).is_dir() else root
    classes = _classes(place / IDS)
    sieve = Sieve(root)
    if place != root:
        sieve.outside(root, {FOLDER})
    sieve.outside(place, BELONG)
    faults: list[str] = []
    of_class = _training(place, classes, sieve, faults)
    held_out = _held_out(place, classes, sieve, faults)
    refuse(faults, ADVICE)
    count = sum(map(len, held_out.values()))
    frames = [class_frame(images, "train", class_id) for class_id, images in of_class.items()]
    frames += [class_frame(images, "held_out", class_id) for class_id, images in held_out.items()]
    images = in_order(pd.concat(frames))
    return Listing(
        source="Tiny ImageNet",
        found=[
            f"{IDS}: {len(classes)} {plural('class', len(classes))}",
            f"train/: {told(len(images) - count, CLASSES * OF_A_CLASS['train'])}",
            f"{ANNOTATIONS}: {told(count, CLASSES * OF_A_CLASS['held_out'])}",
        ],
        classes=sorted(classes),
        images=images,
        words=_words(place / WORDS, classes),
        official=_official(classes),
        published=CLASSES * sum(OF_A_CLASS.values()),
        rejected=sieve.rejected,
        passed_over=sieve.passed_over,
    )


def _classes(file: Path) -> list[str]:
    classes = _lines(file)
    refuse(
        [f"{file}: {printable(one)!r} can be no class" for one in classes if is_no_name(one)]
        + [f"{file} names class {one} {times} times" for one, times in Counter(classes).items() if times > 1],
        ADVICE,
    )
    return classes


def _training(place: Path, classes: list[str], sieve: Sieve, faults: list[str]) -> dict[str, list[Range]]:
    """Class -> its images to train on."""
    found: dict[str, list[Range]] = {}
    known = set(classes)
    if (place / "train").is_dir():
        sieve.outside(place / "train", known)
    for class_id in tqdm(classes, desc="index train", unit="class", disable=None):
        folder = place / TRAIN.format(class_id)
        if not folder.is_dir():
            faults.append(f"{folder} is missing, and {IDS} names its class")
            continue
        sieve.outside(folder.parent, {folder.name, BOXES.format(class_id)})
        found[class_id] = sieve.images_in(folder)
        faults += [
            f"{image.path} is of another class by its name"
            for image in found[class_id]
            if (named := image.name.partition("_")[0]) != class_id and named in known
        ]
    return found


def _held_out(place: Path, classes: list[str], sieve: Sieve, faults: list[str]) -> dict[str, list[Range]]:
    """Class -> its images of val/, by the annotations."""
    file, folder = place / ANNOTATIONS, place / HELD_OUT
    if not folder.is_dir():
        return _sorted_by_hand(folder, classes, sieve)
    labels = _annotations(file)
    sieve.outside(folder.parent, {folder.name, file.name})
    before = len(sieve.rejected)
    images = sieve.images_in(folder)
    # of an image that cannot be used, such as a link to nothing, the name counts
    there = {image.name for image in images} | {Path(one.name).name for one in sieve.rejected[before:]}
    faults += [
        f"{file}: the class of {name}, {printable(label)}, is not in {IDS}"
        for name, label in labels.items()
        if label not in classes
    ]
    faults += [
        f"{file} names {printable(name)}, which is not in {HELD_OUT}/"
        for name in sorted(labels.keys() - there)
    ]
    faults += [f"{folder / name} has no line in {file.name}" for name in sorted(there - labels.keys())]
    of_class: dict[str, list[Range]] = {class_id: [] for class_id in classes}
    for image in images:
        of_class.get(labels.get(image.name, ""), []).append(image)  # an image without a class is a fault
    return of_class


def _sorted_by_hand(folder: Path, classes: list[str], sieve: Sieve) -> dict[str, list[Range]]:
    """The same of val/ as many sort it, for class folders: into val/<id>/images/ or val/<id>/."""
    places = {class_id: folder.parent / class_id for class_id in classes}
    if missing := [place for place in places.values() if not place.is_dir()]:
        raise UserError(
            f"{folder} is missing, and so is {missing[0]}: held-out images lie in the first, or in a folder "
            f"of each class; {ADVICE}"
        )
    sieve.outside(folder.parent, {*classes, Path(ANNOTATIONS).name})
    return {
        class_id: sieve.images_in(place / folder.name if (place / folder.name).is_dir() else place)
        for class_id, place in places.items()
    }


def _annotations(file: Path) -> dict[str, str]:
    """Name of an image of val/ -> its class."""
    labels = {}
    for number, line in enumerate(_lines(file), 1):
        name, *others = line.split("\t")
        if not others or name in labels:
            what = "names an image twice" if others else "is not a name, a tab and a class"
            raise UserError(f"{file}, line {number}, {what}: {line[:60]!r}; {ADVICE}")
        labels[name] = others[0]
    return labels


def _words(file: Path, classes: list[str]) -> dict[str, str]:
    """What each class is called; empty where the file is not there, since only captions use it."""
    if not file.is_file():
        return {}
    known = words_in(_lines(file), "\t")
    return {class_id: printable(known[class_id]) for class_id in classes if class_id in known}


def _lines(file: Path) -> list[str]:
    if not file.is_file():
        raise UserError(f"{file} is missing; {ADVICE}")
    if not (lines := [line for line in map(str.strip, lines_of(file)) if line]):
        raise UserError(f"{file} is empty; {ADVICE}")
    return lines


def _official(classes: list[str]) -> dict[str, dict[str, int]]:
    """How many images each class should have; nothing is known of another set of this layout."""
    if len(classes) != CLASSES:
        return {}
    return {subset: dict.fromkeys(classes, count) for subset, count in OF_A_CLASS.items()}
