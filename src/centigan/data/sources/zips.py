"""Zip archives read in place: where each member lies, stored or deflated, without unpacking it.

A range begins at the member's own header and ends with its content, so that `unpacked` needs nothing else.
"""

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from centigan.data.sources.listing import MOST_BYTES, cannot_read, unusable
from centigan.data.sources.tars import Member, unbuffered
from centigan.errors import UserError

HEADER = struct.Struct("<4s5H3I2H")  # signature, ..., method, ..., lengths of name and extra field
SIGNATURE = b"PK\3\4"
READ = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
SIZE_FOLLOWS = 0x08  # flag of a member whose header does not say its size
RAW = -15  # zlib's word for deflated bytes without a header of their own
PIECE = 1 << 14  # bytes inflated at once: so much at most is lost before damage


def members(path: Path) -> Iterator[Member]:
    """Members of a zip, from header to end; folders are left out.

    Raises:
        UserError: for a zip that is missing, cut short or damaged.
    """
    try:
        with unbuffered(path) as file, zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if not entry.filename.endswith("/"):  # as is_dir, which fails at an empty name
                    size = _size(path, file.fileno(), entry, archive.start_dir)
                    yield Member(entry.filename, entry.header_offset, size, _fault(entry))
    except FileNotFoundError as error:
        raise UserError(f"{path} is missing") from error
    except OSError as error:
        raise cannot_read(path, error) from error
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error) as error:
        raise UserError(f"{path} is no whole zip archive ({error}); fetch it anew") from None


def content_at(path: Path, entry: zipfile.ZipInfo) -> int:
    """Where the content of a member begins that is stored as it is.

    Raises:
        UserError: for a zip that is damaged.
    """
    with unbuffered(path) as file:
        return (
            entry.header_offset
            + _size(path, file.fileno(), entry, os.fstat(file.fileno()).st_size)
            - (entry.compress_size)
        )


def unpacked(member: bytes) -> bytes:
    """The content of a member, given from its header on; of a damaged one as much as can be told.

    A header that is none is content, too: decoding tells that it is no image.
    """
    if not member.startswith(SIGNATURE) or len(member) < HEADER.size:
        return member
    _, _, flags, method, *_, size, name, extra = HEADER.unpack_from(member)
    content = member[HEADER.size + name + extra :]
    said = MOST_BYTES if flags & SIZE_FOLLOWS else min(size, MOST_BYTES)
    return _inflated(content, said) if method == zipfile.ZIP_DEFLATED else content


def _inflated(content: bytes, most: int) -> bytes:
    """What was deflated, no more of it than the header says."""
    inflating, found = zlib.decompressobj(RAW), bytearray()
    for place in range(0, len(content), PIECE):
        if len(found) >= most:
            break
        try:
            found += inflating.decompress(content[place : place + PIECE], most - len(found))
        except zlib.error:  # what came before is a part of an image, and told as that
            break
    return bytes(found)


def _size(path: Path, file: int, entry: zipfile.ZipInfo, end: int) -> int:
    """Bytes from a member's header to its end, before which the next one may not begin."""
    header = os.pread(file, HEADER.size, entry.header_offset)
    if len(header) < HEADER.size or not header.startswith(SIGNATURE):
        raise UserError(f"{path} is damaged: no member begins at byte {entry.header_offset:,}; fetch it anew")
    *_, name, extra = HEADER.unpack(header)
    size = HEADER.size + name + extra + entry.compress_size
    if entry.header_offset + size > end:
        raise UserError(f"{path} is damaged: {entry.filename!r} reaches beyond its end; fetch it anew")
    return size


def _fault(entry: zipfile.ZipInfo) -> str | None:
    if entry.flag_bits & 1:
        return "is encrypted"
    if entry.compress_type not in READ:
        return "is compressed by another method than deflating; unpack the zip"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "is a link or a special file, not a plain one"
    if ".." in PurePosixPath(entry.filename).parts or entry.filename.startswith("/"):
        return "has a name that leads out of the archive"
    return unusable(entry.filename, entry.file_size)
