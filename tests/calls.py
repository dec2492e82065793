"""Calls of programs whose words a test reads."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from forked import call_forked, can_fork


def call(words: Sequence[str | Path], folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """Exit status of a program, and all that it prints, errors too."""
    if can_fork(words, environment):
        return call_forked(words, folder, environment)
    done = subprocess.run(
        words,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout
