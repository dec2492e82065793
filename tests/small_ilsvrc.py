"""A small ILSVRC2012 that tests are made of, and its tars, read and written whole."""

import io
import tarfile
from pathlib import Path

CLASSES, PER_CLASS, HELD_OUT = 4, 6, 2


def inner_tars(path: Path) -> list[tuple[str, bytes]]:
    with tarfile.open(path) as outer:
        return [(member.name, outer.extractfile(member).read()) for member in outer]


def write_tar(path: Path, files: list[tuple[str, bytes]]) -> None:
    with tarfile.open(path, "w") as tar:
        for name, content in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
