"""How well the clusters that a model found are classes that no label told it of (CatGAN, section 4).

An image falls in the cluster of its greatest logit. Clusters are called by classes of training images, whose
labels are all known here whatever the training saw (`confusion`), and held-out images are counted.

`surest` is the rule of Makhzani et al. (2015, arXiv:1511.05644, section 6), which needs a label a cluster: it
is called by the class of the held-out image that is surest of it, and the others, `rest`, are counted.
CatGAN's authors call clusters by validation images, too.

k-means of the pixels finds as many clusters beside the model: of at most MOST training images, evenly from
their list, the best of STARTS starts.

Held-out images are shrunk as features' are. Weights are the last ones, or their moving average.
"""

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from torch import Tensor

from centigan.atomic import atomic_path
from centigan.data.batches import images_of
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.metrics.confusion import (
    K_MEANS,
    MODEL,
    called_by_the_surest,
    classes_of_clusters,
    confusion,
    rule_of,
)
from centigan.metrics.labels import class_ids_of
from centigan.settings.families.contract import FamilySettings
from centigan.sheets import evenly
from centigan.trained import trained_family
from centigan.types import Clusters, Shape

SOURCES = {"training": "", "held_out": "held_out_"}  # source -> prefix of its files among the arrays
COLUMNS = ("class_id", "source", "found_by", "cluster", "called", "rule", "count", "surest", "rest")
MOST, STARTS = 2000, 10
CHUNK = 250  # images a forward pass
CPU = torch.device("cpu")
Logits = NDArray[np.float32]
Labels = NDArray[np.int64]


def measure(layout: Layout, split: str, model: FamilySettings, *, device: torch.device = CPU) -> None:
    """Write metrics/clustering/{split}.parquet: a row a method, source, class and cluster.

    `count` images are in it, `rest` without those that `surest` goes by. `called` is the class that the
    cluster is called by, None where it is none; `rule` says how it was found.

    Raises:
        UserError: for a family that finds no clusters.
    """
    family, classes, shape = trained_family(layout, split, model, device)
    if not isinstance(family, Clusters):
        raise UserError(f"split {split}: {model.title} finds no clusters")
    folder = layout.arrays(split)
    labels = {
        source: np.load(folder / f"{prefix}labels.npy").astype(np.int64) for source, prefix in SOURCES.items()
    }
    found = {source: logits_of(family, layout, split, source, shape, device) for source in SOURCES}
    some = np.array(evenly(len(labels["training"]), MOST))
    pixels = ByPixels(images_of(folder / "images.npy", shape, some), found["training"].shape[1])
    beside = {source: logits_of(pixels, layout, split, source, shape, CPU) for source in SOURCES}
    frames = [_table(MODEL, found, labels, classes), _table(K_MEANS, beside, labels, classes)]
    with atomic_path(layout.metric("clustering", split)) as temporary:
        pd.concat(frames, ignore_index=True)[list(COLUMNS)].to_parquet(temporary, index=False)


class ByPixels:
    """k-means of the pixels of images: fewer clusters where few images differ."""

    def __init__(self, images: Tensor, clusters: int) -> None:
        pixels = images.flatten(1).numpy()
        clusters = min(clusters, len(np.unique(pixels, axis=0)))
        self.means = KMeans(clusters, n_init=STARTS, random_state=0).fit(pixels)

    def cluster_logits(self, images: Tensor) -> Tensor:
        """(N, M) of images (N, C, H, W): half the squared distances to the means, negative."""
        distances = torch.from_numpy(self.means.transform(images.flatten(1).numpy()))
        return -distances.square() / 2


def logits_of(
    method: Clusters, layout: Layout, split: str, source: str, shape: Shape, device: torch.device
) -> Logits:
    """Logits (N, M) of the images of one of the split's files."""
    path = layout.arrays(split) / f"{SOURCES[source]}images.npy"
    count = len(np.load(path, mmap_mode="r"))
    chunks = np.split(np.arange(count), range(CHUNK, count, CHUNK))
    parts = (images_of(path, shape, rows).to(device) for rows in chunks)
    logits: Logits = torch.cat([method.cluster_logits(part).cpu() for part in parts]).numpy()
    return logits


def _table(
    found_by: str, logits: dict[str, Logits], labels: dict[str, Labels], classes: list[str]
) -> pd.DataFrame:
    """All rows of one method, of logits (N, M) and labels (N,) of each source."""
    clusters, held_out = logits["training"].shape[1], "held_out"
    fallen = {source: of.argmax(axis=1) for source, of in logits.items()}
    by_one, chosen = called_by_the_surest(logits[held_out], labels[held_out])
    counts = {source: confusion(labels[source], fallen[source], len(classes), clusters) for source in SOURCES}
    rest = counts | {
        held_out: confusion(labels[held_out][~chosen], fallen[held_out][~chosen], len(classes), clusters)
    }
    named = class_ids_of(classes_of_clusters(counts["training"]), classes)
    frames = [
        _rows(counts[source], classes, named, class_ids_of(by_one, classes)).assign(
            source=source, rest=rest[source].flatten()
        )
        for source in SOURCES
    ]
    return pd.concat(frames).assign(found_by=found_by, rule=rule_of(counts["training"]))


def _rows(
    counts: NDArray[np.int64], classes: list[str], named: NDArray[np.object_], by_one: NDArray[np.object_]
) -> pd.DataFrame:
    """class_id, cluster, called, surest, count: a row a cell of counts (K, M)."""
    clusters = counts.shape[1]
    return pd.DataFrame(
        {
            "class_id": np.repeat(classes, clusters),
            "cluster": np.tile(np.arange(clusters), len(classes)),
            "called": np.tile(named, len(classes)),
            "surest": np.tile(by_one, len(classes)),
            "count": counts.flatten(),
        }
    )
