"""Bytes in the column `image.bytes` of a Parquet file, through pyarrow.

Where a file is not compressed, every value lies in it as it is, and `value_ranges` finds where: an image is a
range of bytes like any other. Of a compressed file an image is a row, and reading one means reading its row
group up to there; `read_rows` reads a row group once for all that are asked for together, and `rows_together`
says which those should be.
"""

import mmap
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate, groupby, islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from centigan.data.sources.listing import Range, cannot_read, require_plain
from centigan.errors import UserError

BYTES = "image.bytes"
AT_ONCE = 128  # images that `read_rows` holds: 14 MB of ImageNet's
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


def rows_together(images: Sequence[Range]) -> list[Sequence[int]]:
    """Positions of images in the order of their files and rows, in blocks that `read_rows` holds.

    A row group is within one block where so many are asked for as a block has, and is then read once.

    Raises:
        UserError: as of `opened`.
    """
    blocks: list[list[int]] = []
    order = sorted(range(len(images)), key=images.__getitem__)
    for path, of_file in groupby(order, key=lambda position: images[position].path):
        with opened(path) as file:
            starts = _starts(file)
        for _, of_group in groupby(of_file, key=lambda position: _group(starts, images[position].offset)):
            while piece := list(islice(of_group, AT_ONCE)):
                if not blocks or len(blocks[-1]) + len(piece) > AT_ONCE:
                    blocks.append([])
                blocks[-1] += piece
    return [*blocks]


def read_rows(images: Iterable[Range]) -> Iterator[bytes]:
    """The bytes of each image, whose `offset` is its row.

    Raises:
        UserError: as of `opened`, and for a row that is not there.
    """
    waiting = iter(images)
    while chosen := list(islice(waiting, AT_ONCE)):
        rows: dict[str, list[int]] = {}
        for image in chosen:
            rows.setdefault(image.path, []).append(image.offset)
        found = {path: _rows_of(path, sorted(set(wanted))) for path, wanted in rows.items()}
        for image in chosen:
            yield found[image.path][image.offset]


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


def _rows_of(path: str, wanted: Sequence[int]) -> dict[int, bytes]:
    """Row -> its bytes, of rows in ascending order."""
    found: dict[int, bytes] = {}
    with opened(path) as file:
        starts = _starts(file)
        if wanted[-1] >= starts[-1]:
            raise UserError(f"{path} has {starts[-1]:,} rows; it had more when the data was indexed")
        groups: dict[int, list[int]] = {}
        for row in wanted:
            groups.setdefault(_group(starts, row), []).append(row)
        for group, rows in groups.items():
            first = starts[group]
            for batch in _batches(file, group):
                values = batch.column(0).field("bytes")
                while rows and rows[0] < first + len(values):
                    row = rows.pop(0)
                    found[row] = values[row - first].as_py() or b""
                first += len(values)
                if not rows:
                    break
    return found


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
