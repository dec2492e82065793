"""Files that are either whole or absent: temporary file in the same folder, fsync, rename."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from safetensors import SafetensorError

from centigan.errors import UserError

log = logging.getLogger(__name__)


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target` that replaces it when the block ends well.

    The temporary name keeps the target's suffix, since many writers choose a format by it.

    Raises:
        UserError: when the disk refuses the write (full, read-only, quota); `target` is untouched.
    """
    temporary = target.with_name(f".{target.stem}.{os.getpid()}.part{target.suffix}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.chmod(0o666 & ~_umask())  # safetensors writes for its owner alone
        out_of_the_way(target)
        temporary.replace(target)
        _sync_folder(target.parent)
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(
            f"cannot write {target}: {reason}. Make room there or permit it, then run again: "
            "everything finished so far is kept"
        ) from error
    finally:
        with suppress(NotADirectoryError):
            temporary.unlink(missing_ok=True)


def remove_halves(folder: Path) -> None:
    """Delete what killed writers left in a folder; for folders that have one writer at a time."""
    for half in folder.glob(".*.part*"):
        if half.is_file():
            half.unlink()


def out_of_the_way(target: Path) -> None:
    """Move a folder that lies where a file belongs aside; it is somebody's, so it is not removed."""
    if target.is_dir():
        aside = next(path for path in map(_aside(target), count(1)) if not path.exists())
        log.warning("%s is a folder, and a file belongs there: it is %s now", target, aside)
        target.rename(aside)


def _aside(target: Path) -> Callable[[int], Path]:
    return lambda number: target.with_name(f"{target.name}.aside-{number}")


def write_text(target: Path, text: str) -> None:
    """Write a small text file atomically."""
    with atomic_path(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _umask() -> int:
    mask = os.umask(0)  # the only way to read it is to set it
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
