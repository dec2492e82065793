"""A command that is forked from the run's warm process does what it does by itself."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
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

    @property
    def children(self) -> list[int]:
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(child) for child in listed.split()]

    @property
    def cold(self) -> dict[str, str]:
        return {name: value for name, value in self.environment.items() if name != ADDRESS}


@pytest.fixture(scope="module")
def warm() -> Iterator[Warm]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", SOURCE)
        process = warm_start.begin(jobs=warm_start.WORTH_IT)
        environment = dict(os.environ)
    os.environ.pop(ADDRESS)
    assert process
    until(lambda: environment[ADDRESS] in Path("/proc/net/unix").read_text(), seconds=60)
    yield Warm(environment, process)
    process.kill()
    process.wait()


def until(happens: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.05)


def run(words: list[str], environment: dict[str, str], folder: Path) -> tuple[int, str, str]:
    ended = subprocess.run(
        [*COMMAND, *words], env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    return ended.returncode, ended.stdout, ended.stderr


def waiting(environment: dict[str, str]) -> "subprocess.Popen[str]":
    """A command that waits for its standard input."""
    pipe = subprocess.PIPE
    return subprocess.Popen([*COMMAND, "job"], env=environment, stdin=pipe, stderr=pipe, text=True)


@pytest.mark.parametrize(
    "words", [["--version"], ["status", "-e", "no/such"], ["figure", "nothing"], ["--wrong"]]
)
def test_it_says_and_ends_as_it_does_by_itself(warm: Warm, words: list[str], tmp_path: Path) -> None:
    assert run(words, warm.environment, tmp_path) == run(words, warm.cold, tmp_path)


def test_it_reads_and_writes_its_own_files(warm: Warm, tmp_path: Path) -> None:
    command = waiting(warm.environment)
    until(lambda: warm.children)
    _, told = command.communicate('{"inputs": ["absent"], "wait": 0, "steps": []}')
    assert command.returncode == 1
    assert told.startswith("error: absent did not show on this node within 0 s")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_reaches_it(warm: Warm, number: signal.Signals) -> None:
    command = waiting(warm.environment)
    until(lambda: warm.children)
    (child,) = warm.children
    until(lambda: "pipe_read" in Path(f"/proc/{child}/wchan").read_text() or in_read(child))
    command.send_signal(number)
    command.communicate()
    assert command.returncode in (128 + number, 130)
    until(lambda: not warm.children)


def in_read(child: int) -> bool:
    """Whether it waits in the system call read, number 0 on x86-64 and 63 on ARM."""
    return Path(f"/proc/{child}/syscall").read_text().split()[0] in ("0", "63")


def test_it_does_not_outlive_its_client(warm: Warm) -> None:
    command = waiting(warm.environment)
    until(lambda: warm.children)
    command.kill()
    command.communicate()
    until(lambda: not warm.children)


def test_under_another_environment_it_runs_by_itself(warm: Warm, tmp_path: Path) -> None:
    command = waiting(warm.environment | {"PYTHONOPTIMIZE": "1"})
    time.sleep(1)
    assert not warm.children
    assert command.poll() is None
    command.communicate("{")
    assert command.returncode == 1


def test_without_its_process_it_runs_by_itself(warm: Warm, tmp_path: Path) -> None:
    gone = warm.environment | {ADDRESS: "centigan-gone"}
    assert run(["--version"], gone, tmp_path) == run(["--version"], warm.cold, tmp_path)


def test_few_commands_are_not_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert warm_start.begin(jobs=warm_start.WORTH_IT - 1) is None
    assert ADDRESS not in os.environ


def test_the_process_ends_with_its_run(tmp_path: Path) -> None:
    words = "import os\nfrom centigan import warm_start\nprint(warm_start.begin(jobs=99).pid)"
    run_of = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    until(lambda: not lives(int(run_of.stdout)), seconds=60)


def lives(process: int) -> bool:
    """Whether it is there and no zombie."""
    status = Path(f"/proc/{process}/status")
    return status.exists() and "State:\tZ" not in status.read_text()
