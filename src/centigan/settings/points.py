"""The points of a study: from its axes to named experiments, each a base and values over it.

A point is called <protocol>/<study>/<values joined by ->: `digits_short/families/wgan_gp-0`.
"""

import json
import re
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from centigan.errors import UserError
from centigan.settings.mistakes import mistakes_of_axes, mistakes_of_names
from centigan.settings.parsing import parse
from centigan.settings.study import EXPERIMENT, Study
from centigan.yaml_mapping import advice, read_mapping

FOLDER = "studies"
NO_STUDY = "dvc"  # studies/dvc.yaml has the studies' stages for DVC


class Point(NamedTuple):
    """One experiment of a study."""

    own: str  # its name within the study
    row: str  # of the study's table; points that differ in `over` alone share it
    name: str  # <protocol>/<study>/<own>
    base: str  # <protocol>/<experiment>, whose file it stands on
    values: dict[str, Any]  # by the axes' keys
    overlay: dict[str, Any]  # the same without `experiment`, nested as settings are
    file: Path  # of the study


def read_study(name: str, root: Path = Path()) -> Study:
    """What studies/<name>.yaml says; whether its settings exist, `study_points.load_points` tells.

    Raises:
        UserError: when it is missing, or names what cannot be.
    """
    return _read(name, root)[0]


def points(name: str, root: Path = Path()) -> list[Point]:
    """Every point of a study, the last axis fastest.

    Raises:
        UserError: as of `read_study`.
    """
    return [*_read(name, root)[1].values()]


def _read(name: str, root: Path) -> tuple[Study, dict[str, Point]]:
    file = root / FOLDER / f"{name}.yaml"
    if name == NO_STUDY or not file.is_file():
        known = sorted({path.stem for path in file.parent.glob("*.yaml")} - {NO_STUDY})
        raise UserError(
            f"study {name!r} has no file in {file.parent}; there are: {', '.join(known) or 'none'}"
        )
    taken = tuple(sorted(root.glob(f"experiments/*/{name}.yaml")))
    return _sound(name, file, taken, repr(read_mapping(file)))


@lru_cache(maxsize=8)
def _sound(name: str, file: Path, taken: tuple[Path, ...], said: str) -> tuple[Study, dict[str, Point]]:
    """A study without mistakes, and its points by their names.

    Each point asks for all of them, 20 ms for a study of 90. So they are kept, by what the file `said`;
    `taken` are experiments that are called as the study is.
    """
    study = parse(Study, read_mapping(file), str(file))
    found: list[Point] = []
    wrong = mistakes_of_axes(study)
    if not wrong:  # names follow from the axes
        found = expanded(study, name, file)
        wrong = mistakes_of_names(study, [(point.own, point.row) for point in found])
    for path in taken:
        if path.parent.name == study.protocol:
            wrong.append(f"{path} has the same name, and so the same results; give one another name")
    if wrong:
        raise UserError(f"{file}: " + "; ".join(wrong))
    return study, {point.name: point for point in found}


def point_of(experiment: str, root: Path = Path()) -> Point | None:
    """The point that an experiment is, by its name of three parts; None for any other.

    Raises:
        UserError: when there is no such study, or no such point of it.
    """
    parts = experiment.split("/")
    if len(parts) != 3:
        return None
    _, found = _read(parts[1], root)
    if experiment not in found:
        file = root / FOLDER / f"{parts[1]}.yaml"
        raise UserError(f"{file}: no point {experiment!r}; {advice(experiment, found)}")
    return found[experiment]


def companion(point: Point, base: str, root: Path = Path()) -> Point:
    """The point of the same study that stands on another file, with the same values on all other axes.

    Raises:
        UserError: when there is none, or several.
    """
    study, found = _read(point.file.stem, root)
    shared = [key for axis in study.axes if EXPERIMENT not in axis for key in axis]
    same = [
        each
        for each in found.values()
        if each.base == base and all(each.values[key] == point.values[key] for key in shared)
    ]
    if len(same) != 1:
        are = f"has {len(same)} points" if same else "has no point"
        raise UserError(
            f"{point.own} starts from {base}, of which {point.file} {are} with the same other values; let an "
            f"axis `{EXPERIMENT}` name {base.partition('/')[2]} once, beside {point.base.partition('/')[2]}"
        )
    return same[0]


def expanded(study: Study, name: str, file: Path) -> list[Point]:
    """The points of a study whose axes are sound."""
    counts = [len(next(iter(axis.values()))) for axis in study.axes]
    found = []
    for chosen in product(*map(range, counts)):
        values: dict[str, Any] = {}
        words = []
        for axis, position in zip(study.axes, chosen, strict=True):
            values |= {key: listed[position] for key, listed in axis.items()}
            words.append(word(next(iter(axis.values()))[position]))
        own = "-".join(words)
        found.append(
            Point(
                own=own,
                row="-".join(words[axis] for axis in study.compared) or "all",
                name=f"{study.protocol}/{name}/{own}",
                base=f"{study.of}/{values[EXPERIMENT]}" if EXPERIMENT in values else study.of,
                values=values,
                overlay=_nested({key: value for key, value in values.items() if key != EXPERIMENT}),
                file=file,
            )
        )
    return found


def word(value: Any) -> str:
    """A value as part of a file's name: letters, digits, `_`, `.` and `-`, none of the last two in front."""
    written = value if isinstance(value, str) else json.dumps(value)
    plain = re.sub(
        r"[^A-Za-z0-9_.-]+", "_", written.replace("-", "minus", 1) if written[:1] == "-" else written
    )
    return plain.strip("_").lstrip(".-") or "_"


def _nested(values: dict[str, Any]) -> dict[str, Any]:
    """{"train.seed": 0} -> {"train": {"seed": 0}}."""
    nested: dict[str, Any] = {}
    for key, value in values.items():
        *sections, last = key.split(".")
        place = nested
        for section in sections:
            place = place.setdefault(section, {})
        place[last] = value
    return nested
