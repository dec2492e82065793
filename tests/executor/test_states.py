"""What Slurm's words mean, by the programs' own output."""

import asyncio
import os
from pathlib import Path

import pytest

from snakemake_executor_plugin_centigan_slurm.states import FAILED, SlurmSilentError, State, ask, parse


def test_the_first_word_of_sacct_counts() -> None:
    """The plugin of Snakemake compares the whole text, and waits for ever."""
    assert parse("7|CANCELLED by 1000\n8|COMPLETED\n9|OUT_OF_ME+\n")["7"].word in FAILED
    assert parse("5|PENDING|JobHeldAdmin\n") == {"5": State("PENDING", "JobHeldAdmin")}
    assert parse("\n6|RUNNING|None\n") == {"6": State("RUNNING", "None")}


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs that answer in Slurm's place, before all others."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path


def says(folder: Path, tool: str, script: str) -> None:
    (folder / tool).write_text(f"#!/bin/sh\necho {tool} >> {folder}/asked\n{script}\n")
    (folder / tool).chmod(0o755)


def asked(numbers: list[str], command: str = "both", *, alive: bool = True) -> dict[str, State]:
    return asyncio.run(ask(numbers, command, lambda: alive))


def test_sacct_is_asked_for_what_squeue_has_forgotten_and_not_before(slurm: Path) -> None:
    says(slurm, "squeue", "echo '1|RUNNING|None'; echo '2|COMPLETED|None'")
    says(slurm, "sacct", "echo '3|TIMEOUT'")
    assert asked(["1", "2"]) == {"1": State("RUNNING", "None"), "2": State("COMPLETED", "None")}
    assert "sacct" not in (slurm / "asked").read_text()
    assert asked(["1", "3"])["3"] == State("TIMEOUT")


def test_a_site_without_accounting_is_no_outage(slurm: Path) -> None:
    says(slurm, "squeue", "echo '1|RUNNING|None'")
    says(slurm, "sacct", "echo 'Slurm accounting storage is disabled' >&2; exit 1")
    assert set(asked(["1", "2"])) == {"1"}
    with pytest.raises(SlurmSilentError, match="sacct: Slurm accounting storage is disabled"):
        asked(["1"], "sacct")


def test_an_accounting_that_is_away_is_an_outage_not_a_lost_job(slurm: Path) -> None:
    says(slurm, "squeue", "echo '1|RUNNING|None'")
    says(slurm, "sacct", "echo 'Problem talking to the database: Connection refused' >&2; exit 1")
    assert set(asked(["1"])) == {"1"}
    with pytest.raises(SlurmSilentError, match="Problem talking to the database"):
        asked(["1", "2"])


def test_a_job_that_squeue_calls_invalid_is_forgotten_and_any_other_failure_is_silence(slurm: Path) -> None:
    says(slurm, "squeue", "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1")
    assert asked(["9"], "squeue") == {}
    says(slurm, "squeue", "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1")
    with pytest.raises(SlurmSilentError, match="squeue: slurm_load_jobs error: Unable to contact"):
        asked(["9"])


def test_the_end_of_a_run_does_not_wait_for_an_answer(slurm: Path) -> None:
    says(slurm, "squeue", "sleep 60")  # a script whose child holds the pipe
    with pytest.raises(SlurmSilentError):
        asked(["1"], alive=False)
