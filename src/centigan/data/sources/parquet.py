"""Parquet files as the Hub has them: columns `image` (bytes and path) and `label`, names in the schema.

Read in place, and never unpacked. Files that are not compressed give ranges of bytes, found once by reading
all of them. Of compressed ones, as the Hub's mostly are, an image is a row (`parquet_rows.py`), and a row
group is read once for all images of a split that lie in it.

An image is named by its path where every image has one and it is told apart by it, else by its file and row.
Classes are named by WordNet ids of the paths, else by the schema's names, `classnames.txt` or
`dataset_info.json`. Of the Hub's ImageNet the test files have no labels, and are not read.

https://huggingface.co/docs/datasets/about_dataset_features
"""

import json
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from tqdm import tqdm

from centigan.data.sources.class_names import (
    INFO,
    NAMES,
    name_classes,
    names_beside,
    names_in,
    published_name,
)
from centigan.data.sources.listing import Listing, Subset, in_order, printable
from centigan.data.sources.parquet_rows import missing_values, opened, value_ranges
from centigan.data.sources.shards import find_shards
from centigan.data.sources.sift import Sieve
from centigan.errors import UserError, plural

ENDING = ".parquet"
BELONG = {NAMES, INFO, "README.md"}
EXPECTED = "columns image (struct of bytes and path) and label (whole numbers)"


def list_parquet(root: Path) -> Listing:
    """The images within the Parquet files at root.

    Raises:
        UserError: for a file that is missing, damaged, of another schema, without names of classes or images,
            or with a label that has no name.
    """
    shards = find_shards(root, ENDING)
    sieve = Sieve(root)
    sieve.outside(root, shards.belong | BELONG)
    beside = names_beside(root)
    names: list[str] = []
    frames: dict[Subset, list[pd.DataFrame]] = {"train": [], "held_out": []}
    for subset, paths in shards.of.items():
        for path in tqdm(paths, desc=f"index {subset}", unit="file", disable=None):
            frame, own = _read(path, beside)
            names = names or own
            if own != names:
                raise UserError(f"{path} names other classes than the files before; fetch all anew")
            frames[subset].append(frame.assign(subset=subset))
    images = pd.concat(
        [_named(pd.concat(of, ignore_index=True)) for of in frames.values()], ignore_index=True
    )
    in_place = _place(images, [path for paths in shards.of.values() for path in paths])
    training = images[images["subset"] == "train"]
    classes = name_classes(training, sorted(images["label"].unique().tolist()), names)
    images["class_id"] = images.pop("label").map(classes.ids)
    return Listing(
        source="Parquet files",
        found=[
            f"{subset}: {len(paths):,} {plural('file', len(paths))}, "
            f"{sum(map(len, frames[subset])):,} rows, "
            + ("not compressed" if in_place else "compressed: rows are read through their row groups")
            for subset, paths in shards.of.items()
        ],
        classes=sorted(classes.ids.values()),
        images=in_order(images),
        encoding="image" if in_place else "parquet",
        words=classes.words,
        rejected=sieve.rejected,
        passed_over=sieve.passed_over,
    )


def _read(path: Path, beside: list[str]) -> tuple[pd.DataFrame, list[str]]:
    """The rows of a file (columns path, offset, size, name, label), and the names of its classes."""
    with opened(path) as file:
        _require_columns(path, file)
        names = _names(file) or beside
        if not names:
            raise UserError(
                f"{path} has labels and no names of classes (features.label.names in its schema); write them "
                f"into {NAMES} beside data/, a line each"
            )
        if missing := missing_values(file):
            raise UserError(f"{path} has {missing:,} rows without the bytes of an image; fetch it anew")
        table = file.read(columns=["image.path", "label"], use_threads=False)
    label = table.column("label")
    missing_labels = pc.is_null(label).to_numpy()
    labels = pc.fill_null(label, 0).to_numpy()
    wrong = np.flatnonzero(missing_labels | (labels < 0) | (labels >= len(names)))
    if len(wrong):
        told = label[wrong[0]].as_py()
        raise UserError(f"{path}: row {wrong[0]} has label {told}, not one of 0 to {len(names) - 1}")
    rows = np.arange(len(labels))
    frame = pd.DataFrame({"path": path.as_posix(), "offset": rows, "size": 1})
    own = pc.struct_field(table.column("image"), "path").to_pandas()
    return frame.assign(name=own.to_numpy(), label=labels.astype(np.int64)), names


def _require_columns(path: Path, file: pq.ParquetFile) -> None:
    schema = file.schema_arrow
    types = dict(zip(schema.names, schema.types, strict=True))
    image, label = types.get("image"), types.get("label")
    inner = {field.name: field.type for field in image} if image and pa.types.is_struct(image) else {}
    binary = inner.get("bytes")
    if (
        binary not in {pa.binary(), pa.large_binary()}
        or inner.get("path") not in {pa.string(), pa.large_string(), pa.null()}
        or label is None
        or not pa.types.is_integer(label)
    ):
        found = ", ".join(f"{name} ({kind})" for name, kind in types.items())
        raise UserError(f"{path} has not the {EXPECTED}, but {printable(found)}")


def _names(file: pq.ParquetFile) -> list[str]:
    """Names of the labels by the schema's own notes; empty where it has none."""
    notes = (file.schema_arrow.metadata or {}).get(b"huggingface", b"{}")
    try:
        record = json.loads(notes)
    except ValueError:
        return []
    return names_in(record.get("info") if isinstance(record, dict) else None)


def _named(frame: pd.DataFrame) -> pd.DataFrame:
    """The images of a subset, named."""
    if frame["name"].notna().all():
        own = [published_name(PurePosixPath(name).name) for name in frame["name"]]
        if all(own) and not pd.Series(own).duplicated().any():
            return frame.assign(name=own)
    stems = frame["path"].str.extract(r"([^/]+)\.parquet$", expand=False)
    return frame.assign(name=stems + "_" + frame["offset"].astype(str).str.zfill(7))


def _place(images: pd.DataFrame, paths: list[Path]) -> bool:
    """Give the images ranges of bytes, where all files have them; else they stay rows."""
    found: list[tuple[int, int]] = []
    for path in tqdm(paths, desc="find images", unit="file", disable=None):
        ranges = value_ranges(path)
        if ranges is None:
            return False
        found += ranges
    images[["offset", "size"]] = np.array(found, np.int64)
    return True
