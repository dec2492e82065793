"""A first run ends with the run that waits for it, and makes what it is to make, nothing else."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from centigan.errors import UserError
from centigan.freshness import first
from centigan.freshness.first import make_first, words_of

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
        (["--cores", "all", "all"], ["all"], ["--cores", "all"]),
    ],
)
def test_the_words_are_those_of_the_run_without_its_targets(
    words: list[str], targets: list[str], rest: list[str]
) -> None:
    assert words_of(words, targets, ["a", "b"]) == ["a", "b", "--force", *rest]


class Looks:
    """What is to be made first, look by look; and the runs that were made of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *looks: dict[str, str], status: int = 0) -> None:
        self.looks, self.made, self.runs = list(looks), [], []
        monkeypatch.setattr(first, "run_first", lambda command: self.runs.append(command[3:]) or status)

    def __call__(self, made: dict[str, str]) -> dict[str, str]:
        self.made.append(dict(made))
        return self.looks.pop(0)


def test_runs_follow_one_another_until_nothing_new_comes_to_light(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    index, arrays = {"index": "is gone"}, {"b": "is another", "a": "is another"}
    looks = Looks(monkeypatch, index, arrays, {})
    make_first(looks, ["-c1", "report"], ["report"], dry=False)
    assert looks.runs == [["index", "--force", "-c1"], ["a", "b", "--force", "-c1"]]
    assert looks.made == [{}, index, arrays]
    told = capfd.readouterr().err
    assert told == "index is gone: made again first\na (and 1 more) is another: made again first\n"


def test_a_dry_run_tells_of_one_first_run(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = Looks(monkeypatch, {"index": "is gone"}, {"index": "is gone"})
    make_first(looks, ["-n"], [], dry=True)
    assert looks.runs == [["index", "--force", "-n"]]


def test_what_cannot_be_made_first_stops_the_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="could not be made; see above"):
        make_first(Looks(monkeypatch, {"a": "is gone"}, status=1), [], [], dry=False)
    with pytest.raises(UserError, match="a was made again first, and still is gone"):
        make_first(Looks(monkeypatch, {"a": "is gone"}, {"a": "is gone"}), [], [], dry=False)
