"""Features of two splits, two classes each, as the pipeline writes them; drawn, not extracted."""

import json
from pathlib import Path

import numpy as np

from centigan.judges.efficientnet import efficientnet
from centigan.layout import Layout
from centigan.settings.evaluation import FeatureSettings

SPLITS = {"00": ["ape", "bee"], "01": ["cow", "doe"]}
CLASSES = [name for names in SPLITS.values() for name in names]
WIDTH = 1280  # EfficientNet-Lite0's
PER_CLASS = {"training": 30, "held_out": 10, "generated": 20, "fresh": 12}
FILES = {"training": "", "held_out": "held_out_", "generated": "", "fresh": "fresh_"}
APART = 0.3  # between classes, in standard deviations of each feature


def store(root: Path, *, per_class: dict[str, int] | None = None) -> Layout:
    """An experiment whose features, labels and manifests are there; its images are not."""
    layout = Layout("drawn", root)
    counts = {**PER_CLASS, **(per_class or {})}
    network = efficientnet()
    identity = {
        "network": network.name,
        "weights_sha256": network.weights_sha256,
        "resizing": network.resizing,
        "precision": "float32",
        "settings": FeatureSettings(network="efficientnet-lite0").model_dump(),
    }
    for split, classes in SPLITS.items():
        for folder in (layout.arrays(split), layout.samples(split)):
            _write(folder / "facts.json", {"classes": classes, "resolution": 32})
        for folder in (layout.features(split), layout.real_features(split)):
            _write(folder / "facts.json", identity)
        for source, count in counts.items():
            labels = np.repeat(np.arange(len(classes), dtype=np.int16), count)
            np.save(labels_of(layout, split, source), labels)
            drawn = [draw(name, source, count) for name in classes]
            np.save(features_of(layout, split, source), np.concatenate(drawn))
    return layout


def draw(class_id: str, source: str, count: int) -> np.ndarray:
    """float32 (count, WIDTH) around the class's own centre, whatever the source."""
    centre = np.random.default_rng(CLASSES.index(class_id)).standard_normal(WIDTH)
    rng = np.random.default_rng([CLASSES.index(class_id), list(FILES).index(source)])
    return (APART * centre + rng.standard_normal((count, WIDTH))).astype(np.float32)


def labels_of(layout: Layout, split: str, source: str) -> Path:
    folder = layout.arrays(split) if source in ("training", "held_out") else layout.samples(split)
    return folder / f"{FILES[source]}labels.npy"


def features_of(layout: Layout, split: str, source: str) -> Path:
    folder = layout.real_features(split) if source in ("training", "held_out") else layout.features(split)
    return folder / f"{source}.npy"


def drop(layout: Layout, split: str, source: str, label: int, *, keep: int) -> None:
    """Leave so many images of one class of a source."""
    path, features = labels_of(layout, split, source), features_of(layout, split, source)
    labels = np.load(path)
    stay = (labels != label) | (np.cumsum(labels == label) <= keep)
    np.save(path, labels[stay])
    np.save(features, np.load(features)[stay])


def _write(path: Path, content: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
