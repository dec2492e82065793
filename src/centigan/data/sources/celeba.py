"""CelebA's aligned faces (Liu et al. 2015), read in place as published: a zip of JPEGs, or its folder.

img_align_celeba.zip or img_align_celeba/, list_eval_partition.txt and list_attr_celeba.txt lie in the root,
or in the folders Img/, Eval/ and Anno/ that the authors have them in. The partition says what is trained on
(0). Held out are its validation images (1), of which real NVP publishes its bits; its test images (2) are
left alone. All are of one class, `face`, unless a setting names an attribute: then the faces with it and
those without are two. Otherwise attributes are checked, where they are there, and not used.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

import pandas as pd

from centigan.data.by_hand import lacks_all
from centigan.data.sources.captioned import first_of, told
from centigan.data.sources.celeba_lists import (
    ATTRIBUTES,
    PARTITION,
    TABLES,
    read_attributes,
    read_partition,
)
from centigan.data.sources.class_names import is_no_name
from centigan.data.sources.listing import Listing, Range, Subset, in_order
from centigan.data.sources.places import first_with_images, holds_images, misplaced, none_found
from centigan.data.sources.sift import Sieve
from centigan.data.sources.zips import members
from centigan.errors import UserError

FACE = "face"
FOLDER, ZIP = "img_align_celeba", "img_align_celeba.zip"
PLACES = ("", "Img/", "Eval/", "Anno/")  # below the root
MD5 = {
    ZIP: "00d2c5bc6d35e252742224ab0c1e8fcb",
    PARTITION: "d32c9cbf5e040fd4025c592c306e6668",
    ATTRIBUTES: "75e246fa4810816ffd6ee81facbd244c",
}
PUBLISHED, TESTS = 202_599, 19_962  # images: 162,770 to train on, 19,867 of validation, and of tests
SUBSETS: dict[str, Subset | None] = {"0": "train", "1": "held_out", "2": None}


def list_celeba(root: Path, attribute: str | None = None) -> Listing:
    """All images under `root` that the partition names and that are not for tests.

    Args:
        attribute: a name of list_attr_celeba.txt, for two classes.

    Raises:
        UserError: for a file that is missing, damaged or in contradiction to another.
    """
    places = [root / place for place in PLACES]
    faces, listed = _faces(places), _list(PARTITION, places)
    parts = read_partition(listed) if listed else {}
    if faces is None or listed is None:
        raise _missing(root, PARTITION if faces else ZIP, parts)
    classes, attributes = _classes(_list(ATTRIBUTES, places), root, parts, attribute)
    sieve = Sieve(root)
    images, tests = _by_partition(
        _zipped(faces, sieve) if faces.name == ZIP else sieve.images_in(faces), parts, classes, sieve
    )
    lacking = {"train", "held_out"} - {*images["subset"]}
    lost = {name for name, part in parts.items() if SUBSETS[part] in lacking}
    if lost and not sieve.rejected:
        raise UserError(none_found(root, faces, lost, listed))
    return Listing(
        source="CelebA",
        found=[
            f"{faces.relative_to(root)}: {len(images) + tests:,} images",
            *_told_empty(root, places, faces),
            *_told(parts, tests),
            attributes,
        ],
        classes=sorted(set(classes.values())),
        images=images,
        encoding="zipped" if faces.name == ZIP else "image",
        official=_official(parts, classes),
        published=PUBLISHED - TESTS,
        rejected=sieve.rejected,
        passed_over=sieve.passed_over,
        checksummed=len(parts) == PUBLISHED,
    )


def _by_partition(
    found: Iterable[Range], parts: dict[str, str], classes: dict[str, str], sieve: Sieve
) -> tuple[pd.DataFrame, int]:
    """The images of training and validation, as a Listing has them, and the number of those for tests."""
    rows, tests = [], 0
    for image in found:
        if image.name not in parts:
            sieve.unlisted([image])
        elif (subset := SUBSETS[parts[image.name]]) is None:
            tests += 1
        else:
            rows.append((*image, subset, classes[image.name]))
    return in_order(pd.DataFrame(rows, columns=[*Range._fields, "subset", "class_id"])), tests


def _faces(places: Sequence[Path]) -> Path | None:
    """The folder that holds images, else the zip, else a folder of that name."""
    folder, packed = _folder(places), first_of(ZIP, places)
    return folder if folder and (packed is None or holds_images(folder)) else packed


def _folder(places: Sequence[Path]) -> Path | None:
    """The folder of images; some programs unpack it into another of the same name."""
    return first_with_images([place / FOLDER / inner for place in places for inner in (FOLDER, "")])


def _list(name: str, places: Sequence[Path]) -> Path | None:
    """A list as its authors have it, or Kaggle's."""
    return first_of(name, places) or first_of(TABLES[name], places)


def _missing(root: Path, name: str, parts: Collection[str]) -> UserError:
    found = misplaced(root, root / FOLDER, parts)
    return UserError(f"{lacks_all('celeba', root, name)}{found and f'; {found}'}")


def _zipped(faces: Path, sieve: Sieve) -> list[Range]:
    called = faces.relative_to(sieve.root).as_posix()
    images = (sieve.member(faces, entry, called) for entry in members(faces))
    return [image for image in images if image]


def _classes(
    file: Path | None, root: Path, parts: dict[str, str], attribute: str | None
) -> tuple[dict[str, str], str]:
    """Image -> its class, and a line about attributes."""
    if file is None:
        if attribute:
            raise UserError(f"{root} holds no {ATTRIBUTES}, and data.attribute is {attribute}; put it there")
        return dict.fromkeys(parts, FACE), f"no {ATTRIBUTES}"
    names, rows = read_attributes(file, parts)
    attributes = f"{file.name}: {len(names)} attributes of {len(rows):,} images"
    if attribute is None:
        return dict.fromkeys(parts, FACE), f"{attributes}, which no class follows from"
    if attribute not in names or is_no_name(attribute):
        raise UserError(f"{file} has no attribute {attribute}, but {', '.join(names)}; name one of these")
    column = names.index(attribute)
    classes = {
        name: attribute if values[column] == "1" else f"not_{attribute}" for name, values in rows.items()
    }
    return classes, f"{attributes}; classes are by {attribute}"


def _told_empty(root: Path, places: Sequence[Path], faces: Path) -> Iterator[str]:
    if faces.name == ZIP and (folder := _folder(places)):
        yield f"{folder.relative_to(root)}/ holds no images, so {ZIP} is read"


def _told(parts: dict[str, str], tests: int) -> Iterator[str]:
    yield f"{PARTITION}: {told(len(parts), PUBLISHED)}"
    yield f"{tests:,} images are for tests, and nothing reads them"


def _official(parts: dict[str, str], classes: dict[str, str]) -> dict[str, dict[str, int]]:
    """How many images of each class and subset the partition names."""
    counts: dict[str, dict[str, int]] = {"train": {}, "held_out": {}}
    found = Counter((SUBSETS[part], classes[name]) for name, part in parts.items())
    for (subset, class_id), count in sorted((key, count) for key, count in found.items() if key[0]):
        counts[str(subset)][class_id] = count
    return counts
