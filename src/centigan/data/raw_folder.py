"""The folder that `centigan raw` fills: by one run at a time, each file and folder in its place."""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from centigan.atomic import remove_halves
from centigan.errors import UserError

LOCK = ".raw.lock"
log = logging.getLogger(__name__)


@contextmanager
def filling(root: Path) -> Iterator[None]:
    """Hold `root`, which is made where it is missing, while the block runs; another run of it is waited for.

    Files that killed runs left half written are removed first.

    Raises:
        UserError: where `root` is no folder, or a file in it cannot be read or written.
    """
    require_no_dead_link(root)
    if root.exists() and not root.is_dir():
        raise UserError(f"{root} is no folder: move it away or name another, and run again")
    try:
        root.mkdir(parents=True, exist_ok=True)
        with _held(root) as alone:
            if alone:
                remove_halves(root)
            yield
    except OSError as error:
        raise UserError(
            f"cannot use {error.filename or root}: {error.strerror or error}; mend that and run again"
        ) from error


@contextmanager
def _held(root: Path) -> Iterator[bool]:
    """Hold root/.raw.lock, which is removed at the end; False where no lock can be had."""
    path = root / LOCK
    descriptor = _lock(path)
    if descriptor is None:
        yield False
        return
    try:
        yield True
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _lock(path: Path) -> int | None:
    """The descriptor of the lock, once it is ours and still lies there, since who held it removes it."""
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError:  # such as a folder that is only read; whatever must be written there will say it
            return None
        try:
            _wait(descriptor, path.parent)
            if path.exists() and os.path.samestat(path.stat(), os.fstat(descriptor)):
                return descriptor
        except OSError as error:
            os.close(descriptor)
            log.warning("%s has no locks (%s): let no second run fill it", path.parent, error.strerror)
            return None
        os.close(descriptor)


def _wait(descriptor: int, root: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        log.info("waiting for another `centigan raw` to end its work on %s", root)
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def require_no_dead_link(path: Path) -> None:
    """Make sure that a link leads somewhere.

    Raises:
        UserError: when it leads nowhere or to itself.
    """
    if path.is_symlink() and not path.exists():
        raise UserError(
            f"{path} is a link to {path.readlink()}, where nothing is: mend or remove it, and run again"
        )


def require_no_folder(path: Path) -> None:
    """Make sure that a file lies at `path`, or can be put there.

    Raises:
        UserError: for a folder, and for a link that leads nowhere.
    """
    require_no_dead_link(path)
    if path.is_dir():
        raise UserError(f"{path} is a folder, and a file belongs there: move it away and run again")


def holds_something(folder: Path) -> bool:
    """Whether a folder is there, with anything in it.

    Raises:
        UserError: for an empty folder, for what is no folder, and for a link that leads nowhere.
    """
    require_no_dead_link(folder)
    if not folder.exists():
        return False
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder, and one belongs there: remove it and run again")
    if not any(folder.iterdir()):
        raise UserError(f"{folder} is empty: remove it and run again")
    return True
