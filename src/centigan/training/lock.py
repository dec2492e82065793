"""One writer a split: a lock that the kernel drops with the process that holds it."""

import fcntl
import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from centigan.training.stopping import Stop, Stopped

SECONDS_BETWEEN_TRIES = 1.0
log = logging.getLogger(__name__)


@contextmanager
def only_writer(folder: Path, split: str, stop: Stop) -> Iterator[None]:
    """Hold folder/lock, which names the Slurm job or the process, while the block runs.

    Another training of the split, such as one that outlived its Snakemake, is waited for: what it leaves is
    then continued, or, when it came to its end, taken as it is.

    Raises:
        Stopped: when `stop` was asked for while waiting.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a+", encoding="utf-8") as file:
        _wait(file.fileno(), folder / "lock", split, stop)
        file.truncate(0)
        file.write(f"{_ourselves()} on {socket.gethostname()}\n")
        file.flush()
        yield


def _wait(descriptor: int, path: Path, split: str, stop: Stop) -> None:
    told = ""
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = path.read_text(encoding="utf-8").strip()
        if holder != told:
            told = holder
            log.info("split %s is being trained by %s; waiting for it%s", split, holder, _advice(holder))
        if stop.asked_by:
            raise Stopped(f"split {split}: stopped by {stop.asked_by.name} while waiting for {holder}")
        time.sleep(SECONDS_BETWEEN_TRIES)


def _ourselves() -> str:
    job = os.environ.get("SLURM_JOB_ID")
    return f"Slurm job {job}" if job else f"process {os.getpid()}"


def _advice(holder: str) -> str:
    """How to take over at once: the other saves, then this one continues."""
    if holder.startswith("Slurm job "):
        return f" (to take over at once: scancel {holder.split()[2]})"
    if holder.startswith("process "):
        return f" (to take over at once: kill {holder.split()[1]})"
    return ""
