"""What sources with captions share: lists of images, files of sentences, and classes for zero-shot learning.

The sources name their images in files of their own. What a list names and the disk lacks is a wrong count,
what the disk has and no list names is passed over. Whatever is wrong with captions is said at once.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from centigan.data.sources.caption_files import read_captions
from centigan.data.sources.folders import evenly_spaced
from centigan.data.sources.listing import Listing, Range, Subset
from centigan.data.sources.places import none_found
from centigan.data.sources.sift import Sieve
from centigan.data.sources.texts import lines_of
from centigan.errors import UserError, plural
from centigan.image_names import is_hidden

MOST_NAMED = 5  # faults in an error's one line; source.json lists all
TEXT = "text_c10"  # folder of the captions by Reed and others, ten an image
SEEN_CLASSES, UNSEEN_CLASSES = "trainvalclasses.txt", "testclasses.txt"


class Listed(NamedTuple):
    """An image that a source's own files name; `folder` lies below the root, "." is the root."""

    folder: str
    name: str
    class_id: str
    subset: Subset

    @property
    def key(self) -> str:
        """Which file of captions is its own."""
        return key_of(self.class_id, self.name)


def key_of(class_id: str, name: str) -> str:
    """<class>/<image without its ending>."""
    return f"{class_id}/{Path(name).stem}"


def refuse(faults: Sequence[str], advice: str = "") -> None:
    """Raise one error for all faults; none for none.

    Args:
        advice: what to do about all of them.

    Raises:
        UserError: naming the first few, and how many more there are.
    """
    if faults:
        raise UserError(f"{first_named(faults)}{advice and f'; {advice}'}")


def first_named(faults: Sequence[str], most: int = MOST_NAMED) -> str:
    """The first of them, and how many more there are."""
    more = f"; and {len(faults) - most} more" if len(faults) > most else ""
    return "; ".join(faults[:most]) + more


def gather(root: Path, listed: Sequence[Listed], sieve: Sieve) -> pd.DataFrame:
    """Those of the listed images that are there, as a Listing has them."""
    folders: dict[str, dict[str, Listed]] = {}
    for one in listed:
        folders.setdefault(one.folder, {})[one.name] = one
    rows = []
    for folder, named in folders.items():
        images = sieve.images_in(root / folder) if (root / folder).is_dir() else []
        rows += [
            (*image, named[image.name].subset, named[image.name].class_id)
            for image in images
            if image.name in named
        ]
        sieve.unlisted(image for image in images if image.name not in named)
    frame = pd.DataFrame(rows, columns=[*Range._fields, "subset", "class_id"])
    return frame.sort_values(["class_id", "subset", "name"], ascending=[True, False, True], ignore_index=True)


def listing_of(
    source: str,
    root: Path,
    listed: Sequence[Listed],
    places: Sequence[Path],
    *,
    named_in: str,
    published: int,
    classes: Sequence[str],
    unseen: Sequence[str],
    words: dict[str, str] | None = None,
) -> Listing:
    """The Listing of a source whose captions, where there are any, lie in a folder TEXT of these places.

    Args:
        named_in: the file that names the images.
        published: how many they should be.

    Raises:
        UserError: as of `with_captions`, and for a part of which no image is there.
    """
    sieve = Sieve(root)
    images = gather(root, listed, sieve)
    lost = {one.subset for one in listed}.difference(images["subset"])
    if lost and not sieve.rejected:  # which tell more
        folder = next(one.folder for one in listed if one.subset in lost)
        names = [one.name for one in listed if one.folder == folder]
        raise UserError(none_found(root, root / folder, names, Path(named_in)))
    found = [f"{named_in}: {told(len(listed), published)}, of {len(classes)} {plural('class', len(classes))}"]
    if text := first_of(TEXT, places):
        if not text.is_dir():
            raise UserError(f"{text} is a file, and a folder of captions is expected; unpack it anew")
        images = with_captions(images, text, {one.key for one in listed})
    found.append(f"{TEXT}/: captions of each image" if text else f"no {TEXT}/, so no captions")
    return Listing(
        source=source,
        found=found,
        classes=list(classes),
        images=images,
        words=words or {},
        official=official_of(listed),
        published=published,
        rejected=sieve.rejected,
        passed_over=sieve.passed_over,
        unseen=tuple(unseen),
    )


