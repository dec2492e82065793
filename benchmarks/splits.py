"""Two splits side by side, half of the threads each, against one after the other with all threads.

    python benchmarks/splits.py [--resolution 32] [--batch 50] [--width 0.5] [--splits 2] [--device auto]

Each split is a process of its own, as in the pipeline. Processes warm up, wait for each other, then all take
the same number of steps; imports and compilation are not counted. The two ways alternate in one run.
"""

import argparse
import multiprocessing
import os
import statistics
import tempfile
import time
from multiprocessing.synchronize import Barrier
from pathlib import Path

import torch

from centigan.families import build
from centigan.settings.families.acgan import AcganConfig
from centigan.settings.training import TrainSettings
from centigan.training.engine import Engine, choose_device
from centigan.types import Batch, Given

CLASSES = 10
SETTLED = 4  # steps before the clock runs: on a GPU the fourth is recorded


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--resolution", type=int, default=32)
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--width", type=float, default=0.5)
    parser.add_argument("--splits", type=int, default=2)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="auto")
    words = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    ratios = []
    for _ in range(words.rounds):
        one = words.splits * seconds(words, together=1, threads=cores)
        many = seconds(words, together=words.splits, threads=max(1, cores // words.splits))
        ratios.append(one / many)
        print(f"one after the other {one:6.1f} s, side by side {many:6.1f} s: {one / many:.2f} x")
    print(
        f"{words.resolution} px, batch {words.batch}, width {words.width}, {cores} cores: "
        f"{words.splits} splits side by side are {statistics.median(ratios):.2f} x as fast"
    )


def seconds(words: argparse.Namespace, *, together: int, threads: int) -> float:
    """Wall time of the steps of so many processes at once."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(together + 1)
    workers = [context.Process(target=train, args=(words, threads, barrier)) for _ in range(together)]
    for worker in workers:
        worker.start()
    barrier.wait()
    start = time.perf_counter()
    barrier.wait()
    elapsed = time.perf_counter() - start
    for worker in workers:
        worker.join()
    return elapsed


def train(words: argparse.Namespace, threads: int, barrier: Barrier) -> None:
    torch.set_num_threads(threads)
    engine = Engine.choose(TrainSettings(), choose_device(words.device))
    rng = torch.Generator().manual_seed(0)
    family = build(AcganConfig(width=words.width), classes=CLASSES, resolution=words.resolution, rng=rng)
    engine.prepare(family, Path(tempfile.gettempdir()) / "centigan-compiled")
    images = torch.rand(words.batch, 3, words.resolution, words.resolution, device=engine.device) * 2 - 1
    labels = torch.randint(CLASSES, (words.batch,), device=engine.device)
    batch, noise = (
        engine.laid_out(Batch(images, Given(labels), torch.tensor(1))),
        torch.Generator(engine.device).manual_seed(0),
    )
    step = engine.stepper(family)

    def steps(count: int) -> None:
        for _ in range(count):
            losses = step(batch, noise)
        float(losses["loss_generator"])  # waits for a GPU

    steps(SETTLED)
    barrier.wait()
    steps(words.steps)
    barrier.wait()


if __name__ == "__main__":
    main()
