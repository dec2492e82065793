"""Floating-point operations of one training iteration, counted by torch, and what follows for a whole run.

    python benchmarks/flops.py

An operation is a multiplication or an addition; convolutions and matrix products are counted, forward and
backward. docs/experiments.md quotes these figures.
"""

import torch
from torch.utils.flop_counter import FlopCounterMode

from centigan.families import build
from centigan.settings.families.acgan import AcganConfig
from centigan.types import Batch, Given

BATCH, ITERATIONS, CLASSES = 100, 50_000, 10
SPLITS = {128: 100, 64: 100, 32: 1}  # imagenet128, imagenet64, cifar10


def main() -> None:
    print(f"batch {BATCH}, {ITERATIONS:,} iterations, {CLASSES} classes")
    for resolution, splits in SPLITS.items():
        rng = torch.Generator().manual_seed(0)
        family = build(AcganConfig(), classes=CLASSES, resolution=resolution, rng=rng)
        images = torch.zeros(BATCH, 3, resolution, resolution)
        with FlopCounterMode(display=False) as counter:
            family.step(Batch(images, Given(torch.zeros(BATCH, dtype=torch.long)), torch.tensor(1)), rng)
        iteration = counter.get_total_flops()
        print(
            f"{resolution:4d} px: {iteration / 1e9:8.1f} GFLOP an iteration, "
            f"{iteration * ITERATIONS / 1e15:6.2f} PFLOP a split, "
            f"{iteration * ITERATIONS * splits / 1e15:8.1f} PFLOP for {splits} splits"
        )


if __name__ == "__main__":
    main()
