"""The data sets that ship; all but stacked digits are written in ImageNet's folder layout.

digits   scikit-learn's 1,797 handwritten digits, 8 x 8 pixels, PNG. Every fifth image of a class is
         held out.
photos   20 photographs of scikit-image and scikit-learn, each a class: the images of a class are
         seeded random square crops of its photograph, JPEG. Held out means: cropped from the left
         30 % of the photograph, which no training crop touches. It is the same scene, not another one.
shapes   drawn by `shapes`; captioned_shapes are more of them, with captions by `shape_captions`.
noise    grey images whose pixels are independent and uniform, 32 x 32, PNG; two classes of the same.
"""

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from centigan.data.shape_captions import write_captioned_shapes
from centigan.data.shapes import write_shapes
from centigan.data.sources.listing import Subset
from centigan.data.sources.stacked import CHANNELS, FILES, SIDE, STACKS
from centigan.errors import UserError
from centigan.manifest import write_digests

HELD_OUT_DIGIT = 5  # every fifth
PHOTO_CROPS = {"train": 400, "val": 50}
CROP_SIDES = (96, 160)  # pixels, smallest and largest
HELD_OUT_STRIP = 0.3  # share of the width; the narrowest strip of the photographs below has 115 px
JPEG_QUALITY = 92
SEED = 0
NOISE_SIDE = 32
NOISE = {"train": 1000, "val": 200}  # images of a class

# class -> (package, file); the name of the class is the name that the package gives the picture
PHOTOGRAPHS = {
    "astronaut": ("skimage", "data/astronaut.png"),
    "brick": ("skimage", "data/brick.png"),
    "camera": ("skimage", "data/camera.png"),
    "cell": ("skimage", "data/cell.png"),
    "chelsea": ("skimage", "data/chelsea.png"),
    "china": ("sklearn", "datasets/images/china.jpg"),
    "clock_motion": ("skimage", "data/clock_motion.png"),
    "coffee": ("skimage", "data/coffee.png"),
    "coins": ("skimage", "data/coins.png"),
    "flower": ("sklearn", "datasets/images/flower.jpg"),
    "grass": ("skimage", "data/grass.png"),
    "gravel": ("skimage", "data/gravel.png"),
    "hubble_deep_field": ("skimage", "data/hubble_deep_field.jpg"),
    "ihc": ("skimage", "data/ihc.png"),
    "moon": ("skimage", "data/moon.png"),
    "motorcycle_left": ("skimage", "data/motorcycle_left.png"),
    "page": ("skimage", "data/page.png"),
    "retina": ("skimage", "data/retina.jpg"),
    "rocket": ("skimage", "data/rocket.jpg"),
    "text": ("skimage", "data/text.png"),
}


def put_in_place(source: str, root: Path) -> None:
    """Write the data set `source` under root/train and root/val, and root/manifest.json last.

    Written beside `root` and renamed into place, so that an interrupted run leaves nothing half done.
    """
    building = root.with_name(f".{root.name}.part")
    if building.exists():
        shutil.rmtree(building)
    try:
        WRITERS[source](building)
        write_digests(building, sorted(path for path in building.rglob("*.*") if path.is_file()))
        if root.exists():
            shutil.rmtree(root)
        building.rename(root)
    except OSError as error:
        raise UserError(f"cannot write the data set {source} to {root}: {error.strerror or error}") from error


def _write_digits(root: Path) -> None:
    for label, images in enumerate(_digits()):
        for number, image in enumerate(images):
            subset = "val" if number % HELD_OUT_DIGIT == 0 else "train"
            folder = root / subset / str(label)
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(folder / f"{number:04d}.png")


def _digits() -> list[NDArray[np.uint8]]:
    """The images (N, 8, 8) of each digit from 0 to 9."""
    from sklearn.datasets import load_digits  # takes a second to import

    digits = load_digits()
    levels = np.rint(digits.images * (255 / 16)).astype(np.uint8)  # (1797, 8, 8), was 0..16
    return [levels[digits.target == label] for label in range(10)]


def _write_stacked_digits(root: Path) -> None:
    root.mkdir(parents=True)
    digits = _digits()
    held_out = [images[::HELD_OUT_DIGIT] for images in digits]
    training = [np.delete(images, slice(None, None, HELD_OUT_DIGIT), axis=0) for images in digits]
    drawn_from: dict[Subset, list[NDArray[np.uint8]]] = {"train": training, "held_out": held_out}
    for stream, subset in enumerate(drawn_from):
        stacks = _stacks(drawn_from[subset], STACKS[subset], np.random.default_rng([SEED, stream]))
        (root / FILES[subset]).write_bytes(stacks.tobytes())


def _stacks(digits: list[NDArray[np.uint8]], count: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """So many images of each class in order: (1000, count, 3, 8, 8)."""
    classes = np.arange(10**CHANNELS)
    stacks = np.empty((len(classes), count, CHANNELS, SIDE, SIDE), np.uint8)
    for channel in range(CHANNELS):
        digit_of = classes // 10 ** (CHANNELS - 1 - channel) % 10
        for digit, images in enumerate(digits):
            own = digit_of == digit
            stacks[own, :, channel] = images[rng.integers(len(images), size=(own.sum(), count))]
    return stacks


def _write_noise(root: Path) -> None:
    for label, name in enumerate("ab"):  # two, since some measurements tell classes apart
        rng = np.random.default_rng([SEED, label])
        for subset, count in NOISE.items():
            folder = root / subset / name
            folder.mkdir(parents=True)
            images = rng.integers(256, size=(count, NOISE_SIDE, NOISE_SIDE), dtype=np.uint8)
            for number, image in enumerate(images):
                Image.fromarray(image).save(folder / f"{number:04d}.png")


def _write_photos(root: Path) -> None:
    for label, name in enumerate(tqdm(PHOTOGRAPHS, desc="photos", unit="class", disable=None)):
        photograph = Image.open(packaged(*PHOTOGRAPHS[name])).convert("RGB")
        width, height = photograph.size
        border = int(width * HELD_OUT_STRIP)
        regions = {"train": (border, 0, width, height), "val": (0, 0, border, height)}
        for stream, (subset, region) in enumerate(regions.items()):
            folder = root / subset / name
            folder.mkdir(parents=True)
            rng = np.random.default_rng([SEED, label, stream])
            for number in range(PHOTO_CROPS[subset]):
                crop = photograph.crop(_random_square(region, rng))
                crop.save(folder / f"{number:04d}.jpg", quality=JPEG_QUALITY)


def _random_square(region: tuple[int, int, int, int], rng: np.random.Generator) -> tuple[int, int, int, int]:
    """Corners of a square of random side and place within (left, top, right, bottom)."""
    left, top, right, bottom = region
    largest = min(CROP_SIDES[1], right - left, bottom - top)
    side = int(rng.integers(CROP_SIDES[0], largest + 1))
    x, y = int(rng.integers(left, right - side + 1)), int(rng.integers(top, bottom - side + 1))
    return x, y, x + side, y + side


def packaged(package: str, file: str) -> Path:
    """A file inside an installed package, found without importing it."""
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / file


WRITERS: dict[str, Callable[[Path], None]] = {
    "captioned_shapes": write_captioned_shapes,
    "digits": _write_digits,
    "noise": _write_noise,
    "photos": _write_photos,
    "shapes": write_shapes,
    "stacked_digits": _write_stacked_digits,
}