def official_of(listed: Sequence[Listed]) -> dict[str, dict[str, int]]:
    """How many images of each class and subset the source names."""
    counts: dict[str, dict[str, int]] = {"train": {}, "held_out": {}}
    for (subset, class_id), count in sorted(Counter((one.subset, one.class_id) for one in listed).items()):
        counts[subset][class_id] = count
    return counts


def told(count: int, published: int) -> str:
    """How many images a list names, against what was published."""
    return f"{count:,} {plural('image', count)}, " + (
        "as published" if count == published else f"{published:,} were published"
    )


def with_captions(images: pd.DataFrame, text: Path, known: Collection[str] = ()) -> pd.DataFrame:
    """The images with a column `captions`, of text/<class>/<image>.txt: a sentence a line, in lower case.

    Args:
        known: keys of further images that may have captions, such as those that are not there.

    Raises:
        UserError: naming files without a sentence, images without a file, and files without an image.
    """
    keys = [key_of(*row) for row in zip(images["class_id"], images["name"], strict=True)]
    there = {f"{file.parent.name}/{file.stem}" for file in text.glob("*/*.txt") if not is_hidden(file.name)}
    faults: list[str] = []
    captions = read_captions((text / f"{key}.txt" for key in keys if key in there), faults)
    refuse(
        [f"{text / key}.txt is missing: its image has no captions" for key in keys if key not in there]
        + faults
        + [
            f"{text / key}.txt has captions of an image that is not there"
            for key in sorted(there.difference(keys, known))
        ]
    )
    return images.assign(
        captions=pd.Series([captions[text / f"{key}.txt"] for key in keys], images.index, object)
    )


def first_of(name: str, places: Sequence[Path]) -> Path | None:
    """Where a file or folder lies that may be in several places."""
    return next((place / name for place in places if (place / name).exists()), None)


def unseen_classes(places: Sequence[Path], classes: Collection[str]) -> tuple[str, ...] | None:
    """The classes that only tests may show, by the two lists of classes; None where those do not lie there.

    Raises:
        UserError: for one list without the other, and lists that do not divide the classes.
    """
    files = [first_of(name, places) for name in (SEEN_CLASSES, UNSEEN_CLASSES)]
    if files == [None, None]:
        return None
    faults, named = [], Counter[str]()
    lists: list[list[str]] = []
    for name, file in zip((SEEN_CLASSES, UNSEEN_CLASSES), files, strict=True):
        if file is None:
            raise UserError(f"{places[0] / name} is missing, and the other list of classes is there")
        lists.append([line.strip() for line in lines_of(file) if line.strip()])
        named.update(lists[-1])
        faults += [f"{file} names class {one}, which is none" for one in lists[-1] if one not in classes]
    faults += [
        f"class {one} is {'twice' if named[one] else 'not'} in {files[0]} and {UNSEEN_CLASSES}"
        for one in classes
        if named[one] != 1
    ]
    refuse(faults)
    return tuple(sorted(lists[1]))


def apart(names: Sequence[tuple[str, str]], share: float) -> dict[tuple[str, str], Subset]:
    """The subset of each image (class, name): this share of each class is held out, evenly by name."""
    of_class: dict[str, list[str]] = {}
    for class_id, name in sorted(names):
        of_class.setdefault(class_id, []).append(name)
    found: dict[tuple[str, str], Subset] = dict.fromkeys(names, "train")
    for class_id, own in of_class.items():
        for row in evenly_spaced(len(own), share) if len(own) > 1 else []:
            found[class_id, own[row]] = "held_out"
    return found
