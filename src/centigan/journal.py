"""Journals: files of JSON lines, each with an "iteration".

history.jsonl carries no time, so that two runs of the same settings write the same bytes. Time and speed go
to timing.jsonl beside it, which is no declared output.
"""

import json
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from centigan.atomic import write_text
from centigan.errors import UserError

Line = dict[str, Any]
log = logging.getLogger(__name__)


class Journal:
    """A file that lines are appended to; `text` is all of it."""

    def __init__(self, path: Path, text: str = "", *, needed: bool = True) -> None:
        """Begin `path` anew with this text.

        Args:
            needed: whether a line that cannot be written is an error; else it is told once and left out.

        Raises:
            UserError: when the file cannot be written, and is needed.
        """
        self.path, self.text, self.needed = path, text, needed
        self._file = None
        try:
            write_text(path, text)
            self._file = path.open("a", encoding="utf-8")
        except (UserError, OSError) as error:
            self._failed(error)

    def write(self, iteration: int, values: dict[str, float]) -> None:
        """Append one line."""
        line = json.dumps({"iteration": iteration} | values, allow_nan=False) + "\n"
        self.text += line
        if self._file:
            try:
                self._file.write(line)
                self._file.flush()
            except OSError as error:
                self._failed(error)

    def close(self) -> None:
        """Close the file. A checkpoint holds the text, so nothing depends on this file being on disk."""
        if self._file:
            try:
                self._file.close()
            except OSError as error:
                self._failed(error)

    def _failed(self, error: OSError | UserError) -> None:
        self._file = None
        if self.needed:
            raise UserError(f"cannot write {self.path}: {error}. Make room there, then run again") from error
        log.warning("cannot write %s: %s. It only informs, so the training goes on", self.path, error)


def read_lines(path: Path, *numbers: str) -> list[Line]:
    """The whole lines of a journal that may be absent, damaged, or written to just now.

    Args:
        numbers: keys that a line must have, beside "iteration"; each with a number.
    """
    try:
        return whole_lines(path.read_bytes(), *numbers)
    except OSError:
        return []


def whole_lines(content: bytes, *numbers: str) -> list[Line]:
    """The whole lines of a journal's content; what is torn or damaged is passed over."""
    lines = (_parsed(line, ("iteration", *numbers)) for line in content.split(b"\n")[:-1])
    return [line for line in lines if line is not None]


def text_until(path: Path, iteration: int) -> str:
    """The lines of a journal up to an iteration; the first damaged one ends it."""
    try:
        lines: Iterable[bytes] = path.read_bytes().split(b"\n")[:-1]
    except OSError:
        return ""
    text = ""
    for line in lines:
        values = _parsed(line, ("iteration",))
        if values is None or values["iteration"] > iteration:
            break
        text += line.decode() + "\n"
    return text


def _parsed(line: bytes, numbers: Iterable[str]) -> Line | None:
    try:
        values = json.loads(line)
    except ValueError:  # no UTF-8, or no JSON
        return None
    if isinstance(values, dict) and all(type(values.get(key)) in (int, float) for key in numbers):
        return values
    return None
