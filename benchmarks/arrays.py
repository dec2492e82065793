"""Speed of the array builder, against its peers and its limit, alternately in one run on one set of files.

    python benchmarks/arrays.py [--classes 10] [--per-class 100] [--rounds 7] [--threads 1] [--clock wall]

Peers: Pillow's full decoding with the same crop and resize; torchvision's ImageFolder with the same
transform in a DataLoader with as many workers. Limit: simplejpeg's scaled decoding alone, at the same scale.
Packagings: the same images, shuffled, as a WebDataset and as Parquet files; of compressed ones also one image
of a row group alone, as a split of many has them. All start from the same bytes on disk, in the page cache;
only the builder writes what it made, and waits until the disk has it. Input: a fixture of
ILSVRC2012 (`centigan fixture ilsvrc`), 110 kB an image.
"""

import argparse
import io
import json
import statistics
import tarfile
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import simplejpeg
import torch
from PIL import Image
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import CenterCrop, Compose, InterpolationMode, PILToTensor, Resize

from centigan.data.arrays import write_images
from centigan.data.fixture import write_ilsvrc
from centigan.data.index import build_index
from centigan.data.shards_fixture import ROW_GROUP, pack
from centigan.data.squares import centre_square, reduction
from centigan.layout import Layout
from centigan.settings.data import ArraySettings, DataSettings

CLOCKS = {
    "wall": time.perf_counter,
    "processor": time.process_time,
}  # the latter without DataLoader's workers
PACKAGINGS = ("folders", "webdataset", "uncompressed", "parquet", "scattered")
NAMES = {
    "builder": "array builder, from the nested tar",
    "folders": "array builder, from extracted files",
    "webdataset": "array builder, from a WebDataset",
    "uncompressed": "array builder, uncompressed Parquet",
    "parquet": "array builder, Parquet in snappy",
    "scattered": "the same, one image of a row group",
    "full": "array builder, dct_scaling: false",
    "limit": "simplejpeg, scaled decoding alone",
    "pillow": "Pillow, full decoding, crop, resize",
    "torchvision": "torchvision ImageFolder + DataLoader",
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--per-class", type=int, default=100)
    parser.add_argument("--resolution", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="processor: on a busy machine")
    words = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        rows = prepare(Path(place), words.classes, words.per_class)
        ways = contestants(Path(place), rows, words.resolution, words.threads)
        seconds = alternate(ways, words.rounds, CLOCKS[words.clock])
    images = len(rows["tar"])
    print(
        f"\n{images} images of {rows['tar']['size'].mean() / 1000:.0f} kB to {words.resolution} px, "
        f"{words.threads} thread(s) or worker(s), {words.rounds} rounds; median images/s, median ratio"
    )
    for name, times in seconds.items():
        count = len(rows.get(name, rows["tar"]))
        of_one = [time / own for time, own in zip(times, seconds["builder"], strict=True)]
        ratio = statistics.median(of_one) * images / count
        print(f"{NAMES[name]:40} {count / statistics.median(times):8.0f} /s   builder is {ratio:5.2f} x")
    print(json.dumps({name: [round(t, 4) for t in times] for name, times in seconds.items()}))


def prepare(place: Path, classes: int, per_class: int) -> dict[str, pd.DataFrame]:
    """The index rows of the training images, in the archives and extracted beside them."""
    write_ilsvrc(place / "tar", classes=classes, per_class=per_class, held_out_per_class=1)
    with tarfile.open(place / "tar/ILSVRC2012_img_train.tar") as outer:
        for member in outer:
            with tarfile.open(fileobj=io.BytesIO(outer.extractfile(member).read())) as inner:
                inner.extractall(place / "folders" / member.name.removesuffix(".tar"), filter="data")
    pack("webdataset", place / "tar", place / "webdataset")
    for name, compression in (("parquet", "snappy"), ("uncompressed", "none")):
        pack("parquet", place / "tar", place / name, compression=compression)
    rows = {}
    for name in ("tar", "folders", "webdataset", "uncompressed", "parquet"):
        layout, root = Layout(name, place), place / name
        settings = DataSettings(root=str(root), classes=classes, split_size=classes, held_out=1e-9)
        build_index(layout, settings)
        index = pd.read_parquet(layout.results / "index")
        index["path"] = f"{root}/" + index["path"]
        rows[name] = index[index["subset"] == "train"]
    group = rows["parquet"]["offset"] // ROW_GROUP
    rows["scattered"] = rows["parquet"][~rows["parquet"].assign(group=group).duplicated(["path", "group"])]
    return rows


def contestants(
    place: Path, rows: dict[str, pd.DataFrame], side: int, threads: int
) -> dict[str, Callable[[], object]]:
    paths = rows["folders"]["path"].tolist()
    write = partial(write_images, place / "images.npy", side=side, reject=False, threads=threads)
    transform = Compose([Resize(side, InterpolationMode.BICUBIC), CenterCrop(side), PILToTensor()])
    loader = DataLoader(ImageFolder(place / "folders", transform), batch_size=64, num_workers=threads)
    return {
        "builder": lambda: write(rows["tar"], settings=ArraySettings()),
        **{name: partial(write, rows[name], settings=ArraySettings()) for name in PACKAGINGS},
        "full": lambda: write(rows["tar"], settings=ArraySettings(dct_scaling=False)),
        "limit": lambda: [scaled(path, side) for path in paths],
        "pillow": lambda: [by_pillow(path, side) for path in paths],
        "torchvision": lambda: [images for images, _ in loader],
    }


def scaled(path: str, side: int) -> np.ndarray:
    data = Path(path).read_bytes()
    height, width, *_ = simplejpeg.decode_jpeg_header(data)
    factor = reduction(height, width, side)
    return simplejpeg.decode_jpeg(data, min_height=-(-height // factor), min_width=-(-width // factor))


def by_pillow(path: str, side: int) -> np.ndarray:
    with Image.open(path) as image:
        rgb = image.convert("RGB")
        top, left, short = centre_square(rgb.height, rgb.width, 1)
        box = (left, top, left + short, top + short)
        return np.asarray(rgb.resize((side, side), Image.Resampling.BICUBIC, box=box))


def alternate(
    ways: dict[str, Callable[[], object]], rounds: int, clock: Callable[[], float]
) -> dict[str, list[float]]:
    """Seconds of each way in each round; every round runs them all."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            start = clock()
            way()
            if number:  # the first round warms up
                seconds[name].append(clock() - start)
    return seconds


if __name__ == "__main__":
    main()
