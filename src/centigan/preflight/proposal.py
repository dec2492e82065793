"""What lies in a folder, and what a run of it could be like."""

import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from statistics import median

import pandas as pd
from PIL import Image, UnidentifiedImageError

from centigan.data.sources import list_source
from centigan.data.sources.captioned_folders import ENDING, captions_beside
from centigan.data.sources.contents import read_contents
from centigan.data.sources.folders import evenly_spaced
from centigan.data.sources.listing import PLANAR, Listing, Range, cannot_read, unusable
from centigan.data.sources.passed_over import NO_IMAGE
from centigan.data.sources.recognise import recognise
from centigan.errors import UserError
from centigan.preflight.counts import CLASS_FOLDERS
from centigan.settings.data import DataSettings
from centigan.settings.evaluation import DistributionSettings
from centigan.settings.limits import FID_IMAGES, PAIR_IMAGES, images_with_balls
from centigan.settings.sources import Source

LARGE = 50_000  # training images, from which the paper's model and its 50,000 iterations are worth a GPU
RESOLUTIONS = (32, 64, 128)
ON_A_CPU = 64  # greatest resolution for less than that
LOOKED_AT = 50  # images whose sizes are read
SHARES = (0.1, 0.2, 0.3, 0.4, 0.5)  # of a class that may be held out
MOST_CLASSES = 10  # of a split: the paper's
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Found:
    """What lies at a root, and what a run could be like."""

    root: str
    source: Source
    classes: list[str]
    train: int  # images in all, and of the class with the fewest
    train_of_class: int
    held_out: int
    held_out_of_class: int
    share: float | None  # held out, where a setting decides that
    side: int  # the shorter of a typical image
    captioned: bool = False  # whether models may be told captions
    unseen: int = 0  # classes that no model is trained on

    @property
    def large(self) -> bool:
        return self.train >= LARGE

    @property
    def split_size(self) -> int:
        """Classes of a split: all where captions tell them apart, of which a text encoder learns all, too."""
        return len(self.classes) if self.captioned else split_size(len(self.classes))

    @property
    def model(self) -> str:
        """The experiment that is proposed."""
        return "gan_cls" if self.captioned else "acgan"

    @property
    def resolution(self) -> int:
        most = max(RESOLUTIONS) if self.large else ON_A_CPU
        return max([RESOLUTIONS[0], *(side for side in RESOLUTIONS if side <= min(self.side, most))])


def explore(folder: Path, source: Source = "auto") -> Found:
    """Look at everything that lies there.

    Args:
        source: what it is; auto: as it is recognised.

    Raises:
        UserError: for no data, or too few for any setting.
    """
    if fault := unusable(str(folder), 0):
        raise UserError(f"the folder {fault}")
    root = str(folder)
    try:
        source = recognise(folder) if source == "auto" else source
    except OSError as error:  # a folder without permission, a failing disk
        raise cannot_read(folder, error) from error
    listing = list_source(DataSettings(source=source, root=root))
    if source in {"folders", "class-folders"} and _with_captions_beside(listing):
        source = "captioned_folders"
        listing = list_source(DataSettings(source=source, root=root))
    of = listing.images.groupby(["class_id", "subset"]).size().unstack(fill_value=0)
    of = of.reindex(index=listing.classes, columns=["train", "held_out"], fill_value=0)
    share = None
    if listing.source.startswith(CLASS_FOLDERS):
        share = _share([int(images) for images in of.sum(axis=1)])
        held_out = of.sum(axis=1).map(lambda images: len(evenly_spaced(images, share)))
        of = pd.DataFrame({"train": of.sum(axis=1) - held_out, "held_out": held_out})
    _require_enough(of, root)
    (train, held_out_all), (of_class, held_out_of_class) = of.sum().tolist(), of.min().tolist()
    return Found(
        root,
        source,
        listing.classes,
        train=int(train),
        train_of_class=int(of_class),
        held_out=int(held_out_all),
        held_out_of_class=int(held_out_of_class),
        share=share,
        side=_typical_side(listing),
        captioned="captions" in listing.images,
        unseen=len(listing.unseen),
    )


def _with_captions_beside(listing: Listing) -> bool:
    """Whether every image has a file of captions beside it; where only some have, that is told."""
    if not any(name.endswith(ENDING) for name in listing.passed_over.get(NO_IMAGE, ())):
        return False  # of a million images not each is asked
    without = [path for path in listing.images["path"] if not captions_beside(path).is_file()]
    beside = len(listing.images) - len(without)
    if beside and without:
        log.warning(
            "%d of %d images have a file .txt beside them, which are not taken for captions: data.source: "
            "captioned_folders would need one for each, and the first without is %s",
            *(beside, len(listing.images), without[0]),
        )
    return not without


def split_size(classes: int) -> int:
    """Classes of a split, ten at most: a number that divides them, else one for nearly equal splits."""
    if classes <= MOST_CLASSES:
        return classes
    dividing = [size for size in range(MOST_CLASSES // 2, MOST_CLASSES + 1) if classes % size == 0]
    return max(dividing) if dividing else ceil(classes / ceil(classes / MOST_CLASSES))


def _share(images: list[int]) -> float:
    """The share of each class to hold out: a tenth if that does for all defaults, else a fifth or more."""
    usual = images_with_balls(DistributionSettings().neighbours)
    fewest = {share: min(len(evenly_spaced(count, share)) for count in images) for share in SHARES}
    if fewest[SHARES[0]] >= usual:
        return SHARES[0]
    return next((share for share in SHARES[1:] if fewest[share] >= FID_IMAGES), SHARES[-1])


def _require_enough(of: pd.DataFrame, root: str) -> None:
    """Every class has the images that no setting makes do without.

    Raises:
        UserError: naming classes with too few.
    """
    few = of[(of["train"] < PAIR_IMAGES) | (of["held_out"] < FID_IMAGES)]
    if len(few):
        more = f", as have {len(few) - 1} more classes" if len(few) > 1 else ""
        raise UserError(
            f"{root} has too few images for any settings: class {few.index[0]!r} has {few['train'].iloc[0]} "
            f"to train on and {few['held_out'].iloc[0]} held out{more}; every class needs {PAIR_IMAGES} and "
            f"{FID_IMAGES}. Add some, or take the class out of the folder"
        )


def _typical_side(listing: Listing) -> int:
    """The median of the shorter sides of some images; of what is no image, nothing."""
    if listing.encoding in PLANAR:
        return PLANAR[listing.encoding].side
    step = max(1, len(listing.images) // LOOKED_AT)
    chosen = listing.images.iloc[::step][list(Range._fields)].itertuples(index=False, name=None)
    contents = read_contents((Range(*one) for one in chosen), listing.encoding)
    sides = [side for data in contents for side in _shorter_side(data)]
    if not sides:
        raise UserError("none of the files that were looked at is an image")
    return int(median(sides))


def _shorter_side(data: bytes) -> Iterator[int]:
    try:
        with Image.open(io.BytesIO(data)) as image:
            yield min(image.size)
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return
