"""Classification accuracy score (Ravuri & Vinyals 2019; GAN-train of Shmelkov et al. 2018).

A classifier that learnt from generated images alone names held-out real images: it finds them as far as the
samples are both varied and of their class. Beside it, the same classifier learnt from as many real images.
The papers train a ResNet from pixels; here it is logistic regression on the network's standardised features,
the same for both: minutes for 1000 classes of 100 images instead of days on GPUs. So scores lie higher than
theirs, also since the network knows ImageNet: only the ratio of the two compares.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from centigan.atomic import atomic_path
from centigan.errors import UserError
from centigan.layout import WHOLE, Layout
from centigan.metrics.features import FeatureSet, read_all_features
from centigan.metrics.labels import right_answers
from centigan.settings.evaluation import ClassificationSettings
from centigan.settings.limits import CLASSES_TOLD_APART
from centigan.settings.stages import RealClassificationStage

PENALTY = 0.01  # scikit-learn's C, as of the judge on features
ITERATIONS = 500  # 60 sufficed for 1000 digits


def measure(layout: Layout, splits: Sequence[str], settings: ClassificationSettings) -> None:
    """Write metrics/classification/all.parquet: class_id, trained_on, correct, count."""
    sets = read_all_features(layout, splits, ["generated", "training", "held_out"])
    wanted = images_of_each_class(sets, settings.per_class)
    _write(sets, wanted, "generated", layout.metric("classification", WHOLE))


def measure_real(layout: Layout, splits: Sequence[str], settings: RealClassificationStage) -> None:
    """Write the same of a classifier trained on as many training images as there are samples."""
    sets = read_all_features(layout, splits, ["training", "held_out"])
    most = min(settings.classification.per_class, settings.sample.per_class)
    wanted = images_of_each_class(sets, most)
    _write(sets, wanted, "training", layout.real_metric("classification", WHOLE))


def _write(sets: dict[str, FeatureSet], wanted: dict[str, int], trained_on: str, path: Path) -> None:
    taught, held_out = sets[trained_on], sets["held_out"]
    rows = evenly(taught.class_ids, wanted)
    predicted = learn_and_name(taught.features[rows], taught.class_ids[rows], held_out.features[:])
    table = right_answers(predicted, held_out.class_ids).assign(trained_on=trained_on)
    with atomic_path(path) as temporary:
        table[["class_id", "trained_on", "correct", "count"]].to_parquet(temporary, index=False)


def images_of_each_class(sets: dict[str, FeatureSet], most: int) -> dict[str, int]:
    """{class: how many of its images are trained on}: as many of every set but the held-out one.

    Raises:
        UserError: for fewer than two classes, or a class without an image of one set.
    """
    counts = pd.DataFrame({name: pd.Series(one.class_ids).value_counts() for name, one in sets.items()})
    if len(counts) < CLASSES_TOLD_APART:
        raise UserError(f"the classification score needs two classes, there is {len(counts)}")
    for name in counts:
        lacking = counts.index[counts[name].isna()]
        if len(lacking):
            kind = str(name).replace("_", "-")
            raise UserError(f"class {lacking[0]} has no {kind} image, so no classification score; add some")
    fewest = counts.drop(columns="held_out").min(axis=1).clip(upper=most)
    return {str(class_id): int(count) for class_id, count in fewest.items()}


def evenly(class_ids: NDArray[np.object_], wanted: dict[str, int]) -> NDArray[np.int64]:
    """Rows of so many images of each class, evenly spaced: neighbours in a file may be alike."""
    rows = []
    for class_id, count in wanted.items():
        own = np.flatnonzero(class_ids == class_id)
        rows.append(own[np.arange(count) * len(own) // count])
    return np.concatenate(rows)


def learn_and_name(
    features: NDArray[np.float32], class_ids: NDArray[np.object_], asked: NDArray[np.float32]
) -> NDArray[np.object_]:
    """The classes that a linear classifier of features (N, F) gives to the asked ones (M, F).

    Raises:
        UserError: for a feature that is not finite.
    """
    if not (np.isfinite(features).all() and np.isfinite(asked).all()):
        raise UserError("features hold NaN or infinity, so no classification score; make them again")
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=PENALTY, max_iter=ITERATIONS))
    return np.asarray(classifier.fit(features, class_ids).predict(asked))
