"""The same images in other splits than the protocol's: which classes share a model, and their arrays.

A study that compares splits has the arrays of each beside its points, gathered from the protocol's: no image
is decoded again, and the judge is one.
"""

import logging
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list, linkage

from centigan.atomic import atomic_path, remove_halves
from centigan.csv_file import READING, write_csv
from centigan.data.arrays import ARRAYS
from centigan.data.captions import CAPTIONS, captions_of, write_captions
from centigan.layout import Layout, split_of_each
from centigan.manifest import DIGESTS, describe, read_facts, read_manifest, unseen_of, write_manifest
from centigan.metrics.features import read_features
from centigan.needed import need
from centigan.seeds import counter_seed
from centigan.settings.grouping import GroupingSettings
from centigan.settings.stages import GroupStage

SUBSETS = {"train": "", "held_out": "held_out_"}  # subset -> prefix of its files
BLOCK = 256  # images copied at a time: 50 MB of held-out ones at 128 px
log = logging.getLogger(__name__)


def write_group(layout: Layout, stage: GroupStage) -> None:
    """Write classes.csv of other splits than the protocol's, with the columns of that.

    Raises:
        UserError: when the protocol's is missing, or the features that similarity is told by.
    """
    need([layout.shared.classes])
    classes = pd.read_csv(layout.shared.classes, **READING)
    chosen = classes.head(stage.data.classes)
    rows = chosen.iloc[order_of(stage.grouping, layout.shared, chosen)].reset_index(drop=True)
    rows["label"] = rows.index
    rows["split"] = split_of_each(len(rows), stage.data.split_size)
    with atomic_path(layout.classes) as temporary:
        write_csv(temporary, rows)
    log.info("%d classes in %d splits", len(rows), rows["split"].nunique())


def order_of(grouping: GroupingSettings, protocol: Layout, classes: pd.DataFrame) -> NDArray[np.intp]:
    """The positions of classes in the order that splits are cut from."""
    if grouping.order == "shuffled":
        return np.random.default_rng(counter_seed(grouping.seed, "grouping")).permutation(len(classes))
    if grouping.order == "similar":
        return by_similarity(np.stack(list(_means(protocol, classes))))
    return np.arange(len(classes))


def by_similarity(means: NDArray[np.float64]) -> NDArray[np.intp]:
    """Positions of classes (K,) with mean features (K, F) such that those side by side are alike.

    The leaves of a tree of average linkage between Euclidean distances, turned so that the sum of the
    distances of neighbours is least (Bar-Joseph, Gifford & Jaakkola 2001).
    """
    if len(means) < 2:
        return np.arange(len(means))
    order: NDArray[np.intp] = leaves_list(linkage(means, "average", optimal_ordering=True)).astype(np.intp)
    return order if order[0] <= order[-1] else order[::-1]  # of the two directions


def _means(protocol: Layout, classes: pd.DataFrame) -> Iterator[NDArray[np.float64]]:
    """The mean features of the training images of each class."""
    for split, rows in classes.groupby("split", sort=False):
        found = read_features(protocol, [str(split)], "training")
        for class_id in rows["class_id"]:
            yield found.features[:][found.class_ids == class_id].mean(0, dtype=np.float64)


def gather_arrays(layout: Layout, split: str, grouping: GroupingSettings) -> None:
    """Write the arrays of one split, from the protocol's; images stand in the order of the classes.

    Args:
        grouping: which classes.csv was made by; for the manifest.

    Raises:
        UserError: when classes.csv or the protocol's arrays are missing.
    """
    need([layout.classes, layout.shared.classes])
    own, every = (pd.read_csv(path, **READING) for path in (layout.classes, layout.shared.classes))
    classes = own.loc[own["split"] == split, "class_id"].tolist()
    place = every.set_index("class_id")["split"]  # of each class, among the protocol's splits
    sources = {name: layout.shared.arrays(name) for name in dict.fromkeys(place[classes])}
    need(folder / "manifest.json" for folder in sources.values())
    folder = layout.arrays(split)
    remove_halves(folder)
    captioned = all((source / name).exists() for source in sources.values() for name in CAPTIONS)
    counts = {}
    for subset, prefix in SUBSETS.items():
        parts = [_rows(sources[place[name]], prefix, name) for name in classes]
        counts[subset] = sum(len(rows) for _, rows in parts)
        with atomic_path(folder / f"{prefix}images.npy") as temporary:
            _copy(parts, temporary)
        labels = np.repeat(np.arange(len(classes), dtype=np.int16), [len(rows) for _, rows in parts])
        with atomic_path(folder / f"{prefix}labels.npy") as temporary:
            np.save(temporary, labels)
        if captioned:
            said = {file: captions_of(file.parent, prefix) for file, _ in parts}
            write_captions(folder, prefix, (said[file][row] for file, rows in parts for row in rows))
    about = {"images": counts} | _found_in(list(sources.values()))
    inputs = [layout.classes, *(source / DIGESTS for source in sources.values())]
    facts = _facts([read_facts(source) for source in sources.values()], classes)
    files = ARRAYS + CAPTIONS * captioned
    write_manifest(folder, describe(grouping, inputs=inputs, **about), facts=facts, of=files)
    log.info("split %s: %s images of %d classes", split, counts, len(classes))


def _facts(sources: list[dict[str, Any]], classes: list[str]) -> dict[str, Any]:
    """The facts of arrays of these classes, by those of the arrays that they come from."""
    facts = {key: value for key, value in sources[0].items() if key != "unseen"} | {"classes": classes}
    unseen = {class_id for source in sources for class_id in unseen_of(source)}
    return facts | ({"unseen": [one for one in classes if one in unseen]} if unseen & set(classes) else {})


def _rows(folder: Path, prefix: str, class_id: str) -> tuple[Path, NDArray[np.intp]]:
    """The file that has a class's images, and their rows in it."""
    label = read_facts(folder)["classes"].index(class_id)
    return folder / f"{prefix}images.npy", np.flatnonzero(np.load(folder / f"{prefix}labels.npy") == label)


def _copy(parts: list[tuple[Path, NDArray[np.intp]]], target: Path) -> None:
    """Write these rows of these files as one."""
    side = np.load(parts[0][0], mmap_mode="r").shape[1]
    shape = (sum(len(rows) for _, rows in parts), side, side, 3)
    written = np.lib.format.open_memmap(target, "w+", np.uint8, shape)
    start = 0
    for file, rows in parts:
        images = np.load(file, mmap_mode="r")
        for block in np.array_split(rows, -(-len(rows) // BLOCK) or 1):
            written[start : start + len(block)] = images[block]
            start += len(block)
    written.flush()


def _found_in(sources: list[Path]) -> dict[str, Any]:
    """What was converted and what was left out of all images of the splits that classes come from."""
    manifests = [read_manifest(folder) for folder in sources]
    converted: dict[str, dict[str, list[str]]] = {subset: {} for subset in SUBSETS}
    for manifest, subset in product(manifests, SUBSETS):
        for oddity, names in manifest["converted"][subset].items():
            converted[subset].setdefault(oddity, []).extend(names)
    rejected = {
        subset: [one for manifest in manifests for one in manifest["rejected"][subset]] for subset in SUBSETS
    }
    return {"converted": converted, "rejected": rejected}
