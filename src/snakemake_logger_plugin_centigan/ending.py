"""The last lines of a run: what went wrong and the command that goes on, or what was made."""

import os
import shlex
import sys
import time
from pathlib import Path

from centigan.freshness.first import is_first_run
from centigan.status.training import saved_iteration
from snakemake_logger_plugin_centigan.run import Run, spent, told

MOST = 10  # failures that are told in full


def ending(run: Run) -> list[str]:
    """The lines; none where nothing was to be done."""
    if run.ended_by_first_run:
        return _how_to_go_on("This goes on")
    if not run.total:
        return []
    if run.failures:
        return ["", *_failures(run), *_how_to_go_on("Once that is put right, this goes on")]
    if run.interrupted:
        return ["", *_interrupted(run), *_how_to_go_on("This goes on")]
    if len(run.done) < run.total:
        words = "Once that is put right, this goes on" if run.error_was_shown else "This goes on"
        return [f"{_of_all(len(run.done), run)} {_are(run)} done", *_how_to_go_on(words)]
    return [
        f"{run.total} job{'s' if run.total > 1 else ''} done in {spent(time.time() - run.began)}",
        *(f"report: {page}" for page in run.pages),
    ]


def _failures(run: Run) -> list[str]:
    failures = list(run.failures.values())
    lines = [f"{_of_all(len(failures), run)} failed; {len(run.done)} {_are(run)} done and kept"]
    for failure in failures[-MOST:]:
        lines += [f"failed: {failure.job.words}", *told(failure)]
    if failures[MOST:]:
        lines.insert(1, f"the last {MOST}; all of them: centigan status --all")
    return lines


def _interrupted(run: Run) -> list[str]:
    lines = [f"stopped; {_of_all(len(run.done), run)} {_are(run)} done and kept"]
    for job in run.running.values():
        run.work.look(job)
        training = run.work.trainings.get(job.training)
        saved = training and saved_iteration(training.scratch)
        if job.rule == "train" and run.in_slurm:
            lines.append(f"  {job.words}: saves, then ends")
        elif job.rule == "train" and saved:
            lines.append(f"  {job.words}: saved at iteration {saved} of {job.iterations}")
        else:
            lines.append(f"  {job.words}: begins anew")
    return lines


def _of_all(count: int, run: Run) -> str:
    return f"{count} of {run.total} job{'s' if run.total > 1 else ''}"


def _are(run: Run) -> str:
    return "is" if len(run.done) == 1 else "are"


def _how_to_go_on(words: str) -> list[str]:
    """The command as it was typed; not of a run before the run that was asked for."""
    return [] if is_first_run() else [f"{words}: {_command()}"]


def _command() -> str:
    program = Path(sys.argv[0])
    here = Path.cwd()
    if any(folder and Path(folder, program.name) == program for folder in os.get_exec_path()):
        program = Path(program.name)
    elif program.is_relative_to(here):
        program = program.relative_to(here)
    return shlex.join([str(program), *sys.argv[1:]])
