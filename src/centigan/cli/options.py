"""What the verbs share: their options, and from words on the command line to settings."""

import fcntl
import logging
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from centigan import params
from centigan.layout import Layout, split_name, split_names
from centigan.settings import Settings
from centigan.settings.frozen import Frozen
from centigan.site import LOG_ALONE
from centigan.threads import limit_threads

StageT = TypeVar("StageT", bound=Frozen)

Experiment = Annotated[
    str | None,
    typer.Option(
        "--experiment", "-e", help="A file of experiments/, as digits/acgan; default: params.yaml's."
    ),
]
Split = Annotated[str, typer.Option("--split", "-s", help="Number of the split, from 0.")]
Values = Annotated[
    str | None,
    typer.Option(
        "--settings", help="The stage's settings as JSON, in place of params.yaml's.", metavar="JSON"
    ),
]
LogFile = Annotated[Path | None, typer.Option("--log", help="Write messages to this file too.")]
Device = Annotated[
    str, typer.Option(envvar="CENTIGAN_DEVICE", help="auto, cpu, cuda, cuda:1, ...: auto prefers a GPU.")
]
Threads = Annotated[int | None, typer.Option(min=1, help="CPU threads; default: all cores.")]


def open_project(
    experiment: str | None, log_file: Path | None = None, threads: int | None = None
) -> tuple[Layout, Settings]:
    """Where the experiment's files lie, and all its settings; log and threads as the options say.

    Call it after the imports of what computes: of the libraries only those already loaded are limited.
    """
    log_to(log_file)
    if threads is not None:
        limit_threads(threads)
    settings = params.load(experiment)
    return settings.layout, settings


def stage_of(kind: type[StageT], loaded: Settings, handed: str | None, split: str | None = None) -> StageT:
    """The settings of one stage: those handed over as JSON, else those loaded."""
    return params.parse_json(kind, handed, "--settings") if handed else params.stage(loaded, kind, split)


def name_of(split: str, loaded: Settings) -> str:
    """The name of a split given by its number."""
    return split_name(split, loaded.data.classes, loaded.data.split_size)


def names_of(loaded: Settings) -> list[str]:
    """The names of all splits."""
    return split_names(loaded.data.classes, loaded.data.split_size)


def log_to(path: Path | None) -> None:
    """Send messages to a file as well, replacing that of an earlier run; its lock tells that it runs."""
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, mode="w", encoding="utf-8")
    assert handler.stream is not None  # opened at once
    handler.setFormatter(LogFormatter("%(asctime)s %(message)s"))
    with suppress(OSError):  # no locks there, or somebody looks just now: this only informs
        fcntl.flock(handler.stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    root = logging.getLogger()
    if LOG_ALONE in os.environ:  # whatever comes to standard error, of libraries too, belongs into the log
        os.dup2(handler.stream.fileno(), sys.stderr.fileno())
        root.handlers.clear()
    root.addHandler(handler)


class LogFormatter(logging.Formatter):
    """Marks warnings, so that they can be found and shown."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        if record.levelno == logging.WARNING:
            record.message = f"warning: {record.message}"
        return super().formatMessage(record)
