"""Digests of files, computed again only when a file's size or time has changed."""

import os
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from centigan.errors import UserError
from centigan.manifest import DIGESTS, read_digests, sha256


@dataclass
class Digests:
    """SHA-256 of files by path, remembered with size (bytes) and modification time (ns)."""

    known: dict[str, tuple[int, int, str]] = field(default_factory=dict)
    doubtful: bool = False  # whether what was known is lost: then nothing is taken for what a list says

    def of(self, path: str) -> str | None:
        """The digest of a file; None when there is none, or when it lists files that are not as it says.

        A file that is seen for the first time is taken for what the SHA256SUMS beside it says: the job that
        wrote both has just read it, or DVC has checked it on its way here. Gigabytes are not read twice.
        """
        found = _status(path)
        if found is None:
            self.known.pop(path, None)
            return None
        size, time, digest = self.known.get(path, (-1, -1, ""))
        if (size, time) != (found.st_size, found.st_mtime_ns):
            said = None if digest or self.doubtful else self._said(path)
            digest = said or sha256(Path(path))
            self.known[path] = (found.st_size, found.st_mtime_ns, digest)
        if Path(path).name == DIGESTS and not self._all_listed(Path(path)):
            return None
        return digest

    def _all_listed(self, sums: Path) -> bool:
        """Whether the files of a SHA256SUMS are what it says: pages of a report are no rule's outputs."""
        try:
            listed = read_digests(sums).items()
        except UserError:  # damaged is as good as gone: the job that wrote it makes it again
            return False
        return all(self.of((sums.parent / name).as_posix()) == digest for name, digest in listed)

    def set_time(self, path: str, time: int) -> None:
        """Give a file that is known another modification time (ns)."""
        os.utime(path, ns=(time, time))
        size, _, digest = self.known[path]
        self.known[path] = size, time, digest

    def _said(self, path: str) -> str | None:
        with suppress(UserError):  # a damaged one says nothing
            return read_digests(Path(path).with_name(DIGESTS)).get(Path(path).name)
        return None


def _status(path: str) -> os.stat_result | None:
    """Size and time of a file; None where there is none, or a folder lies in its place."""
    try:
        found = Path(path).stat()
    except OSError:  # gone, a link to itself, a disk that is not mounted
        return None
    return None if stat.S_ISDIR(found.st_mode) else found
