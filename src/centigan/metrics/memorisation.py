"""Are samples copies of training images? Pure functions of the table that `neighbours` writes.

Two questions. Duplicates: which images are, level by level, a training image? And are samples as a whole
closer to the training images than new real images of the same class are (a permutation test)?

The statistic is the difference of mean distances within a class, averaged over classes: a generator copies
a few images more often than all, which moves a mean and not a median. Samples that are smoother than
photographs are closer to everything by L1, so a small p asks for a look at the duplicates and is no proof.
"""

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from centigan.errors import UserError
from centigan.seeds import counter_seed

SOURCES = ("generated", "held_out")
ROUNDING = 1e-9  # levels; the same images grouped otherwise give the same mean but for the order of adding


def duplicates(neighbours: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """The images whose nearest training image of the split is less than `threshold` levels away by L1.

    Returns:
        source, class_id, image, neighbour, neighbour_class, distance; the nearest first within a source.
    """
    rows = neighbours[(neighbours["metric"] == "l1") & (neighbours["scope"] == "split")]
    columns = ["source", "class_id", "image", "neighbour", "neighbour_class", "distance"]
    close = rows.loc[rows["distance"] < threshold, columns]
    return close.sort_values(["source", "distance"], kind="stable", ignore_index=True)


def duplicate_counts(neighbours: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """One row a source: source, images (sought for), duplicates (found among them), share."""
    sought = neighbours[(neighbours["metric"] == "l1") & (neighbours["scope"] == "split")]
    counts = sought.assign(close=sought["distance"] < threshold).groupby("source")["close"]
    table = counts.agg(images="count", duplicates="sum", share="mean")
    return table.reindex([name for name in SOURCES if name in table.index]).reset_index()


def scope_of(neighbours: pd.DataFrame) -> Literal["class", "split"]:
    """Within what samples meet held-out images: their class, or their split if they have none."""
    of_samples = neighbours.loc[neighbours["source"] == "generated", "class_id"]
    return "split" if of_samples.isna().all() else "class"


def closer_than_held_out(neighbours: pd.DataFrame, *, permutations: int, seed: int) -> dict[str, float]:
    """Are samples closer to the training images of their class than held-out real images are?

    Args:
        neighbours: rows of any number of splits; where samples have no class, with the column `split`.
        permutations: of who is generated and who held out, within each class.
        seed: decides them.

    Returns:
        median_generated, median_held_out: distances by L1 to the nearest training image of the class;
        share_closer: of the samples, those closer than the median held-out image of their class;
        p_closer: one-sided, (1 + permutations as close as the samples) / (1 + permutations).
        Of samples without a class, "class" above is their split.

    Raises:
        UserError: for a class without a sample or a held-out image.
    """
    within = scope_of(neighbours)
    rows = neighbours[(neighbours["metric"] == "l1") & (neighbours["scope"] == within)]
    observed, closer = 0.0, 0
    permuted = np.zeros(permutations)
    for name_of_group, own in rows.groupby("class_id" if within == "class" else "split"):
        # Sorted: the order of the rows decides nothing.
        generated, held_out = (np.sort(own.loc[own["source"] == name, "distance"]) for name in SOURCES)
        if not (len(generated) and len(held_out)):
            raise UserError(
                f"{within} {name_of_group}: its neighbours lack samples or held-out images; seek them again"
            )
        both = np.concatenate([generated, held_out])[None]
        closer += int((generated < np.median(held_out)).sum())
        observed += _closeness(both, len(generated))[0]
        rng = np.random.default_rng(counter_seed(seed, str(name_of_group), "permutations"))
        shuffled = rng.permuted(np.repeat(both, permutations, axis=0), axis=1)
        permuted += _closeness(shuffled, len(generated))
    medians = {name: rows.loc[rows["source"] == name, "distance"].median() for name in SOURCES}
    as_close = int((permuted >= observed - ROUNDING).sum())
    return {
        "median_generated": float(medians["generated"]),
        "median_held_out": float(medians["held_out"]),
        "share_closer": closer / int((rows["source"] == "generated").sum()),
        "p_closer": (1 + as_close) / (1 + permutations),
    }


def _closeness(distances: NDArray[np.float64], generated: int) -> NDArray[np.float64]:
    """(P, G + H), the samples first -> (P,) mean of the held-out ones minus mean of the samples."""
    return distances[:, generated:].mean(1) - distances[:, :generated].mean(1)
