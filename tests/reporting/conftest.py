"""A finished experiment of 2 splits x 2 classes, made by hand so that every share is known."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from centigan.layout import Layout
from centigan.reporting.comparison import write_comparison
from centigan.reporting.tables import write_tables
from centigan.settings import Settings

CLASSES = {"a": "00", "b": "00", "c": "01", "d": "01"}
SPLITS = ["00", "01"]
RUNGS = (4, 8, 16, 32, 64)
# right of 10 samples at 8 px and from 16 px on; held-out real images: 9 and 10 of 10
RIGHT = {"a": (8, 9), "b": (2, 6), "c": (7, 7), "d": (0, 0)}
SOURCE = {
    "source": "class folders",
    "found": ["4 class folders"],
    "published": {"train": 12},
    "wrong_counts": ["class a has 3 of 4 train images"],
    "rejected": [{"name": "b/x.jpg", "reason": "is a link to nothing"}],
}
MS_SSIM = {"a": (0.10, 0.30), "b": (0.20, 0.10), "c": (0.40, 0.20), "d": (0.30, 0.50)}  # real, generated


@pytest.fixture
def settings() -> Settings:
    return Settings.model_validate(
        {
            "experiment": "hand",
            "data": {"source": "folders", "root": "data/raw/hand", "classes": 4, "split_size": 2},
            "arrays": {"resolution": 32},
            "judge": {"name": "auto"},
        }
    )


@pytest.fixture
def metrics(tmp_path: Path) -> Layout:
    """Everything that the tables are made from."""
    layout = Layout("hand", tmp_path)
    rows = [(n, name, f"{name}, letter", split, 3, 1) for n, (name, split) in enumerate(CLASSES.items())]
    layout.results.mkdir(parents=True)
    columns = ["label", "class_id", "words", "split", "train", "held_out"]
    pd.DataFrame(rows, columns=columns).to_csv(layout.classes, index=False)
    for split in SPLITS:
        _write_metrics(layout, split, [name for name, own in CLASSES.items() if own == split])
        _write_images(layout, split, [name for name, own in CLASSES.items() if own == split])
    layout.source.write_text(json.dumps(SOURCE))
    layout.judge.mkdir()
    shares = {"clean": 0.9, "noise": 0.8, "blur": 0.7, "mean": 0.8}
    held_out = {"images": 40, "side": 32, "noise": "some", "blur": "some"}
    judge = {"name": "small-cnn", "requested": "auto", "candidates": {"small-cnn": shares}}
    (layout.judge / "manifest.json").write_text(json.dumps(judge | {"held_out": held_out}))
    return layout


@pytest.fixture
def finished(metrics: Layout) -> Layout:
    """The tables too."""
    write_tables(metrics, SPLITS, resolution=32)
    write_comparison(metrics, SPLITS)
    return metrics


def _write_metrics(layout: Layout, split: str, names: list[str]) -> None:
    accuracy, pairs, in_training = [], [], []
    for name in names:
        for side in RUNGS:
            for subset in range(2):
                low, high = RIGHT[name]
                right = (low if side <= 8 else high) / 2
                real = 9 if side <= 8 else 10
                accuracy.append((name, "real", side, subset, real, 10))
                accuracy.append((name, "generated", side, subset, right + (0.5 if subset else -0.5), 5))
        for source, mean in zip(("real", "generated"), MS_SSIM[name], strict=True):
            pairs += [(name, source, 0, mean - 0.05), (name, source, 1, mean + 0.05)]
        in_training += [(name, iteration, 0.9 - iteration / 1000) for iteration in (100, 200)]
    frames = {
        "accuracy": (accuracy, ["class_id", "source", "resolution", "subset", "correct", "count"]),
        "ms_ssim": (pairs, ["class_id", "source", "pair", "ms_ssim"]),
        "ms_ssim_in_training": (in_training, ["class_id", "iteration", "ms_ssim"]),
    }
    for metric, (rows, columns) in frames.items():
        path = layout.metric(metric, split)
        path.parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(rows, columns=columns).to_parquet(path)


def _write_images(layout: Layout, split: str, names: list[str]) -> None:
    rng = np.random.default_rng(int(split))
    manifest = {"classes": names, "resolution": 32, "libraries": {"torch": "2"}, "commit": "abc"}
    manifest |= {"images": {"train": 6, "held_out": 2}, "rejected": {"train": [{}], "held_out": []}}
    manifest |= {"converted": {"train": {"greyscale": ["1.jpg", "2.jpg"]}, "held_out": {"CMYK": ["3.jpg"]}}}
    for folder in (layout.arrays(split), layout.samples(split), layout.train(split)):
        folder.mkdir(parents=True)
        np.save(folder / "images.npy", rng.integers(0, 256, (6, 32, 32, 3), dtype=np.uint8))
        np.save(folder / "labels.npy", np.array([0, 0, 0, 1, 1, 1], np.int16))
        (folder / "manifest.json").write_text(json.dumps(manifest))
    keys = ("loss_discriminator", "loss_generator", "source_real", "source_fake", "class_real", "class_fake")
    lines = [{"iteration": i} | dict.fromkeys(keys, 1 / i) for i in (100, 200)]
    (layout.train(split) / "history.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
