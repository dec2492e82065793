"""What a linear classifier reads from a trained family's features (Radford et al. 2015, section 5).

Three kinds of features of the same images: those of the trained networks, those of networks of the same shape
with the first weights of that training, and pixels. What the second do not have, the training has taught.

As in the paper the classifier is an L2-SVM, linear with a squared hinge, one class against the others. For
each draw it learns from other training images, a few of each class; then held-out images, shrunk as features'
are, are named. All three kinds see the same images.

Decisions
    1. C is chosen by cross-validation within the labelled images of a draw; of equally good ones it is the
       smallest. The authors' code takes one C for all draws by 10,000 further labelled images.
    2. Batch norm takes its statistics from all training images (`own_features`).
    3. Features are moved and scaled, by one number, so that the labelled ones have mean 0 and a mean square
       length of 1: then a C means the same for all three kinds. In that code 1e-4 to 1e-2, on 7,168 numbers
       as they are.
    4. A linear classifier is a sum of the images that it learnt from. So images are taken to the coordinates
       of those, as many as there are, which changes nothing of what is named.
"""

import logging

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

from centigan.atomic import atomic_path
from centigan.data.batches import images_of
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.metrics.labels import class_ids_of, right_answers
from centigan.metrics.own_features import CPU, Features, of_each_kind
from centigan.seeds import counter_seed
from centigan.settings.evaluation import LinearProbeSettings
from centigan.settings.limits import CLASSES_TOLD_APART
from centigan.settings.stages import LinearProbeStage
from centigan.trained import trained_family
from centigan.types import Represents

COLUMNS = ("class_id", "features", "labels_per_class", "draw", "cost", "correct", "count")
ITERATIONS = 10_000  # of the solver, at most; a few dozen suffice
Labels = NDArray[np.int64]
log = logging.getLogger(__name__)


def measure(layout: Layout, split: str, stage: LinearProbeStage, *, device: torch.device = CPU) -> None:
    """Write metrics/linear_probe/{split}.parquet: a row a kind of features, draw and class.

    Raises:
        UserError: for a family without features or features that are not finite, for a single class, or one
            with fewer images than are to be labelled.
    """
    settings, folder = stage.linear_probe, layout.arrays(split)
    family, classes, shape = trained_family(layout, split, stage.model, device)
    if not isinstance(family, Represents):
        raise UserError(f"split {split}: {stage.model.title} has no features of images")
    if len(classes) < CLASSES_TOLD_APART:
        raise UserError(f"split {split}: a linear classifier needs two classes, there is {len(classes)}")
    labels, held_out_labels = (
        np.load(folder / f"{prefix}labels.npy").astype(np.int64) for prefix in ("", "held_out_")
    )
    draws = [labelled_rows(labels, settings, split, draw) for draw in range(settings.draws)]
    images = images_of(folder / "images.npy", shape, np.arange(len(labels)))
    held_out = images_of(folder / "held_out_images.npy", shape)
    frames = []
    for kind, learnt, asked in of_each_kind(family, stage, split, shape, (images, held_out), device):
        for draw, rows in enumerate(draws):
            named, cost = learn_and_name(learnt[rows], labels[rows], asked, settings)
            found, meant = (class_ids_of(each, classes) for each in (named, held_out_labels))
            frames.append(right_answers(found, meant).assign(features=kind, draw=draw, cost=cost))
        log.info("split %s: %s features of %d numbers", split, kind, learnt.shape[1])
    table = pd.concat(frames, ignore_index=True).assign(labels_per_class=settings.labels_per_class)
    with atomic_path(layout.metric("linear_probe", split)) as temporary:
        table[list(COLUMNS)].to_parquet(temporary, index=False)


def labelled_rows(labels: Labels, settings: LinearProbeSettings, split: str, draw: int) -> Labels:
    """The rows of a draw: so many images of each class.

    Raises:
        UserError: when a class has fewer.
    """
    rng = np.random.default_rng(counter_seed(settings.seed, split, "labelled", draw))
    rows = []
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        if len(own) < settings.labels_per_class:
            raise UserError(
                f"split {split}: linear_probe.labels_per_class is {settings.labels_per_class}, and class "
                f"{label} of the split has {len(own)} training images; lower it"
            )
        rows.append(rng.permutation(own)[: settings.labels_per_class])
    return np.concatenate(rows)


def learn_and_name(
    features: Features, labels: Labels, asked: Features, settings: LinearProbeSettings
) -> tuple[Labels, float]:
    """Labels (M,) of asked features (M, F), by a classifier of features (N, F), labels (N,); and its C."""
    centre = features.mean(0)
    moved = features - centre
    length = float(np.sqrt(np.square(moved).sum(1).mean())) or 1.0  # of images that are all the same
    coordinates, basis = in_their_span(moved / length)
    cost = chosen_cost(coordinates, labels, settings)
    named = _classifier(cost).fit(coordinates, labels).predict((asked - centre) @ basis / length)
    return np.asarray(named, dtype=np.int64), cost


def in_their_span(features: Features) -> tuple[Features, Features]:
    """Features (N, F) as coordinates (N, D) of an orthonormal basis (F, D), D the lesser of N and F."""
    _, _, rows = np.linalg.svd(features, full_matrices=False)
    return features @ rows.T, rows.T


def chosen_cost(features: Features, labels: Labels, settings: LinearProbeSettings) -> float:
    """The C that names most labelled images rightly which it did not learn from; the smallest such."""
    parts = min(settings.folds, int(np.unique(labels, return_counts=True)[1].min()))
    folds = StratifiedKFold(parts, shuffle=True, random_state=settings.seed)
    right = dict.fromkeys(sorted(settings.costs), 0)
    for learnt, left in folds.split(features, labels):
        for cost in right:
            named = _classifier(cost).fit(features[learnt], labels[learnt]).predict(features[left])
            right[cost] += int((named == labels[left]).sum())
    return max(right, key=lambda cost: right[cost])


def _classifier(cost: float) -> LinearSVC:
    """Solved by Newton's method, which draws no random numbers.

    Of 720 images of 36 classes, by pixels, the four C take 7.7 s. Coordinate descent (`dual`) names the same
    in 6.0 s: it is faster for C up to 1, not for 100. A tolerance of 1e-3 changes some names at C = 10.
    """
    return LinearSVC(C=cost, dual=False, max_iter=ITERATIONS)
