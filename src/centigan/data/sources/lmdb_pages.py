"""Where the values of an LMDB lie in its data.mdb, found page by page.

A value is a range of bytes like any other image: a large one fills pages that follow one another, a small one
lies beside its key. The library `lmdb` gives neither place, and it maps the file: one that is cut short ends
the process instead of telling. So the pages are read here, each within the file and each naming itself.
Nothing is written, locked or mapped. Data format 1, little-endian, as LMDB 0.9 writes it:
https://git.openldap.org/openldap/openldap/-/blob/LMDB_0.9.36/libraries/liblmdb/mdb.c
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from centigan.data.sources.listing import cannot_read
from centigan.data.sources.tars import unbuffered
from centigan.errors import UserError

MAGIC, VERSION = 0xBEEFC0DE, 1
HEADER = struct.Struct("<QHHHH")  # of a page: its number, padding, flags, ends of free space
META = struct.Struct(
    "<IIQQ48s48sQQ"
)  # magic, version, map, trees of free pages and of values, last page, change
TREE = struct.Struct("<IHHQQQQQ")  # page size, flags, depth, pages of three kinds, entries, root
NODE = struct.Struct("<HHHH")  # two halves of a size or page, flags or the page's last part, size of the key
PAGE = struct.Struct("<Q")
BRANCH, LEAF, LARGE = 0x01, 0x02, 0x04  # flags of pages
ON_PAGES = 0x01  # flag of a node whose value lies on pages of its own
NO_PAGE = 2**64 - 1
PAGE_SIZES = {1 << power for power in range(9, 17)}
MOST_DEEP = 32


class Value(NamedTuple):
    """A value: `size` bytes of the file from `offset`."""

    key: bytes
    offset: int
    size: int


class _Tree(NamedTuple):
    page_size: int
    depth: int
    entries: int
    root: int


def values(path: Path) -> Iterator[Value]:
    """All values, in the order of their keys; none of the pages that large ones fill is read.

    Raises:
        UserError: for a file that is missing, none of LMDB's, damaged or cut short.
    """
    found = 0
    try:
        with unbuffered(path) as file:
            pages = _Pages(path, file.fileno())
            tree = pages.newest_tree()
            if tree.root != NO_PAGE:
                for value in pages.below(tree.root, tree.depth):
                    found += 1
                    if found > tree.entries:
                        break
                    yield value
    except OSError as error:
        raise cannot_read(path, error) from error
    if found != tree.entries:
        more = "more" if found > tree.entries else f"{found:,}"
        raise UserError(f"{path} is damaged: it names {tree.entries:,} values and has {more}; fetch it anew")


class _Pages:
    """The pages of one file, each checked as it is read."""

    def __init__(self, path: Path, file: int) -> None:
        self.path, self.file = path, file
        self.bytes = os.fstat(file).st_size
        self.size = 0  # of a page; until the first is read
        self.seen = 0  # pages of the tree

    def newest_tree(self) -> _Tree:
        """The tree of the last change: the first two pages tell of one each."""
        first = self._meta(0)
        if first is None:
            raise UserError(f"{self.path} is no LMDB; fetch it anew")
        self.size = first[0].page_size
        if self.size not in PAGE_SIZES:
            raise self._damaged(f"pages of {self.size:,} bytes there are none")
        second = self._meta(self.size)
        newest = max((meta for meta in (first, second) if meta), key=lambda meta: meta[1])[0]
        if newest.depth > MOST_DEEP:
            raise self._damaged(f"a tree is never {newest.depth:,} pages deep")
        return newest._replace(page_size=self.size)

    def below(self, number: int, depth: int) -> Iterator[Value]:
        """The values below a page from which `depth` levels go down, itself the first."""
        page, flags, count = self._page(number)
        wanted = LEAF if depth <= 1 else BRANCH
        if not flags & wanted:
            raise self._damaged(f"page {number:,} is not where it is in the tree")
        for place in struct.unpack_from(f"<{count}H", page, HEADER.size):
            if place + NODE.size > len(page):
                raise self._damaged(f"page {number:,} points beyond itself")
            low, high, rest, key_size = NODE.unpack_from(page, place)
            if wanted == BRANCH:
                yield from self.below(low | high << 16 | rest << 32, depth - 1)
                continue
            begin = place + NODE.size + key_size
            size = low | high << 16
            key = page[place + NODE.size : begin]
            if rest & ~ON_PAGES:
                raise UserError(f"{self.path} has several values a key, or tables; LSUN has neither")
            if begin + (PAGE.size if rest else size) > len(page):
                raise self._damaged(f"page {number:,} is full beyond its end")
            if rest:
                yield Value(key, self._large(PAGE.unpack_from(page, begin)[0], size), size)
            else:
                yield Value(key, number * self.size + begin, size)

    def _page(self, number: int) -> tuple[bytes, int, int]:
        """A page, its flags and the number of its nodes."""
        page = self._read(number * self.size, self.size)
        self.seen += 1
        if self.seen * self.size > self.bytes:
            raise self._damaged("pages stand in the tree twice")
        itself, _, flags, lower, _ = HEADER.unpack_from(page)
        count = (lower - HEADER.size) // 2
        if itself != number or not 0 <= count <= (self.size - HEADER.size) // 2:
            raise self._damaged(f"page {number:,} is none")
        return page, flags, count

    def _large(self, number: int, size: int) -> int:
        """Where a value begins that fills pages from this one; they lie within the file."""
        offset = number * self.size + HEADER.size
        if offset + size > self.bytes:
            raise self._cut()
        return offset

    def _meta(self, offset: int) -> tuple[_Tree, int] | None:
        """The tree and the number of its change; None where there is none."""
        page = self._read(offset, HEADER.size + META.size)
        magic, version, _, _, free, main, _, change = META.unpack_from(page, HEADER.size)
        if magic != MAGIC:
            return None
        if version != VERSION:
            raise UserError(f"{self.path} is of LMDB's data format {version}; format {VERSION} is read")
        _, _, depth, _, _, _, entries, root = TREE.unpack(main)
        return _Tree(TREE.unpack(free)[0], depth, entries, root), change

    def _read(self, offset: int, size: int) -> bytes:
        content = os.pread(self.file, size, offset) if offset < self.bytes else b""
        if len(content) < size:
            raise self._cut()
        return content

    def _cut(self) -> UserError:
        return UserError(
            f"{self.path} is cut short: it has {self.bytes:,} bytes, and says that it has more; fetch it anew"
        )

    def _damaged(self, what: str) -> UserError:
        return UserError(f"{self.path} is damaged: {what}; fetch it anew")
