"""Small data sets with captions, as CUB-200-2011, Oxford-102, COCO and own folders have them, of photographs.

For trying and testing the readers without the data: names, lists and files of captions are like the real
ones; what the pictures show is not. A class is crops of one photograph. In the files of captions one line of
each class is blank, and one has a letter in latin-1.
"""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from centigan.data.embedded import PHOTOGRAPHS, packaged
from centigan.data.small_set import require_empty
from centigan.data.sources import coco_captions, cub200, oxford102
from centigan.data.sources.captioned import SEEN_CLASSES, TEXT, UNSEEN_CLASSES
from centigan.data.sources.captioned_folders import captions_beside
from centigan.errors import UserError

SIDES = (72, 96)  # pixels, of an image
UNSEEN_SHARE = 4  # one class of so many
ADJECTIVES = ("dark", "pale", "blurred", "sharp", "rough", "smooth")
TEMPLATES = (
    "a {what} picture of {name}",
    "this is {name}, and it looks {what}",
    "the picture shows a {what} part of {name}",
    "{name} from nearby, {what} all over",
    "a small and {what} detail of {name}",
)


class Made(NamedTuple):
    """An image: number of its class, its own number from 0, and whether it is held out."""

    label: int
    number: int
    held_out: bool


def write_captioned(kind: str, out: Path, *, classes: int, per_class: int, held_out_per_class: int) -> None:
    """Write a data set of a kind of WRITERS into `out`; the same call gives the same bytes.

    Raises:
        UserError: where something lies at `out`, or for more classes than there are photographs.
    """
    require_empty(out)
    if not 2 <= classes <= len(PHOTOGRAPHS):
        raise UserError(f"a fixture with captions has 2 to {len(PHOTOGRAPHS)} classes")
    made = [
        Made(label, number, number >= per_class)
        for label in range(classes)
        for number in range(per_class + held_out_per_class)
    ]
    WRITERS[kind](out, classes, made)


def _write_cub200(out: Path, classes: int, made: list[Made]) -> None:
    home = out / cub200.FOLDER
    names = [f"{label + 1:03d}.{_photograph(label).title()}" for label in range(classes)]
    paths = [f"{names[one.label]}/{_photograph(one.label).title()}_{one.number:04d}" for one in made]
    for one, path in zip(made, paths, strict=True):
        _save(one, home / f"images/{path}.jpg")
        _write(out / TEXT / f"{path}.txt", _lines(one, 10))
    numbered = list(enumerate(made, 1))
    tables = {
        cub200.CLASSES: [f"{label} {name}" for label, name in enumerate(names, 1)],
        cub200.IMAGES: [f"{number} {path}.jpg" for number, path in enumerate(paths, 1)],
        cub200.LABELS: [f"{number} {one.label + 1}" for number, one in numbered],
        cub200.PARTS: [f"{number} {0 if one.held_out else 1}" for number, one in numbered],
    }
    for name, lines in tables.items():
        _write(home / name, lines)
    _write_class_lists(out, names)


def _write_oxford102(out: Path, classes: int, made: list[Made]) -> None:
    for number, one in enumerate(made, 1):
        _save(one, out / f"{oxford102.FOLDER}/image_{number:05d}.jpg")
        _write(out / TEXT / f"class_{one.label + 1:05d}/image_{number:05d}.txt", _lines(one, 10))
    held_out = [number for number, one in enumerate(made, 1) if one.held_out]
    training = [number for number, one in enumerate(made, 1) if not one.held_out]
    parts = {"trnid": training[::2], "valid": training[1::2], "tstid": held_out}
    labels = {"labels": np.array([[one.label + 1 for one in made]], np.uint8)}
    (out / oxford102.LABELS).write_bytes(matlab(labels))
    (out / oxford102.PARTS).write_bytes(
        matlab({key: np.array([ids], np.uint16) for key, ids in parts.items()})
    )
    _write_class_lists(out, [f"class_{label:05d}" for label in range(1, classes + 1)])


def matlab(arrays: dict[str, NDArray[Any]], *, compressed: bool = False) -> bytes:
    """Arrays as a file of MATLAB's version 5, whose header has no time."""
    from scipy.io import savemat

    file = io.BytesIO()
    savemat(file, arrays, do_compression=compressed)
    return b"MATLAB 5.0 MAT-file, written without its time".ljust(116) + file.getvalue()[116:]


def _write_coco_captions(out: Path, classes: int, made: list[Made]) -> None:
    year = "2014"
    for part, held_out in (("train", False), ("val", True)):
        images: list[dict[str, Any]] = []
        captions: list[dict[str, Any]] = []
        for one in (one for one in made if one.held_out == held_out):
            number = 1000 * one.label + one.number
            name = f"COCO_{part}{year}_{number:012d}.jpg"
            _save(one, out / f"{part}{year}" / name)
            images.append({"id": number, "file_name": name})
            for line in filter(None, _lines(one, 5)):
                sentence = f"{line[0].upper()}{line[1:]}."
                captions.append({"image_id": number, "id": len(captions), "caption": sentence})
        file = coco_captions.annotations(out, part, year)
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps({"info": {}, "images": images, "annotations": captions}))


def _write_captioned_folders(out: Path, classes: int, made: list[Made]) -> None:
    for one in made:
        image = out / ("val" if one.held_out else "train") / _photograph(one.label) / f"{one.number:04d}.jpg"
        _save(one, image)
        _write(captions_beside(str(image)), _lines(one, 3))


def _write_class_lists(out: Path, names: list[str]) -> None:
    unseen = names[UNSEEN_SHARE - 1 :: UNSEEN_SHARE] or names[-1:]
    _write(out / UNSEEN_CLASSES, unseen)
    _write(out / SEEN_CLASSES, [name for name in names if name not in unseen])


def _photograph(label: int) -> str:
    return list(PHOTOGRAPHS)[label]


def _save(one: Made, file: Path) -> None:
    """A random crop of the photograph of the class."""
    file.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([one.label, one.number])
    width, height = rng.integers(*SIDES, size=2, endpoint=True).tolist()
    with Image.open(packaged(*PHOTOGRAPHS[_photograph(one.label)])) as photograph:
        left = int(rng.integers(photograph.width - width))
        top = int(rng.integers(photograph.height - height))
        photograph.crop((left, top, left + width, top + height)).convert("RGB").save(file, quality=90)


def _lines(one: Made, count: int) -> Iterator[str]:
    """Captions; of the first image of a class one is blank and another has an accent."""
    rng = np.random.default_rng([one.label, one.number, 1])
    name = _photograph(one.label).replace("_", " ")
    for row in range(count):
        what = ADJECTIVES[int(rng.integers(len(ADJECTIVES)))]
        odd = {1: "", 2: f"a na\u00efve picture of {name}"} if one.number == 0 else {}
        yield odd.get(row, TEMPLATES[row % len(TEMPLATES)].format(what=what, name=name))


def _write(file: Path, lines: Iterator[str] | list[str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes("".join(f"{line}\n" for line in lines).encode("latin-1"))


WRITERS: dict[str, Callable[[Path, int, list[Made]], None]] = {
    "cub200": _write_cub200,
    "oxford102": _write_oxford102,
    "coco_captions": _write_coco_captions,
    "captioned_folders": _write_captioned_folders,
}
