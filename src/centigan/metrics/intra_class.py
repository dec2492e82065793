"""Distances between the real and the generated images of each class alone.

Intra-class FID (Miyato & Koyama 2018, section 4), and alike precision, recall, density and coverage.
A class has fewer images than the network has features, so its FID is far above that of the whole (`frechet`):
only FIDs of equal counts compare, and the counts stand beside them. The baseline is held-out images against
training images.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from centigan.atomic import atomic_path
from centigan.layout import Layout
from centigan.metrics.distribution import described
from centigan.metrics.features import read_all_features
from centigan.metrics.frechet import frechet_distance
from centigan.metrics.manifold import precision_and_recall
from centigan.settings.evaluation import DistributionSettings


def measure(layout: Layout, split: str, settings: DistributionSettings) -> None:
    """Write metrics/intra_class/{split}.parquet.

    Columns: class_id, source, fid, precision, recall, density, coverage, training, images; the last two
    are the counts behind the FID, and behind the others up to settings.manifold_images.
    """
    _write(layout, split, settings, "generated", layout.metric("intra_class", split))


def measure_real(layout: Layout, split: str, settings: DistributionSettings) -> None:
    """Write the same of held-out images."""
    _write(layout, split, settings, "held_out", layout.real_metric("intra_class", split))


def _write(layout: Layout, split: str, settings: DistributionSettings, source: str, path: Path) -> None:
    stored = read_all_features(layout, [split], ["training", source])
    classes = pd.unique(np.concatenate([one.class_ids for one in stored.values()]))
    rows = []
    for class_id in classes:
        own = {name: one.features[one.class_ids == class_id] for name, one in stored.items()}
        of_real, balls = described(own["training"], settings, f"class {class_id}", "training")
        moments, own_balls = described(own[source], settings, f"class {class_id}", source)
        fid = frechet_distance(moments, of_real)
        counts = {"training": len(own["training"]), "images": len(own[source])}
        shares = precision_and_recall(own_balls, balls)
        rows.append({"class_id": class_id, "source": source, "fid": fid, **shares, **counts})
    with atomic_path(path) as temporary:
        pd.DataFrame(rows).to_parquet(temporary, index=False)
