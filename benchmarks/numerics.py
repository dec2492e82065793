"""A training step in every precision, memory layout and mode of torch.compile: what `auto` is chosen from.

    python benchmarks/numerics.py [--resolution 128] [--batch 16] [--width 1.0] [--device cuda] [--modes ...]

The ways take turns in one run; a ratio is the first row's time over the row's own, round by round. A first
step's time includes compilation; run twice to see it come from the cache.
"""

import argparse
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from centigan.families import build
from centigan.settings.families.acgan import AcganConfig
from centigan.settings.training import TrainSettings
from centigan.training.engine import Engine, choose_device
from centigan.types import Batch, Given

CLASSES = 10
SETTLED = 4  # steps after the first: one is compiled anew, another records the CUDA graph


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--resolution", type=int, default=128)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--modes", nargs="+", default=["none", "default"])
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "centigan-compiled")
    words = parser.parse_args()
    device = choose_device(words.device)
    torch._dynamo.config.recompile_limit = 100  # each way compiles the same code anew
    ways = {}
    for precision, layout, mode in itertools.product(("float32", "bfloat16"), (False, True), words.modes):
        settings = TrainSettings.model_validate(
            {"precision": precision, "channels_last": layout, "compile": mode, "tf32": False}
        )
        name = f"{precision} {'channels-last' if layout else 'channels-first'} {mode}"
        ways[name] = stepper(Engine.choose(settings, device), words)
    first = {name: timed(step, device) for name, step in ways.items()}
    for step in ways.values():
        for _ in range(SETTLED):
            timed(step, device)
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(words.rounds):
        for name, step in ways.items():
            seconds[name].append(timed(step, device))
    reference = next(iter(seconds.values()))
    print(f"{words.resolution} px, batch {words.batch}, width {words.width}, {device}")
    for name, times in seconds.items():
        ratio = statistics.median(a / b for a, b in zip(reference, times, strict=True))
        print(
            f"{name:40} {1e3 * statistics.median(times):8.1f} ms, {ratio:5.2f} x; first {first[name]:5.1f} s"
        )


def stepper(engine: Engine, words: argparse.Namespace) -> Callable[[], object]:
    rng = torch.Generator().manual_seed(0)
    config = AcganConfig(width=words.width)
    family = build(config, classes=CLASSES, resolution=words.resolution, rng=rng)
    engine.prepare(family, words.cache)
    images = torch.rand(words.batch, 3, words.resolution, words.resolution, device=engine.device) * 2 - 1
    labels = torch.randint(CLASSES, (words.batch,), device=engine.device)
    noise, step = torch.Generator(engine.device).manual_seed(0), engine.stepper(family)
    return lambda: step(engine.laid_out(Batch(images, Given(labels), torch.tensor(1))), noise)


def timed(work: Callable[[], object], device: torch.device) -> float:
    start = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
