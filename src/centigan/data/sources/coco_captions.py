"""Captions of COCO (Chen et al. 2015), of 2014 or 2017, as they are unpacked.

annotations/captions_train2014.json and captions_val2014.json name the images in train2014/ and val2014/, and
what people said of each. There are no classes: all images are of one, `image`.
"""

import json
import reprlib
from pathlib import Path
from typing import Any

import pandas as pd

from centigan.data.sources.caption_files import fault_of, sentence_of
from centigan.data.sources.captioned import (
    Listed,
    gather,
    official_of,
    refuse,
    told,
)
from centigan.data.sources.listing import Listing, Subset, printable
from centigan.data.sources.sift import Sieve
from centigan.errors import UserError

CLASS = "image"
SUBSETS: dict[str, Subset] = {"train": "train", "val": "held_out"}
PUBLISHED = {  # images
    "2014": {"train": 82_783, "val": 40_504},
    "2017": {"train": 118_287, "val": 5_000},
}


def annotations(root: Path, part: str, year: str) -> Path:
    """The file of a part, "train" or "val"."""
    return root / f"annotations/captions_{part}{year}.json"


def list_coco_captions(root: Path) -> Listing:
    """All images under `root` that the annotations name, with their captions.

    Raises:
        UserError: for a file that is missing or damaged, images without captions, captions without an image.
    """
    year = next((year for year in PUBLISHED if annotations(root, "train", year).exists()), "2014")
    listed: list[Listed] = []
    captions: dict[str, list[str]] = {}
    faults: list[str] = []
    found = []
    for part, subset in SUBSETS.items():
        file = annotations(root, part, year)
        own = _read(file, faults)
        listed += [Listed(f"{part}{year}", name, CLASS, subset) for name in own]
        captions |= {f"{subset}/{name}": lines for name, lines in own.items()}
        found.append(f"{file.name}: {told(len(own), PUBLISHED[year][part])}")
    refuse(faults)
    sieve = Sieve(root)
    images = gather(root, listed, sieve)
    said = [captions[f"{one.subset}/{one.name}"] for one in images.itertuples(index=False)]
    return Listing(
        source="COCO captions",
        found=found,
        classes=[CLASS],
        images=images.assign(captions=pd.Series(said, images.index, object)),
        official=official_of(listed),
        rejected=sieve.rejected,
        passed_over=sieve.passed_over,
    )


def _read(file: Path, faults: list[str]) -> dict[str, list[str]]:
    """The captions of each image by its file's name; what is wrong with them is added to `faults`."""
    content = _content(file)
    try:
        named = [(image["id"], image["file_name"]) for image in content["images"]]
        said = [(one["image_id"], one["caption"]) for one in content["annotations"]]
    except (KeyError, TypeError) as error:
        lacking = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise UserError(
            f"{file} is no file of COCO's captions ({lacking}: `images` have `id` and `file_name`, "
            "`annotations` `image_id` and `caption`); fetch it anew"
        ) from None
    names = _names(file, named, faults)
    captions: dict[int, list[str]] = {number: [] for number in names}
    wrong: dict[str, str] = {}  # image -> the last fault of its captions
    for number, caption in said:
        if not _is_number(number) or number not in captions:
            wrong[repr(number)] = f"{file} has captions of image {_short(number)}, which it does not name"
        elif not isinstance(caption, str):
            wrong[repr(number)] = f"{file}: a caption of image {number} is no text: {_short(caption)}"
        elif fault := fault_of(caption):
            wrong[repr(number)] = f"{file}: a caption of image {number} {fault}"
        elif sentence := sentence_of(caption):
            captions[number].append(sentence)
    faults += wrong.values()
    faults += [
        f"{file}: {names[number]} has no captions"
        for number, lines in captions.items()
        if not lines and repr(number) not in wrong
    ]
    return {names[number]: lines for number, lines in captions.items()}


def _names(file: Path, named: list[tuple[Any, Any]], faults: list[str]) -> dict[int, str]:
    """Number -> file name of each image; numbers and names that are none, or are there twice, are faults."""
    names: dict[int, str] = {}
    taken: set[str] = set()
    for number, name in named:
        if not _is_number(number):
            faults.append(f"{file}: the id of an image is no whole number: {_short(number)}")
        elif not isinstance(name, str) or not name or printable(name) != name:
            faults.append(f"{file}: the file_name of image {number} is no name: {_short(name)}")
        elif number in names or name in taken:
            what = f"image {number}" if number in names else f"file_name {name}"
            faults.append(f"{file} names {what} twice")
        else:
            names[number] = name
            taken.add(name)
    return names


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _short(value: object) -> str:
    """What stands in a file, as text that can be printed, cut."""
    return printable(reprlib.repr(value))


def _content(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except FileNotFoundError:
        raise UserError(f"{file} is missing; unpack COCO's annotations anew") from None
    except RecursionError:
        raise UserError(
            f"{file} is no file of COCO's captions (brackets in brackets, too deep to read); fetch it anew"
        ) from None
    except ValueError as error:  # of JSON, and of bytes that are no text
        raise UserError(f"{file} is cut short or damaged ({error}); unpack COCO's annotations anew") from None
