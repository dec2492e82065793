"""Whether samples are found by what they were asked by (Reed et al. 2016; arXiv:1605.05395, section 3).

The protocol's text encoder was learnt with one of images. F(v, t) = theta(v)' phi(t) of an image and a class,
whose t is the mean of the embeddings of its held-out captions, tells the class that the image fits best, of
all classes, unseen ones among them. `retrieved` is the share for which that is the class that was asked for;
chance is one over the classes.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from centigan.atomic import atomic_path
from centigan.data.caption_vectors import class_vectors
from centigan.data.held_out import at_training_size
from centigan.layout import Layout
from centigan.manifest import read_facts, unseen_of
from centigan.metrics.labels import class_ids_of, right_of_each
from centigan.settings.evaluation import DistributionSettings
from centigan.text.seeing import embeddings_of
from centigan.text.stored import facts_of, load_image_encoder

COLUMNS = ("class_id", "source", "unseen", "retrieved", "count")


def measure(layout: Layout, split: str, settings: DistributionSettings) -> None:
    """Write metrics/retrieval/{split}.parquet: class_id, source, unseen, retrieved, count."""
    files = layout.samples(split) / "images.npy", layout.features(split) / "generated.npy"
    labels = np.load(layout.samples(split) / "labels.npy")
    _write(layout, split, files, labels, "generated", layout.metric("retrieval", split))


def measure_real(layout: Layout, split: str, settings: DistributionSettings) -> None:
    """Write the same of held-out images."""
    files = layout.arrays(split) / "held_out_images.npy", layout.real_features(split) / "held_out.npy"
    labels = np.load(layout.arrays(split) / "held_out_labels.npy")
    _write(layout, split, files, labels, "held_out", layout.real_metric("retrieval", split))


def seen(layout: Layout, images: Path, features: Path) -> Tensor:
    """What theta sees of images: these at its size, uint8 (N, side, side, 3), or their features (N, F)."""
    side, *rest = facts_of(layout.text).images
    found = at_training_size(np.load(images), side) if rest else np.load(features)
    return torch.from_numpy(np.ascontiguousarray(found))


def _write(
    layout: Layout, split: str, files: tuple[Path, Path], of: NDArray[np.int16], source: str, path: Path
) -> None:
    facts = read_facts(layout.arrays(split))
    found = embeddings_of(seen(layout, *files), load_image_encoder(layout.text))
    of_classes = class_vectors(layout.captions(split), layout.arrays(split), len(facts["classes"]))
    labels = torch.from_numpy(of.astype(np.int64))
    table = retrieved(found, of_classes, labels, facts["classes"], unseen_of(facts))
    with atomic_path(path) as temporary:
        table.assign(source=source)[list(COLUMNS)].to_parquet(temporary, index=False)


def retrieved(
    images: Tensor, classes: Tensor, labels: Tensor, names: list[str], unseen: set[str]
) -> pd.DataFrame:
    """A row a class: how many of its images fit it better than any other.

    Args:
        images: embeddings (N, E).
        classes: embeddings (K, E).
        labels: the class (N,) that each image was asked to be of.
        names: of the classes.
        unseen: those that no model learnt.
    """
    right = (images @ classes.T).argmax(1) == labels
    counts = right_of_each(class_ids_of(labels.numpy(), names), right.numpy())
    counts = counts.rename(columns={"correct": "retrieved"})
    return counts.assign(unseen=counts["class_id"].isin(unseen))
