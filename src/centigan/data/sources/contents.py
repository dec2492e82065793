"""The bytes of images, however a source answers where they lie."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from centigan.data.sources.listing import Range, read_ranges
from centigan.data.sources.parquet_rows import read_rows, row_blocks
from centigan.data.sources.zips import unpacked

ROWS, ZIPPED = "parquet", "zipped"  # the encodings of images that are rows, and members of a zip
PACKED = {ROWS, ZIPPED}  # a range has another size than its image
BLOCK = 32  # images read together: 1.5 MB of pixels at 128 px, so that they are written from the cache


class Block(NamedTuple):
    """Images that are read and decoded together."""

    positions: Sequence[int]
    contents: Iterable[bytes]  # of each; most are read as they are asked for


def in_blocks(images: Sequence[Range], encoding: str) -> Iterator[Block]:
    """All images, in their order or that of Parquet's rows.

    Raises:
        UserError: for a file that is gone, damaged or cannot be read.
    """
    if encoding == ROWS:
        yield from (Block(*block) for block in row_blocks(images))
        return
    for first in range(0, len(images), BLOCK):
        positions = range(first, min(first + BLOCK, len(images)))
        yield Block(positions, read_contents(images[positions.start : positions.stop], encoding))


def read_contents(images: Iterable[Range], encoding: str) -> Iterator[bytes]:
    """The bytes of each image of one encoding.

    Raises:
        UserError: for a file that is gone, damaged or cannot be read.
    """
    if encoding == ROWS:
        return read_rows(images)
    return map(unpacked, read_ranges(images)) if encoding == ZIPPED else read_ranges(images)
