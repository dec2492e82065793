"""The bytes of images, however a source answers where they lie."""

from collections.abc import Iterable, Iterator

from centigan.data.sources.listing import Range, read_ranges
from centigan.data.sources.parquet_rows import read_rows
from centigan.data.sources.zips import unpacked

ROWS, ZIPPED = "parquet", "zipped"  # the encodings of images that are rows, and members of a zip
PACKED = {ROWS, ZIPPED}  # a range has another size than its image


def read_contents(images: Iterable[Range], encoding: str) -> Iterator[bytes]:
    """The bytes of each image of one encoding.

    Raises:
        UserError: for a file that is gone, damaged or cannot be read.
    """
    if encoding == ROWS:
        return read_rows(images)
    return map(unpacked, read_ranges(images)) if encoding == ZIPPED else read_ranges(images)
