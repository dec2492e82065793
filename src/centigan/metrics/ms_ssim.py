"""Diversity within a class: MS-SSIM of random pairs (AC-GAN, section 4.2); the formula is `similarity`."""

from pathlib import Path

import numpy as np
import pandas as pd

from centigan.atomic import atomic_path
from centigan.layout import Layout
from centigan.manifest import read_facts
from centigan.settings.evaluation import MsSsimSettings
from centigan.similarity import ms_ssim_within


def measure(layout: Layout, split: str, settings: MsSsimSettings) -> None:
    """Write metrics/ms_ssim/{split}.parquet: class_id, source, pair, ms_ssim.

    Pairs of samples ("generated") of every class, at the model's resolution; which pairs depends on the seed,
    the class and the source alone.
    """
    _write(layout.samples(split), settings, "generated", "generated", layout.metric("ms_ssim", split))


def measure_real(layout: Layout, split: str, settings: MsSsimSettings) -> None:
    """Write the same of training images; their pairs are drawn as those of "real", the name they had."""
    _write(layout.arrays(split), settings, "training", "real", layout.real_metric("ms_ssim", split))


def _write(folder: Path, settings: MsSsimSettings, source: str, drawn_as: str, path: Path) -> None:
    images = np.load(folder / "images.npy", mmap_mode="r")
    labels = np.load(folder / "labels.npy")
    frames = []
    for label, class_id in enumerate(read_facts(folder)["classes"]):
        values = ms_ssim_within(images, np.flatnonzero(labels == label), settings, class_id, drawn_as)
        columns = {"class_id": class_id, "source": source, "pair": np.arange(len(values))}
        frames.append(pd.DataFrame({**columns, "ms_ssim": values}))
    with atomic_path(path) as temporary:
        pd.concat(frames, ignore_index=True).to_parquet(temporary, index=False)
