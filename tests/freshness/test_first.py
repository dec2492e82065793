"""A first run ends with the run that waits for it, and makes what it is to make, nothing else."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from centigan.freshness.first import words_of

PARENT = "import sys; from centigan.freshness.first import run_first; sys.exit(run_first(sys.argv[1:]))"
CHILD = """
import pathlib, signal, sys, time
from centigan.freshness.first import end_with_parent, is_first_run
assert is_first_run()
end_with_parent()
def note(number, frame):
    pathlib.Path("asked").write_text(signal.Signals(number).name)
    sys.exit(7)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, note)
pathlib.Path("begun").touch()
time.sleep(60)
"""


def wait_for(path: Path) -> None:
    end = time.monotonic() + 30
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.02)
    assert path.exists()


@pytest.fixture
def waiting(tmp_path: Path) -> subprocess.Popen[bytes]:
    """A process that waits for a first run, which has begun."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT, sys.executable, "-c", CHILD], cwd=tmp_path)
    wait_for(tmp_path / "begun")
    return parent


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_reach_the_first_run_and_its_status_comes_back(
    waiting: subprocess.Popen[bytes], number: signal.Signals, tmp_path: Path
) -> None:
    waiting.send_signal(number)
    assert waiting.wait(timeout=30) == 7
    assert (tmp_path / "asked").read_text() == number.name


def test_a_first_run_does_not_outlive_a_killed_parent(
    waiting: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    waiting.kill()
    waiting.wait(timeout=30)
    wait_for(tmp_path / "asked")


@pytest.mark.parametrize(
    ("words", "targets", "rest"),
    [
        ([], [], []),
        (["data"], ["data"], []),
        (["--cores", "2", "--", "data"], ["data"], ["--cores", "2"]),
        (["-nS", "data", "-R", "tables", "figure"], ["data"], ["-nS"]),
        (["--until", "train", "--profile", "slurm", "-F"], [], ["--profile", "slurm"]),
        (["--config", "experiment=tiny", "--forcerun=train"], [], ["--config", "experiment=tiny"]),
    ],
)
def test_the_words_are_those_of_the_run_without_its_targets(
    words: list[str], targets: list[str], rest: list[str]
) -> None:
    assert words_of(words, targets, ["a", "b"]) == ["a", "b", "--force", *rest]
