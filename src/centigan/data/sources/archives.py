"""ILSVRC2012 as published: 1000 tars within one tar, read by offset, and the devkit beside them.

https://image-net.org/challenges/LSVRC/2012
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

import pandas as pd
from tqdm import tqdm

from centigan.data.by_hand import lacks_all
from centigan.data.sources.devkit import ARCHIVE, FOLDER, Devkit, require_devkit
from centigan.data.sources.listing import Listing, Range, class_frame, printable
from centigan.data.sources.sift import Sieve
from centigan.data.sources.tars import Member, members
from centigan.errors import UserError
from centigan.image_names import is_hidden

TRAIN = "ILSVRC2012_img_train.tar"
VALIDATION = "ILSVRC2012_img_val.tar"
BELONG = {TRAIN, VALIDATION, ARCHIVE, FOLDER}


def list_archives(root: Path) -> Listing:
    """The images within root's two archives.

    Raises:
        UserError: for a missing, damaged or incomplete archive, a class missing or doubled.
    """
    if not any((root / name).exists() for name in BELONG):
        raise lacks_all("archives", root, f"{TRAIN}, ILSVRC2012's archives")
    devkit = require_devkit(root)
    for name in (TRAIN, VALIDATION):
        if not (root / name).is_file():
            raise UserError(f"{root / name} is missing; put ILSVRC2012's archive there, as it is")
    sieve = Sieve(root)
    sieve.outside(root, BELONG)
    inner = _inner_tars(root / TRAIN, devkit, sieve)
    train = _training_images(root / TRAIN, inner, sieve)
    held_out = _validation_images(root / VALIDATION, devkit, sieve)
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
        rejected=sieve.rejected,
        passed_over=sieve.passed_over,
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


def _inner_tars(path: Path, devkit: Devkit, sieve: Sieve) -> dict[str, Member]:
    """Class -> its tar within the training archive, in sorted order."""
    found: dict[str, Member] = {}
    for member in members(path):
        name = PurePosixPath(member.name)
        if is_hidden(name.name) or name.suffix.lower() not in {".tar", ""}:
            sieve.member_outside(path, member)
            continue
        wnid = name.stem
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


def _training_images(path: Path, inner: dict[str, Member], sieve: Sieve) -> list[pd.DataFrame]:
    frames = []
    for wnid, tar in tqdm(inner.items(), desc="index train", unit="class", disable=None):
        entries = members(path, tar.offset, tar.size, f"{wnid}.tar in {path}")
        images = _images(entries, path, f"{path.name}/{wnid}.tar", sieve)
        frames.append(class_frame(images, "train", wnid))
    return frames


def _validation_images(path: Path, devkit: Devkit, sieve: Sieve) -> list[pd.DataFrame]:
    by_class: dict[str, list[Range]] = {wnid: [] for wnid in devkit.wnids}
    entries = tqdm(members(path), desc="index val", unit="image", disable=None)
    for image in _images(entries, path, path.name, sieve):
        by_class[devkit.validation_class(validation_position(image.name))].append(image)
    return [class_frame(images, "held_out", wnid) for wnid, images in sorted(by_class.items())]


def _images(entries: Iterable[Member], path: Path, called: str, sieve: Sieve) -> Iterator[Range]:
    found = (sieve.member(path, entry, called) for entry in entries)
    return (image for image in found if image is not None)
