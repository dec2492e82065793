"""How long does a minibatch take to prepare, of few images and of as many as ImageNet has?

    python benchmarks/batches.py [--images 13000 1281167] [--batch-size 64] [--batches 50] [--rounds 5]

Images are 32 x 32 zeros in a sparse file, which the kernel gives for nothing: what is left is the choice of
rows and the copy. The least time of the rounds, of all numbers in turn.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from centigan.data.batches import Batches
from centigan.manifest import write_manifest

SIDE = 32


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, nargs="+", default=[13_000, 1_281_167])
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--batches", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        streams = {images: stream(Path(place) / str(images), images, words) for images in words.images}
        least = dict.fromkeys(streams, float("inf"))
        for number in range(words.rounds):
            for images, batches in streams.items():
                first = 1 + number * words.batches
                start = time.perf_counter()
                for iteration in range(first, first + words.batches):
                    batches.at(iteration)
                least[images] = min(least[images], (time.perf_counter() - start) / words.batches)
    for images, seconds in least.items():
        print(f"{images:9,} images: {1000 * seconds:7.2f} ms a batch of {words.batch_size}")


def stream(folder: Path, images: int, words: argparse.Namespace) -> Batches:
    """Minibatches of so many images of zeros."""
    folder.mkdir()
    np.save(folder / "labels.npy", np.zeros(images, np.int16))
    with (folder / "images.npy").open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (images, SIDE, SIDE, 3)}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + images * SIDE * SIDE * 3)
    facts = {"classes": ["zeros"], "resolution": SIDE}
    write_manifest(folder, {}, facts=facts, of=["labels.npy"])
    device = torch.device("cpu")
    return Batches(folder, batch_size=words.batch_size, seed=0, split="00", device=device, placement="mapped")


if __name__ == "__main__":
    main()
