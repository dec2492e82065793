"""What is under way: redrawn on a terminal, a line now and then elsewhere."""

import os
import threading
from typing import Protocol, TextIO

from centigan.status.training import duration
from snakemake_logger_plugin_centigan.run import Run
from snakemake_logger_plugin_centigan.work import Job

EVERY = 60.0  # seconds between two lines, at least
MOST_NAMED = 4  # jobs in such a line


class Screen(Protocol):
    """Where a run is shown."""

    def print(self, text: str) -> None:
        """Show lines that stay."""

    def close(self) -> None:
        """Show nothing more of what is under way."""


def screen_for(run: Run, stream: TextIO, *, plain: bool) -> Screen:
    """A terminal that can be redrawn, or lines."""
    if plain or not stream.isatty() or os.environ.get("TERM") == "dumb":
        return Lines(run, stream)
    from snakemake_logger_plugin_centigan.terminal import Terminal

    return Terminal(run, stream)


class Lines:
    """Lines for a file or a pipe: one more each minute in which something went forward."""

    def __init__(self, run: Run, stream: TextIO) -> None:
        self.run, self.stream = run, stream
        self.told = ""
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True, name="under way")
        self.thread.start()

    def print(self, text: str) -> None:
        print(text, file=self.stream, flush=True)

    def close(self) -> None:
        self.ended.set()
        self.thread.join()

    def _watch(self) -> None:
        while not self.ended.wait(EVERY):
            self.run.look()
            share = self.run.share_in_words()
            if share != self.told and self.run.running:
                self.told = share
                self.print(f"{share} under way: {self._jobs()}{left_in_words(self.run)}")

    def _jobs(self) -> str:
        jobs = list(self.run.running.values())
        named = ", ".join(f"{job.words}{_at(job)}" for job in jobs[:MOST_NAMED])
        return named + (f" and {len(jobs) - MOST_NAMED} more" if jobs[MOST_NAMED:] else "")


def left_in_words(run: Run) -> str:
    """When all ends, once that can be told."""
    seconds = run.seconds_left()
    if seconds is None:
        return ""
    return f"; about {duration(seconds)} left" if seconds > 60 else "; less than a minute left"


def _at(job: Job) -> str:
    return f" at {job.iteration} of {job.iterations}" if job.iterations else ""
