"""A command that is forked from the run's warm process does what it does by itself."""

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from warmed import COMMAND, Warm, until, warmed

from centigan import warm_start
from centigan.warm_start import ADDRESS


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    with warmed(tmp_path_factory.mktemp("warm") / "log") as warm:
        yield warm


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
    until(lambda: warm.commands)
    _, told = command.communicate('{"inputs": ["absent"], "wait": 0, "steps": []}')
    assert command.returncode == 1
    assert told.startswith("error: absent did not show on this node within 0 s")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
@pytest.mark.parametrize("kind", ["environment", "cold"])
def test_a_signal_ends_it_as_it_does_by_itself(warm: Warm, kind: str, number: signal.Signals) -> None:
    command = waiting(getattr(warm, kind))
    until(lambda: kind == "cold" or warm.commands)
    (reading,) = warm.commands or [command.pid]
    until(lambda: in_read(reading))
    command.send_signal(number)
    command.wait(timeout=20)  # while its standard input is open: else it might end by that
    command.communicate()
    assert command.returncode == (130 if number == signal.SIGINT else -number)
    until(lambda: not warm.commands)


def in_read(process: int) -> bool:
    """Whether it waits for its standard input: read is system call 0 on x86-64, and 63 on ARM."""
    with suppress(OSError):
        return Path(f"/proc/{process}/syscall").read_text().split()[:2] in (["0", "0x0"], ["63", "0x0"])
    return False


def test_it_does_not_outlive_its_client(warm: Warm) -> None:
    command = waiting(warm.environment)
    until(lambda: warm.commands)
    command.kill()
    command.communicate()
    until(lambda: not warm.commands)


@pytest.mark.parametrize(
    "other",
    [{"env": {"PYTHONOPTIMIZE": "1"}}, {"env": {"OMP_NUM_THREADS": "999"}}, {"umask": 0o077}],
    ids=["environment", "threads", "umask"],
)
def test_what_cannot_be_the_same_in_a_fork_runs_by_itself(warm: Warm, other: dict[str, Any]) -> None:
    other["env"] = warm.environment | other.get("env", {})
    command = subprocess.Popen([*COMMAND, "job"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, **other)
    until(lambda: in_read(command.pid))
    assert not warm.commands
    assert warm.log.read_text().splitlines()[-1].startswith("by itself, other ")
    command.communicate(b"{")
    assert command.returncode == 1


def test_in_a_folder_that_is_gone_it_runs_by_itself(warm: Warm, tmp_path: Path) -> None:
    gone = f"cd {tmp_path} && rmdir {tmp_path} && exec {shlex.join(COMMAND)} --version"
    done = subprocess.run(["bash", "-c", gone], env=warm.environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_standard_file_may_be_closed(warm: Warm) -> None:
    closed = ["bash", "-c", f"exec {shlex.join(COMMAND)} --version <&-"]
    subprocess.run(closed, env=warm.environment, capture_output=True, check=True)


def test_what_is_ignored_stays_ignored(warm: Warm) -> None:
    command = subprocess.Popen(
        ["nohup", *COMMAND, "job"], env=warm.environment, stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    until(lambda: warm.commands)
    command.send_signal(signal.SIGHUP)
    command.communicate(b"{")
    assert command.returncode == 1


def test_it_pauses_with_its_client(warm: Warm) -> None:
    command = waiting(warm.environment)
    until(lambda: warm.commands)
    (child,) = warm.commands
    for number, state in ((signal.SIGTSTP, "T"), (signal.SIGCONT, "S")):
        command.send_signal(number)
        until(lambda state=state: state_of(child) == state_of(command.pid) == state)
    command.communicate("{")
    assert command.returncode == 1


def state_of(process: int) -> str:
    """R, S, T, Z, ... or nothing where it is gone."""
    with suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    return ""


def test_without_its_process_it_runs_by_itself(warm: Warm, tmp_path: Path) -> None:
    gone = warm.environment | {ADDRESS: "centigan-gone"}
    assert run(["--version"], gone, tmp_path) == run(["--version"], warm.cold, tmp_path)


def test_few_commands_are_not_worth_it(tmp_path: Path) -> None:
    assert warm_start.begin(warm_start.WORTH_IT - 1, tmp_path / "log") is None
    assert ADDRESS not in os.environ


def test_the_process_ends_with_its_run(tmp_path: Path) -> None:
    begin = "print(warm_start.begin(99, Path('/dev/null')).pid)"
    words = f"from pathlib import Path\nfrom centigan import warm_start\n{begin}"
    run_of = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    until(lambda: state_of(int(run_of.stdout)) in ("", "Z"), seconds=60)
