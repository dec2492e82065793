"""Captions of COCO (Chen et al. 2015), of 2014 or 2017, as they are unpacked.

annotations/captions_train2014.json and captions_val2014.json name the images in train2014/ and val2014/, and
what people said of each. There are no classes: all images are of one, `image`.
"""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from centigan.data.sources.captioned import Listed, gather, official_of, refuse, sentence_of, told
from centigan.data.sources.listing import Listing, Subset
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
        names = {image["id"]: str(image["file_name"]) for image in content["images"]}
        said = [(one["image_id"], one["caption"]) for one in content["annotations"]]
    except (KeyError, TypeError) as error:
        lacking = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise UserError(
            f"{file} is no file of COCO's captions ({lacking}: `images` have `id` and `file_name`, "
            "`annotations` `image_id` and `caption`); fetch it anew"
        ) from None
    captions: dict[Any, list[str]] = {number: [] for number in names}
    lost = {}
    for number, caption in said:
        if not isinstance(number, int) or number not in captions:
            lost[str(number)] = f"{file} has captions of image {number}, which it does not name"
        elif not isinstance(caption, str):
            lost[str(number)] = f"{file}: a caption of image {number} is no text: {caption!r}"
        elif sentence := sentence_of(caption):
            captions[number].append(sentence)
    faults += lost.values()
    faults += [f"{file}: {names[number]} has no captions" for number, lines in captions.items() if not lines]
    return {names[number]: lines for number, lines in captions.items()}


def _content(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except FileNotFoundError:
        raise UserError(f"{file} is missing; unpack COCO's annotations anew") from None
    except ValueError as error:  # of JSON, and of bytes that are no text
        raise UserError(f"{file} is cut short or damaged ({error}); unpack COCO's annotations anew") from None
