"""Classification accuracy score (Ravuri & Vinyals 2019; GAN-train of Shmelkov et al. 2018).

A classifier that learnt from generated images alone names held-out real images: it finds them as far as the
samples are both varied and of their class. Beside it, the same classifier learnt from as many real images.
The papers train a ResNet from pixels; here it is logistic regression on the network's standardised features,
the same for both: minutes for 1000 classes of 100 images instead of days on GPUs. So scores lie higher than
theirs, also since the network knows ImageNet: only the ratio of the two compares.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from centigan.atomic import atomic_path
from centigan.errors import UserError
from centigan.layout import WHOLE, Layout
from centigan.metrics.features import FeatureSet, read_features
from centigan.settings.evaluation import ClassificationSettings
from centigan.settings.limits import CLASSES_TOLD_APART

PENALTY = 0.01  # scikit-learn's C, as of the judge on features
ITERATIONS = 500  # 60 sufficed for 1000 digits


def classification_of_all(layout: Layout, splits: Sequence[str], settings: ClassificationSettings) -> None:
    """Write metrics/classification/all.parquet: class_id, trained_on (generated | real), correct, count."""
    generated, real, held_out = (
        read_features(layout, splits, source) for source in ("generated", "real", "held_out")
    )
    wanted = images_of_each_class(generated, real, held_out, settings.per_class)
    frames = []
    for name, taught in (("generated", generated), ("real", real)):
        rows = evenly(taught.class_ids, wanted)
        named = learn_and_name(taught.features[rows], taught.class_ids[rows], held_out.features[:])
        frames.append(right_answers(named, held_out.class_ids).assign(trained_on=name))
    table = pd.concat(frames, ignore_index=True)[["class_id", "trained_on", "correct", "count"]]
    with atomic_path(layout.metric("classification", WHOLE)) as temporary:
        table.to_parquet(temporary, index=False)


def images_of_each_class(
    generated: FeatureSet, real: FeatureSet, held_out: FeatureSet, most: int
) -> dict[str, int]:
    """{class: how many of its images are trained on}: as many of either kind.

    Raises:
        UserError: for fewer than two classes, or a class without an image of one kind.
    """
    counts = pd.DataFrame(
        {
            name: pd.Series(one.class_ids).value_counts()
            for name, one in (("generated", generated), ("real", real), ("held-out", held_out))
        }
    )
    if len(counts) < CLASSES_TOLD_APART:
        raise UserError(f"the classification score needs two classes, there is {len(counts)}")
    for name in counts:
        lacking = counts.index[counts[name].isna()]
        if len(lacking):
            raise UserError(f"class {lacking[0]} has no {name} image, so no classification score; add some")
    fewest = counts[["generated", "real"]].min(axis=1).clip(upper=most)
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


def right_answers(named: NDArray[np.object_], class_ids: NDArray[np.object_]) -> pd.DataFrame:
    """class_id, correct, count."""
    right = pd.DataFrame({"class_id": class_ids, "right": named == class_ids})
    return right.groupby("class_id")["right"].agg(correct="sum", count="count").reset_index()
