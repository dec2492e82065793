"""The bytes of images, however a source answers where they lie."""

from collections.abc import Iterable, Iterator

from centigan.data.sources.listing import Range, read_ranges
from centigan.data.sources.parquet_rows import read_rows

ROWS = "parquet"  # the encoding of images that are rows


def read_contents(images: Iterable[Range], encoding: str) -> Iterator[bytes]:
    """The bytes of each image of one encoding.

    Raises:
        UserError: for a file that is gone, damaged or cannot be read.
    """
    return read_rows(images) if encoding == ROWS else read_ranges(images)
