"""How much faster is a training step that is recorded as one CUDA graph, for each family? Needs a GPU.

    python benchmarks/graphs.py [--experiments digits/gan ...] [--rounds 5] [--steps 20]

A step of each experiment's own model and batch on random images, in the precision that `auto` chooses there,
launched kernel by kernel and recorded, alternately. The least time of the rounds.
"""

import time
from collections.abc import Callable
from typing import Any

import torch
from families import asked, prepared

from centigan import params
from centigan.types import Batch, Grows, Primes

GPU, WAYS, SETTLED = torch.device("cuda", 0), ("none", "graph"), 5


def main() -> None:
    words = asked(__doc__, steps=20)
    print(torch.cuda.get_device_name(), f"PyTorch {torch.__version__}")
    print(f"{'experiment':28} {'eager, ms':>9} {'graph, ms':>9} {'ratio':>6} {'images/s':>9}")
    for experiment in words.experiments:
        work = {way: started(experiment, way) for way in WAYS}
        rounds = [{way: timed(*work[way], words.steps) for way in WAYS} for _ in range(words.rounds)]
        eager, recorded = (min(each[way] for each in rounds) for way in WAYS)
        images = len(work["graph"][1].images) / recorded
        print(
            f"{experiment:28} {1e3 * eager:9.2f} {1e3 * recorded:9.2f} {eager / recorded:6.2f} {images:9,.0f}"
        )


def started(experiment: str, way: str) -> tuple[Callable[..., Any], Batch, torch.Generator]:
    """A family's step after its first few, the batch it takes, and its random numbers."""
    family, batch, step = prepared(params.load(experiment), GPU, compile=way)
    rng = torch.Generator(GPU).manual_seed(0)
    if isinstance(family, Primes):
        family.prime(batch, rng)
    if isinstance(family, Grows):
        family.grow(10**9, 1)  # all layers
    for _ in range(SETTLED):
        step(batch, rng)
    return step, batch, rng


def timed(step: Callable[..., Any], batch: Batch, rng: torch.Generator, steps: int) -> float:
    """Seconds of a step."""
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(steps):
        step(batch, rng)
    torch.cuda.synchronize()
    return (time.perf_counter() - start) / steps


if __name__ == "__main__":
    main()
