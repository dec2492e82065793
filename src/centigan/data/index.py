"""The index of the raw data: one row per image, and the classes, in order, cut into contiguous splits."""

import hashlib
import json
import logging
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from centigan.atomic import atomic_path, write_text
from centigan.csv_file import write_csv
from centigan.data.completeness import check
from centigan.data.order import order_classes
from centigan.data.sources import list_source
from centigan.data.sources.contents import in_blocks
from centigan.data.sources.listing import Listing, Range
from centigan.data.sources.passed_over import in_one_line, of_class
from centigan.data.sources.points import DIMENSIONS
from centigan.errors import UserError, plural
from centigan.freshness.raw import remember, write_pins
from centigan.layout import Layout, split_names
from centigan.settings.data import DataSettings

SUBSETS = ("train", "held_out")
log = logging.getLogger(__name__)


def build_index(layout: Layout, settings: DataSettings) -> None:
    """Write index/{split}.parquet, classes.csv, source.json and raw.sha256 for the data at settings.root.

    The index has a row per image: path (below the root), offset, size (bytes), name, subset ("train" or
    "held_out"), class_id, label (position in the order of the classes), split, encoding, reject (whether a
    bad image is left out), sha256 (null unless settings.checksums); of a source with captions also captions
    (a list of sentences), of one with unseen classes unseen (whether the class is one of them).

    Raises:
        UserError: for a source that is not whole, other classes than the settings say, or a split of
            unseen classes alone.
    """
    listing = list_source(settings)
    for line in listing.found:
        log.info("%s: found %s", settings.root, line)
    classes = order_classes(listing, settings)
    images = _checked(listing, classes)
    report = check(listing, classes, settings)
    names = split_names(settings.classes, settings.split_size)
    index = _number(images, classes, names, settings)
    index = index.assign(encoding=listing.encoding, reject=report["on_bad_image"] == "reject")
    index["sha256"] = pd.Series(_checksums(index) if settings.checksums else None, index.index, "string")
    if listing.unseen:
        index["unseen"] = index["class_id"].isin(listing.unseen)
        _require_seen(index)
    root = Path(settings.root)
    # where the data lie is no part of what they are
    index["path"] = index["path"].str.removeprefix(f"{root.as_posix()}/")
    _write_index(layout, index)
    with atomic_path(layout.classes) as temporary:
        write_csv(temporary, _count(index, listing.words))
    write_text(layout.source, json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    write_pins(layout, index, root)
    remember(layout, index, root, read=True)
    log.info("%s", _told(len(index), len(classes), len(names)))
    if listing.passed_over:
        log.warning("passed over: %s; %s lists all", in_one_line(listing.passed_over), layout.source)


def _checked(listing: Listing, classes: list[str]) -> pd.DataFrame:
    """The images of these classes.

    Raises:
        UserError: for a class without images, or an image that is there twice.
    """
    images = listing.images
    counts = images.groupby(["subset", "class_id"]).size()
    empty = [
        (class_id, subset) for class_id in classes for subset in SUBSETS if (subset, class_id) not in counts
    ]
    if empty:
        class_id, subset = empty[0]
        what = "points" if listing.encoding in DIMENSIONS else "images"
        more = f"; and {len(empty) - 1} more like it" if empty[1:] else ""
        raise UserError(
            f"class {class_id} holds no {subset} {what}; add some or remove the class{more}"
            f"{of_class(listing.passed_over, class_id)}{_unusable(listing)}"
        )
    twice = images[images.duplicated(["subset", "class_id", "name"])]
    if len(twice):
        raise UserError(f"{twice['path'].iloc[0]} holds {twice['name'].iloc[0]} twice; fetch it anew")
    return images[images["class_id"].isin(classes)]


def _unusable(listing: Listing) -> str:
    """What to add to an error about a class without images, where some cannot be used."""
    if not listing.rejected:
        return ""
    first = listing.rejected[0]
    return f"; {len(listing.rejected):,} of all cannot be used, the first: {first.name} {first.reason}"


def _number(
    images: pd.DataFrame, classes: list[str], names: list[str], settings: DataSettings
) -> pd.DataFrame:
    """Rows in the order of their labels, training before held-out, with label and split."""
    label = images["class_id"].map({class_id: label for label, class_id in enumerate(classes)})
    images = images.assign(
        label=label,
        split=(label // settings.split_size).map(dict(enumerate(names))),
        held_out=images["subset"] == "held_out",
    )
    images = images.sort_values(["label", "held_out", "name"], kind="stable", ignore_index=True)
    if settings.per_class:
        rank = images.groupby(["label", "held_out"]).cumcount()
        images = images[images["held_out"] | (rank < settings.per_class)]
    return images.drop(columns="held_out").reset_index(drop=True)


def _require_seen(index: pd.DataFrame) -> None:
    nothing = index.groupby("split", sort=False)["unseen"].all()
    if nothing.any():
        raise UserError(
            f"split {nothing.idxmax()} has unseen classes alone, so that its model would have no images; "
            "raise data.split_size, or choose another data.order"
        )


def _write_index(layout: Layout, index: pd.DataFrame) -> None:
    for split, rows in index.groupby("split", sort=False):
        with atomic_path(layout.index(str(split))) as temporary:
            rows.reset_index(drop=True).to_parquet(temporary)


def _checksums(index: pd.DataFrame) -> list[str]:
    images = [Range(*image) for image in zip(*(index[name] for name in Range._fields), strict=True)]
    encoding, digests = index["encoding"].iloc[0], [""] * len(images)
    with tqdm(total=len(images), desc="checksums", unit="image", disable=None) as progress:
        for block in in_blocks(images, encoding):
            for position, content in zip(block.positions, block.contents, strict=True):
                digests[position] = hashlib.sha256(content).hexdigest()
            progress.update(len(block.positions))
    return digests


def _told(images: int, classes: int, splits: int) -> str:
    of = f"{classes} {plural('class', classes)} in {splits} {plural('split', splits)}"
    return f"{images} images of {of}"


def _count(index: pd.DataFrame, words: dict[str, str]) -> pd.DataFrame:
    """One row per class: label, class_id, words, split, and its images in each subset."""
    keys = ["label", "class_id", "split"]
    counts = index.groupby([*keys, "subset"]).size().unstack("subset", fill_value=0).reset_index()
    counts["words"] = counts["class_id"].map(lambda class_id: words.get(class_id, class_id))
    return counts[["label", "class_id", "words", "split", *SUBSETS]]
