"""A cluster's job runs its steps once each, in order, and ends as the worst of them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from centigan import in_job
from centigan.errors import UserError


def described(*steps: tuple[int, str], side_by_side: bool = False, **more: Any) -> dict[str, Any]:
    """A job of steps given as (number of Snakemake's job, words)."""
    listed = [{"job": job, "command": f"centigan {words}", "outputs": []} for job, words in steps]
    return {"wait": 0, "inputs": [], "steps": listed, "side_by_side": side_by_side} | more


@pytest.fixture
def verb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[list[str]], int]:
    """Notes its words, and fails when they say so."""
    monkeypatch.chdir(tmp_path)

    def noting(words: list[str]) -> int:
        with Path("ran").open("a") as file:
            file.write(" ".join(words) + "\n")
        if "dies" in words:
            os.kill(os.getpid(), signal.SIGKILL)
        return 3 if "fails" in words else 0

    return noting


def ran() -> list[str]:
    return Path("ran").read_text().splitlines()


def test_a_single_step_runs_in_this_process_with_its_words(verb: Callable[[list[str]], int]) -> None:
    assert in_job.run(described((0, 'train -s 00 --settings \'{"a": "b c"}\'')), verb) == 0
    assert ran() == ['train -s 00 --settings {"a": "b c"}']


def test_steps_run_in_turn_and_a_failure_ends_only_its_own_job(verb: Callable[[list[str]], int]) -> None:
    job = described((0, "sample"), (0, "accuracy fails"), (0, "after it"), (1, "latent"), (1, "smoothness"))
    assert in_job.run(job, verb) == 3
    assert ran() == ["sample", "accuracy fails", "latent", "smoothness"]


@pytest.mark.parametrize("side_by_side", [False, True])
def test_a_step_that_dies_fails_the_job_as_a_shell_would_say(
    verb: Callable[[list[str]], int], side_by_side: bool
) -> None:
    assert in_job.run(described((0, "dies"), (1, "lives"), side_by_side=side_by_side), verb) == 128 + 9
    assert sorted(ran()) == ["dies", "lives"]


def test_what_an_earlier_run_made_does_not_pass_for_made_now(verb: Callable[[list[str]], int]) -> None:
    old = Path("results/old")
    old.parent.mkdir()
    old.write_text("of an earlier run")
    job = described((0, "fails"))
    job["steps"][0]["outputs"] = [str(old), "results/new/file"]
    assert in_job.run(job, verb) == 3
    assert not old.exists()
    assert Path("results/new").is_dir()


def test_inputs_are_waited_for_and_then_named(verb: Callable[[list[str]], int]) -> None:
    with pytest.raises(UserError, match=r"absent and 1 more did not show on this node within 0 s"):
        in_job.run(described((0, "sample"), inputs=["absent", "away"]), verb)
    assert not Path("ran").exists()


def test_a_signal_lets_the_step_save_and_begins_no_other(tmp_path: Path) -> None:
    code = f"""
import json, signal, sys, time
from pathlib import Path
from centigan import in_job
def verb(words):
    signal.signal(signal.SIGTERM, lambda *_: (Path("saved").touch(), sys.exit(75)))
    Path(words[0]).touch()
    time.sleep(60)
sys.exit(in_job.run(json.loads({json.dumps(json.dumps(described((0, "first"), (1, "second"))))}), verb))
"""
    job = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, start_new_session=True)
    while not (tmp_path / "first").exists():
        time.sleep(0.05)
    time.sleep(0.2)  # the step has its handler
    os.killpg(job.pid, signal.SIGTERM)  # as Slurm: every process of the job
    assert job.wait(30) != 0
    assert (tmp_path / "saved").exists()
    assert not (tmp_path / "second").exists()
