"""Floating-point operations of one training iteration, counted by torch, and what follows for a whole run.

    python benchmarks/flops.py [--experiments cifar10/acgan imagenet64/acgan ...]

An operation is a multiplication or an addition; convolutions and matrix products are counted, forward and
backward, of a step of each experiment's own model and batch. What begins with another model is counted with
networks that were just drawn. A gradient of a gradient cannot be counted (WGAN-GP, progressive growing).
docs/experiments.md quotes these figures.
"""

import argparse

import torch
from torch.utils.flop_counter import FlopCounterMode

from centigan import params
from centigan.families import build
from centigan.layout import split_names
from centigan.settings import Settings
from centigan.settings.sources import about
from centigan.types import Batch, Given, Primes

PAPER = ("imagenet128/acgan", "imagenet64/acgan", "cifar10/acgan")
COUNTED = 8  # images of a batch that are counted, where it has more


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--experiments", nargs="+", default=PAPER, help="default: AC-GAN's")
    for experiment in parser.parse_args().experiments:
        settings = params.load(experiment)
        splits = len(split_names(settings.data.classes, settings.data.split_size))
        iteration = operations(settings)
        split = iteration * settings.train.iterations / 1e15
        print(
            f"{experiment:40} {iteration / 1e9:9.1f} GFLOP an iteration, {split:8.2f} PFLOP a split, "
            f"{split * splits:9.1f} PFLOP for {splits}",
            flush=True,
        )


def operations(settings: Settings) -> float:
    """Operations of an iteration."""
    rng, count = torch.Generator().manual_seed(0), min(COUNTED, settings.train.batch_size)
    classes, side = min(settings.data.classes, settings.data.split_size), settings.arrays.resolution
    config, has = settings.model, about(settings.data.source).has
    channels = 1 if "grey" in has and settings.arrays.channels == "auto" else 3
    embedding = settings.text.embedding if "captions" in has else 0
    family = build(
        config,
        classes=classes,
        resolution=side,
        rng=rng,
        channels=channels,
        embedding=embedding,
    )
    batch = made(count * config.batches, channels, side, embedding)
    if config.takes_labelled_apart:
        batch = batch._replace(labelled=made(count, channels, side, 0))
    if isinstance(family, Primes):
        family.prime(batch, rng)
    with FlopCounterMode(display=False) as counter:
        family.step(batch, rng)
    return counter.get_total_flops() * settings.train.batch_size / count


def made(count: int, channels: int, side: int, embedding: int) -> Batch:
    """Noise in place of images, all of one class."""
    images = torch.rand(count, channels, side, side) * 2 - 1
    captions = torch.randn(count, embedding) if embedding else None
    given = Given(torch.zeros(count, dtype=torch.long), captions)
    return Batch(images, given, torch.tensor(1))


if __name__ == "__main__":
    main()
