"""Time and memory of indexing as many images as ImageNet has, from archives of their real lengths.

    python benchmarks/index.py [--images 1281167]

The archives are real tars within a tar, whose headers are written and whose images are holes: 150 GB long,
about 6 GB on disk. Only headers are read, so the index takes what it would take on ImageNet. "cold" means
that the kernel was asked to forget the archives first.
"""

import argparse
import json
import os
import resource
import tarfile
import tempfile
import time
from pathlib import Path

from tqdm import tqdm

from centigan.data.fixture import write_ilsvrc
from centigan.data.index import build_index
from centigan.data.sources import archives
from centigan.data.sources.devkit import read_devkit
from centigan.layout import Layout
from centigan.settings.data import DataSettings

CLASSES, HELD_OUT = 1000, 50
IMAGE = 110_000  # bytes
BLOCK = 512


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=1_281_167)
    parser.add_argument("--place", type=Path, default=None, help="folder on the disk to measure")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=words.place) as name:
        place = Path(name)
        write_archives(place, words.images)
        settings = DataSettings(root=name, classes=CLASSES, on_bad_image="reject")
        for state in ("cold", "warm"):
            if state == "cold":
                forget(place)
            start = time.perf_counter()
            build_index(Layout("bench", place), settings)
            print(
                f"{words.images + CLASSES * HELD_OUT:,} images, {state}: {time.perf_counter() - start:.0f} s"
            )
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        size = sum(file.stat().st_size for file in (place / "results/bench/index").iterdir()) / 1e6
        print(f"greatest memory {peak:.0f} MiB; index {size:.0f} MB")
        print(json.loads((place / "results/bench/source.json").read_text())["images"])


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


def length(count: int) -> int:
    """Bytes of a tar of so many images, with its end marker."""
    return count * (BLOCK + -(-IMAGE // BLOCK) * BLOCK) + 2 * BLOCK


def write_holes(file, names: list[str]) -> None:
    for name in names:
        file.write(header(name, IMAGE))
        file.seek(-(-IMAGE // BLOCK) * BLOCK, os.SEEK_CUR)
    file.write(bytes(2 * BLOCK))


def header(name: str, size: int) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.size = size
    return entry.tobuf(tarfile.GNU_FORMAT)


def forget(place: Path) -> None:
    for path in place.glob("*.tar"):
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


if __name__ == "__main__":
    main()
