"""A folder of pages that looks finished only once it is: its first page goes first and comes last."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from centigan.atomic import atomic_path
from centigan.manifest import DIGESTS, listed


class Site:
    """What is written through it is all that the folder holds when `finish` returns."""

    def __init__(self, index: Path) -> None:
        """Remove the first page of an earlier site, so that what follows never passes for it."""
        self.index = index
        self.folder = index.parent
        self.sizes: dict[str, int] = {}
        self.digests: dict[str, str] = {}
        index.unlink(missing_ok=True)

    def write(self, name: str, content: str | bytes) -> None:
        """Write one file, named relative to the folder; from any thread."""
        data = content.encode() if isinstance(content, str) else content
        with atomic_path(self.folder / name) as temporary:
            temporary.write_bytes(data)
        self.sizes[name] = len(data)
        self.digests[name] = hashlib.sha256(data).hexdigest()

    def finish(self, render: Callable[[int], str]) -> None:
        """Remove what an earlier site left, write SHA256SUMS of all files but the first page, then that page.

        `render` is given the bytes of all others.
        """
        self.write(DIGESTS, listed(self.digests))
        for path in sorted(self.folder.rglob("*"), reverse=True):  # a folder after what it holds
            if path.is_dir() and not path.is_symlink():
                if not any(path.iterdir()):
                    path.rmdir()
            elif path.relative_to(self.folder).as_posix() not in self.sizes:
                path.unlink()
        self.write(self.index.name, render(sum(self.sizes.values())))
