"""The nearest training images of held-out ones in a family's features (Donahue et al. 2017, section 4).

The paper shows them; here the share is counted of the nearest NEAREST whose class is that of the query.
Features of the trained networks stand beside those of the same networks with the first weights of that
training, and beside pixels: what pixels find, no training has taught. At most MOST held-out images of a split
are asked, evenly from their list and shrunk as features' are, of all training images.

Decisions
    1. Features are near by the cosine, as in the paper, pixels by the Euclidean distance, as elsewhere here.
    2. The paper's space is a random projection of an encoder's last maps. It keeps cosines but for noise, so
       that they are taken of the features themselves.
    3. Batch norm takes its statistics from all training images (`own_features`).
"""

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from centigan.atomic import atomic_path
from centigan.data.batches import images_of
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.metrics.labels import class_ids_of
from centigan.metrics.own_features import CPU, PIXELS, Features, of_each_kind
from centigan.settings.stages import TrainStage
from centigan.sheets import evenly
from centigan.trained import trained_family
from centigan.types import Represents

MOST = 1000  # held-out images of a split
NEAREST = 5  # of the figure
CHUNK = 250  # held-out images compared at a time
COLUMNS = ("class_id", "image", "features", "rank", "neighbour", "neighbour_class")
Rows = NDArray[np.int64]


def measure(layout: Layout, split: str, stage: TrainStage, *, device: torch.device = CPU) -> None:
    """Write metrics/code_neighbours/{split}.parquet: a row a kind of features, held-out image and rank.

    `image` is a row of the file of held-out images, `neighbour` one of the training images.

    Raises:
        UserError: for a family without features, or features that are not finite.
    """
    folder = layout.arrays(split)
    family, classes, shape = trained_family(layout, split, stage.model, device)
    if not isinstance(family, Represents):
        raise UserError(f"split {split}: {stage.model.title} has no features of images")
    labels, held_out = (
        np.load(folder / f"{prefix}labels.npy").astype(np.int64) for prefix in ("", "held_out_")
    )
    rows = np.array(evenly(len(held_out), MOST))
    images = images_of(folder / "images.npy", shape, np.arange(len(labels)))
    queries = images_of(folder / "held_out_images.npy", shape, rows)
    own, frames = class_ids_of(held_out[rows], classes), []
    for kind, known, asked in of_each_kind(family, stage, split, shape, (images, queries), device):
        compared = (known, asked) if kind == PIXELS else (of_length_1(known), of_length_1(asked))
        found = nearest(*compared)
        frames.append(_table(found, rows, own, class_ids_of(labels[found.ravel()], classes), kind))
    with atomic_path(layout.metric("code_neighbours", split)) as temporary:
        pd.concat(frames, ignore_index=True)[list(COLUMNS)].to_parquet(temporary, index=False)


def of_length_1(features: Features) -> Features:
    """Features (N, F), each over its length: their Euclidean distances have the order of cosines."""
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), np.float32(1e-12))


def nearest(known: Features, asked: Features) -> Rows:
    """The rows (M, NEAREST) of known (N, F) that are nearest to asked ones (M, F); of equals the lower.

    Fewer where there are fewer known.
    """
    halves = np.square(known).sum(1) / 2
    found = [
        np.argsort(halves - part @ known.T, axis=1, kind="stable")[:, :NEAREST]
        for part in np.array_split(asked, -(-len(asked) // CHUNK))
    ]
    return np.concatenate(found)


def _table(
    found: Rows, rows: Rows, own: NDArray[np.object_], of_found: NDArray[np.object_], kind: str
) -> pd.DataFrame:
    """A row a query and neighbour, of found (M, K)."""
    each = found.shape[1]
    columns = {
        "class_id": own.repeat(each),
        "image": rows.repeat(each),
        "features": kind,
        "rank": np.tile(np.arange(1, each + 1), len(rows)),
        "neighbour": found.ravel(),
        "neighbour_class": of_found,
    }
    return pd.DataFrame(columns)
