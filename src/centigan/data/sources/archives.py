"""ILSVRC2012 as published: 1000 tars within one tar, read by offset, and the devkit beside them.

https://image-net.org/challenges/LSVRC/2012
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import pandas as pd
from tqdm import tqdm

from centigan.data.sources.devkit import Devkit, require_devkit
from centigan.data.sources.listing import Listing, Range, Rejected, class_frame, printable, unusable
from centigan.data.sources.tars import Member, members
from centigan.errors import UserError

TRAIN = "ILSVRC2012_img_train.tar"
VALIDATION = "ILSVRC2012_img_val.tar"


def list_archives(root: Path) -> Listing:
    """The images within root's two archives.

    Raises:
        UserError: for a missing, damaged or incomplete archive, a class missing or doubled.
    """
    devkit = require_devkit(root)
    for name in (TRAIN, VALIDATION):
        if not (root / name).is_file():
            raise UserError(f"{root / name} is missing; put ILSVRC2012's archive there, as it is")
    rejected: list[Rejected] = []
    inner = _inner_tars(root / TRAIN, devkit)
    train = _training_images(root / TRAIN, inner, rejected)
    held_out = _validation_images(root / VALIDATION, devkit, rejected)
    return Listing(
        source="ILSVRC2012 archives",
        found=[
            f"{TRAIN}: {len(inner)} inner archives, {sum(map(len, train)):,} images",
            f"{VALIDATION}: {sum(map(len, held_out)):,} images",
            f"{devkit.place.name}: {len(devkit.wnids)} classes, {len(devkit.truth):,} validation labels",
        ],
        classes=list(inner),
        images=pd.concat(train + held_out, ignore_index=True),
        words=devkit.words,
        devkit_order=devkit.wnids,
        official=official_counts(devkit),
        rejected=rejected,
        checksummed=True,
    )


def official_counts(devkit: Devkit) -> dict[str, dict[str, int]]:
    """Images of each class that the devkit knows of, by subset."""
    held_out = Counter(devkit.validation_class(position) for position in range(len(devkit.truth)))
    return {"train": devkit.train_images, "held_out": dict(held_out)}


def validation_position(name: str) -> int:
    """Position of ILSVRC2012_val_00000001.JPEG among the labels: 0.

    Raises:
        UserError: for another kind of name.
    """
    number = PurePosixPath(name).stem.removeprefix("ILSVRC2012_val_")
    if not number.isascii() or not number.isdecimal() or int(number) == 0:
        raise UserError(
            f"{name} is no validation image of ILSVRC2012: ILSVRC2012_val_<number>.JPEG is expected"
        )
    return int(number) - 1


def _inner_tars(path: Path, devkit: Devkit) -> dict[str, Member]:
    """Class -> its tar within the training archive, in sorted order."""
    found: dict[str, Member] = {}
    for member in members(path):
        wnid = PurePosixPath(member.name).stem
        if wnid not in devkit.words or member.fault:
            fault = member.fault or "is the archive of no class of the devkit"
            raise UserError(f"{path}: {printable(member.name)} {fault}")
        if wnid in found:
            raise UserError(
                f"{path} holds {wnid}.tar twice, the second at byte {member.offset}; fetch it anew"
            )
        found[wnid] = member
    missing = sorted(set(devkit.words) - set(found))
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise UserError(f"{path} lacks {missing[0]}.tar{more}; fetch it anew")
    return dict(sorted(found.items()))


def _training_images(path: Path, inner: dict[str, Member], rejected: list[Rejected]) -> list[pd.DataFrame]:
    frames = []
    for wnid, tar in tqdm(inner.items(), desc="index train", unit="class", disable=None):
        entries = _usable(members(path, tar.offset, tar.size, f"{wnid}.tar in {path}"), path, rejected)
        frames.append(class_frame(entries, "train", wnid))
    return frames


def _validation_images(path: Path, devkit: Devkit, rejected: list[Rejected]) -> list[pd.DataFrame]:
    by_class: dict[str, list[Range]] = {wnid: [] for wnid in devkit.wnids}
    entries = _usable(tqdm(members(path), desc="index val", unit="image", disable=None), path, rejected)
    for image in entries:
        by_class[devkit.validation_class(validation_position(image.name))].append(image)
    return [class_frame(images, "held_out", wnid) for wnid, images in sorted(by_class.items())]


def _usable(entries: Iterable[Member], path: Path, rejected: list[Rejected]) -> list[Range]:
    """The members that are plain files; the others are added to `rejected`."""
    images = []
    for entry in entries:
        if fault := entry.fault or unusable(entry.name, entry.size):
            rejected.append(Rejected(printable(entry.name), fault))
        else:
            images.append(Range(path.as_posix(), entry.offset, entry.size, PurePosixPath(entry.name).name))
    return images
