"""Files of text, as people and programs write them: how they are decoded, and where their lines end.

UTF-8; UTF-16 where its mark stands first; else latin-1, which every byte is, and that is told. A zero in what
comes out says that the file is no text, or one in another encoding.
"""

import codecs
import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from centigan.data.sources.listing import require_plain
from centigan.errors import UserError

UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
LINE_END = re.compile("\r\n?|\n")  # Windows', the old Mac's, all others'
log = logging.getLogger(__name__)


class Text(NamedTuple):
    """The lines of a file; `fault` says why it has none, if so."""

    lines: list[str]
    is_latin1: bool = False
    fault: str | None = None


def read_text(file: Path) -> Text:
    """What stands in a file."""
    require_plain(file)
    content = file.read_bytes()
    is_utf16 = content.startswith(UTF_16)
    try:
        text, is_latin1 = content.decode("utf-16" if is_utf16 else "utf-8-sig"), False
    except UnicodeDecodeError:
        if is_utf16:
            return Text([], fault="begins as UTF-16, and is cut short or damaged; save it as UTF-8")
        text, is_latin1 = content.decode("latin-1"), True
    if "\0" in text:
        return Text([], fault="is no text: it has zeros in it, as UTF-16 has; save it as UTF-8")
    return Text(LINE_END.split(text), is_latin1)


def lines_of(file: Path) -> list[str]:
    """The lines of a list.

    Raises:
        UserError: for a file that is no text.
    """
    text = read_text(file)
    if text.fault:
        raise UserError(f"{file} {text.fault}")
    tell_latin1([file] if text.is_latin1 else [])
    return text.lines


def tell_latin1(files: Sequence[Path]) -> None:
    """Say of which files the encoding was guessed."""
    if files:
        log.warning(
            "%s is no UTF-8 and is read as latin-1%s; where letters come out wrong, save as UTF-8",
            min(files),
            f" ({len(files):,} such files in all)" if files[1:] else "",
        )
