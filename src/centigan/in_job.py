"""What a job of the cluster does: its steps' commands, in one process or forked from it.

A step's start costs 2 s of CPU, nearly all of it imports. Steps that share a job are forked from a process
that has imported what all need; a single one is run in this process.
"""

import os
import shlex
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from centigan.errors import UserError

# Slurm sends them to each process of a job
SENT_TO_ALL = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


def run(description: dict[str, Any], verb: Callable[[list[str]], int]) -> int:
    """Run a job's steps, and return the exit status of one that failed, else 0.

    Args:
        description: "inputs" to wait for, at most "wait" seconds; "steps" with "command", "outputs" and the
            number of the "job" of Snakemake that each belongs to; whether they run "side_by_side". After a
            step that fails those of its own job are left out.
        verb: runs one of our commands, given its words, and returns its exit status.

    Raises:
        UserError: when inputs do not show on this node in time.
    """
    wait_for(description["inputs"], description["wait"])
    steps = description["steps"]
    make_room([output for step in steps for output in step["outputs"]])
    if len(steps) == 1:
        return verb(words(steps[0]["command"]))
    asked_to_end: list[int] = []
    for number in SENT_TO_ALL:  # a child that it reaches saves or ends, and is waited for
        signal.signal(number, lambda received, _: asked_to_end.append(received))
    import torch  # noqa: F401  # before the forks

    if description["side_by_side"]:
        return max(map(status_of, [forked(step, verb) for step in steps]))
    failed: dict[int, int] = {}
    for step in steps:
        if asked_to_end:
            return 128 + asked_to_end[0]
        if step["job"] not in failed and (status := status_of(forked(step, verb))):
            failed[step["job"]] = status
    return max(failed.values(), default=0)


def wait_for(files: list[str], seconds: float) -> None:
    """Wait until all files show: a shared file system may show a new file late."""
    end = time.monotonic() + seconds
    while missing := [file for file in files if not Path(file).exists()]:
        if time.monotonic() > end:
            more = f" and {len(missing) - 1} more" if missing[1:] else ""
            raise UserError(
                f"{missing[0]}{more} did not show on this node within {seconds:.0f} s: does it see the "
                f"folder {Path.cwd()} that the job was submitted from? A slow file system: --latency-wait"
            )
        time.sleep(0.5)


def make_room(outputs: list[str]) -> None:
    """Remove what an earlier run made: a step that writes nothing must not pass for one that did."""
    for output in map(Path, outputs):
        output.unlink(missing_ok=True)
        output.parent.mkdir(parents=True, exist_ok=True)


def words(command: str) -> list[str]:
    """The words of a rule's command, but the name of our program."""
    _, *rest = shlex.split(command.removeprefix("exec "))
    return rest


def forked(step: dict[str, Any], verb: Callable[[list[str]], int]) -> int:
    """The process id of a child that runs a step."""
    sys.stdout.flush()
    sys.stderr.flush()
    if child := os.fork():
        return child
    for number in SENT_TO_ALL:
        signal.signal(number, signal.SIG_DFL if number != signal.SIGINT else signal.default_int_handler)
    status = 70  # EX_SOFTWARE: what follows did not even end
    try:
        status = verb(words(step["command"]))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def status_of(child: int) -> int:
    """The exit status of an ended child, as a shell tells it: 128 and more where a signal ended it."""
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return code if code >= 0 else 128 - code
