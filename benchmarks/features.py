"""Feature extraction against the bare network and against torch-fidelity, alternately in one run.

    python benchmarks/features.py [--side 128] [--images 64] [--rounds 3] [--threads 2]

The network is the Inception of 2015 with random weights in the format of its file. Bare: its forward
pass on tensors that are already resized, at the same batch; a share of that rate is what resizing
leaves of it. torch-fidelity: its own extractor and loop on the same images and weights, at its default
batch of 64.

    python benchmarks/features.py --fid

How far bfloat16 moves the FID between two sets of real photographs (random crops of the two halves of
the packaged photographs): with EfficientNet-Lite0's trained weights, and with those random ones.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import Dataset
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torch_fidelity.utils import get_featuresdict_from_dataset
from torchvision.models import inception_v3

from centigan.data.embedded import PHOTOGRAPHS, packaged
from centigan.judges.extractor import load_extractor
from centigan.judges.network import Network
from centigan.settings.evaluation import FeatureSettings

NO_JUDGE = Path()
PRECISIONS = ("float32", "bfloat16")
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
CROPS = 24  # of each half of a photograph


class Bytes(Dataset[Tensor]):
    """Images as torch-fidelity takes them: uint8 (3, H, W)."""

    def __init__(self, images: np.ndarray) -> None:
        self.images = torch.from_numpy(images).permute(0, 3, 1, 2)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, number: int) -> Tensor:
        return self.images[number]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--side", type=int, default=128, help="of the images, pixels")
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument(
        "--clock",
        choices=CLOCKS,
        default="wall",
        help="cpu: seconds of all threads, for a machine that others use; hides nothing behind anything",
    )
    parser.add_argument("--fid", action="store_true", help="measure what bfloat16 changes instead of speed")
    words = parser.parse_args()
    torch.set_num_threads(words.threads)
    with tempfile.TemporaryDirectory() as place:
        weights = random_weights(Path(place) / "weights-inception-2015-12-05-6726825d.pth")
        if words.fid:
            compare_fid(weights, words.side)
        else:
            compare_speed(weights, words)


def random_weights(path: Path) -> str:
    """Weights under which activations keep their size; torch-fidelity names its layers as torchvision."""
    network = inception_v3(weights=None, num_classes=1008, aux_logits=False, init_weights=False)
    rng = torch.Generator().manual_seed(0)
    for weight in (p for p in network.parameters() if p.ndim > 1):
        nn.init.kaiming_normal_(weight, nonlinearity="relu", generator=rng)
    torch.save(network.state_dict(), path)
    return str(path)


def compare_speed(weights: str, words: argparse.Namespace) -> None:
    shape = (words.images, words.side, words.side, 3)
    images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    contestants: dict[str, Callable[[], object]] = {"torch-fidelity": fidelity(weights, images)}
    for precision in PRECISIONS:
        extractor = of_2015(weights, precision)
        contestants[f"bare {precision}"] = bare(extractor, images)
        contestants[f"ours {precision}"] = lambda extractor=extractor: extractor.features(images)
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(words.rounds + 1):
        for name, work in contestants.items():
            elapsed = timed(work, CLOCKS[words.clock])
            if number:  # the first round warms up
                seconds[name].append(elapsed)
    print(f"{words.images} images of {words.side} px, {words.threads} threads, {words.clock} time")
    for name, times in seconds.items():
        print(f"{name:14} {words.images / statistics.median(times):6.1f} images/s")
    for precision in PRECISIONS:
        against = {name: ratio(seconds, name, precision) for name in (f"bare {precision}", "torch-fidelity")}
        print(
            f"{precision}: {against[f'bare {precision}']:.1%} of the bare network's rate, "
            f"{against['torch-fidelity']:.2f} x torch-fidelity's"
        )


def ratio(seconds: dict[str, list[float]], name: str, precision: str) -> float:
    """Median over rounds of how many times as fast as `name` ours is."""
    pairs = zip(seconds[name], seconds[f"ours {precision}"], strict=True)
    return statistics.median(theirs / ours for theirs, ours in pairs)


def of_2015(weights: str, precision: str) -> Network:
    settings = {"network": "inception-2015", "weights": weights, "precision": precision}
    return load_extractor(FeatureSettings.model_validate(settings), NO_JUDGE)


def fidelity(weights: str, images: np.ndarray) -> Callable[[], object]:
    theirs = FeatureExtractorInceptionV3("2015", ["2048"], feature_extractor_weights_path=weights)
    options = {"batch_size": 64, "cuda": False, "save_cpu_ram": True, "verbose": False}
    return lambda: get_featuresdict_from_dataset(Bytes(images), theirs, **options)


def bare(network: Network, images: np.ndarray) -> Callable[[], object]:
    starts = range(0, len(images), network.batch)
    tensors = [network.prepare(images[start : start + network.batch]) for start in starts]
    return lambda: [network.pooled(batch) for batch in tensors]


def compare_fid(weights: str, side: int) -> None:
    halves = [photographs(side, half) for half in range(2)]
    print(f"FID between two sets of {len(halves[0])} crops of photographs, {side} px")
    for name, file in (("efficientnet-lite0", None), ("inception-2015", weights)):
        found = {}
        for precision in PRECISIONS:
            settings = {"network": name, "weights": file, "precision": precision}
            extractor = load_extractor(FeatureSettings.model_validate(settings), NO_JUDGE)
            found[precision] = fid(*(extractor.features(images, progress=name) for images in halves))
        change = found["bfloat16"] / found["float32"] - 1
        print(f"{name:18} float32 {found['float32']:.6g}, bfloat16 {found['bfloat16']:.6g}: {change:+.4%}")


def photographs(side: int, half: int) -> np.ndarray:
    """Square crops of the left or right half of every packaged photograph."""
    rng = np.random.default_rng(half)
    crops = []
    for place in PHOTOGRAPHS.values():
        picture = Image.open(packaged(*place)).convert("RGB")
        width, height = picture.size
        for _ in range(CROPS):
            size = int(rng.integers(96, min(160, width // 2, height) + 1))
            x = half * (width // 2) + int(rng.integers(0, width // 2 - size + 1))
            y = int(rng.integers(0, height - size + 1))
            crops.append(np.asarray(picture.crop((x, y, x + size, y + size)).resize((side, side))))
    return np.stack(crops)


def fid(a: np.ndarray, b: np.ndarray) -> float:
    """Squared Fréchet distance of Gaussians with the sets' means and covariances."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    first, second = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    # The covariances are singular (fewer images than features): the trace of the root from the Gram matrix.
    x, y = (set_ - set_.mean(0) for set_ in (a, b))
    cross = np.linalg.svd(x @ y.T, compute_uv=False).sum() / np.sqrt((len(a) - 1) * (len(b) - 1))
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(first) + np.trace(second) - 2 * cross)


def timed(work: Callable[[], object], clock: Callable[[], float]) -> float:
    start = clock()
    work()
    return clock() - start


if __name__ == "__main__":
    main()
