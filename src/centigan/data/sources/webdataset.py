"""WebDataset: tars in which the files of a sample have one name and different endings, read in place.

A sample is an image (`.jpg`, `.png`, `.webp`, ...) and `.cls`, its label as a whole number; a `.json` beside
may tell `wnid` or `class_name`. As in the format's own library the key is the name up to the first dot of its
last part. A key is there once in all files of a subset; an image is named by it. Other files are passed over.

Classes are named by WordNet ids of the keys, else by `classnames.txt` or `dataset_info.json` in the root,
else by the `.json` of each label's first sample, else by their labels.

https://github.com/webdataset/webdataset
"""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from tqdm import tqdm

from centigan.data.sources.class_names import INFO, NAMES, name_classes, names_beside, published_name
from centigan.data.sources.listing import Listing, Range, Subset, in_order, printable, require_plain
from centigan.data.sources.shards import find_shards
from centigan.data.sources.sift import Sieve
from centigan.data.sources.tars import Member, members
from centigan.errors import UserError, plural
from centigan.image_names import is_hidden, kind_of

ENDING = ".tar"
BELONG = {NAMES, INFO, "info", "_info.json", "README.md"}
MOST_DIGITS = 9  # of a label
TOLD = ("wnid", "class_name", "classname")  # in the .json of a sample, the first that is there


class Sample(NamedTuple):
    """The members of a key, as far as they are read."""

    image: Range | None
    label: int | None
    about: Member | None


@dataclass
class Read:
    """What was read of a subset: its images, their labels, and what the first .json of each label tells."""

    images: list[Range] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    told: dict[int, str] = field(default_factory=dict)


def list_webdataset(root: Path) -> Listing:
    """The images within the tars at root.

    Raises:
        UserError: for a tar that is missing or damaged, a sample without a label or an image, or there twice.
    """
    shards = find_shards(root, ENDING)
    sieve = Sieve(root)
    sieve.outside(root, shards.belong | BELONG)
    frames = {subset: _read(paths, subset, sieve) for subset, paths in shards.of.items()}
    training, told = frames["train"]
    images = pd.concat([frame for frame, _ in frames.values()], ignore_index=True)
    labels = sorted(images["label"].unique().tolist())
    names = names_beside(root) or _names_told(told, labels)
    if names and labels and labels[-1] >= len(names):
        image = images.iloc[images["label"].argmax()]
        raise UserError(f"{image['path']}: {image['name']} has label {labels[-1]} of {len(names)} classes")
    classes = name_classes(training, labels, names)
    images["class_id"] = images.pop("label").map(classes.ids)
    return Listing(
        source="WebDataset",
        found=[
            f"{subset}: {len(paths):,} {plural('tar', len(paths))}, {len(frames[subset][0]):,} samples"
            for subset, paths in shards.of.items()
        ],
        classes=sorted(classes.ids.values()),
        images=in_order(images),
        words=classes.words,
        rejected=sieve.rejected,
        passed_over=sieve.passed_over,
    )


def _read(paths: Iterable[Path], subset: Subset, sieve: Sieve) -> tuple[pd.DataFrame, dict[int, str]]:
    read = Read()
    for path in tqdm(paths, desc=f"index {subset}", unit="tar", disable=None):
        _read_shard(path, read, sieve)
    frame = pd.DataFrame(read.images, columns=Range._fields).assign(label=read.labels, subset=subset)
    twice = frame[frame.duplicated("name", keep=False)].sort_values("name", kind="stable")
    if len(twice):
        first, second = twice["path"].iloc[:2]
        raise UserError(f"{second} holds sample {Path(twice['name'].iloc[0]).stem}, as {first} does")
    return frame, read.told


def _read_shard(path: Path, read: Read, sieve: Sieve) -> None:
    require_plain(path)
    file = os.open(path, os.O_RDONLY)
    try:
        samples = _samples(path, file, sieve)
        if not samples:
            raise UserError(f"{path} holds no samples; fetch it anew")
        for key, sample in samples.items():
            if sample.label is None:
                raise UserError(f"{path}: sample {printable(key)} has no label, {key}.cls; fetch it anew")
            if sample.image is None:
                continue
            read.images.append(sample.image)
            read.labels.append(sample.label)
            if sample.about and sample.label not in read.told:
                read.told[sample.label] = _told(path, file, sample.about)
    finally:
        os.close(file)


def _samples(path: Path, file: int, sieve: Sieve) -> dict[str, Sample]:
    """Key -> sample, of the keys that have a picture."""
    found: dict[str, Sample] = {}
    pictured = set()
    for member in members(path):
        key, ending = _parted(member.name)
        sample = found.get(key, Sample(None, None, None))
        if is_hidden(member.name.rpartition("/")[2] or "."):
            sieve.member_outside(path, member)
        elif ending == "cls":
            _require_first(sample.label is None, path, member)
            found[key] = sample._replace(label=_label(path, file, member))
        elif ending == "json":
            found[key] = sample._replace(about=member)
        elif kind_of(member.name) in {"image", "unread image"} and "." not in ending:
            _require_first(key not in pictured, path, member)
            pictured.add(key)
            if image := sieve.member(path, member, path.name):
                name = published_name(f"{key.replace('/', '_')}.{ending}")
                found[key] = sample._replace(image=image._replace(name=name))
        else:
            sieve.member_outside(path, member)
    alone = next(
        (key for key, sample in found.items() if key not in pictured and sample.label is not None), None
    )
    if alone is not None:
        raise UserError(f"{path}: sample {printable(alone)} has a label and no image; fetch it anew")
    return {key: sample for key, sample in found.items() if key in pictured}


def _parted(name: str) -> tuple[str, str]:
    """Key and ending of a member: folder/0001.seg.png has folder/0001 and seg.png."""
    folder, slash, last = name.removeprefix("./").rpartition("/")
    key, _, ending = last.partition(".")
    return f"{folder}{slash}{key}", ending.lower()


def _require_first(first: bool, path: Path, member: Member) -> None:
    if not first:
        raise UserError(f"{path} holds {printable(member.name)} as a second one of its sample; fetch it anew")


def _label(path: Path, file: int, member: Member) -> int:
    text = os.pread(file, min(member.size, MOST_DIGITS + 2), member.offset).strip()
    if member.fault or not text.isdigit() or len(text) > MOST_DIGITS:
        told = text.decode("ascii", "backslashreplace")
        raise UserError(f"{path}: {printable(member.name)} holds {told!r}, not a label 0, 1, ...")
    return int(text)


def _told(path: Path, file: int, about: Member) -> str:
    """The name of a class by a sample's .json; empty where it has none."""
    try:
        record = json.loads(os.pread(file, about.size, about.offset))
    except ValueError as error:  # no UTF-8, no JSON
        raise UserError(f"{path}: {printable(about.name)} cannot be read: {error}; fetch it anew") from None
    found = (record.get(key) for key in TOLD) if isinstance(record, dict) else ()
    return next((name for name in found if isinstance(name, str)), "")


def _names_told(told: dict[int, str], labels: list[int]) -> list[str]:
    """Names of the labels 0, 1, ..., where all of them were told."""
    return (
        [told[label] for label in labels]
        if labels == list(range(len(labels))) and all(map(told.get, labels))
        else []
    )
