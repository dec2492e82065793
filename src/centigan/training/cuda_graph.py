"""A training step recorded once as a CUDA graph and replayed: one launch instead of some two thousand.

Replays run the kernels of the step that was recorded, with the random numbers of the seed that is set before
each, so they give the bytes of a step that is not recorded (tests/training/test_gpu.py). What it saves is the
processor's time to launch them: on an H100 an eager step of 32, 64 and 128 px took the same 23 ms.
"""

from collections.abc import Callable

import torch
from torch import Generator, Tensor
from torch.utils._pytree import tree_leaves, tree_map_only

from centigan.types import Batch

Step = Callable[[Batch, Generator], dict[str, Tensor]]
UNRECORDED = 3  # first steps: cuDNN chooses its algorithms in them, and Adam makes its state


class RecordedStep:
    """A step that is recorded after the first few; its losses lie in the same tensors each time."""

    def __init__(self, step: Step) -> None:
        """`step`: of a family whose optimisers count on the device (`Engine.prepare`)."""
        self.step, self.seen = step, 0
        self.graph = torch.cuda.CUDAGraph()
        self.batch: Batch | None = None  # where the recorded step reads
        self.losses: dict[str, Tensor] = {}

    def __call__(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        """One step; `rng` must be the same generator each time."""
        # a recording is of the present device, and that is the first one unless it is named
        with torch.cuda.device(batch.images.device):
            return self._step(batch, rng)

    def _step(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        self.seen += 1
        if self.seen <= UNRECORDED:
            return self._aside(batch, rng)
        if self.batch is None:
            self._record(batch, rng)
        else:
            for there, given in zip(tree_leaves(self.batch), tree_leaves(batch), strict=True):
                if isinstance(there, Tensor):
                    there.copy_(given, non_blocking=True)
        self.graph.replay()
        return self.losses

    def _aside(self, batch: Batch, rng: Generator) -> dict[str, Tensor]:
        """A step on a stream of its own, as a recording asks of those before it."""
        stream = torch.cuda.Stream(batch.images.device)
        stream.wait_stream(torch.cuda.current_stream(stream.device))
        with torch.cuda.stream(stream):
            losses = self.step(batch, rng)
        torch.cuda.current_stream(stream.device).wait_stream(stream)
        return losses

    def _record(self, batch: Batch, rng: Generator) -> None:
        """Note every kernel of a step, without running any."""
        self.batch = tree_map_only(Tensor, torch.clone, batch)
        self.graph.register_generator_state(rng)
        with torch.cuda.graph(self.graph):
            self.losses = self.step(self.batch, rng)
