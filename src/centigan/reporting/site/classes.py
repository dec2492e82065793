"""The classes as the site lists them: names, addresses, and the numbers that they are sorted by."""

import hashlib
import re
from collections.abc import Hashable
from typing import Any, NamedTuple

from centigan.errors import UserError
from centigan.reporting.results import Results

PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")  # lower case: file systems may not tell Cat from cat
UNFIT = re.compile(r"[^a-z0-9_-]+")


class Sort(NamedTuple):
    """A column of tables/by_class.csv that the gallery is sorted by."""

    column: str
    label: str
    order: str  # what is shown first: asc | desc


SORTS = (
    Sort("accuracy_generated", "accuracy of samples", "desc"),
    Sort("accuracy_held_out", "accuracy of real images", "desc"),
    Sort("ms_ssim_generated", "MS-SSIM of samples", "asc"),
    Sort("ms_ssim_training", "MS-SSIM of real images", "asc"),
    Sort("fid", "FID within the class", "asc"),
    Sort("nearest_l1_generated", "distance to training images", "asc"),
)


class ListedClass(NamedTuple):
    """One class of the experiment."""

    id: str
    name: str  # the first of its words, which are synonyms in ImageNet
    words: str
    address: str  # of its files: classes/<address>.html, images/<address>.<kind>.webp
    split: str
    train: int  # images
    held_out: int
    numbers: dict[Hashable, Any]  # its row of tables/by_class.csv


def list_classes(results: Results) -> list[ListedClass]:
    """Every class, in the order of the data.

    Raises:
        UserError: when tables/by_class.csv lacks a class or a number that classes are sorted by.
    """
    table = results.table("by_class").set_index("class_id")
    path = results.layout.table("by_class")
    if absent := [sort.column for sort in SORTS if sort.column not in table]:
        raise UserError(f"{path} lacks the column {absent[0]!r}; delete the file and run again")
    numbers = table.to_dict("index")
    listed = []
    for row in results.classes.to_dict("records"):
        class_id = row["class_id"]
        if class_id not in numbers:
            raise UserError(f"{path} has no row for class {class_id!r}; delete the file and run again")
        named = (class_id, results.names[class_id], row["words"], address_of(class_id), row["split"])
        listed.append(ListedClass(*named, row["train"], row["held_out"], numbers[class_id]))
    return listed


def address_of(class_id: str) -> str:
    """A file name for a class: its id, or its plain letters and a digest behind a dot, which no id has."""
    if PLAIN.fullmatch(class_id):
        return class_id
    digest = hashlib.sha256(class_id.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    letters = UNFIT.sub("-", class_id.lower()).strip("-_")[:48] or "class"
    return f"{letters}.{digest}"
