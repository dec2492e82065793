"""A job is submitted once, whatever sbatch says of it."""

import logging
import os
import threading
from pathlib import Path

import pytest

from snakemake_executor_plugin_centigan_slurm import sbatch
from snakemake_executor_plugin_centigan_slurm.sbatch import RefusedError, submit

CALL = ["sbatch", "--parsable"]


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs that answer in Slurm's place, without the seconds between two tries."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(sbatch, "SECONDS_BETWEEN_TRIES", 0.01)
    return tmp_path


def says(folder: Path, tool: str, script: str) -> None:
    (folder / tool).write_text(f"#!/bin/sh\necho {tool} >> {folder}/asked\n{script}\n")
    (folder / tool).chmod(0o755)


def asked(folder: Path) -> list[str]:
    return (folder / "asked").read_text().split()


def submitted(ending: threading.Event | None = None) -> str:
    return submit(CALL, "#!/bin/sh\n", "abc123", ending or threading.Event(), logging.getLogger("test"))


@pytest.mark.parametrize(
    "out", ["12", "12;cluster", "Welcome to the cluster!\n12", "12;gpu\nYou used 3 of 5 hours"]
)
def test_the_number_is_found_among_what_a_site_prints(slurm: Path, out: str) -> None:
    says(slurm, "sbatch", f"cat > {slurm}/script; printf '%s\n' '{out}'")
    assert submitted() == "12"
    assert (slurm / "script").read_text() == "#!/bin/sh\n"


@pytest.mark.parametrize("out", ["", "submitted", "12\n13"])
def test_an_answer_without_one_number_is_an_error(slurm: Path, out: str) -> None:
    says(slurm, "sbatch", f"printf '%s\n' '{out}'")
    with pytest.raises(RefusedError, match="no job number"):
        submitted()


@pytest.mark.parametrize(
    "message",
    [
        "Batch job submission failed: Invalid partition name specified",
        "Job violates accounting/QOS policy (job submit limit, user size) QOSMaxWallDurationPerJobLimit",
        "\\351chec",  # a byte of another encoding
    ],
)
def test_a_refusal_that_stays_is_an_error(slurm: Path, message: str) -> None:
    says(slurm, "sbatch", f"printf '{message}' >&2; exit 1")
    with pytest.raises(RefusedError):
        submitted()
    assert asked(slurm) == ["sbatch"]


def test_a_controller_that_is_away_is_waited_for_and_asked_whether_it_has_the_job(slurm: Path) -> None:
    says(
        slurm, "squeue", f"[ $(grep -c squeue {slurm}/asked) -gt 1 ] || exit 1"
    )  # away, then without our job
    away = "echo 'Unable to contact slurm controller' >&2; exit 1"
    says(slurm, "sbatch", f"[ $(grep -c sbatch {slurm}/asked) -gt 1 ] && echo 7 || {{ {away}; }}")
    assert submitted() == "7"
    assert asked(slurm) == ["sbatch", "squeue", "squeue", "sbatch"]


def test_a_job_whose_answer_was_lost_is_not_submitted_twice(slurm: Path) -> None:
    says(slurm, "sbatch", "echo 'Socket timed out on send/recv operation' >&2; exit 1")
    says(
        slurm,
        "squeue",
        "echo '6|centigan digits/acgan train/00 #other'; echo '7|centigan digits/acgan train/01 #abc123'",
    )
    assert submitted() == "7"
    assert asked(slurm) == ["sbatch", "squeue"]


def test_the_end_of_a_run_ends_the_waiting(slurm: Path) -> None:
    ending = threading.Event()
    ending.set()
    says(slurm, "sbatch", "echo 'Unable to contact slurm controller' >&2; exit 1")
    with pytest.raises(RefusedError, match="Unable to contact"):
        submitted(ending)
