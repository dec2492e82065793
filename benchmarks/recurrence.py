"""How much of a step of DRAW is its matrix products.

    python benchmarks/recurrence.py [--rounds 10]

Of a step all products of matrices are written down, there and back: sizes, strides and types. The step and
those products alone, on random numbers, are then timed alternately; of each the least of the rounds, seconds
of the processor. What the ratio has above 1 is everything else: gates, filters, canvas, random numbers,
optimiser. In float32, one thread. Of the paper's settings a few glimpses are timed; the optimiser, which is
asked once a step, weighs more there than of 32 or 64.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

from centigan import params
from centigan.families import build
from centigan.settings.families.draw import DrawConfig
from centigan.types import Batch, Given

ATEN = torch.ops.aten
PRODUCTS = {ATEN.mm, ATEN.addmm, ATEN.bmm, ATEN.baddbmm}
CASES = {  # settings, batch, side, channels
    "digits/draw": (params.load("digits/draw").model, 50, 32, 1),
    "digits/draw_whole": (params.load("digits/draw_whole").model, 50, 32, 1),
    "MNIST's": (DrawConfig(steps=8), 128, 32, 1),
    "MNIST's, whole images": (DrawConfig(steps=8, attention=False), 128, 32, 1),
    "SVHN's": (DrawConfig(steps=4, units=800, read=12, write=12), 128, 64, 3),
}
Call = tuple[Callable[..., Tensor], Any, dict[str, Any]]


class Recorder(TorchDispatchMode):
    """Keeps each product's function and arguments, on random numbers of the same layout."""

    def __init__(self) -> None:
        super().__init__()
        self.products: list[Call] = []
        self.others = 0  # views too

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if operation.overloadpacket in PRODUCTS:
            self.products.append((operation, tree_map_only(Tensor, like, args), kwargs or {}))
        else:
            self.others += 1
        return operation(*args, **(kwargs or {}))


def like(tensor: Tensor) -> Tensor:
    """Random numbers of the same sizes, strides and type."""
    last = sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
    return torch.randn(last + 1).to(tensor.dtype).as_strided(tensor.shape, tensor.stride())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=10)
    words = parser.parse_args()
    print(f"{'settings':24} {'ms a step':>9} {'products':>9} {'ratio':>6} {'of so many':>10} {'others':>7}")
    for name, (config, size, side, channels) in CASES.items():
        rng = torch.Generator().manual_seed(0)
        family = build(config, classes=5, resolution=side, channels=channels, rng=rng)
        images = torch.rand(size, channels, side, side, generator=rng) * 2 - 1
        batch = Batch(images, Given(torch.zeros(size, dtype=torch.int64)), torch.tensor(1))
        family.step(batch, rng)
        with Recorder() as recorder:
            family.step(batch, rng)
        ways = (partial(family.step, batch, rng), partial(again, recorder.products))
        rounds = [[timed(way) for way in ways] for _ in range(words.rounds)]
        whole, alone = (min(seconds) for seconds in zip(*rounds, strict=True))
        counts = f"{len(recorder.products):10d} {recorder.others:7d}"
        print(f"{name:24} {1000 * whole:9.1f} {1000 * alone:9.1f} {whole / alone:6.2f} {counts}", flush=True)


@torch.no_grad()
def again(products: list[Call]) -> None:
    for operation, args, kwargs in products:
        operation(*args, **kwargs)


def timed(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
