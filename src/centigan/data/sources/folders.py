"""Folders of class folders: torchvision's layout of ImageNet, any other, and those that ship with us."""

import errno
import os
import stat
from math import ceil
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from centigan.data.sources.archives import official_counts
from centigan.data.sources.devkit import read_devkit
from centigan.data.sources.listing import (
    Listing,
    Range,
    Rejected,
    Subset,
    class_frame,
    printable,
    unusable,
)
from centigan.errors import UserError

SUBSETS: dict[str, Subset] = {"train": "train", "val": "held_out"}  # folder -> the index's name


def list_folders(root: Path) -> Listing:
    """root/train/<class>/* and root/val/<class>/*; a devkit beside them tells words, order and counts.

    Raises:
        UserError: for a missing folder or a class of one side only.
    """
    found = {folder: class_folders(root / folder) for folder in SUBSETS}
    one_sided = sorted(set(found["train"]) ^ set(found["val"]))
    if one_sided:
        raise UserError(f"class {one_sided[0]} of {root} is in only one of train/ and val/")
    rejected: list[Rejected] = []
    frames = []
    for class_id in tqdm(found["train"], desc="index", unit="class", disable=None):
        for folder, subset in SUBSETS.items():
            frames.append(class_frame(images_in(root / folder / class_id, rejected), subset, class_id))
    devkit = read_devkit(root)
    return Listing(
        source="folders train/ and val/",
        found=[f"{folder}/: {len(classes):,} class folders" for folder, classes in found.items()],
        classes=found["train"],
        images=pd.concat(frames, ignore_index=True),
        words=devkit.words if devkit else {},
        devkit_order=devkit.wnids if devkit else (),
        official=official_counts(devkit) if devkit else {},
        rejected=rejected,
    )


def list_class_folders(root: Path, held_out: float) -> Listing:
    """root/<class>/*; of each class's images, sorted by name, every (1 / held_out)-th is held out.

    Raises:
        UserError: for a class of fewer than two images.
    """
    rejected: list[Rejected] = []
    frames = []
    classes = class_folders(root)
    for class_id in tqdm(classes, desc="index", unit="class", disable=None):
        images = sorted(images_in(root / class_id, rejected), key=lambda image: image.name)
        if len(images) < 2:
            raise UserError(
                f"class folder {root / class_id} needs two images at least: one of them is held out"
            )
        apart = set(evenly_spaced(len(images), held_out))
        frames += [
            class_frame((image for row, image in enumerate(images) if row not in apart), "train", class_id),
            class_frame((image for row, image in enumerate(images) if row in apart), "held_out", class_id),
        ]
    return Listing(
        source="class folders",
        found=[f"{len(classes):,} class folders, {held_out:.0%} of each held out"],
        classes=classes,
        images=pd.concat(frames, ignore_index=True),
        rejected=rejected,
    )


def evenly_spaced(count: int, share: float) -> list[int]:
    """Rows to hold out of `count`: the share of them, one at least and not all, evenly spaced."""
    number = min(max(1, round(count * share)), count - 1)
    return [ceil(step * count / number) for step in range(number)]


def class_folders(root: Path) -> list[str]:
    """Sorted names of the folders in `root`.

    Raises:
        UserError: when root is no folder, holds none, or one whose name cannot be written down.
    """
    try:
        names = sorted(child.name for child in root.iterdir() if child.is_dir() and child.name[0] != ".")
    except NotADirectoryError:
        raise UserError(f"{root} is a file; a folder of class folders is expected") from None
    except FileNotFoundError:
        raise UserError(
            f"{root} is missing: `data.root` must hold train/<class>/* and val/<class>/*"
        ) from None
    if not names:
        raise UserError(f"{root} holds no class folders")
    for name in names:
        if fault := unusable(name, 0):
            raise UserError(f"class folder {printable(str(root / name))} {fault}")
    return names


def images_in(folder: Path, rejected: list[Rejected]) -> list[Range]:
    """Every visible file of a folder; what cannot be an image is added to `rejected`."""
    images = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name[0] == ".":
                continue
            match _look_at(entry):
                case Rejected() as fault:
                    rejected.append(fault)
                case image:
                    images.append(image)
    return images


def _look_at(entry: os.DirEntry[str]) -> Range | Rejected:
    """What lies in a folder, without opening it: a pipe would keep whoever opens it waiting."""
    path = printable(entry.path)
    try:
        status = entry.stat()
    except (FileNotFoundError, NotADirectoryError):
        return Rejected(path, "is a link to nothing")
    except OSError as error:
        if error.errno != errno.ELOOP:  # the machine's trouble: permission, a failing disk
            raise
        return Rejected(path, "is a link to itself")
    if not stat.S_ISREG(status.st_mode):
        return Rejected(path, "is no plain file")
    fault = unusable(entry.name, status.st_size)
    return Rejected(path, fault) if fault else Range(entry.path, 0, status.st_size, entry.name)
