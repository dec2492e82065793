"""Captions of COCO (Chen et al. 2015), of 2014 or 2017, as they are unpacked.

annotations/captions_train2014.json and captions_val2014.json name the images in train2014/ and val2014/ (or
these two in images/), and what people said of each. There are no classes: all images are of one, `image`.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from centigan.data.sources.captioned import Listed, gather, official_of, refuse, told
from centigan.data.sources.coco_annotations import Annotations, read_annotations
from centigan.data.sources.listing import Listing, Subset
from centigan.data.sources.places import first_with_images, none_found
from centigan.data.sources.sift import Sieve

CLASS = "image"
SUBSETS: dict[str, Subset] = {"train": "train", "val": "held_out"}
PLACES = ("", "images/")  # of the folders of images; the second is that of many detectors
PUBLISHED = {  # images
    "2014": {"train": 82_783, "val": 40_504},
    "2017": {"train": 118_287, "val": 5_000},
}


class Part(NamedTuple):
    """One of COCO's two parts: what its annotations say, and where its images lie, or should."""

    subset: Subset
    file: Path
    said: Annotations
    folder: Path
    others: list[Path]  # folders of the same part of other years


def annotations(root: Path, part: str, year: str) -> Path:
    """The file of a part, "train" or "val"."""
    return root / f"annotations/captions_{part}{year}.json"


def list_coco_captions(root: Path) -> Listing:
    """All images under `root` that the annotations name, with their captions.

    Raises:
        UserError: for a file that is missing or damaged, images without captions, captions without an image,
            images of both parts, and a part of which no image is there.
    """
    year = _year(root)
    faults: list[str] = []
    parts = {name: _part(root, name, year, faults) for name in SUBSETS}
    refuse([*faults, *_in_both(parts["train"], parts["val"])])
    listed: list[Listed] = []
    captions: dict[tuple[Subset, str], list[str]] = {}
    for part in parts.values():
        folder = part.folder.relative_to(root).as_posix()
        listed += [Listed(folder, name, CLASS, part.subset) for name in part.said.captions]
        captions |= {(part.subset, name): lines for name, lines in part.said.captions.items()}
    sieve = Sieve(root)
    images = gather(root, listed, sieve)
    refuse(list(_without_images(root, parts.values(), images, sieve)))
    of_each = [captions[key] for key in zip(images["subset"], images["name"], strict=True)]
    return Listing(
        source="COCO captions",
        found=[
            f"{part.file.name}: {told(len(part.said.captions), PUBLISHED[year][name])}, in "
            f"{part.folder.relative_to(root)}/"
            for name, part in parts.items()
        ],
        classes=[CLASS],
        images=images.assign(captions=pd.Series(of_each, images.index, object)),
        official=official_of(listed),
        published=sum(PUBLISHED[year].values()),
        rejected=sieve.rejected,
        passed_over=sieve.passed_over,
    )


def _year(root: Path) -> str:
    """That of the annotations which lie there; of both, the first whose images do."""
    years = [year for year in PUBLISHED if annotations(root, "train", year).exists()]
    shown = [year for year in years if any((root / f"{place}train{year}").is_dir() for place in PLACES)]
    return next(iter((*shown, *years)), next(iter(PUBLISHED)))


def _part(root: Path, name: str, year: str, faults: list[str]) -> Part:
    """A part; what is wrong with its annotations is added to `faults`."""
    file = annotations(root, name, year)
    folders = {one: [root / f"{place}{name}{one}" for place in PLACES] for one in PUBLISHED}
    own = folders.pop(year)
    others = [folder for of_year in folders.values() for folder in of_year]
    said = read_annotations(file, faults)
    return Part(SUBSETS[name], file, said, first_with_images(own) or own[0], others)


def _in_both(train: Part, val: Part) -> Iterator[str]:
    """What to say of images that both parts name, by file name or id."""
    for what, both in (
        ("file names", sorted(train.said.captions.keys() & val.said.captions.keys())),
        ("ids", sorted(train.said.names.keys() & val.said.names.keys())),
    ):
        if both:
            yield (
                f"{val.file} has {len(both):,} {what} of images that {train.file.name} has, too, the first "
                f"{both[0]}: what is trained on cannot be held out; unpack COCO's annotations anew"
            )


def _without_images(root: Path, parts: Iterable[Part], images: pd.DataFrame, sieve: Sieve) -> Iterator[str]:
    """What to say of parts of which no image is there, not even one that cannot be used."""
    paths = [*images["path"], *(one.name for one in sieve.rejected)]
    there = {Path(path).parent for path in paths}
    for part in parts:
        if part.said.captions and part.folder not in there:
            yield none_found(root, part.folder, part.said.captions, part.file, part.others)
