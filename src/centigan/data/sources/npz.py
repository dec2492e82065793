"""Arrays in NumPy's .npz read in place: where each begins, what it is of, and whether its bytes are whole.

An npz that is not compressed is a zip of stored members, each a .npy: a header and then the values as they
are. Nothing is unpickled or inflated, and no size is believed before the file is seen to have it.
"""

import tokenize
import zipfile
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from centigan.data.sources.listing import require_plain
from centigan.data.sources.zips import content_at
from centigan.errors import UserError

ADVICE = "fetch it anew"
PIECE = 1 << 20  # bytes read at once
READERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
# What NumPy raises for a header that is none, of which it says ValueError alone.
NO_HEADER = (ValueError, EOFError, TypeError, OverflowError, RecursionError, MemoryError, tokenize.TokenError)


class Stored(NamedTuple):
    """An array of a file: its values begin at byte `offset`; `crc` is the zip's checksum of the member."""

    path: Path
    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype
    crc: int

    def read(self) -> NDArray[Any]:
        """The whole array."""
        return np.fromfile(self.path, self.dtype, prod(self.shape), offset=self.offset).reshape(self.shape)


def stored_arrays(path: Path, names: tuple[str, ...]) -> list[Stored]:
    """Where these arrays lie in a file.

    Raises:
        UserError: for a file that is missing, damaged, compressed or encrypted, and for one without them.
    """
    require_plain(path)
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as file:
            found = {entry.filename: entry for entry in archive.infolist()}
            if missing := [name for name in names if f"{name}.npy" not in found]:
                raise UserError(f"{path} holds no array `{missing[0]}`; {ADVICE}")
            return [_stored(path, file, found[f"{name}.npy"]) for name in names]
    except FileNotFoundError:
        raise UserError(f"{path} is missing; fetch it") from None
    except (zipfile.BadZipFile, NotImplementedError, *NO_HEADER) as error:
        raise UserError(f"{path} is damaged ({error}); {ADVICE}") from None


def require_whole(path: Path, names: tuple[str, ...]) -> None:
    """Read these arrays from end to end, and hold them against the checksums (CRC-32) of the zip.

    Raises:
        UserError: where they differ, and as of `stored_arrays`.
    """
    stored_arrays(path, names)
    try:
        with zipfile.ZipFile(path) as archive:
            for name in names:
                with archive.open(f"{name}.npy") as member:
                    while member.read(PIECE):
                        pass
    except (zipfile.BadZipFile, EOFError) as error:
        raise UserError(f"{path} is damaged ({error}); {ADVICE}") from None


def _stored(path: Path, file: BinaryIO, entry: zipfile.ZipInfo) -> Stored:
    name = entry.filename.removesuffix(".npy")
    if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
        what = "encrypted" if entry.flag_bits & 1 else "compressed"
        raise UserError(
            f"{path} is {what}, and images are read where they lie: fetch the published file, or write its "
            "arrays anew with numpy.savez"
        )
    begin = content_at(path, entry)
    file.seek(begin)
    version = np.lib.format.read_magic(file)
    if version not in READERS:
        raise UserError(f"{path}: `{name}` is of NumPy's format {version}, which is not read; {ADVICE}")
    shape, by_column, dtype = READERS[version](file)
    offset = file.tell()
    if by_column and len(shape) > 1:
        raise UserError(f"{path}: `{name}` is stored column by column; {ADVICE}")
    if dtype.hasobject or offset + prod(shape) * dtype.itemsize != begin + entry.file_size:
        raise UserError(
            f"{path}: `{name}` is {dtype} {shape} by its header, and not by its {entry.file_size:,} bytes; "
            f"{ADVICE}"
        )
    return Stored(path, offset, shape, dtype, entry.CRC)
