"""A submission that waits for Slurm, and never submits twice."""

import re
import subprocess
import threading
from typing import Any

SECONDS_BETWEEN_TRIES = 10.0
SECONDS_OF_ONE_TRY = 120.0
# What sbatch says when it could work later: the controller is away or busy, or no more jobs may be submitted.
LATER = re.compile(
    r"unable to contact|timed out|connection refused|connect failure|standby mode|zero bytes|temporarily"
    r"|submitjob|submit job limit|job submit limit",
    re.IGNORECASE,
)
# The text of "job submit limit" is said of each limit, whose name then follows: these stay.
LASTING = re.compile(r"(?:QOS|Assoc)(?!\w*Submit)\w*Limit")
NUMBER = re.compile(r"^([0-9]+)(?:;\S*)?\s*$", re.MULTILINE)


class RefusedError(Exception):
    """What sbatch said when it did not take a job."""


def submit(call: list[str], script: str, token: str, ending: threading.Event, logger: Any) -> str:
    """Submit a script, and return the job's number; a Slurm that is away, or full, is waited for.

    Args:
        call: sbatch with its options, which reads the script from standard input.
        token: stands in the job's comment: after a lost answer Slurm is asked whether it has the job.
        ending: set when the run ends.

    Raises:
        RefusedError: sbatch's refusal, or the end of the run.
    """
    told = False
    while True:
        message = ""
        try:
            out, message = answer(call, script)
        except subprocess.TimeoutExpired:
            message = f"sbatch timed out after {SECONDS_OF_ONE_TRY:.0f} s"
        if not message:
            return _number(out)
        if not LATER.search(message) or LASTING.search(message):
            raise RefusedError(message)
        if not told:
            logger.warning(f"{message}\nTried again every {SECONDS_BETWEEN_TRIES:.0f} s.")
            told = True
        while True:
            if ending.wait(SECONDS_BETWEEN_TRIES):
                raise RefusedError(message)
            known = _known(token)
            if known:
                return known
            if known is not None:
                break


def answer(call: list[str], text: str = "", seconds: float = SECONDS_OF_ONE_TRY) -> tuple[str, str]:
    """Standard output of a command that reads `text`, and what it said when it failed.

    Raises:
        OSError: when it cannot be started.
        subprocess.TimeoutExpired: when it takes longer than `seconds`.
    """
    done = subprocess.run(
        call,
        input=text,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=seconds,
        check=False,
        start_new_session=True,  # Ctrl-C must not reach it between the submission and its answer
    )
    said = " ".join(done.stderr.split()) or f"exit status {done.returncode}"
    return done.stdout, said if done.returncode else ""


def _number(out: str) -> str:
    found = NUMBER.findall(out)
    if len(found) != 1:
        raise RefusedError(f"it said no job number, but {out!r}; squeue tells whether it has the job")
    return found[0]


def _known(token: str) -> str | None:
    """The number of the job that has the token in its comment; "" of none; None while Slurm does not say."""
    try:
        out, trouble = answer(["squeue", "--me", "--all", "--states=all", "--noheader", "--format=%A|%k"])
    except (OSError, subprocess.TimeoutExpired):
        return None
    if trouble:
        return None
    numbers = (line.partition("|")[0] for line in out.splitlines() if line.endswith(f"#{token}"))
    return next(numbers, "")
