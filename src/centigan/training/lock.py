"""One writer a split: a lock that the kernel drops with the process that holds it."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from centigan.errors import UserError


@contextmanager
def only_writer(folder: Path, split: str) -> Iterator[None]:
    """Hold folder/lock, which names the process, while the block runs.

    Raises:
        UserError: when another process trains the split, as one does that outlived its Snakemake.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise UserError(
                f"split {split} is already being trained by {file.read().strip()}; "
                "wait until it is done, or stop it, then run again"
            ) from None
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
        yield
