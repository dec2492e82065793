"""Tar archives read in place: where each member's bytes lie, without unpacking or reading them.

Python's tarfile parses the headers, and stops in silence at the first one it cannot read. `members` makes
sure that it stopped where the archive really ends.
"""

import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from centigan.data.sources.listing import cannot_read, printable, require_plain, unusable
from centigan.errors import UserError

BLOCK = 512  # bytes of a header, and the unit that members are padded to


class Member(NamedTuple):
    """A member of a tar or zip: offset and size in bytes; `fault` says why it cannot be used, if so."""

    name: str
    offset: int
    size: int
    fault: str | None


def members(
    path: Path, offset: int = 0, size: int | None = None, name: str | None = None
) -> Iterator[Member]:
    """Members of the tar that lies in `size` bytes of a file from `offset`; folders are left out.

    Offsets are those of the file, so that a tar within a tar needs no special reading.

    Args:
        name: what messages call the tar; by default the file's path.

    Raises:
        UserError: for a tar that is cut short, damaged, or has no end.
    """
    called = name or path.as_posix()
    with unbuffered(path) as file:
        end = offset + (os.fstat(file.fileno()).st_size - offset if size is None else size)
        file.seek(offset)
        try:
            with tarfile.TarFile(fileobj=file) as archive:
                for entry in archive:
                    stop = entry.offset_data + entry.size
                    if entry.size < 0 or stop > end:
                        raise UserError(_cut(called, f"{printable(entry.name)} reaches beyond its end"))
                    if not entry.isdir():
                        yield Member(entry.name, entry.offset_data, entry.size, _fault(entry))
                _require_end(file, archive.offset, end, called)
        except (tarfile.TarError, ValueError, LookupError, OverflowError) as error:  # of damaged headers
            raise UserError(f"{called} is no whole tar archive ({error}); fetch it anew") from None
        except OSError as error:
            raise cannot_read(called, error) from error


def _fault(entry: tarfile.TarInfo) -> str | None:
    if not entry.isreg() or entry.issparse():
        return "is a link or a special file, not a plain one"
    if ".." in entry.name.split("/") or entry.name.startswith("/"):
        return "has a name that leads out of the archive"
    return unusable(entry.name, 0)


def _require_end(file: BinaryIO, start: int, end: int, called: str) -> None:
    """Check that from `start`, where tarfile stopped, to the end there are zeros only, a block at least."""
    if end - start < BLOCK:
        raise UserError(_cut(called, "its end marker is missing"))
    file.seek(start)
    while start < end:
        piece = file.read(min(end - start, 1 << 20))
        if not piece or any(piece):
            raise UserError(
                f"{called} is damaged near byte {start}: no header where one should be; fetch it anew"
            )
        start += len(piece)


def _cut(called: str, what: str) -> str:
    return f"{called} is cut short: {what}; fetch it anew"


@contextmanager
def unbuffered(path: Path) -> Iterator[BinaryIO]:
    """A file for small reads far apart: no buffer, no reading ahead."""
    require_plain(path)
    with path.open("rb", buffering=0) as file:
        if hasattr(os, "posix_fadvise"):  # not on macOS
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
        yield file
