"""Folders of class folders: torchvision's layout of ImageNet, any other, and those that ship with us."""

from collections.abc import Collection
from math import ceil
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from centigan.data.sources import passed_over
from centigan.data.sources.archives import official_counts
from centigan.data.sources.devkit import ARCHIVE, FOLDER, read_devkit
from centigan.data.sources.listing import Listing, Subset, class_frame, printable, unusable
from centigan.data.sources.sift import Sieve
from centigan.errors import UserError, plural

TRAIN = "train"
HELD_OUT = (
    "val",
    "valid",
    "validation",
    "test",
)  # folders that may be held out: the first with class folders
BELONG = {TRAIN, ARCHIVE, FOLDER, "manifest.json"}  # the last beside the data sets that ship with us


def list_folders(root: Path, beside: Collection[str] = ()) -> Listing:
    """root/train/<class>/* and root/val/<class>/*; a devkit beside them tells words, order and counts.

    Held out may also lie in valid/, validation/ or test/; of several the first of `HELD_OUT` is taken, and
    what the others hold is passed over.

    Args:
        beside: names in the root that belong there, too.

    Raises:
        UserError: for a missing folder or a class of one side only.
    """
    if not root.is_dir():
        class_folders(root, Sieve(root))  # says so
    sieve = Sieve(root)
    held_out = held_out_folder(root) or HELD_OUT[0]  # which is then said to be missing
    sieve.outside(root, BELONG.union(beside, [held_out]))
    subsets: dict[str, Subset] = {TRAIN: "train", held_out: "held_out"}
    found = {folder: class_folders(root / folder, sieve) for folder in subsets}
    _require_both_sides(root, found, sieve)
    frames = []
    for class_id in tqdm(found[TRAIN], desc="index", unit="class", disable=None):
        for folder, subset in subsets.items():
            frames.append(class_frame(sieve.images_in(root / folder / class_id), subset, class_id))
    devkit = read_devkit(root)
    return Listing(
        source=f"folders train/ and {held_out}/",
        found=[
            f"{folder}/: {len(classes):,} {plural('class folder', len(classes))}"
            for folder, classes in found.items()
        ],
        classes=found[TRAIN],
        images=pd.concat(frames, ignore_index=True),
        words=devkit.words if devkit else {},
        devkit_order=devkit.wnids if devkit else (),
        official=official_counts(devkit) if devkit else {},
        rejected=sieve.rejected,
        passed_over=sieve.passed_over,
    )


def _require_both_sides(root: Path, found: dict[str, list[str]], sieve: Sieve) -> None:
    train, held_out = found
    one_sided = sorted(set(found[train]) ^ set(found[held_out]))
    if one_sided:
        there, lacking = (train, held_out) if one_sided[0] in found[train] else (held_out, train)
        more = f", and {len(one_sided) - 1} more are on one side" if len(one_sided) > 1 else ""
        raise UserError(
            f"class {one_sided[0]} of {root} is in {there}/ and not in {lacking}/{more}; add its folder "
            f"there, or move it away{passed_over.of_class(sieve.passed_over, one_sided[0])}"
        )


def held_out_folder(root: Path) -> str | None:
    """The first of `HELD_OUT` with folders in it, else the first that is there, if any."""
    there = [name for name in HELD_OUT if (root / name).is_dir()]
    return next((name for name in there if holds_folders(root / name)), there[0] if there else None)


def has_subsets(root: Path) -> bool:
    """Whether images to train on, or held-out ones, lie apart."""
    return any(holds_folders(root / name) for name in (TRAIN, *HELD_OUT))


def holds_folders(folder: Path) -> bool:
    """Whether it is a set of classes; a class that is called "train" holds images."""
    return folder.is_dir() and any(entry.is_dir() for entry in folder.iterdir())


def list_class_folders(root: Path, held_out: float) -> Listing:
    """root/<class>/*; of each class's images, sorted by name, every (1 / held_out)-th is held out.

    Raises:
        UserError: for a class of fewer than two images.
    """
    sieve = Sieve(root)
    frames, poor = [], []
    classes = class_folders(root, sieve)
    for class_id in tqdm(classes, desc="index", unit="class", disable=None):
        images = sieve.images_in(root / class_id)
        if len(images) < 2:
            poor.append(class_id)
        apart = set(evenly_spaced(len(images), held_out))
        frames += [
            class_frame((image for row, image in enumerate(images) if row not in apart), "train", class_id),
            class_frame((image for row, image in enumerate(images) if row in apart), "held_out", class_id),
        ]
    if poor:
        more = f"; and so do {', '.join(poor[1:])}" if poor[1:] else ""
        raise UserError(
            f"class folder {root / poor[0]} needs two images at least: one of them is held out{more}"
            f"{passed_over.of_class(sieve.passed_over, poor[0])}"
        )
    return Listing(
        source="class folders",
        found=[
            f"{len(classes):,} {plural('class folder', len(classes))}, {held_out:.0%} of each held out",
            *_beside(root),
        ],
        classes=classes,
        images=pd.concat(frames, ignore_index=True),
        rejected=sieve.rejected,
        passed_over=sieve.passed_over,
    )


def _beside(root: Path) -> list[str]:
    """A line for held-out classes that lie beside `root`, and are not read."""
    beside = held_out_folder(root.parent) if root.name == TRAIN else None
    if beside is None or not holds_folders(root.parent / beside):
        return []
    return [f"{root.parent / beside} lies beside and is not read: data.root: {root.parent} would hold it out"]


def evenly_spaced(count: int, share: float) -> list[int]:
    """Rows to hold out of `count`: the share of them, one at least and not all, evenly spaced."""
    number = min(max(1, round(count * share)), count - 1)
    return [ceil(step * count / number) for step in range(number)]


def class_folders(root: Path, sieve: Sieve) -> list[str]:
    """Sorted names of the class folders in `root`; what else lies there is passed over.

    Raises:
        UserError: when root is no folder, holds none, or one whose name cannot be written down.
    """
    try:
        names = sieve.folders_in(root)
    except NotADirectoryError:
        raise UserError(f"{root} is a file; a folder of class folders is expected") from None
    except FileNotFoundError:
        state = "is a link to nothing" if root.is_symlink() else "is missing"
        if root.name == HELD_OUT[0] and root.parent.is_dir():  # of no name that may be held out
            state += f", and so are {', '.join(f'{name}/' for name in HELD_OUT[1:])}"
        expected = "`data.root` is a folder of class folders, or holds train/<class>/ and val/<class>/"
        raise UserError(f"{root} {state}; {expected}") from None
    if not names:
        raise UserError(f"{root} holds no class folders{passed_over.all_of(sieve.passed_over)}")
    for name in names:
        if fault := unusable(name, 0):
            raise UserError(f"class folder {printable(str(root / name))} {fault}")
    return names
