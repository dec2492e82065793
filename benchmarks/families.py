"""How much of a training step is its networks' forward and backward passes, for each family.

    python benchmarks/families.py [--experiments digits/gan ...] [--rounds 5] [--steps 5]

A step of each experiment's own model, batch and precision, on random images or points, one thread unless
OMP_NUM_THREADS says otherwise. Passes are timed within the step itself: calls of the networks, and of the
functions of autograd that go backward; what they call within each other counts once. The ratio is the step's
time over theirs: what optimisers, losses, random numbers and copies add. Least of the rounds.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from centigan import params
from centigan.data.points import DRAWING
from centigan.families import build
from centigan.settings import Settings
from centigan.settings.stages import TrainStage
from centigan.training.engine import Engine
from centigan.types import Batch, Family, Given

CPU = torch.device("cpu")


class Passes:
    """Seconds within the networks' calls and autograd's, the outermost of them."""

    def __init__(self) -> None:
        self.seconds, self.depth = 0.0, 0

    def timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.depth += 1
            start = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self.depth -= 1
                if not self.depth:
                    self.seconds += time.perf_counter() - start

        return call

    @contextmanager
    def within(self, family: Family) -> Iterator[None]:
        """Time the family's passes while the block runs."""
        backward, grad = torch.Tensor.backward, torch.autograd.grad
        torch.Tensor.backward = self.timed(backward)  # type: ignore[method-assign]
        torch.autograd.grad = self.timed(grad)
        forwards = {name: network.forward for name, network in family.networks.items()}
        for network in family.networks.values():
            network.forward = self.timed(network.forward)  # type: ignore[method-assign]
        try:
            yield
        finally:
            torch.Tensor.backward, torch.autograd.grad = backward, grad  # type: ignore[method-assign]
            for name, forward in forwards.items():
                family.networks[name].forward = forward  # type: ignore[method-assign]


def main() -> None:
    words = asked(__doc__, steps=5)
    print(f"{'experiment':28} {'ms a step':>9} {'of passes':>9} {'ratio':>6} {'D and G':>10}")
    for experiment in words.experiments:
        settings = params.load(experiment)
        family, batch, step = prepared(settings)
        rounds = [timed(family, batch, step, words.steps) for _ in range(words.rounds + 1)][1:]
        whole, passes = min(rounds)
        numbers = sum(p.numel() for network in family.networks.values() for p in network.parameters())
        print(
            f"{experiment:28} {1000 * whole:9.1f} {1000 * passes:9.1f} {whole / passes:6.2f} {numbers:10,d}"
        )


def asked(description: str | None, *, steps: int) -> argparse.Namespace:
    """What the command line asks for: experiments, all of digits by default, rounds and steps of each."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    of_digits = [name for name in params.experiments_of(Path()) if name.startswith("digits/")]
    parser.add_argument("--experiments", nargs="+", default=of_digits)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=steps)
    return parser.parse_args()


def prepared(
    settings: Settings, device: torch.device = CPU, **changes: str
) -> tuple[Family, Batch, Callable[..., Any]]:
    """A family on a device, a batch as its step takes it, and the step; `changes`: of `train`."""
    stage = params.stage(settings, TrainStage)
    training = stage.train.model_copy(update=changes)
    rng = torch.Generator().manual_seed(0)
    classes = min(settings.data.classes, settings.data.split_size)
    of_points = settings.data.kind == "points"
    channels = 1 if settings.arrays_of_source.channels == 1 else 3
    dimensions = 0
    if of_points:
        points, _ = DRAWING[settings.data.source](2, np.random.default_rng(0))
        dimensions = points.shape[1]
    resolution = 0 if of_points else settings.arrays.resolution
    family = build(
        stage.model,
        classes=classes,
        resolution=resolution,
        channels=channels,
        dimensions=dimensions,
        rng=rng,
    )
    engine = Engine.choose(training, device)
    engine.prepare(family, Path(".compiled"))

    def minibatch(count: int) -> Batch:
        shape = (count, dimensions) if of_points else (count, channels, resolution, resolution)
        images = torch.rand(shape, generator=rng) * 2 - 1
        labels = torch.randint(classes, (count,), generator=rng)
        return Batch(images.to(device), Given(labels.to(device)), torch.tensor(1, device=device))

    size = stage.train.batch_size
    batch = minibatch(size * stage.model.batches)._replace(labelled=minibatch(size))
    return family, engine.laid_out(batch), engine.stepper(family)


def timed(family: Family, batch: Batch, step: Callable[..., Any], steps: int) -> tuple[float, float]:
    """Seconds of a step, and of its passes."""
    passes, rng = Passes(), torch.Generator().manual_seed(0)
    with passes.within(family):
        start = time.perf_counter()
        for _ in range(steps):
            step(batch, rng)
        whole = time.perf_counter() - start
    return whole / steps, passes.seconds / steps


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
