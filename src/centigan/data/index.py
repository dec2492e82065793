"""The index of the raw tree: one row per image, and the classes cut into contiguous splits."""

import logging
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from centigan.atomic import atomic_path
from centigan.errors import UserError
from centigan.layout import Layout, split_names
from centigan.manifest import sha256
from centigan.settings import DataSettings

SUBSETS = {"train": "train", "val": "held_out"}  # folder -> the name that the index uses
log = logging.getLogger(__name__)


def build_index(layout: Layout, settings: DataSettings) -> None:
    """Write index.parquet and classes.csv for the tree under settings.root.

    index.parquet has a row per image: path, subset ("train" or "held_out"), class_id, label (position
    in the sorted class list), split, size (bytes), sha256. Both subsets list classes in the same order.
    """
    classes = find_classes(Path(settings.root), settings.classes)
    names = split_names(settings.classes, settings.split_size)
    frames = []
    for label, class_id in enumerate(tqdm(classes, desc="index", unit="class", disable=None)):
        for folder, subset in SUBSETS.items():
            frame = _list_images(Path(settings.root) / folder / class_id)
            if subset == "train":
                frame = frame.head(settings.per_class or len(frame))
            split = names[label // settings.split_size]
            frames.append(frame.assign(subset=subset, class_id=class_id, label=label, split=split))
    index = pd.concat(frames, ignore_index=True)
    with atomic_path(layout.index) as temporary:
        index.to_parquet(temporary, index=False)
    with atomic_path(layout.classes) as temporary:
        _count(index).to_csv(temporary, index=False)
    log.info("%d images of %d classes in %d splits", len(index), len(classes), len(names))


def find_classes(root: Path, expected: int) -> list[str]:
    """Sorted names of the class folders that root/train and root/val share.

    Raises:
        UserError: for a missing folder, a count other than `expected`, or classes of one side only.
    """
    found = {}
    for folder in SUBSETS:
        place = root / folder
        if not place.is_dir():
            raise UserError(f"{place} is missing: `data.root` must hold train/<class>/* and val/<class>/*")
        found[folder] = {child.name for child in place.iterdir() if child.is_dir()}
    one_sided = sorted(found["train"] ^ found["val"])
    if one_sided:
        raise UserError(f"class {one_sided[0]} of {root} is in only one of train/ and val/")
    if len(found["train"]) != expected:
        raise UserError(f"{root} has {len(found['train'])} class folders, but `data.classes` says {expected}")
    return sorted(found["train"])


def _list_images(folder: Path) -> pd.DataFrame:
    """Every visible file of a class folder, sorted by name."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name[0] != ".")
    if not files:
        raise UserError(f"class folder {folder} holds no images; add some or remove the class")
    return pd.DataFrame(
        {
            "path": [path.as_posix() for path in files],
            "size": [path.stat().st_size for path in files],
            "sha256": [sha256(path) for path in files],
        }
    )


def _count(index: pd.DataFrame) -> pd.DataFrame:
    """One row per class: label, class_id, split, and its images in each subset."""
    keys = ["label", "class_id", "split"]
    counts = index.groupby([*keys, "subset"]).size().unstack("subset", fill_value=0)
    return counts.reset_index()[[*keys, "train", "held_out"]]
