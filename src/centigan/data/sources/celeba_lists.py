"""CelebA's lists as its authors or Kaggle publish them: what an image is for, and its attributes.

list_eval_partition.txt has a name and 0, 1 or 2 a line; list_attr_celeba.txt the number of images, the names
of the attributes, and a name and a 1 or -1 of each. Kaggle's .csv say the same behind a line of column names.
"""

from collections import Counter
from pathlib import Path

from centigan.data.sources.captioned import refuse
from centigan.data.sources.texts import lines_of
from centigan.errors import UserError

PARTITION, ATTRIBUTES = "list_eval_partition.txt", "list_attr_celeba.txt"
TABLES = {
    PARTITION: "list_eval_partition.csv",
    ATTRIBUTES: "list_attr_celeba.csv",
}  # what Kaggle has for each
PARTS = {"0", "1", "2"}  # training, validation, tests
ONES = {"1", "-1"}


def read_partition(file: Path) -> dict[str, str]:
    """Image -> 0, 1 or 2.

    Raises:
        UserError: for a line that is no name and number, and an image that is named twice.
    """
    rows = _rows(file)
    rows = rows[1:] if _is_table(file) and rows and rows[0][-1] not in PARTS else rows
    refuse(
        [
            f"{file}, image {number}: {' '.join(row)!r} is no name and 0, 1 or 2"
            for number, row in enumerate(rows, 1)
            if len(row) != 2 or row[1] not in PARTS
        ]
    )
    parts: dict[str, str] = dict(rows)
    twice = [name for name, times in Counter(name for name, _ in rows).items() if times > 1]
    refuse([f"{file} names {name} twice" for name in twice])
    if not parts:
        raise UserError(f"{file} names no image; fetch it anew")
    return parts


def read_attributes(file: Path, parts: dict[str, str]) -> tuple[list[str], dict[str, list[str]]]:
    """The names of the attributes, and image -> a 1 or -1 of each.

    Raises:
        UserError: also for other images than the partition's.
    """
    names, lines = _header(file)
    rows = {row[0]: row[1:] for row in lines}
    advice = "fetch it anew, or remove it where data.attribute is not set"
    if not names or len(set(names)) < len(names):
        raise UserError(
            f"{file} does not begin with the number of its faces, {len(rows)}, and with different names; "
            f"{advice}"
        )
    wrong = [name for name, row in rows.items() if len(row) != len(names) or not ONES.issuperset(row)]
    others = sorted(rows.keys() ^ parts.keys())
    twice = [name for name, times in Counter(row[0] for row in lines).items() if times > 1]
    refuse(
        [f"{file}: {name} has not a 1 or -1 of each of {len(names)} attributes; {advice}" for name in wrong]
        + [f"{file} names {name} twice; {advice}" for name in twice]
        + [f"{name} is in one of {file} and {Path(PARTITION).stem} alone; {advice}" for name in others]
    )
    return names, rows


def _header(file: Path) -> tuple[list[str], list[list[str]]]:
    """The names, empty where they do not stand where they should, and a name and values of each image."""
    lines = [*_rows(file), [], []]
    if _is_table(file):
        return lines[0][1:], [row for row in lines[1:] if row]
    rows = [row for row in lines[2:] if row]
    return lines[1] if lines[0] == [str(len(rows))] else [], rows


def _is_table(file: Path) -> bool:
    return file.suffix == ".csv"


def _rows(file: Path) -> list[list[str]]:
    """The values of each line; lines without any do not count."""
    lines = lines_of(file)
    if not _is_table(file):
        return [row for line in lines if (row := line.split())]
    return [[value.strip() for value in line.split(",")] for line in lines if line.strip()]
