"""How much pixels vary from image to image: what tells a generator of noise from one of its mean.

Of images whose pixels are independent a code can hold nearly nothing. A likelihood's best answer is then the
mean of all, grey, since each other image is farther from most; a discriminator tells grey from noise at a
glance. `deviation` is the standard deviation of a pixel over the images, pixels from -1 to 1, mean over
pixels: sqrt((256^2 - 1) / 12) / 127.5 = .580 of uniform bytes, 0 where all images are the same.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from centigan.atomic import atomic_path
from centigan.judges.images import Images
from centigan.layout import Layout
from centigan.settings.evaluation import DistributionSettings

COLUMNS = ("source", "deviation", "images")


def measure(layout: Layout, split: str, settings: DistributionSettings) -> None:
    """Write metrics/pixel_deviation/{split}.parquet, a row: source, deviation, images."""
    images = np.load(layout.samples(split) / "images.npy")
    _write(images, "generated", layout.metric("pixel_deviation", split))


def measure_real(layout: Layout, split: str, settings: DistributionSettings) -> None:
    """Write the same of training images: held-out ones are kept at twice the side, enlarged."""
    images = np.load(layout.arrays(split) / "images.npy")
    _write(images, "training", layout.real_metric("pixel_deviation", split))


def _write(images: Images, source: str, path: Path) -> None:
    row = {"source": source, "deviation": deviation(images), "images": len(images)}
    with atomic_path(path) as temporary:
        pd.DataFrame([row], columns=COLUMNS).to_parquet(temporary, index=False)


def deviation(images: Images) -> float:
    """Mean over pixels of their deviation over images, uint8 (N, H, W, C), with pixels from -1 to 1."""
    return float((images.astype(np.float64) / 127.5).std(0).mean())
