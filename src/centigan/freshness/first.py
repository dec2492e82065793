"""A run of the workflow before the run that was asked for, in a process of its own.

What it makes again comes out as before in most cases, and then nothing after it is stale, while in one run
Snakemake makes everything again that follows. docs/decisions/0013-staleness.md.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from argparse import ArgumentParser
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from centigan.atomic import out_of_the_way
from centigan.errors import UserError

PARENT = "CENTIGAN_FIRST_RUN_FOR"  # in the environment of a first run: the process that waits for it
NOT_MADE_FIRST = "what must be made first could not be made; see above"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SECONDS_BETWEEN_LOOKS = 0.5


def make_first(
    look: Callable[[Mapping[str, str]], dict[str, str]],
    words: Sequence[str],
    targets: Collection[str],
    *,
    dry: bool,
) -> None:
    """Run Snakemake for what must be made first, as often as that brings something new to light.

    Args:
        look: the outputs to be made first, and why, once those that it is given are made.
        words: this run's own arguments.
        targets: those of the words that are targets.
        dry: whether this run only tells what it would do; then the first run, too, once.

    Raises:
        UserError: when they cannot be made.
    """
    before: dict[str, str] = {}
    while (why := look({} if dry else before)) and not (dry and before):
        if why == before:
            raise UserError(f"{min(why)} was made again first, and still {why[min(why)]}")
        for reason in sorted(set(why.values())):
            outputs = sorted(output for output in why if why[output] == reason)
            more = f" (and {len(outputs) - 1} more)" if len(outputs) > 1 else ""
            print(f"{outputs[0]}{more} {reason}: made again first", file=sys.stderr)
        for output in () if dry else why:
            out_of_the_way(Path(output))
        own = words_of(words, targets, sorted(why))
        if run_first([sys.executable, "-m", "snakemake", *own]):
            raise UserError(NOT_MADE_FIRST)
        before = why


def is_first_run() -> bool:
    """Whether this process is a first run."""
    return PARENT in os.environ


def run_first(command: Sequence[str]) -> int:
    """Run a command as a first run, to its end; its exit status. It gets this process's signals."""
    # a group of its own: else Ctrl-C in a terminal would reach it twice
    child = subprocess.Popen(command, env={**os.environ, PARENT: str(os.getpid())}, process_group=0)
    with _passed_on_to(child):
        return child.wait()


def words_of(words: Sequence[str], targets: Collection[str], outputs: Sequence[str]) -> list[str]:
    """Snakemake's arguments for a first run: those of this run, but these outputs, forced, and nothing else.

    Args:
        words: this run's own arguments.
        targets: those of the words that are targets.
    """
    chosen = ArgumentParser(add_help=False, allow_abbrev=False)
    for names in (("--forcerun", "-R"), ("--until", "-U"), ("--omit-from", "-O"), ("--allowed-rules",)):
        chosen.add_argument(*names, nargs="*")
    for names in (("--forceall", "-F"), ("--force", "-f")):
        chosen.add_argument(*names, action="store_true")
    _, rest = chosen.parse_known_args(words)
    for target in targets:  # the last word that reads so: an option's value comes before
        if target in rest:
            del rest[len(rest) - 1 - rest[::-1].index(target)]
    return [*outputs, "--force", *(word for word in rest if word != "--")]


def end_with_parent() -> None:
    """End this first run as SIGTERM does, should the process that waits for it be killed."""
    parent = int(os.environ[PARENT])

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(SECONDS_BETWEEN_LOOKS)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True, name="end with parent").start()


@contextmanager
def _passed_on_to(child: subprocess.Popen[bytes]) -> Iterator[None]:
    def pass_on(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT:  # as a terminal does: to the jobs, too
            os.killpg(child.pid, number)
        else:
            child.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
