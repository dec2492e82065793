"""Tables of how many images of each class fall in each cluster, and what they say: functions of counts.

A cluster is called by a class of training images; held-out images are counted as right where the cluster
that they fall in is called by their class. Two rules, after the number of clusters:

assignment   no more clusters than classes: each class names one cluster at most, so that most training images
             are right (Kuhn 1955, by scipy)
majority     more clusters than classes: each is called by the class that most of its training images have,
             the first of them in a tie; one that no training image falls in is called by none
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from centigan.errors import UserError

ASSIGNMENT, MAJORITY = "assignment", "majority"
MODEL, K_MEANS = "model", "k-means"  # what found clusters
NO_CLASS = -1
Counts = NDArray[np.int64]


def confusion(labels: NDArray[np.integer], found: NDArray[np.integer], classes: int, clusters: int) -> Counts:
    """Counts (classes, clusters) of images, by their labels (N,) and the clusters (N,) found for them.

    Raises:
        UserError: when an image has no label.
    """
    if (labels < 0).any():
        raise UserError("an image without a label cannot be counted by its class; leave the metric out")
    counts = np.zeros((classes, clusters), np.int64)
    np.add.at(counts, (labels, found), 1)
    return counts


def rule_of(counts: Counts) -> str:
    """Which rule calls these clusters by classes."""
    classes, clusters = counts.shape
    return MAJORITY if clusters > classes else ASSIGNMENT


def classes_of_clusters(counts: Counts) -> Counts:
    """The class (M,) that each cluster is called by, from counts (K, M) of training images; -1 is none."""
    if rule_of(counts) == MAJORITY:
        return np.where(counts.any(axis=0), counts.argmax(axis=0), NO_CLASS)
    classes, clusters = linear_sum_assignment(counts, maximize=True)
    named = np.empty(counts.shape[1], np.int64)
    named[clusters] = classes
    return named


def called_by_the_surest(
    logits: NDArray[np.float32], labels: NDArray[np.integer]
) -> tuple[Counts, NDArray[np.bool_]]:
    """Of each cluster the label of the image that is surest of it (M,), by logits (N, M); these images (N,).

    Makhzani et al. (2015, section 6); no other label is used. How sure is the probability, softmax of logits.
    """
    against_others = logits - logits.max(axis=1, keepdims=True)
    log_p = against_others - np.log(np.exp(against_others).sum(axis=1, keepdims=True))
    surest = log_p.argmax(axis=0)
    chosen = np.zeros(len(labels), bool)
    chosen[surest] = True
    return labels[surest].astype(np.int64), chosen


def share_right(counts: Counts, named: Counts) -> float:
    """Share of the images of counts (K, M) whose class is the one (M,) that their cluster is called by."""
    called = named != NO_CLASS
    return float(counts[named[called], called.nonzero()[0]].sum() / counts.sum())


def normalised_mutual_information(counts: Counts) -> float:
    """Mutual information of class and cluster of counts (K, M), over the mean of their two entropies.

    Strehl & Ghosh (2002), with scikit-learn's mean: 1 where each tells the other, 0 where neither says
    anything of the other. One class in one cluster is 1.
    """
    joint = counts / counts.sum()
    of_class, of_cluster, of_both = map(_entropy, (joint.sum(axis=1), joint.sum(axis=0), joint))
    both = of_class + of_cluster
    return float(np.clip(2 * (both - of_both) / both, 0, 1)) if both else 1.0


def _entropy(shares: NDArray[np.float64]) -> float:
    """Nats."""
    some = shares[shares > 0]
    return float(-(some * np.log(some)).sum())
