"""The raw data before there is an index: what they are, by the project's own reading of them.

Imports pandas, so it is imported only where there is no index, and the data are a person's own.
"""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from centigan.data.completeness import (
    captions_in,
    other_than_published,
    policy_of,
    require_may_lack,
    unusable_images,
    wrong_counts,
)
from centigan.data.order import order_classes
from centigan.data.sources import list_source
from centigan.data.sources.captioned import first_named
from centigan.data.sources.folders import class_folders
from centigan.data.sources.kaggle import DATA
from centigan.data.sources.listing import Listing, cannot_read
from centigan.data.sources.recognise import recognise
from centigan.data.sources.sift import Sieve
from centigan.data.sources.signs import SHARDS
from centigan.errors import UserError
from centigan.layout import split_of_each
from centigan.preflight.counts import Counts, OfClass
from centigan.settings.data import DataSettings
from centigan.settings.sources import Source

QUICK_FILES = 10_000  # looked at in a second
QUICK_BYTES = 1 << 30  # of archives, whose members are looked for one after the other
# many images a file
PACKED: set[Source] = {*SHARDS.values(), "hub_archives", "celeba", "lsun", "imagenet_npz"}
BOUNDED: set[Source] = {"cub200", "oxford102"}  # 12,000 images at most, each with a short file of captions
CLASSES_AT: dict[Source, str] = {"class-folders": "", "folders": "train", "kaggle": f"{DATA}/train"}


class Seen(NamedTuple):
    """What the raw data are, and whether the classes are those of the settings."""

    source: Source
    counts: Counts | None  # None where listing all images takes long
    wrong: str | None
    other: str = ""  # what tells that it is not the published set of its format
    lacking: str = ""  # why the index would stop for missing or unusable images


def look(settings: DataSettings, *, thorough: bool) -> Seen:
    """Recognise the raw data, and count the images of each class where that is quick, or `thorough`.

    Raises:
        UserError: as of the index: no data, or none that can be read.
    """
    try:
        return _look(settings, thorough=thorough)
    except OSError as error:  # a folder without permission, a failing disk
        raise cannot_read(error.filename or settings.root, error) from error


def _look(settings: DataSettings, *, thorough: bool) -> Seen:
    source = recognise(Path(settings.root)) if settings.source == "auto" else settings.source
    if thorough or is_quick(source, Path(settings.root)):
        listing = list_source(settings)
        classes, wrong = _ordered(listing, settings)
        if wrong:
            return Seen(source, counted(listing, classes, settings), wrong)
        other = first_named(other_than_published(listing, classes), 1)
        return Seen(
            source, counted(listing, classes, settings), None, other, _lacking(listing, classes, settings)
        )
    if source in CLASSES_AT and settings.order != "devkit":
        root = Path(settings.root)
        sieve = Sieve(root)
        names = class_folders(root / CLASSES_AT[source], sieve)
        listing = Listing(source, [], names, pd.DataFrame(), passed_over=sieve.passed_over)
        _, wrong = _ordered(listing, settings)
        return Seen(source, None, wrong)
    return Seen(source, None, None)


def is_quick(source: Source, root: Path) -> bool:
    """Whether all images can be listed in about a second."""
    if source == "archives":
        return sum(path.stat().st_size for path in root.iterdir() if path.is_file()) < QUICK_BYTES
    if source in BOUNDED:
        return True
    if sum(1 for _ in islice(_files(root), QUICK_FILES + 1)) > QUICK_FILES:
        return False
    return source not in PACKED or (
        sum(path.stat().st_size for path in root.rglob("*") if path.is_file()) < QUICK_BYTES
    )


def counted(listing: Listing, classes: list[str], settings: DataSettings) -> Counts:
    """The images of each class as the index would have them."""
    of = listing.images.groupby(["class_id", "subset"]).size().to_dict()
    most = settings.per_class or len(listing.images)
    rows = [
        OfClass(
            class_id,
            split,
            min(int(of.get((class_id, "train"), 0)), most),
            int(of.get((class_id, "held_out"), 0)),
            class_id in listing.unseen,
        )
        for class_id, split in zip(classes, split_of_each(len(classes), settings.split_size), strict=True)
    ]
    return Counts(tuple(rows), listing.source, captions_in(listing))


def _ordered(listing: Listing, settings: DataSettings) -> tuple[list[str], str | None]:
    """The classes as the settings order them; where that cannot be, all of them and the reason."""
    try:
        return order_classes(listing, settings), None
    except UserError as error:
        return listing.classes, str(error)


def _lacking(listing: Listing, classes: list[str], settings: DataSettings) -> str:
    """Why the index would stop for images that are missing, too many or unusable, if so."""
    faults = [*wrong_counts(listing, classes), *unusable_images(listing)]
    try:
        require_may_lack(faults, policy_of(listing, settings), settings)
    except UserError as error:
        return str(error)
    return ""


def _files(root: Path) -> Iterator[str]:
    for _, _, files in os.walk(root):
        yield from files
