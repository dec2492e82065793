"""The classes of a split, by what people call them: a name, an id such as a WordNet id, or the position."""

import csv
import operator
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from centigan.errors import UserError
from centigan.layout import Layout
from centigan.yaml_mapping import advice


class Class(NamedTuple):
    """One class, as classes.csv has it."""

    id: str  # the name of its folder: an ImageNet class's WordNet id
    words: str  # what people call it: synonyms with commas between them
    split: str

    @property
    def names(self) -> set[str]:
        """Everything it may be called by, without a difference of capitals."""
        return {name.strip().casefold() for name in (self.id, self.words, *self.words.split(","))}


def read_classes(layout: Layout) -> list[Class]:
    """All classes of an experiment, in the order of the data.

    Raises:
        UserError: when classes.csv is missing or damaged.
    """
    return [Class(row["class_id"], row["words"], row["split"]) for row in rows_of(layout, "split")]


def rows_of(layout: Layout, *numbers: str) -> list[dict[str, str]]:
    """The lines of classes.csv by their columns, in the order of the data; read without pandas.

    Args:
        numbers: the columns that must hold such.

    Raises:
        UserError: when classes.csv is missing or damaged.
    """
    path = layout.classes
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            found = [_whole(row, numbers, rows.line_num) for row in rows]
        if not found:
            raise ValueError("it lists no class")
    except FileNotFoundError:
        raise UserError(f"{path} is missing; run the pipeline, or `dvc pull {path}`") from None
    except (OSError, ValueError, csv.Error) as error:
        raise UserError(f"{path} is damaged ({error}); `dvc pull` it, or delete it and run again") from None
    return found


def _whole(row: dict[str, str | None], numbers: Iterable[str], line: int) -> dict[str, str]:
    whole = {key: value for key, value in row.items() if value is not None}
    if {"class_id", "words"} <= whole.keys() and all(whole.get(key, "").isdecimal() for key in numbers):
        return whole
    raise ValueError(f"line {line} does not hold class_id, words and, as numbers, {', '.join(numbers)}")


def named(ids: Iterable[str], split: str, classes: Iterable[Class]) -> list[Class]:
    """The classes that a split was trained on; one that classes.csv has no longer goes by its id."""
    known = {each.id: each for each in classes if each.split == split}
    return [known.get(name, Class(name, name, split)) for name in ids]


def position_of(asked: Any, classes: Sequence[Class], elsewhere: Iterable[Class] = ()) -> int:
    """Which of a split's classes is meant: an int is a position, a text is an id or a name.

    An id goes before names. `elsewhere`: classes of other splits, to tell where a class is.

    Raises:
        UserError: for a position or a name that there is not, and for a name of several classes.
    """
    if not isinstance(asked, str):
        position = integer(asked)
        if position is None:
            raise UserError(f"a class is a name such as '3' or a position such as 3, not {asked!r}")
        if 0 <= position < len(classes):
            return position
        raise UserError(f"no class {position}: positions are {_listed(classes)}")
    name = asked.strip().casefold()
    found = [i for i, each in enumerate(classes) if each.id == asked]
    found = found or [i for i, each in enumerate(classes) if name in each.names]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(classes[i].id for i in found)
        raise UserError(f"{len(found)} classes are called {asked!r}: {ids}; name one of these")
    if others := sorted({each.split for each in elsewhere if name in each.names}):
        raise UserError(f"class {asked!r} is not of split {classes[0].split} but of {', '.join(others)}")
    known = sorted({name for each in classes for name in each.names})
    raise UserError(f"no class {asked!r} in split {classes[0].split}; {advice(name, known)}")


def integer(value: Any) -> int | None:
    """An integer of any library as a plain int, else None; True is a slip, not 1."""
    try:
        return None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        return None


def _listed(classes: Sequence[Class]) -> str:
    return f"0..{len(classes) - 1}: {', '.join(each.id for each in classes)}"
