"""Files of captions, and what of them is a sentence; whatever is wrong with them is said at once."""

from collections.abc import Collection, Iterable
from pathlib import Path

from centigan.data.sources.listing import NOT_UTF8, UNPRINTABLE
from centigan.data.sources.texts import read_text, tell_latin1

MOST_LETTERS = 5000  # of a caption; COCO's and Reed's have hundreds


def read_captions(files: Iterable[Path], faults: list[str]) -> dict[Path, list[str]]:
    """The captions of each file: its lines in lower case, without those that have no letter and no digit.

    What is wrong with them is added to `faults`. Files that are neither UTF-8 nor UTF-16 are told.
    """
    found, latin1 = {}, []
    for file in files:
        text = read_text(file)
        if text.is_latin1:
            latin1.append(file)
        if text.fault:
            faults.append(f"{file} {text.fault}")
        found[file] = [] if text.fault else _sentences(file, text.lines, faults)
    tell_latin1(latin1)
    return found


def _sentences(file: Path, lines: Collection[str], faults: list[str]) -> list[str]:
    wrong = [
        f"{file}, line {number}: a caption {fault}"
        for number, line in enumerate(lines, 1)
        if (fault := fault_of(line))
    ]
    faults += wrong
    said = [] if wrong else [line for line in map(sentence_of, lines) if line]
    if not (wrong or said):
        faults.append(f"{file} holds no caption")
    return [line.lower() for line in said]


def fault_of(text: str) -> str | None:
    """What is wrong with a caption, if anything; of words every caption takes the memory of the longest."""
    if len(text) > MOST_LETTERS:
        return f"has {len(text):,} characters, and {MOST_LETTERS:,} are read at most; write short sentences"
    return "has half a character (a lone surrogate); write it anew" if NOT_UTF8.search(text) else None


def sentence_of(text: str) -> str:
    """A caption with single spaces, also in place of what cannot be printed; empty if it has no word."""
    line = " ".join(UNPRINTABLE.sub(" ", text).split())
    return line if any(map(str.isalnum, line)) else ""
