"""IDX files, plain or packed by gzip, which are read in pieces and no further than their header tells."""

import gzip
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path

from centigan.atomic import atomic_path
from centigan.data.published_archive import reading
from centigan.errors import UserError

BYTES = 0x800  # the kind of values; the number of axes is added to it
PIECE = 1 << 20  # bytes unpacked at once


def start(axes: int) -> int:
    """Bytes of the header."""
    return 4 + 4 * axes


def idx_shape(path: Path, axes: int) -> tuple[int, ...]:
    """The lengths of the axes of an IDX file of bytes, whose values begin after 4 + 4 * axes bytes.

    Raises:
        UserError: for a file of another kind, or of another size than the lengths ask for.
    """
    with reading(path, "this kind"):
        with path.open("rb") as file:
            head = file.read(start(axes))
        size = path.stat().st_size
    if len(head) < start(axes):
        raise UserError(
            f"{path} has {size} bytes, and its header {start(axes)}: it is cut short; fetch it anew"
        )
    magic, *shape = struct.unpack(f">{1 + axes}I", head)
    if magic != BYTES + axes:
        raise UserError(
            f"{path} begins with {magic}, and an IDX file of bytes of {axes} axes with {BYTES + axes}; fetch "
            "it anew"
        )
    if size != len(head) + prod(shape):
        raise UserError(
            f"{path} has {size:,} bytes, and by its header {len(head) + prod(shape):,}; fetch it anew"
        )
    return tuple(shape)


def count_packed(packed: Path, item: tuple[int, ...], again: str) -> int:
    """How many items a .gz holds, read from end to end.

    Args:
        item: the axes of each, such as rows and columns.
        again: the command that is to be run once the .gz is removed.

    Raises:
        UserError: when it is cut short, or holds another kind of file, or more or less than its header tells.
    """
    axes = 1 + len(item)
    with _unpacking(packed, again), gzip.open(packed) as file:
        head = file.read(start(axes))
        if len(head) < start(axes):
            raise ValueError(f"it holds {len(head)} bytes, and the header alone has {start(axes)}")
        magic, count, *found = struct.unpack(f">{1 + axes}I", head)
        if magic != BYTES + axes:
            raise ValueError(f"what it holds begins with {magic}, not with {BYTES + axes}")
        if found != list(item):
            raise ValueError(f"it holds items of {tuple(found)} bytes, not of {item}")
        left = count * prod(item)
        while left and (piece := file.read(min(PIECE, left))):
            left -= len(piece)
        if left or file.read(1):
            fault = f"{left:,} bytes less" if left else "more bytes"
            raise ValueError(f"it holds {fault} than its header tells")
    return int(count)


def holds_the_same(packed: Path, unpacked: Path, again: str) -> bool:
    """Whether a .gz holds what the unpacked file does; it is read no further than that.

    Raises:
        UserError: when it is damaged.
    """
    with unpacked.open("rb") as theirs, _unpacking(packed, again), gzip.open(packed) as ours:
        while True:
            piece = theirs.read(PIECE)
            if ours.read(len(piece) or 1) != piece:
                return False
            if not piece:
                return True


def unpack(packed: Path, unpacked: Path) -> None:
    """Write what a .gz holds, which `count_packed` has seen whole."""
    with atomic_path(unpacked) as temporary, temporary.open("wb") as file, gzip.open(packed) as content:
        while piece := content.read(PIECE):
            file.write(piece)


@contextmanager
def _unpacking(packed: Path, again: str) -> Iterator[None]:
    """Turn what goes wrong with a .gz into a UserError."""
    try:
        yield
    except (OSError, EOFError, zlib.error, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"cannot unpack {packed}: {reason}; remove it and run {again}") from error
