"""How many of the 1,000 stacked digits a generator draws (Metz et al. 2016, section 3.3.1).

A classifier of single digits names the red, the green and the blue channel of an image; together they name
its mode. Measured are the modes that some image is named, and KL(counts || uniform) in nats over the modes
of the split: log M where one has all images. N draws from the uniform distribution would have
M (1 - (1 - 1 / M)^N) modes.

The classifier is a support vector machine with a Gaussian kernel, C = 10 and scikit-learn's gamma, on the
8 x 8 means of a channel's pixels. It learns from the channels of the training images, each once, with
the digits that their class is named by; `judge` is the share of held-out channels that it names rightly. The
paper's is a convolutional network, for MNIST's digits.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.svm import SVC

from centigan.atomic import atomic_path
from centigan.data.sources.stacked import CHANNELS, SIDE
from centigan.judges.images import Images
from centigan.layout import Layout
from centigan.manifest import read_facts
from centigan.settings.evaluation import DistributionSettings

PENALTY = 10.0  # scikit-learn's C
COLUMNS = ("class_id", "source", "named", "images", "judge")


def measure(layout: Layout, split: str, settings: DistributionSettings) -> None:
    """Write metrics/stacked_modes/{split}.parquet, a row a class: class_id, source, named, images, judge."""
    images = np.load(layout.samples(split) / "images.npy")
    _write(layout, split, images, "generated", layout.metric("stacked_modes", split))


def measure_real(layout: Layout, split: str, settings: DistributionSettings) -> None:
    """Write the same of held-out images."""
    images = np.load(layout.arrays(split) / "held_out_images.npy")
    _write(layout, split, images, "held_out", layout.real_metric("stacked_modes", split))


def _write(layout: Layout, split: str, images: Images, source: str, path: Path) -> None:
    folder = layout.arrays(split)
    classes: list[str] = read_facts(folder)["classes"]
    training, held_out = (
        channels_once(np.load(folder / f"{kind}images.npy"), np.load(folder / f"{kind}labels.npy"), classes)
        for kind in ("", "held_out_")
    )
    judge = SVC(C=PENALTY).fit(*training)
    names = pd.Series(names_of(images, judge)).value_counts()
    table = pd.DataFrame(
        {
            "class_id": classes,
            "source": source,
            "named": names.reindex(classes, fill_value=0).to_numpy(),
            "images": len(images),
            "judge": judge.score(*held_out),
        }
    )
    with atomic_path(path) as temporary:
        table.to_parquet(temporary, index=False)


def channels(images: Images) -> NDArray[np.float64]:
    """Images (N, H, H, 3) in 0..255 -> their channels (3 N, 64) as means of 8 x 8 fields in [0, 1]."""
    field = images.shape[1] // SIDE
    fields = images.reshape(len(images), SIDE, field, SIDE, field, CHANNELS).mean((2, 4)) / 255
    return fields.transpose(0, 3, 1, 2).reshape(-1, SIDE**2)


def channels_once(
    images: Images, labels: NDArray[np.integer], classes: list[str]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Each different channel (n, 64) once, and its digit (n,): a digit stands in many images."""
    digits = np.array([[int(digit) for digit in class_id] for class_id in classes])[labels].reshape(-1)
    different, first = np.unique(channels(images), axis=0, return_index=True)
    return different, digits[first]


def names_of(images: Images, judge: SVC) -> list[str]:
    """The three digits that the classifier names of each image: "007"."""
    digits = judge.predict(channels(images)).reshape(-1, CHANNELS)
    return ["".join(map(str, row)) for row in digits]
