"""Multi-scale structural similarity of pairs of images (Wang, Simoncelli & Bovik, 2003).

Over five scales of RGB images in 0..255,

    prod_i mean(cs_i)^w_i  *  mean(l_5 cs_5)^w_5,

under the window rule of tensorflow/models' image compression, which fits small images too: at each
scale the Gaussian has min(11, side) taps and standard deviation 1.5 taps / 11, and is applied where it
fits whole. Between scales, the mean of 2 x 2 pixels; an odd border is repeated.

Departures: computed per pair, with negative means set to 0 before the power (a mean over a batch hides
them, a pair gives NaN); the product is taken per channel, then averaged. Both are pytorch-msssim's
way, and equal it where it accepts the size: sides above 160 that halve four times without remainder.
Of smaller images than 16 pixels a side, as five scales need, each pixel is repeated until they have that.

Two thirds and more of the work depend on one image alone and are done once for it (`prepare`).
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Any, NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from centigan.errors import UserError
from centigan.seeds import counter_seed
from centigan.settings.evaluation import MsSsimSettings
from centigan.settings.limits import PAIR_IMAGES
from centigan.threads import allowed_threads

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # Wang et al., section 3.2
WINDOW, SIGMA = 11, 1.5
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
SMALLEST = 2 ** (len(WEIGHTS) - 1)  # one pixel is left at the last scale
READ = 1024  # pairs read at a time: 100 MB at 128 px
CHUNK = 2**16  # pixels of x that a thread computes at a time: its maps stay in the cache

Maps = NDArray[np.float32]
ResultT = TypeVar("ResultT")


class Scale(NamedTuple):
    """What images alone give at one scale; a window has h' x w' places."""

    pixels: Maps  # (N, h, w, 3), minus 128
    mean: Maps  # (N, h', w', 3) of them, under the window
    spread: Maps  # (N, h', w', 3) variance under the window, plus C2 / 2


@dataclass(frozen=True)
class Prepared:
    """Images at every scale: at 128 px, 13 times the memory of their bytes."""

    scales: tuple[Scale, ...]

    def __len__(self) -> int:
        return len(self.scales[0].pixels)

    @property
    def nbytes(self) -> int:
        return sum(maps.nbytes for scale in self.scales for maps in scale)

    def part(self, start: int, stop: int) -> "Prepared":
        """Some of the images, in the same memory."""
        return Prepared(tuple(Scale(*(maps[start:stop] for maps in scale)) for scale in self.scales))


def ms_ssim(x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.float64]:
    """MS-SSIM (P,) in 0..1 of images x[i] and y[i], both (P, H, W, 3) in 0..255 of any dtype.

    Computed in float32 on the CPU: within 1e-5 of float64.

    Raises:
        UserError: for images of two sizes; for NaN.
    """
    if x.shape != y.shape:
        raise UserError(f"MS-SSIM: needs pairs of images of one size, not {x.shape} {y.shape}")

    def work(start: int, stop: int) -> NDArray[np.float64]:
        return _similarity(_prepare(x[start:stop]), _prepare(y[start:stop]))

    _require(x)
    _require(y)
    return np.concatenate([np.empty(0), *_in_threads(work, _chunks(len(x), x.shape))])


def prepare(images: NDArray[Any]) -> Prepared:
    """What MS-SSIM needs to know of each image (N, H, W, 3), in 0..255 of any dtype, alone.

    Raises:
        UserError: for NaN.
    """
    _require(images)
    parts = list(_in_threads(lambda a, b: _prepare(images[a:b]), _chunks(len(images), images.shape)))
    scales = zip(*(part.scales for part in parts), strict=True)
    return Prepared(tuple(Scale(*map(np.concatenate, zip(*scale, strict=True))) for scale in scales))


def ms_ssim_of_all(x: Prepared, y: Prepared) -> NDArray[np.float64]:
    """MS-SSIM (X, Y) in 0..1 of every image of x with every one of y."""
    values = np.empty((len(x), len(y)))
    chunks = list(_chunks(len(y), y.scales[0].pixels.shape))

    def work(row: int, start: int, stop: int) -> None:
        values[row, start:stop] = _similarity(x.part(row, row + 1), y.part(start, stop))

    # Chunks outside, rows inside: a chunk stays in the cache for all rows.
    for _ in _in_threads(work, ((row, *chunk) for chunk in chunks for row in range(len(x)))):
        pass
    return values


def random_pairs(count: int, pairs: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Pairs (min(pairs, all), 2) of different numbers below `count`, i < j, no pair twice.

    Raises:
        UserError: for fewer than two images.
    """
    if count < PAIR_IMAGES:
        raise UserError(f"MS-SSIM: a pair needs two images of a class, and there are {count}")
    if pairs >= comb(count, 2):
        return np.array(list(combinations(range(count), 2)), dtype=np.int64)
    number = rng.choice(comb(count, 2), pairs, replace=False)  # pair (i, j) has number j (j - 1) / 2 + i
    larger = np.floor((1 + np.sqrt(1 + 8 * number)) / 2).astype(np.int64)
    return np.stack([number - larger * (larger - 1) // 2, larger], axis=1)


def ms_ssim_within(
    images: NDArray[Any], rows: NDArray[np.int64], settings: MsSsimSettings, class_id: str, source: str
) -> NDArray[np.float64]:
    """MS-SSIM (<= settings.pairs,) of random pairs of a class's images: `rows` of images (N, H, W, 3).

    Which pairs depends on the seed, the class, the source ("real": training images, "generated": samples,
    "training": samples of a model in training) and the number of rows alone.

    Raises:
        UserError: naming class and source, where `ms_ssim` or `random_pairs` refuse.
    """
    rng = np.random.default_rng(counter_seed(settings.seed, class_id, source))
    try:
        chosen = rows[random_pairs(len(rows), settings.pairs, rng)]
        parts = (chosen[start : start + READ].T for start in range(0, len(chosen), READ))
        return np.concatenate([ms_ssim(images[first], images[second]) for first, second in parts])
    except UserError as error:
        raise UserError(f"class {class_id}, {source}: {error}") from None


def window(side: int) -> NDArray[np.float64]:
    """The Gaussian taps (min(11, side),) at one scale, centred, sum 1."""
    taps = min(WINDOW, side)
    offsets = np.arange(taps) - (taps - 1) / 2
    weights = np.exp(-0.5 * (offsets / (SIGMA * taps / WINDOW)) ** 2)
    return weights / weights.sum()


def _require(images: NDArray[Any]) -> None:
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        raise UserError("MS-SSIM: an image holds NaN or infinity; make it again")


def _prepare(images: NDArray[Any]) -> Prepared:
    if (times := -(-SMALLEST // min(images.shape[1:3]))) > 1:
        images = images.repeat(times, 1).repeat(times, 2)
    # Variances do not see the shift; in float32 it keeps two more bits of them.
    pixels = np.subtract(images, 128, dtype=np.float32)
    scales = []
    for scale in range(len(WEIGHTS)):
        if scale:
            pixels = _halved(pixels)
        mean = np.ascontiguousarray(_filtered(pixels))
        scales.append(Scale(pixels, mean, _filtered(pixels * pixels, plus=C2 / 2) - mean * mean))
    return Prepared(tuple(scales))


def _similarity(x: Prepared, y: Prepared) -> NDArray[np.float64]:
    """(P,) of pairs; one image on either side goes with all of the other."""
    product = np.ones((max(len(x), len(y)), 3))
    for a, b, weight in zip(x.scales, y.scales, WEIGHTS, strict=True):
        term = _filtered(a.pixels * b.pixels, plus=C2 / 2) - a.mean * b.mean  # half the numerator of cs
        term /= a.spread + b.spread
        if weight is WEIGHTS[-1]:
            mean_a, mean_b = a.mean + 128, b.mean + 128
            term *= (2 * mean_a * mean_b + C1) / (mean_a**2 + mean_b**2 + C1)
        # Rows first: twice as fast here as both axes at once.
        means = 2 * term.sum(1).sum(1, dtype=np.float64) / (term.shape[1] * term.shape[2])
        product *= np.clip(means, 0, 1) ** weight  # above 1 by rounding alone
    return product.mean(1)


def _filtered(maps: Maps, *, plus: float = 0.0) -> Maps:
    """(N, h, w, 3) -> (N, h', w', 3), where the window fits whole, of memory that is larger.

    The images stand below each other, and no place that is kept reaches into the next one.
    """
    count, height, width, _ = maps.shape
    taps = window(min(height, width)).astype(np.float32)
    tall = maps.reshape(count * height, width, 3)
    whole = np.empty_like(maps)
    cv2.sepFilter2D(tall, -1, taps, taps, dst=whole.reshape(tall.shape), delta=plus)
    before = len(taps) // 2  # OpenCV's anchor
    after = len(taps) - 1 - before
    return whole[:, before : height - after, before : width - after]


def _halved(maps: Maps) -> Maps:
    """Mean of 2 x 2 pixels."""
    count, height, width, _ = maps.shape
    if height % 2 or width % 2:
        maps = np.pad(maps, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        count, height, width, _ = maps.shape
    tall = maps.reshape(count * height, width, 3)
    halved = np.empty((count, height // 2, width // 2, 3), np.float32)
    size = (width // 2, count * height // 2)
    # At half the size "linear" is that mean, and here four times as fast as "area".
    cv2.resize(tall, size, dst=halved.reshape(*size[::-1], 3), interpolation=cv2.INTER_LINEAR)
    return halved


def _chunks(count: int, shape: tuple[int, ...]) -> Iterable[tuple[int, int]]:
    size = max(1, CHUNK // (shape[1] * shape[2]))
    return ((start, min(start + size, count)) for start in range(0, count, size))


def _in_threads(work: Callable[..., ResultT], arguments: Iterable[tuple[int, ...]]) -> Iterator[ResultT]:
    """Results in order, on as many threads as are allowed; OpenCV and numpy let go of the interpreter."""
    with ThreadPoolExecutor(allowed_threads()) as pool:
        yield from pool.map(lambda words: work(*words), arguments)
