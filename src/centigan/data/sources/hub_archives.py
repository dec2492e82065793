"""ImageNet as the Hub's archives have it: train_images_0.tar to _4, val_images.tar, the class in each name.

They come gzipped, where no image has a range of bytes: they must be unzipped to tars first, and stay tars. An
image n01440764_10026_n01440764.JPEG is of class n01440764, and is named as its authors named it. The test
images have no class, and are not read.

https://huggingface.co/datasets/ILSVRC/imagenet-1k (before it had Parquet files)
"""

import re
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from centigan.data.by_hand import lacks_all
from centigan.data.ilsvrc2012 import IMAGES
from centigan.data.sources.class_names import published_name
from centigan.data.sources.listing import Listing, Range, Subset, in_order, printable
from centigan.data.sources.sift import Sieve
from centigan.data.sources.tars import members
from centigan.errors import UserError, plural

FIRST, VALIDATION, TEST = "train_images_0.tar", "val_images.tar", "test_images.tar"
GZIPPED = ".gz"
SIGNS = tuple(f"{place}{FIRST}{ending}" for place in ("", "data/") for ending in ("", GZIPPED))
NUMBER = re.compile(r"train_images_(\d+)\.tar")
CLASS = re.compile(r"_(n\d{8})\.\w+$")


def list_hub_archives(root: Path) -> Listing:
    """The images within the tars at root, or in data/ there.

    Raises:
        UserError: for a tar that is missing, damaged or still gzipped, or an image without a class.
    """
    folder = next(((root / sign).parent for sign in SIGNS if (root / sign).exists()), root)
    if not folder.is_dir() or not any(folder.glob("*_images*.tar*")):
        raise lacks_all("hub_archives", root, f"{FIRST}, the Hub's archives of ImageNet")
    tars: dict[Subset, list[Path]] = {"train": _training(folder), "held_out": [folder / VALIDATION]}
    for path in (*tars["train"], folder / VALIDATION):
        _require(path)
    sieve = Sieve(root)
    known = {path.name for path in (*tars["train"], folder / VALIDATION, folder / TEST)}
    sieve.outside(folder, known | {f"{name}{GZIPPED}" for name in known})
    frames = [_images(path, subset, sieve) for subset, paths in tars.items() for path in paths]
    images = pd.concat(frames, ignore_index=True)
    counts = images["subset"].value_counts()
    return Listing(
        source="ImageNet as the Hub's archives",
        found=[
            f"{subset}: {len(paths)} {plural('tar', len(paths))}, {counts.get(subset, 0):,} images"
            for subset, paths in tars.items()
        ],
        classes=sorted(images["class_id"].unique()),
        images=in_order(images),
        published=IMAGES,
        rejected=sieve.rejected,
        passed_over=sieve.passed_over,
    )


def _training(folder: Path) -> list[Path]:
    """All training tars that there should be up to the last one that is there, gzipped or not."""
    found = (NUMBER.match(path.name) for path in folder.iterdir())
    last = max((int(match[1]) for match in found if match), default=0)
    return [folder / f"train_images_{number}.tar" for number in range(last + 1)]


def _require(path: Path) -> None:
    if path.is_file():
        return
    if path.with_name(f"{path.name}{GZIPPED}").exists():
        raise UserError(
            f"{path}{GZIPPED} is gzipped, and images are read where they lie: unzip it and its like with "
            f"`gunzip {path.parent}/*_images*.tar.gz`"
        )
    raise UserError(f"{path} is missing; fetch it")


def _images(path: Path, subset: Subset, sieve: Sieve) -> pd.DataFrame:
    rows = []
    for member in tqdm(members(path), desc=f"index {path.name}", unit="image", disable=None):
        if image := sieve.member(path, member, path.name):
            found = CLASS.search(image.name)
            if not found:
                raise UserError(f"{path}: the name of {printable(image.name)} does not end with its class")
            rows.append((*image._replace(name=published_name(image.name)), subset, found[1]))
    return pd.DataFrame(rows, columns=[*Range._fields, "subset", "class_id"])
