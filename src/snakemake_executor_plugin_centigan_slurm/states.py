"""What Slurm says of jobs, in squeue's words or sacct's, and what follows from it."""

import asyncio
import os
import shutil
import signal
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

# squeue(1) and sacct(1), "JOB STATE CODES". All other words are of jobs that wait, run or end.
FAILED = {"BOOT_FAIL", "CANCELLED", "DEADLINE", "FAILED", "OUT_OF_MEMORY", "REVOKED", "TIMEOUT"}
# The states of a job that Slurm may start again itself: it is given time to.
PASSING = {"NODE_FAIL", "PREEMPTED"}
GONE = "gone"  # no command knows the job
# Why jobs wait on any busy cluster; another reason is worth a line.
USUAL = {"", "None", "Priority", "Resources", "BeginTime", "Dependency", "(null)", "Prolog", "Cleaning"}
PATIENCE = 60.0  # seconds that one question may take
TICK = 0.2  # seconds until an end that was asked for is noticed


@dataclass(frozen=True)
class State:
    """One job's state: Slurm's word, and why it waits."""

    word: str
    reason: str = ""


class SlurmSilentError(Exception):
    """Slurm did not answer; its message."""


async def ask(jobs: Sequence[str], command: str, alive: Callable[[], bool]) -> dict[str, State]:
    """The state of each job that Slurm knows of these.

    Raises:
        SlurmSilentError: when a command fails, or `alive` turns false meanwhile.
    """
    found: dict[str, State] = {}
    if command != "sacct":
        found = parse(await _said("squeue", "%i|%T|%r", jobs, alive))
    missing = [job for job in jobs if job not in found]
    if command != "squeue" and missing and (command == "sacct" or shutil.which("sacct")):
        try:
            found |= parse(await _said("sacct", "JobIDRaw,State", missing, alive))
        except SlurmSilentError as error:
            if command == "sacct" or "accounting storage is disabled" not in str(error):
                raise  # else: a site without accounting; what squeue said stands
    return found


def parse(text: str) -> dict[str, State]:
    """States by job. sacct says "CANCELLED by 1000": the first word counts."""
    found = {}
    for line in text.splitlines():
        job, *rest = line.strip().split("|", 2)
        if job and rest:
            found[job] = State(rest[0].split(" ")[0].rstrip("+"), rest[1] if rest[1:] else "")
    return found


async def _said(tool: str, fields: str, jobs: Iterable[str], alive: Callable[[], bool]) -> str:
    chosen = [f"--jobs={','.join(jobs)}", "--noheader", f"--format={fields}"]
    more = ["--all", "--states=all"] if tool == "squeue" else ["--allocations", "--parsable2"]
    pipe = asyncio.subprocess.PIPE
    try:  # a session of its own: a wrapper script is killed with all that it started
        process = await asyncio.create_subprocess_exec(
            tool, *chosen, *more, stdout=pipe, stderr=pipe, start_new_session=True
        )
    except OSError as error:  # too many processes or files, or no such program
        raise SlurmSilentError(f"{tool}: {error.strerror}") from None
    talk = asyncio.create_task(process.communicate())
    for _ in range(int(PATIENCE / TICK)):
        if (await asyncio.wait({talk}, timeout=TICK))[0] or not alive():
            break
    if not talk.done():
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        if not (await asyncio.wait({talk}, timeout=5))[0]:  # one that even SIGKILL does not end: a hung disk
            talk.cancel()
        raise SlurmSilentError(f"{tool} said nothing for {PATIENCE:.0f} s")
    out, trouble = (part.decode(errors="replace") for part in talk.result())
    # "Invalid job id" is said of one that it has forgotten
    if process.returncode and "Invalid job id specified" not in trouble:
        raise SlurmSilentError(f"{tool}: {' '.join(trouble.split()) or f'exit status {process.returncode}'}")
    return out
