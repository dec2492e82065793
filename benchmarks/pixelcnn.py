"""How much faster PixelCNN++ draws when each pixel asks only for what is new.

    python benchmarks/pixelcnn.py [--images 1,16] [--rounds 3]

Images of 32 x 32 grey pixels by the network of `digits/pixelcnn`, from the same random numbers: by
`nets/pixel_by_pixel.py`, and by a loop that runs the whole network for every pixel. The loop is in float32,
which is its best; what is fed is in double precision. Each pixel of the loop takes as long as any other: a
share of them is timed, and multiplied. Least of the rounds, seconds of the processor, one thread.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial

import torch

from centigan import params
from centigan.families.pixelcnn import PixelCNN
from centigan.logistic import drawn_of, mixture_of
from centigan.settings.families.pixelcnn import PixelcnnConfig
from centigan.types import Shape, of_no_class

SIDE, TIMED = 32, 32  # pixels of the loop that are timed


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", default="1,16")
    parser.add_argument("--rounds", type=int, default=3)
    words = parser.parse_args()
    config = params.load("digits/pixelcnn").model
    assert isinstance(config, PixelcnnConfig)
    family = PixelCNN(config, Shape(1, SIDE, 1), torch.Generator().manual_seed(0))
    print(f"{'images':>6} {'fed, s':>8} {'whole network, s':>17} {'ratio':>6}")
    for count in map(int, words.images.split(",")):
        latent = family.latent(count, torch.Generator().manual_seed(0))
        ways = (partial(fed, family, latent), partial(plainly, family, latent))
        rounds = [[timed(way) for way in ways] for _ in range(words.rounds)]
        new, whole = (min(seconds) for seconds in zip(*rounds, strict=True))
        whole *= SIDE**2 / TIMED
        print(f"{count:6d} {new:8.2f} {whole:17.2f} {whole / new:6.1f}", flush=True)


def fed(family: PixelCNN, latent: torch.Tensor) -> None:
    """All pixels, each of what is new."""
    family.generate(latent, of_no_class(len(latent), latent.device))


@torch.no_grad()
def plainly(family: PixelCNN, latent: torch.Tensor) -> None:
    """The first pixels, the whole network for each."""
    images, network = torch.zeros(len(latent), 1, SIDE, SIDE), family.network.eval()
    uniform = latent.view(len(latent), 2, SIDE, SIDE)
    for column in range(TIMED):
        mixture = mixture_of(network(images)[:, :, 0, column], 1)
        images[:, :, 0, column] = drawn_of(mixture, uniform[:, :, 0, column], family.levels)


def timed(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
