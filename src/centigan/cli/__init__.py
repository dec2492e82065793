"""The verbs of the pipeline: every rule of the workflow is one of these commands.

Heavy libraries are imported by the verb that needs them, so that `centigan --help` is immediate.
"""

import logging
import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from centigan.cli import begin, data, evaluation, models, results, study
from centigan.errors import UserError
from centigan.needed import missing

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
log = logging.getLogger("centigan")
STEERING = re.compile("[\x00-\x09\x0b-\x1f\x7f]")  # characters that a terminal obeys; lines may end
MOST_SHOWN = 8000  # characters of an error
ROOMS = {  # heading in `centigan --help` -> its commands, but those that name a heading of their own
    "To begin with": begin,
    "Raw data and arrays": data,
    "Training and sampling": models,
    "Measurements": evaluation,
    "Results": results,
    "Studies": study,
}
for heading, room in ROOMS.items():
    for command in room.app.registered_commands:
        if not isinstance(command.rich_help_panel, str):
            command.rich_help_panel = heading
        app.registered_commands.append(command)


def tell_version(asked: bool) -> None:
    """Print the version of the package, and end."""
    if asked:
        from importlib.metadata import version

        typer.echo(f"centigan {version('centigan')}")
        raise typer.Exit


@app.callback()
def centigan(
    asked_version: Annotated[
        bool, typer.Option("--version", callback=tell_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Train generative models of many families, and measure them under one protocol."""


@app.command(hidden=True)
def job() -> None:
    """Run what a job of the cluster is made of, told as JSON on standard input by the workflow's executor."""
    import json

    from centigan import in_job

    sys.exit(in_job.run(json.load(sys.stdin), run_verb))


def run_verb(words: list[str]) -> int:
    """Run one verb in this process, and return its exit status."""
    sys.argv[1:] = words
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _shown(text: str) -> str:
    """A message as a terminal may have it: what a file holds may be long, and may steer a terminal."""
    text = STEERING.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
    more = len(text) - MOST_SHOWN
    return f"{text[:MOST_SHOWN]} ... ({more:,} more characters)" if more > 0 else text


def main() -> None:
    """Run a verb; a person's mistake is one line on standard error and exit status 1."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.captureWarnings(True)
    logging.getLogger("matplotlib").setLevel(logging.WARNING)  # "generated new fontManager"
    try:
        app()
    except UserError as error:
        log.error("error: %s", _shown(str(error)))
        sys.exit(1)
    except OSError as error:  # a full disk while a log is written, a folder without permission
        if isinstance(error, FileNotFoundError) and "results" in Path(error.filename or "").parts:
            log.error("error: %s", missing(Path(error.filename)))
            sys.exit(1)
        place = error.filename or "a file"
        log.error("error: %s: %s. Everything finished is kept; run again", place, error.strerror or error)
        sys.exit(1)
    except Exception as error:  # a fault of ours: the log file must tell of it too, in its last line
        log.exception("This should not have happened:")
        log.error("error: %s: %s", type(error).__name__, error)
        sys.exit(1)
