"""A run's warm process, and commands that are forked from it where the environment names it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from centigan import warm_start
from centigan.warm_start import ADDRESS

COMMAND = [sys.executable, "-c", "from centigan.warm_start import main; main()"]
SOURCE = str(Path(warm_start.__file__).parents[2])


class Warm(NamedTuple):
    """The environment of a run's commands, and the process that they are forked from."""

    environment: dict[str, str]
    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def commands(self) -> list[int]:
        """Those under way; each has a keeper, which the process forked."""
        return [child for keeper in children(self.process.pid) for child in children(keeper)]

    @property
    def cold(self) -> dict[str, str]:
        return {name: value for name, value in self.environment.items() if name != ADDRESS}


@contextmanager
def warmed(log: Path) -> Iterator[Warm]:
    """A warm process that is ready, until the end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", SOURCE)
        process = warm_start.begin(warm_start.WORTH_IT, log)
        environment = dict(os.environ)
    os.environ.pop(ADDRESS)
    assert process
    until(lambda: warm_start.is_ready(environment[ADDRESS]), seconds=60)
    yield Warm(environment, process, log)
    process.kill()
    process.wait()


def children(process: int) -> list[int]:
    with suppress(OSError):  # it has ended
        listed = Path(f"/proc/{process}/task/{process}/children").read_text()
        return [int(child) for child in listed.split()]
    return []


def until(happens: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.05)
