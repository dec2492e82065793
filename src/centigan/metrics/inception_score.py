"""Inception score (Salimans et al. 2016, section 4) by the protocol of AC-GAN, section 4.4.

exp(mean of KL(p(y|x) || p(y))) over a group of images, p(y) being the group's own mean. A file is ordered by
class, so the images are shuffled before they are grouped: as torch-fidelity does, by the same seed, so that
the score of a set equals its score. Groups differ by one image where their number does not divide the images.
The samples choose a model, fresh samples report its score; real images show what a score can be had at all,
on their own counts: the score grows with the images of a group. The paper's "8.25 +- 0.07" is the mean of the
groups and their population standard deviation (ddof = 0, as in the first implementation and torch-fidelity).
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import entr, log_softmax

from centigan.atomic import atomic_path
from centigan.errors import UserError
from centigan.judges.extractor import load_extractor
from centigan.judges.network import Network
from centigan.layout import WHOLE, Layout
from centigan.metrics.features import FeatureSet, read_all_features
from centigan.settings.evaluation import InceptionScoreSettings

SHUFFLE = 2020  # torch-fidelity's seed
CHUNK = 4096  # rows of logits in float64 at a time: 33 MB of 1008
SETS = (  # name, features, setting of the groups, setting of the count of images
    ("samples", "generated", "select_groups", "sample.per_class"),
    ("fresh", "fresh", "report_groups", "sample.fresh_per_class"),
)
SETS_OF_REAL = (
    ("training", "training", "select_groups", "data.per_class"),
    ("held_out", "held_out", "select_groups", "data.held_out"),
)


def measure(layout: Layout, splits: Sequence[str], settings: InceptionScoreSettings) -> None:
    """Write metrics/inception_score/all.parquet: set, group, images, score."""
    _write(layout, splits, settings, SETS, layout.metric("inception_score", WHOLE))


def measure_real(layout: Layout, splits: Sequence[str], settings: InceptionScoreSettings) -> None:
    """Write the same of training and of held-out images."""
    _write(layout, splits, settings, SETS_OF_REAL, layout.real_metric("inception_score", WHOLE))


def _write(
    layout: Layout,
    splits: Sequence[str],
    settings: InceptionScoreSettings,
    sets: Sequence[tuple[str, str, str, str]],
    path: Path,
) -> None:
    stored = read_all_features(layout, splits, [source for _, source, _, _ in sets])
    extractor = _same_extractor(layout, next(iter(stored.values())))  # splits and sources share it
    rows = []
    for name, source, key, counted in sets:
        features = stored[source].features
        groups = getattr(settings, key)
        if len(features) < groups:
            raise UserError(
                f"inception_score.{key} is {groups}, but the set {name} has {len(features)} images; "
                f"lower it or raise {counted}"
            )
        for group, members in enumerate(grouped(len(features), groups)):
            score = inception_score(extractor.logits(features[members]))
            rows.append({"set": name, "group": group, "images": len(members), "score": score})
    with atomic_path(path) as temporary:
        pd.DataFrame(rows).to_parquet(temporary, index=False)


def grouped(count: int, groups: int) -> list[NDArray[np.int64]]:
    """Rows of each group: 0..count - 1, shuffled and cut."""
    rows = np.random.RandomState(SHUFFLE).permutation(count)
    return [rows[group * count // groups : (group + 1) * count // groups] for group in range(groups)]


def inception_score(logits: NDArray[np.floating]) -> float:
    """Score of one group, from 1 (every image alike) to the number of classes.

    Args:
        logits: (N, C) of the network that the score trusts.

    Raises:
        UserError: for logits that are not finite, or none.
    """
    if not len(logits):
        raise UserError("the Inception score needs an image")
    total, entropy = np.zeros(logits.shape[1]), 0.0
    for start in range(0, len(logits), CHUNK):
        log_p = log_softmax(np.asarray(logits[start : start + CHUNK], np.float64), axis=1)
        p = np.exp(log_p)
        total += p.sum(0)
        entropy -= float((p * log_p).sum())
    score = float(np.exp(entr(total / len(logits)).sum() - entropy / len(logits)))
    if not np.isfinite(score):
        raise UserError("logits hold NaN or infinity, so no Inception score; make the features again")
    return score


def _same_extractor(layout: Layout, stored: FeatureSet) -> Network:
    """The network that made the features, which were computed before: its weights may have gone since."""
    extractor = load_extractor(stored.settings, layout.judge)
    if extractor.weights_sha256 != stored.identity["weights_sha256"]:
        raise UserError(
            f"{stored.folder} has features of other weights than {extractor.name} now; make it again"
        )
    return extractor
