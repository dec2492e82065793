"""What every source answers with: where each image lies, as a range of bytes of some file."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Literal, NamedTuple

import pandas as pd

from centigan.errors import UserError

Subset = Literal["train", "held_out"]
Encoding = Literal["image", "planar32"]


class Range(NamedTuple):
    """An image: `size` bytes of the file `path` from `offset`; `name` is its own file name."""

    path: str
    offset: int
    size: int
    name: str


class Rejected(NamedTuple):
    """An entry that is no image to train on, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Listing:
    """All images of a source.

    images: columns path, offset, size, name, subset ("train" or "held_out"), class_id; within a class
        and subset sorted by name, so that one data set gives the same arrays from any layout.
    encoding: "image", a whole JPEG, PNG, ... ; "planar32", CIFAR's 3072 bytes: 32 x 32 red, green, blue.
    """

    source: str  # a few words for people: "ILSVRC2012 archives"
    found: list[str]  # what was recognised, a line each
    classes: list[str]  # sorted; also those without images
    images: pd.DataFrame
    encoding: Encoding = "image"
    words: dict[str, str] = field(default_factory=dict)  # class_id -> its name in words, where known
    devkit_order: tuple[str, ...] = ()  # classes by ILSVRC2012_ID, where a devkit is there
    official: dict[str, dict[str, int]] = field(default_factory=dict)  # subset -> class_id -> images
    rejected: list[Rejected] = field(default_factory=list)
    checksummed: bool = False  # published with checksums: then a bad image means a bad copy


def class_frame(images: Iterable[Range], subset: Subset, class_id: str) -> pd.DataFrame:
    """The images of one class and subset, sorted by name."""
    rows = sorted(images, key=attrgetter("name"))
    return pd.DataFrame(rows, columns=Range._fields).assign(subset=subset, class_id=class_id)


def read_ranges(images: Iterable[Range]) -> Iterator[bytes]:
    """The bytes of each image; a file is opened once for all its images that follow one another.

    Raises:
        UserError: for a file that is gone or cannot be read.
    """
    for path, ranges in groupby(images, key=attrgetter("path")):
        try:
            with Path(path).open("rb", buffering=0) as file:
                for image in ranges:
                    yield os.pread(file.fileno(), image.size, image.offset)
        except OSError as error:  # gone, not permitted, a failing disk
            raise UserError(f"{path}: {error.strerror}; it was there when the data was indexed") from error
