"""Data sets cut into numbered files: which file holds what, and whether one of them is missing.

    <prefix>-train-0000.tar, <prefix>-validation-00.tar      WebDataset, beside each other or in data/
    train/00000.tar, val/00000.tar                           the same in folders
    data/train-00000-of-00294.parquet                        the Hub

The subset that is held out is the first of HELD_OUT that is there: the Hub's ImageNet has test files, too,
whose labels nobody may know.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from centigan.data.sources.listing import Subset
from centigan.errors import UserError
from centigan.image_names import is_hidden

HELD_OUT = ("validation", "valid", "val", "test")
PARTS = ("train", *HELD_OUT)
PLACES = (".", "data")  # below the root
BY_NAME = re.compile(rf"(?:.+[-_.])?(?P<part>{'|'.join(PARTS)})[-_.](?P<number>\d+)(?:-of-(?P<of>\d+))?")
BY_FOLDER = re.compile(r"(?:.*?[-_.])?(?P<number>\d+)(?:-of-(?P<of>\d+))?")  # a class's n01440764.tar is none


class Shard(NamedTuple):
    """A file, its number, and how many there are where its name tells."""

    path: Path
    number: int
    of: int | None

    def beside(self, number: int) -> str:
        """What a file of another number would be called."""
        ending = re.compile(r"(\d+)((?:-of-\d+)?\.\w+)$")
        return ending.sub(lambda found: f"{number:0{len(found[1])}d}{found[2]}", self.path.name)


class Shards(NamedTuple):
    """The files of each subset in the order of their numbers, and all names that belong in the root."""

    of: dict[Subset, list[Path]]
    belong: set[str]


def find_shards(root: Path, ending: str) -> Shards:
    """The files with that ending, such as ".tar".

    Raises:
        UserError: for a file that is missing within the numbering, there twice or a link to nothing, or a
            subset without any.
    """
    parts = _by_part(root, ending)
    if "train" not in parts:
        raise UserError(f"{root} holds no training files such as train-00000{ending}")
    held_out = next((part for part in HELD_OUT if part in parts), None)
    if held_out is None:
        raise UserError(
            f"{root} holds {parts['train'][0].path.name}, and nothing held out: "
            f"{parts['train'][0].path.name.replace('train', 'validation')} or val/ is expected"
        )
    begin = min(1, *(shard.number for part in ("train", held_out) for shard in parts[part]))
    found: dict[Subset, list[Path]] = {
        "train": _whole(parts["train"], begin),
        "held_out": _whole(parts[held_out], begin),
    }
    everything = (shard.path.relative_to(root).parts[0] for shards in parts.values() for shard in shards)
    return Shards(found, set(everything))


def has_shards(root: Path, ending: str) -> bool:
    """Whether training files with that ending lie there."""
    return "train" in _by_part(root, ending)


def _by_part(root: Path, ending: str) -> dict[str, list[Shard]]:
    for place in PLACES:
        found: dict[str, list[Shard]] = {}
        for path in _files(root / place, ending):
            if match := BY_NAME.fullmatch(path.name.removesuffix(ending)):
                found.setdefault(match["part"], []).append(_shard(path, match))
        if "train" in found:
            return found
    found = {part: list(_in_folder(root / part, ending)) for part in PARTS}
    return {part: shards for part, shards in found.items() if shards}


def _in_folder(folder: Path, ending: str) -> Iterator[Shard]:
    for path in _files(folder, ending):
        if match := BY_FOLDER.fullmatch(path.name.removesuffix(ending)):
            yield _shard(path, match)


def _files(folder: Path, ending: str) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(
        path for path in folder.iterdir() if path.name.endswith(ending) and not is_hidden(path.name)
    )


def _shard(path: Path, match: re.Match[str]) -> Shard:
    return Shard(path, int(match["number"]), int(match["of"]) if match["of"] else None)


def _whole(shards: Sequence[Shard], begin: int) -> list[Path]:
    """The files in order, where the numbers run from `begin`, 0 or 1, to the last without a gap."""
    shards = sorted(shards, key=lambda shard: shard.number)
    first, last = shards[0], shards[-1]
    odd = next((shard for shard in shards if shard.of != first.of), None)
    if odd:
        raise UserError(
            f"{first.path} and {odd.path.name} are of two data sets: their names tell different numbers of "
            "files; move one set away"
        )
    number, times = Counter(shard.number for shard in shards).most_common(1)[0]
    if times > 1:
        same = " and ".join(str(shard.path) for shard in shards if shard.number == number)
        raise UserError(f"{same} have one number; move one set away")
    begin = begin if first.of is None else 0
    end = last.number + 1 if first.of is None else first.of
    missing = sorted(set(range(begin, end)) - {shard.number for shard in shards})
    if missing:
        more = f", and so are {len(missing) - 1} more" if len(missing) > 1 else ""
        raise UserError(f"{first.path.parent / first.beside(missing[0])} is missing{more}; fetch it")
    dangling = next((shard.path for shard in shards if not shard.path.exists()), None)
    if dangling:
        raise UserError(
            f"{dangling} is a link to nothing: {dangling.readlink()} is not there; fetch that, or put the "
            "file in the place of the link"
        )
    return [shard.path for shard in shards]
