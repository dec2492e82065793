"""Exact nearest neighbours by L1 against torch.cdist, alternately in one run; by MS-SSIM; and the memory.

    python benchmarks/neighbours.py [--resolution 128] [--images 2600] [--queries 100] [--threads 2]

torch.cdist(p=1) is given float32 images in memory, ours the bytes mapped from a file, for which it finds the
nearest image of the class as well as of the split. The memory is what a process takes beyond that of its
start, at its highest, while it searches under a bound.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch

from centigan.metrics.neighbours import MEGABYTE, Queries, by_ms_ssim, l1, search

CLASSES = 10
BOUNDS = (8, 32, 128)  # MB


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--resolution", type=int, default=128)
    parser.add_argument("--images", type=int, default=2600)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    words = parser.parse_args()
    torch.set_num_threads(words.threads)
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "images.npy"
        rng = np.random.default_rng(0)
        shape = (words.images, words.resolution, words.resolution, 3)
        np.save(file, rng.integers(0, 256, shape, dtype=np.uint8))
        compare(file, words.queries, words.rounds, words.threads)
        for bound in BOUNDS:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                grown = pool.submit(memory, file, words.queries, bound).result()
            size = file.stat().st_size / MEGABYTE
            print(f"bound {bound:3} MB: grows by {grown:4.0f} MB, over a file of {size:.0f} MB")


def compare(file: Path, count: int, rounds: int, threads: int) -> None:
    images = np.load(file, mmap_mode="r")
    queries, labels = queries_of(images, count)
    differences = count * images.size
    floats = torch.from_numpy(np.load(file)).flatten(1).float()
    own = torch.from_numpy(queries.images).flatten(1).float()
    few = queries._replace(rows=queries.rows[: 2 * CLASSES], labels=queries.labels[: 2 * CLASSES])
    ways: dict[str, Callable[[], object]] = {
        "cdist": lambda: torch.cdist(own, floats, p=1).min(1),
        "ours": lambda: search(queries, images, labels, of=l1, block=10_000),
        "ms_ssim": lambda: search(few, images, labels, of=by_ms_ssim, block=10_000),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, work in ways.items():
            start = time.perf_counter()
            work()
            seconds[name].append(time.perf_counter() - start)
    print(f"{images.shape[1]} px, {count} queries, {len(images)} images, {threads} threads")
    for name in ("cdist", "ours"):
        rate = differences / statistics.median(seconds[name]) / 1e9
        print(f"{name:5} {statistics.median(seconds[name]):6.2f} s, {rate:5.1f} G differences/s")
    ratios = [a / b for a, b in zip(seconds["cdist"], seconds["ours"], strict=True)]
    print(f"ours is {statistics.median(ratios):.1f} x cdist ({min(ratios):.1f} to {max(ratios):.1f})")
    rate = len(few.rows) * len(images) / statistics.median(seconds["ms_ssim"])
    print(f"by MS-SSIM, of {len(few.rows)} queries: {rate:.0f} pairs/s")


def memory(file: Path, count: int, bound: int) -> float:
    """MB that this process takes at most beyond those of its start."""
    images = np.load(file, mmap_mode="r")
    queries, labels = queries_of(images, count)
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # the peak is what it holds now
    before = peak()
    block = max(1, bound * MEGABYTE // (2 * images[0].nbytes))
    search(queries, images, labels, of=l1, block=block)
    return peak() - before


def queries_of(images: np.ndarray, count: int) -> tuple[Queries, np.ndarray]:
    """Negatives of images all over the file, and the labels of all images."""
    labels = np.arange(len(images)) * CLASSES // len(images)
    rows = np.linspace(0, len(images) - 1, count).astype(int)
    own = 255 - images[rows]
    return Queries("generated", own, np.arange(count), labels[rows]), labels


def peak() -> float:
    """MB that this process held at its highest."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    kilobytes = next(line.split()[1] for line in lines if line.startswith("VmHWM"))
    return int(kilobytes) / 1024


if __name__ == "__main__":
    main()
