"""Time and memory of indexing as many images as ImageNet has, from archives of their real lengths.

    python benchmarks/index.py [--images 1281167] [--packaging archives|webdataset|parquet]

The archives are real tars within a tar, whose headers are written and whose images are holes: 150 GB long,
about 6 GB on disk. Only headers are read, so the index takes what it would take on ImageNet. "cold" means
that the kernel was asked to forget the archives first. "listed" is the reading of where images lie, without
the hashes that pin every archive and the writing of the index.

A WebDataset is made in the same way, of 1000 samples a tar. Parquet has no holes: its images are 1 kB of
noise in snappy, of which the index reads labels and names alone; hashes of real lengths would take longer.
"""

import argparse
import json
import os
import resource
import tarfile
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from centigan.data.fixture import write_ilsvrc
from centigan.data.ilsvrc2012 import SORTED_IDS
from centigan.data.index import build_index
from centigan.data.shards_fixture import ROW_GROUP
from centigan.data.sources import archives, list_source
from centigan.data.sources.devkit import read_devkit
from centigan.layout import Layout
from centigan.settings.data import DataSettings

CLASSES, HELD_OUT = 1000, 50
IMAGE = 110_000  # bytes
BLOCK = 512
SAMPLES, ROWS = 1000, 4358  # of a tar; of a Parquet file, as ImageNet's 294 on the Hub


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=1_281_167)
    parser.add_argument("--packaging", choices=WRITERS, default="archives")
    parser.add_argument("--place", type=Path, default=None, help="folder on the disk to measure")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=words.place) as name:
        place = Path(name)
        WRITERS[words.packaging](place, words.images)
        settings = DataSettings(root=name, classes=CLASSES, on_bad_image="reject")
        for state in ("cold", "warm"):
            if state == "cold":
                forget(place)
            tell(f"listed, {state}", partial(list_source, settings))
            images = f"{words.images + CLASSES * HELD_OUT:,} images"
            tell(f"{images}, {state}", partial(build_index, Layout("bench", place), settings))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        size = sum(file.stat().st_size for file in (place / "results/bench/index").iterdir()) / 1e6
        print(f"greatest memory {peak:.0f} MiB; index {size:.0f} MB")
        print(json.loads((place / "results/bench/source.json").read_text())["images"])


def tell(what: str, call: Callable[[], object]) -> None:
    """Print how long a call takes; on a machine that does other work the processor's time says more."""
    start, of_processor = time.perf_counter(), time.process_time()
    call()
    seconds, of_processor = time.perf_counter() - start, time.process_time() - of_processor
    print(f"{what}: {seconds:.1f} s, {of_processor:.1f} s of the processor", flush=True)


def write_archives(place: Path, images: int) -> None:
    """The three files of ILSVRC2012 with this many training images, all of them holes."""
    write_ilsvrc(place, classes=CLASSES, per_class=1, held_out_per_class=HELD_OUT)
    devkit = read_devkit(place)
    with (place / archives.TRAIN).open("wb") as file:
        for number, wnid in enumerate(tqdm(sorted(devkit.wnids), desc="write archives")):
            count = images // CLASSES + (number < images % CLASSES)
            file.write(header(f"{wnid}.tar", length(count)))
            write_holes(file, [f"{wnid}_{row}.JPEG" for row in range(count)])
        file.write(bytes(2 * BLOCK))
    with (place / archives.VALIDATION).open("wb") as file:
        write_holes(file, [f"ILSVRC2012_val_{row + 1:08d}.JPEG" for row in range(CLASSES * HELD_OUT)])


def write_tars(place: Path, images: int) -> None:
    """A WebDataset of this many training images, all of them holes."""
    for part, count in (("train", images), ("val", CLASSES * HELD_OUT)):
        for shard, first in enumerate(tqdm(range(0, count, SAMPLES), desc=f"write {part}")):
            with (place / f"imagenet-{part}-{shard:04d}.tar").open("wb") as file:
                for row in range(first, min(first + SAMPLES, count)):
                    file.write(
                        header(f"{part}_{row:08d}.cls", 4)
                        + f"{row % CLASSES:04d}".encode().ljust(BLOCK, b"\0")
                    )
                    write_hole(file, f"{part}_{row:08d}.jpg")
                file.write(bytes(2 * BLOCK))


def write_parquet(place: Path, images: int) -> None:
    """The Hub's Parquet files of this many training images, each of 1 kB."""
    names = {"info": {"features": {"label": {"names": list(SORTED_IDS)}}}}
    for part, count in (("train", images), ("val", CLASSES * HELD_OUT)):
        shards = -(-count // ROWS)
        for shard in tqdm(range(shards), desc=f"write {part}"):
            rows = range(shard * ROWS, min((shard + 1) * ROWS, count))
            table = pa.table(
                {
                    "image": [{"bytes": os.urandom(1000), "path": f"{part}_{row}.JPEG"} for row in rows],
                    "label": [row % CLASSES for row in rows],
                }
            ).replace_schema_metadata({"huggingface": json.dumps(names)})
            name = f"{part}-{shard:05d}-of-{shards:05d}.parquet"
            pq.write_table(table, place / name, row_group_size=ROW_GROUP)


def length(count: int) -> int:
    """Bytes of a tar of so many images, with its end marker."""
    return count * (BLOCK + -(-IMAGE // BLOCK) * BLOCK) + 2 * BLOCK


def write_holes(file, names: list[str]) -> None:
    for name in names:
        write_hole(file, name)
    file.write(bytes(2 * BLOCK))


def write_hole(file, name: str) -> None:
    file.write(header(name, IMAGE))
    file.seek(-(-IMAGE // BLOCK) * BLOCK, os.SEEK_CUR)


def header(name: str, size: int) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.size = size
    return entry.tobuf(tarfile.GNU_FORMAT)


def forget(place: Path) -> None:
    for path in (*place.glob("*.tar"), *place.glob("*.parquet")):
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


WRITERS = {"archives": write_archives, "webdataset": write_tars, "parquet": write_parquet}

if __name__ == "__main__":
    main()
