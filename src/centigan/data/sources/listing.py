"""What every source answers with: where each image lies, as a range of bytes of some file."""

import errno
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from centigan.data.sources.passed_over import PassedOver
from centigan.errors import UserError

Subset = Literal["train", "held_out"]
Encoding = Literal[
    "image",
    "planar32",
    "planar8",
    "planar64",
    "columns96",
    "columns32",
    "grey28",
    "line",
    "plane",
    "parquet",
    "zipped",
]
MOST_BYTES = 1 << 30  # of a file: the largest image that is decoded has 0.7 GB as 16-bit RGBA
NOT_UTF8 = re.compile("[\ud800-\udfff]")  # Python reads bytes that are no UTF-8 as surrogates
UNPRINTABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
ADVICE = {
    errno.EMFILE: "raise the limit of open files (`ulimit -n`)",
    errno.ENFILE: "raise the machine's limit of open files",
    errno.EACCES: "permit it",
    errno.EIO: "look at the disk, or fetch the file anew",
}


class Planes(NamedTuple):
    """Bytes of side x side pixels: all of red, then green, then blue; row by row, or column by column.

    One plane is grey.
    """

    side: int
    by_column: bool = False
    planes: int = 3


PLANAR: dict[str, Planes] = {  # encodings of plain bytes
    "planar32": Planes(32),
    "planar8": Planes(8),
    "planar64": Planes(64),
    "columns96": Planes(96, by_column=True),
    "columns32": Planes(32, by_column=True),
    "grey28": Planes(28, planes=1),
}


class Range(NamedTuple):
    """An image: `size` bytes of the file `path` from `offset`; `name` is its own file name."""

    path: str
    offset: int
    size: int
    name: str


class Rejected(NamedTuple):
    """An image that cannot be trained on, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Listing:
    """All images of a source.

    images: columns path, offset, size, name, subset ("train" or "held_out"), class_id; within a class
        and subset sorted by name, so that one data set gives the same arrays from any layout. Where the
        source has them also captions, a list of one sentence or more an image.
    encoding: "image", a whole JPEG, PNG, ... ; "planar32", CIFAR's 3072 bytes: 32 x 32 red, green, blue;
        "planar8", "planar64", the same of 8 x 8, 64 x 64; "columns96", that of 96 x 96, column by column;
        "columns32", that of 32 x 32; "grey28", 784 bytes: 28 x 28 of one plane;
        "line", "plane": a line of points.csv with one coordinate, or two; "parquet", a row of a Parquet file:
        offset is its number and size 1; "zipped", a member of a zip, from its own header to its end.
    """

    source: str  # a few words for people: "ILSVRC2012 archives"
    found: list[str]  # what was recognised, a line each
    classes: list[str]  # sorted; also those without images
    images: pd.DataFrame
    encoding: Encoding = "image"
    words: dict[str, str] = field(default_factory=dict)  # class_id -> its name in words, where known
    devkit_order: tuple[str, ...] = ()  # classes by ILSVRC2012_ID, where a devkit is there
    official: dict[str, dict[str, int]] = field(default_factory=dict)  # subset -> class_id -> images
    published: int = 0  # images of the one set that has this format, where its lists do not say
    rejected: list[Rejected] = field(default_factory=list)
    passed_over: PassedOver = field(default_factory=dict)  # what is no image of a class
    checksummed: bool = False  # published with checksums: then a bad image means a bad copy
    unseen: tuple[str, ...] = ()  # classes that no model may be trained on, though they have images


def class_frame(images: Iterable[Range], subset: Subset, class_id: str) -> pd.DataFrame:
    """The images of one class and subset, sorted by name."""
    rows = sorted(images, key=attrgetter("name"))
    return pd.DataFrame(rows, columns=Range._fields).assign(subset=subset, class_id=class_id)


def record_frame(
    path: Path,
    offsets: NDArray[np.int64],
    size: int,
    subset: str,
    class_ids: NDArray[Any] | str,
    *,
    called: str = "",
) -> pd.DataFrame:
    """The images of one file in its order, each of `size` bytes and named by the file and its row.

    Args:
        called: what names have in place of the file's own.
    """
    columns = {
        "path": path.as_posix(),
        "offset": offsets,
        "size": size,
        "name": [f"{called or path.stem}_{row:05d}" for row in range(len(offsets))],
        "subset": subset,
        "class_id": class_ids,
    }
    return pd.DataFrame(columns)


def in_order(images: pd.DataFrame) -> pd.DataFrame:
    """As a listing has them: training images first, then by class and name."""
    return images.sort_values(
        ["subset", "class_id", "name"], ascending=[False, True, True], ignore_index=True
    )


def printable(name: str) -> str:
    """A name as text of one line in UTF-8: what does not fit stands as \\x.."""
    return UNPRINTABLE.sub(lambda found: f"\\x{ord(found[0]) & 0xFF:02x}", name)


def unusable(name: str, size: int) -> str | None:
    """Why a plain file cannot be an image of the index, if so, by its name and size alone."""
    if NOT_UTF8.search(name):
        return "has a name that is not UTF-8; rename it"
    return f"has {size:,} bytes, more than any image" if size > MOST_BYTES else None


def cannot_read(path: object, error: OSError) -> UserError:
    """What to say of a file that the machine does not give, for whatever is in it."""
    if error.errno in {errno.ENOENT, errno.ENOTDIR}:  # its place is wrong, and no disk's trouble
        state = "is missing" if error.errno == errno.ENOENT else "is a file or lies below one, and no folder"
        return UserError(
            f"{printable(str(path))} {state}; put it there, or look at data.root and data.source"
        )
    advice = ADVICE.get(error.errno or 0, "look at it and at its disk")
    return UserError(f"{printable(str(path))} cannot be read: {error.strerror or error}; {advice}")


def require_plain(path: Path) -> None:
    """Make sure that reading does not wait for a writer, as of a pipe.

    Raises:
        UserError: where something lies that is neither a file nor a folder.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise UserError(f"{path} is no plain file; put the file itself there")


def read_ranges(images: Iterable[Range]) -> Iterator[bytes]:
    """The bytes of each image; a file is opened once for all its images that follow one another.

    Raises:
        UserError: for a file that is gone or cannot be read.
    """
    for path, ranges in groupby(images, key=attrgetter("path")):
        try:
            file = os.open(
                path, os.O_RDONLY | os.O_NONBLOCK
            )  # where a pipe lies now, do not wait for a writer
            try:
                for image in ranges:
                    yield os.pread(file, image.size, image.offset)
            finally:
                os.close(file)
        except FileNotFoundError as error:
            raise UserError(f"{path}: {error.strerror}; it was there when the data was indexed") from error
        except OSError as error:  # not permitted, a failing disk, too many open files
            raise cannot_read(path, error) from error
