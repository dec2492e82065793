"""Training steps against the plain loop of the public ports, alternately in one run.

    python benchmarks/training.py [--resolution 128] [--batch 16] [--rounds 3] [--threads 2]

Plain: eager, float32, a DataLoader that decodes files with Pillow, nn.Dropout, randn_like, unfused Adam; the
same networks and the same updates. Ours: the step in the precision and layout that `auto` chooses. A share of
peak is of this machine's bfloat16 matrix product, measured in the same rounds; operations as in flops.py.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.optim import Adam
from torch.utils.data import DataLoader
from torch.utils.flop_counter import FlopCounterMode
from torchvision.datasets import ImageFolder
from torchvision.transforms import Compose, Normalize, ToTensor

from centigan.data.batches import Batches
from centigan.families import build
from centigan.nets.blocks import Doubling, NoiseAndDropout
from centigan.settings.families.acgan import AcganConfig
from centigan.settings.training import TrainSettings
from centigan.training.engine import Engine
from centigan.types import Batch, Family, Given

CPU = torch.device("cpu")
CLASSES = 10
IMAGES = 400


class PlainNoise(nn.Module):
    """Activation noise as the ports write it."""

    def __init__(self, std: float) -> None:
        super().__init__()
        self.std = std

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.std * torch.randn_like(x)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--resolution", type=int, default=128)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    words = parser.parse_args()
    torch.set_num_threads(words.threads)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        write_images(place, words.resolution)
        steps = {
            "plain": plain(place, words.resolution, words.batch),
            "ours": ours(place, words.resolution, words.batch),
        }
        operations = count(words.resolution, words.batch)
        seconds: dict[str, list[float]] = {"plain": [], "ours": [], "data": []}
        peaks = []
        batches = stream(place, words.batch)
        for number in range(words.rounds + 1):
            for way in ("plain", "ours"):
                elapsed = timed(steps[way])
                if number:  # the first round warms up
                    seconds[way].append(elapsed)
            seconds["data"].append(timed(lambda: next(batches)))
            peaks.append(peak())
    rate = statistics.median(peaks)
    print(
        f"{words.resolution} px, batch {words.batch}, {words.threads} threads; "
        f"matrix product {rate / 1e9:.0f} GFLOP/s"
    )
    for way in ("plain", "ours"):
        middle = statistics.median(seconds[way])
        share = operations / middle / rate
        print(f"{way:6} {middle:7.3f} s a step, {words.batch / middle:7.1f} images/s, {share:5.1%} of peak")
    ratios = [a / b for a, b in zip(seconds["plain"], seconds["ours"], strict=True)]
    waiting = statistics.median(seconds["data"]) / statistics.median(seconds["ours"])
    print(f"ours is {statistics.median(ratios):.2f} x plain; {waiting:.2%} of our step is the batch's data")


def write_images(place: Path, resolution: int) -> None:
    """The same random images as files and as arrays."""
    images = np.random.default_rng(0).integers(0, 256, (IMAGES, resolution, resolution, 3), dtype=np.uint8)
    labels = np.arange(IMAGES) % CLASSES
    np.save(place / "images.npy", images)
    np.save(place / "labels.npy", labels.astype(np.int16))
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        folder = place / "files" / str(label)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{number}.jpg", quality=90)


def plain(place: Path, resolution: int, batch: int) -> Callable[[], object]:
    """The loop of the ports over the paper's networks."""
    family = new_family(resolution)
    for network in family.networks.values():
        as_ports_write_it(network)
    for name, lr in (("generator", 2e-4), ("discriminator", 2e-4)):
        parameters = family.networks[name].parameters()
        family.optimizers[name] = Adam(parameters, lr, (0.5, 0.999), fused=False, foreach=False)
    transform = Compose([ToTensor(), Normalize((0.5,) * 3, (0.5,) * 3)])
    loader = DataLoader(ImageFolder(place / "files", transform), batch, shuffle=True, drop_last=True)
    rng = torch.Generator().manual_seed(0)

    def endless() -> Iterator[Batch]:
        while True:
            for images, labels in loader:
                yield Batch(images, Given(labels), torch.tensor(1))

    batches = endless()
    return lambda: family.step(next(batches), rng)


def as_ports_write_it(module: nn.Module) -> None:
    """PyTorch's own layers in place of ours."""
    for name, child in module.named_children():
        if isinstance(child, NoiseAndDropout):
            setattr(module, name, nn.Sequential(PlainNoise(child.std), nn.Dropout(0.5)))
        elif isinstance(child, Doubling):
            layer = nn.ConvTranspose2d(child.in_channels, child.out_channels, 5, 2, 2, 1)
            layer.load_state_dict(child.state_dict())
            setattr(module, name, layer)
        else:
            as_ports_write_it(child)


def ours(place: Path, resolution: int, batch: int) -> Callable[[], object]:
    family, rng = new_family(resolution), torch.Generator().manual_seed(0)
    engine = Engine.choose(TrainSettings(), CPU)
    engine.prepare(family, place)
    batches, step = stream(place, batch), engine.stepper(family)
    return lambda: step(engine.laid_out(next(batches)), rng)


def stream(place: Path, batch: int) -> Iterator[Batch]:
    batches = Batches(place, batch_size=batch, seed=0, split="00", device=CPU)
    iteration = 0
    while True:
        iteration += 1
        yield batches.at(iteration)


def new_family(resolution: int) -> Family:
    rng = torch.Generator().manual_seed(0)
    return build(AcganConfig(), classes=CLASSES, resolution=resolution, rng=rng)


def count(resolution: int, batch: int) -> int:
    images, labels = torch.zeros(batch, 3, resolution, resolution), torch.zeros(batch, dtype=torch.long)
    with FlopCounterMode(display=False) as counter:
        new_family(resolution).step(Batch(images, Given(labels), torch.tensor(1)), torch.Generator())
    return counter.get_total_flops()


def peak(side: int = 2048) -> float:
    """Operations a second of a bfloat16 matrix product."""
    a, b = (torch.randn(side, side).bfloat16() for _ in range(2))
    return 2 * side**3 / min(timed(lambda: a @ b) for _ in range(5))


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
