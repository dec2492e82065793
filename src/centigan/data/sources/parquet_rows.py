"""Bytes in the column `image.bytes` of a Parquet file, through pyarrow.

Where a file is not compressed, every value lies in it as it is, and `value_ranges` finds where: an image is a
range of bytes like any other. Of a compressed file an image is a row, and reading one means reading its row
group up to there. `row_blocks` gives all images in the order of their rows, and reads each row group once.
"""

import mmap
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate, groupby, islice
from operator import attrgetter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from centigan.data.sources.listing import Range, cannot_read, require_plain
from centigan.errors import UserError

BYTES = "image.bytes"
AT_ONCE = 128  # images that are held: 14 MB of ImageNet's
BATCH = 32  # rows that pyarrow decodes at once
BUFFER = 1 << 20  # bytes read at once, in place of a whole column
HEADER = 1 << 16  # bytes: more than lies between two pages


@contextmanager
def opened(path: Path | str) -> Iterator[pq.ParquetFile]:
    """A Parquet file.

    Raises:
        UserError: for one that is gone, damaged or cannot be read, also while it is read.
    """
    require_plain(Path(path))
    try:
        with pq.ParquetFile(path, buffer_size=BUFFER, pre_buffer=False) as file:
            yield file
    except FileNotFoundError as error:
        raise UserError(f"{path} is gone; it was there when the data was indexed") from error
    except (IndexError, StopIteration) as error:  # of a file without the column of images
        raise UserError(f"{path} has no column {BYTES}; it had one when the data was indexed") from error
    except pa.ArrowException as error:  # ArrowInvalid of a damaged file
        raise UserError(f"{path} is no whole Parquet file ({_first_line(error)}); fetch it anew") from None
    except OSError as error:
        if error.errno is None:  # of pyarrow: a page that cannot be decompressed
            raise UserError(f"{path} is damaged ({_first_line(error)}); fetch it anew") from None
        raise cannot_read(path, error) from error


def row_blocks(images: Sequence[Range]) -> Iterator[tuple[list[int], Iterable[bytes]]]:
    """Blocks of AT_ONCE images at most, in the order of files and rows: positions, and the bytes of each.

    Blocks of row groups that fit are read when their bytes are, by whatever thread; of larger row groups a
    block is read before it is given, since the next one goes on where it ended.

    Raises:
        UserError: as of `opened`.
    """
    fitting: list[int] = []
    for positions in _by_row_group(images):
        if len(fitting) + len(positions) > AT_ONCE and fitting:
            yield fitting, read_rows([images[position] for position in fitting])
            fitting = []
        if len(positions) <= AT_ONCE:
            fitting += positions
            continue
        contents = _rows_in_order(images[position] for position in positions)
        for first in range(0, len(positions), AT_ONCE):
            block = positions[first : first + AT_ONCE]
            yield block, list(islice(contents, len(block)))
    if fitting:
        yield fitting, read_rows([images[position] for position in fitting])


def read_rows(images: Iterable[Range]) -> Iterator[bytes]:
    """The bytes of each image, whose `offset` is its row; AT_ONCE are held.

    Raises:
        UserError: as of `opened`, and for a row that is not there.
    """
    waiting = iter(images)
    while chosen := list(islice(waiting, AT_ONCE)):
        keys = sorted({(image.path, image.offset): image for image in chosen}.items())
        contents = _rows_in_order(image for _, image in keys)
        found = dict(zip((key for key, _ in keys), contents, strict=True))
        for image in chosen:
            yield found[image.path, image.offset]


def value_ranges(path: Path) -> list[tuple[int, int]] | None:
    """Offset and size (bytes) of every image in the file; None where they do not lie in it as they are.

    Each is found by its content, so that how pages and dictionaries are laid out does not matter.
    """
    ranges: list[tuple[int, int]] = []
    with opened(path) as file, path.open("rb") as raw:
        groups = [_chunk(file, group) for group in range(file.metadata.num_row_groups)]
        if not groups or any(chunk is None for chunk in groups):
            return None
        with mmap.mmap(raw.fileno(), 0, access=mmap.ACCESS_READ) as content:
            for group, chunk in enumerate(groups):
                begin, end = chunk or (0, 0)
                place = begin
                for value in _values(file, group):
                    place = _find(content, value, place, begin, end)
                    if place < 0:
                        return None
                    ranges.append((place, len(value)))
                    place += len(value)
    return ranges


