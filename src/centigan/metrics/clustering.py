"""How well the clusters that a model found are classes that no label told it of (CatGAN, section 4).

An image falls in the cluster of its greatest logit. Clusters are called by classes of training images, whose
labels are all known here whatever the training saw (`confusion`), and held-out images are counted. CatGAN's
authors call clusters by validation images, and Makhzani et al. (2015) each by its most certain one.

Held-out images are shrunk as features' are. Weights are the last ones, or their moving average.
"""

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from centigan.atomic import atomic_path
from centigan.data.batches import images_of
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.metrics.confusion import classes_of_clusters, confusion, rule_of
from centigan.metrics.labels import class_ids_of
from centigan.settings.families.contract import FamilySettings
from centigan.trained import trained_family
from centigan.types import Clusters, Shape

SOURCES = {"training": "", "held_out": "held_out_"}  # source -> prefix of its files among the arrays
COLUMNS = ("class_id", "source", "cluster", "called", "rule", "count")
CHUNK = 250  # images a forward pass
CPU = torch.device("cpu")


def measure(layout: Layout, split: str, model: FamilySettings, *, device: torch.device = CPU) -> None:
    """Write metrics/clustering/{split}.parquet: a row a source, class and cluster, with so many images.

    `called` is the class that the cluster is called by, None where it is none; `rule` says how it was found.

    Raises:
        UserError: for a family that finds no clusters.
    """
    family, classes, shape = trained_family(layout, split, model, device)
    if not isinstance(family, Clusters):
        raise UserError(f"split {split}: {model.title} finds no clusters")
    counts = {}
    for source, prefix in SOURCES.items():
        labels = np.load(layout.arrays(split) / f"{prefix}labels.npy")
        logits = logits_of(family, layout, split, f"{prefix}images.npy", shape, len(labels), device)
        counts[source] = confusion(labels, logits.argmax(axis=1), len(classes), logits.shape[1])
    named = class_ids_of(classes_of_clusters(counts["training"]), classes)
    rule = rule_of(counts["training"])
    frames = [_rows(of, classes, named).assign(source=source, rule=rule) for source, of in counts.items()]
    with atomic_path(layout.metric("clustering", split)) as temporary:
        pd.concat(frames, ignore_index=True)[list(COLUMNS)].to_parquet(temporary, index=False)


def logits_of(
    family: Clusters, layout: Layout, split: str, file: str, shape: Shape, count: int, device: torch.device
) -> NDArray[np.float32]:
    """Logits (count, M) of the images of one of the split's files."""
    path, chunks = layout.arrays(split) / file, np.split(np.arange(count), range(CHUNK, count, CHUNK))
    parts = (images_of(path, shape, rows).to(device) for rows in chunks)
    logits: NDArray[np.float32] = torch.cat([family.cluster_logits(part).cpu() for part in parts]).numpy()
    return logits


def _rows(counts: NDArray[np.int64], classes: list[str], named: NDArray[np.object_]) -> pd.DataFrame:
    """class_id, cluster, called, count: a row a cell of counts (K, M)."""
    clusters = counts.shape[1]
    return pd.DataFrame(
        {
            "class_id": np.repeat(classes, clusters),
            "cluster": np.tile(np.arange(clusters), len(classes)),
            "called": np.tile(named, len(classes)),
            "count": counts.flatten(),
        }
    )
