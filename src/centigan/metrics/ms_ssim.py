"""Diversity within a class: MS-SSIM of random pairs (AC-GAN, section 4.2); the formula is `similarity`."""

import numpy as np
import pandas as pd
from safetensors import safe_open

from centigan.atomic import atomic_path
from centigan.layout import Layout
from centigan.manifest import read_facts
from centigan.settings.evaluation import MsSsimSettings
from centigan.similarity import ms_ssim_within


def ms_ssim_of_split(layout: Layout, split: str, settings: MsSsimSettings) -> None:
    """Write metrics/ms_ssim/{split}.parquet: class_id, source, pair, ms_ssim.

    Pairs of training images ("real") and of samples ("generated") of every class, at the model's
    resolution; which pairs depends on the seed, the class and the source alone.
    """
    frames = []
    for source, folder in (("real", layout.arrays(split)), ("generated", layout.samples(split))):
        images = np.load(folder / "images.npy", mmap_mode="r")
        labels = np.load(folder / "labels.npy")
        for label, class_id in enumerate(read_facts(folder)["classes"]):
            values = ms_ssim_within(images, np.flatnonzero(labels == label), settings, class_id, source)
            columns = {"class_id": class_id, "source": source, "pair": np.arange(len(values))}
            frames.append(pd.DataFrame({**columns, "ms_ssim": values}))
    with atomic_path(layout.metric("ms_ssim", split)) as temporary:
        pd.concat(frames, ignore_index=True).to_parquet(temporary, index=False)


def ms_ssim_in_training_of_split(layout: Layout, split: str, settings: MsSsimSettings) -> None:
    """Write metrics/ms_ssim_in_training/{split}.parquet: class_id, iteration, ms_ssim (mean of pairs).

    A class is measured on the same pairs of sample numbers at every iteration, all pairs where there
    are no more than `settings.pairs`.
    """
    folder = layout.train(split)
    classes = read_facts(folder)["classes"]
    with safe_open(folder / "snapshots.safetensors", framework="np") as file:
        iterations, images = file.get_tensor("iterations"), file.get_tensor("images")
    numbers = np.arange(images.shape[2])  # of (T, K, n, H, W, 3)
    rows = []
    for label, class_id in enumerate(classes):
        for iteration, samples in zip(iterations.tolist(), images[:, label], strict=True):
            values = ms_ssim_within(samples, numbers, settings, class_id, "training")
            rows.append({"class_id": class_id, "iteration": iteration, "ms_ssim": float(values.mean())})
    with atomic_path(layout.metric("ms_ssim_in_training", split)) as temporary:
        pd.DataFrame(rows).to_parquet(temporary, index=False)