def missing_values(file: pq.ParquetFile) -> int:
    """How many rows have no bytes of an image."""
    missing = 0
    for group in range(file.metadata.num_row_groups):
        statistics = _column(file, group).statistics
        if statistics is not None and statistics.has_null_count:
            missing += statistics.null_count
        else:
            missing += sum(batch.column(0).field("bytes").null_count for batch in _batches(file, group))
    return missing


def _by_row_group(images: Sequence[Range]) -> Iterator[list[int]]:
    """Positions of the images of each row group, in the order of their rows."""
    order = sorted(range(len(images)), key=images.__getitem__)
    for path, of_file in groupby(order, key=lambda position: images[position].path):
        with opened(path) as file:
            starts = _starts(file)
        for _, of_group in groupby(of_file, key=lambda position: _group(starts, images[position].offset)):
            yield list(of_group)


def _rows_in_order(images: Iterable[Range]) -> Iterator[bytes]:
    """The bytes of images that are given in the order of files and rows, each row group read once."""
    for path, of_file in groupby(images, key=attrgetter("path")):
        with opened(path) as file:
            starts = _starts(file)
            for group, of_group in groupby(of_file, key=lambda image: _group(starts, image.offset)):
                if group >= len(starts) - 1:
                    raise UserError(f"{path} has {starts[-1]:,} rows; it had more when the data was indexed")
                yield from _of_group(file, group, [image.offset - starts[group] for image in of_group])


def _of_group(file: pq.ParquetFile, group: int, rows: Sequence[int]) -> Iterator[bytes]:
    """The bytes of rows of one group, ascending."""
    waiting, first = deque(rows), 0
    for batch in _batches(file, group):
        values = batch.column(0).field("bytes")
        while waiting and waiting[0] < first + len(values):
            yield values[waiting.popleft() - first].as_py() or b""
        first += len(values)
        if not waiting:
            return


def _starts(file: pq.ParquetFile) -> list[int]:
    """The first row of each row group, and the number of all rows."""
    sizes = (file.metadata.row_group(group).num_rows for group in range(file.metadata.num_row_groups))
    return list(accumulate(sizes, initial=0))


def _group(starts: Sequence[int], row: int) -> int:
    """The row group that a row lies in."""
    return bisect_right(starts, row) - 1


def _values(file: pq.ParquetFile, group: int) -> Iterator[pa.Buffer]:
    for batch in _batches(file, group):
        for value in batch.column(0).field("bytes"):
            yield value.as_buffer()


def _batches(file: pq.ParquetFile, group: int) -> Iterator[pa.RecordBatch]:
    return file.iter_batches(BATCH, row_groups=[group], columns=[BYTES], use_threads=False)


def _column(file: pq.ParquetFile, group: int) -> pq.ColumnChunkMetaData:
    columns = file.metadata.row_group(group)
    return next(
        column for column in map(columns.column, range(columns.num_columns)) if column.path_in_schema == BYTES
    )


def _chunk(file: pq.ParquetFile, group: int) -> tuple[int, int] | None:
    """Where the column of a row group begins and ends in the file; None where it is compressed."""
    column = _column(file, group)
    if column.compression != "UNCOMPRESSED":
        return None
    pages = (column.dictionary_page_offset, column.data_page_offset)
    begin = min(offset for offset in pages if offset)
    return begin, begin + column.total_compressed_size


def _find(content: mmap.mmap, value: pa.Buffer, place: int, begin: int, end: int) -> int:
    """Where a value lies: soon behind the one before, or, where rows share values, anywhere in the column."""
    soon = content.find(value, place, min(end, place + HEADER + len(value)))
    return soon if soon >= 0 else content.find(value, begin, end)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
