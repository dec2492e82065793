"""MS-SSIM of pairs of images against pytorch-msssim, alternately in one run.

    python benchmarks/ms_ssim.py [--resolution 128] [--pairs 100] [--rounds 5] [--threads 2]

pytorch-msssim takes no larger window than 7 at 128 px, which is less work than our 11. It is called once a
pair, and once for all pairs; its images are float32 planes already, ours are bytes. Ours: of pairs that share
no image, as the metric draws them, and of every image with every other one, as the neighbour search does,
where what depends on one image is computed once; that includes the preparation.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import pytorch_msssim
import torch

from centigan.similarity import ms_ssim, ms_ssim_of_all, prepare

PEERS = ("pair by pair", "batched")
OURS = ("ours, pairs", "ours, all with all")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--resolution", type=int, default=128)
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    words = parser.parse_args()
    torch.set_num_threads(words.threads)
    ways = contestants(words.resolution, words.pairs)
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(words.rounds + 1):
        for name, (pairs, work) in ways.items():
            start = time.perf_counter()
            work()
            if number:  # the first round warms up
                rates[name].append(pairs / (time.perf_counter() - start))
    print(f"{words.resolution} px, {words.pairs} pairs, {words.threads} threads")
    for name, values in rates.items():
        print(f"{name:18} {statistics.median(values):7.0f} pairs/s")
    for ours in OURS:
        for peer in PEERS:
            ratios = [a / b for a, b in zip(rates[ours], rates[peer], strict=True)]
            print(
                f"{ours} is {statistics.median(ratios):.1f} x {peer} ({min(ratios):.1f} to {max(ratios):.1f})"
            )


def contestants(side: int, count: int) -> dict[str, tuple[int, Callable[[], object]]]:
    """Of each way, the pairs that a call measures, and the call."""
    images = np.random.default_rng(0).integers(0, 256, (2 * count, side, side, 3), dtype=np.uint8)
    planes = torch.from_numpy(images).permute(0, 3, 1, 2).float().contiguous()
    first, second = planes.split(count)

    def peer(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return pytorch_msssim.ms_ssim(x, y, data_range=255, size_average=False, win_size=7)

    return {
        "pair by pair": (
            count,
            lambda: [peer(x[None], y[None]) for x, y in zip(first, second, strict=True)],
        ),
        "batched": (count, lambda: peer(first, second)),
        # Copies of the bytes, as the metric makes them.
        "ours, pairs": (count, lambda: ms_ssim(images[:count].copy(), images[count:].copy())),
        "ours, all with all": (
            20 * count,
            lambda: ms_ssim_of_all(prepare(images[:20]), prepare(images[count:])),
        ),
    }


if __name__ == "__main__":
    main()
