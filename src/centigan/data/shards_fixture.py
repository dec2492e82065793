"""A fixture of ILSVRC2012 once more, as WebDataset or as the Hub's Parquet files: the same images, shuffled.

For trying and testing the readers without the data. Labels are positions among the sorted WordNet ids.
"""

import io
import json
import tarfile
import tempfile
from math import ceil
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from centigan.data.fixture import write_ilsvrc
from centigan.data.small_set import require_empty
from centigan.data.sources.archives import list_archives
from centigan.data.sources.listing import Listing, Range, Subset, read_ranges

Kind = Literal["webdataset", "parquet"]
SUBSETS: tuple[Subset, ...] = ("train", "held_out")
LARGEST = 1000  # images of a file; there are two files at least, so that something can be missing
ROW_GROUP = 100  # rows, as the Hub's library writes of images
SEED = 0


def write_shards(kind: Kind, out: Path, *, classes: int, per_class: int, held_out_per_class: int) -> None:
    """Write the images of `write_ilsvrc` with the same numbers; the same call gives the same bytes.

    Raises:
        UserError: where something lies at `out`, and as of `write_ilsvrc`.
    """
    require_empty(out)
    with tempfile.TemporaryDirectory() as place:
        published = Path(place)
        write_ilsvrc(published, classes=classes, per_class=per_class, held_out_per_class=held_out_per_class)
        pack(kind, published, out)


def pack(kind: Kind, published: Path, out: Path, *, compression: str = "snappy") -> None:
    """Write the images of three archives of ILSVRC2012 as files of another kind.

    Args:
        compression: of Parquet: "snappy", pyarrow's own and the Hub's; "none"; or another of pyarrow's.
    """
    listing = list_archives(published)
    folder = out / "data" if kind == "parquet" else out
    folder.mkdir(parents=True, exist_ok=True)
    for stream, subset in enumerate(SUBSETS):
        rows = listing.images[listing.images["subset"] == subset]
        rows = rows.iloc[np.random.default_rng([SEED, stream]).permutation(len(rows))]
        number = max(2, ceil(len(rows) / LARGEST))
        part = {"train": "train", "held_out": "validation"}[subset]
        for shard, chosen in enumerate(np.array_split(np.arange(len(rows)), number)):
            if kind == "webdataset":
                _write_tar(folder / f"imagenet-{part}-{shard:04d}.tar", rows.iloc[chosen], listing)
            else:
                name = f"{part}-{shard:05d}-of-{number:05d}.parquet"
                _write_parquet(folder / name, rows.iloc[chosen], listing, compression)


def _contents(rows: pd.DataFrame) -> list[bytes]:
    return list(read_ranges(Range(*row) for row in rows[list(Range._fields)].itertuples(index=False)))


def _write_tar(target: Path, rows: pd.DataFrame, listing: Listing) -> None:
    with tarfile.open(target, "w") as tar:
        for name, class_id, content in zip(rows["name"], rows["class_id"], _contents(rows), strict=True):
            label = listing.classes.index(class_id)
            about = {"label": label, "wnid": class_id, "class_name": listing.words[class_id]}
            files = {"cls": str(label).encode(), "jpg": content, "json": json.dumps(about).encode()}
            for ending, data in files.items():
                member = tarfile.TarInfo(f"{Path(name).stem}.{ending}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))


def _write_parquet(target: Path, rows: pd.DataFrame, listing: Listing, compression: str) -> None:
    images = [{"bytes": data, "path": name} for data, name in zip(_contents(rows), rows["name"], strict=True)]
    names = [listing.words[class_id] for class_id in listing.classes]
    features = {
        "image": {"_type": "Image"},
        "label": {"names": names, "_type": "ClassLabel"},
    }
    schema = pa.schema(
        {"image": pa.struct({"bytes": pa.binary(), "path": pa.string()}), "label": pa.int64()},
        {"huggingface": json.dumps({"info": {"features": features}})},
    )
    labels = [listing.classes.index(class_id) for class_id in rows["class_id"]]
    table = pa.table({"image": images, "label": labels}, schema)
    pq.write_table(table, target, row_group_size=ROW_GROUP, compression=compression)
