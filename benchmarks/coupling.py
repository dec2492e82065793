"""How much of real NVP's density and of its sampling is convolutions.

    python benchmarks/coupling.py [--rounds 5]

Seconds of the processor for a batch through f and through its inverse, and those within its convolutions,
with the normalisation of their weights; in float32, one thread, the least of the rounds.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from centigan.nets.coupling import Flow, Plan

CASES = {  # shape of images, plan, batch; one scale and a part of checkerboards
    "digits8/real_nvp": ((1, 8, 8), Plan(24, 1, actnorm=True), 64),
    "32 px, 64 maps, 2 blocks": ((3, 32, 32), Plan(64, 2, actnorm=True), 8),
    "32 px, 64 maps, 8 blocks": ((3, 32, 32), Plan(64, 8, actnorm=True), 4),
}


class Clock:
    """Seconds of the processor within the convolutions of a network."""

    def __init__(self, network: nn.Module) -> None:
        self.seconds = self.start = 0.0
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                module.register_forward_pre_hook(self._begin)
                module.register_forward_hook(self._end)

    def _begin(self, *_: Any) -> None:
        self.start = time.process_time()

    def _end(self, *_: Any) -> None:
        self.seconds += time.process_time() - self.start

    def of(self, work: Callable[[Tensor], object], x: Tensor) -> tuple[float, float]:
        """Seconds of the whole, and of the convolutions within."""
        self.seconds, start = 0.0, time.process_time()
        work(x)
        return time.process_time() - start, self.seconds


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    words = parser.parse_args()
    print(f"{'networks':28} {'way':9} {'ms':>7} {'convolutions':>13} {'ratio':>6}")
    for name, (shape, plan, batch) in CASES.items():
        flow = Flow(shape, plan, scales=1, tail=True)
        clock, w = Clock(flow), torch.rand(batch, *shape) * 2 - 1
        for way, work in (("density", flow), ("sampling", flow.inverse)):
            whole, within = min(clock.of(work, w) for _ in range(words.rounds))
            print(f"{name:28} {way:9} {1000 * whole:7.1f} {1000 * within:13.1f} {whole / within:6.2f}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
