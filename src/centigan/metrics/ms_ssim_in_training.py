"""Diversity within a class through a training: MS-SSIM of the snapshots; the formula is `similarity`."""

import numpy as np
import pandas as pd
from safetensors import safe_open

from centigan.atomic import atomic_path
from centigan.layout import Layout
from centigan.manifest import read_facts
from centigan.settings.evaluation import MsSsimSettings
from centigan.similarity import ms_ssim_within


def measure(layout: Layout, split: str, settings: MsSsimSettings) -> None:
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
