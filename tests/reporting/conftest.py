"""A finished experiment of 2 splits x 2 classes, made by hand so that every share is known."""

import json
from collections.abc import Sequence
from pathlib import Path
from shutil import copytree

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from centigan.catalogue import METRICS
from centigan.layout import WHOLE, Layout
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
    "passed_over": {"no image": ["a/1.txt", "a/2.txt"], "hidden": [".DS_Store"]},
}
REAL = ("held_out", "training")  # what the rows of real images are called
STEPS = 5  # images of a walk
SQUARE = 4  # images a side of the square between four latents
SHADE = 60  # levels between two of its columns in red, two of its rows in green
MS_SSIM = {"a": (0.10, 0.30), "b": (0.20, 0.10), "c": (0.40, 0.20), "d": (0.30, 0.50)}  # real, generated


SETTINGS = Settings.model_validate(
    {
        "experiment": "made/hand",
        "data": {"source": "folders", "root": "data/raw/hand", "classes": 4, "split_size": 2},
        "arrays": {"resolution": 32},
        "judge": {"name": "auto"},
        "neighbours": {"permutations": 999},
    }
)


@pytest.fixture
def settings() -> Settings:
    return SETTINGS


@pytest.fixture
def metrics(tmp_path: Path) -> Layout:
    """Everything that the tables are made from."""
    return _measured(tmp_path)


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """A finished experiment that no test may change."""
    layout = _measured(tmp_path_factory.mktemp("first"))
    write_tables(layout, SPLITS, resolution=32, neighbours=SETTINGS.neighbours)
    write_comparison(layout, SPLITS, network=SETTINGS.features.network)
    return layout


@pytest.fixture
def finished(first: Layout, tmp_path: Path) -> Layout:
    """The tables too."""
    copytree(first.root, tmp_path, dirs_exist_ok=True)
    return Layout(first.experiment, tmp_path)


def _measured(root: Path) -> Layout:
    layout = Layout("made/hand", root)
    rows = [(n, name, f"{name}, letter", split, 3, 1) for n, (name, split) in enumerate(CLASSES.items())]
    layout.results.mkdir(parents=True)
    columns = ["label", "class_id", "words", "split", "train", "held_out"]
    pd.DataFrame(rows, columns=columns).to_csv(layout.classes, index=False)
    for split in SPLITS:
        names = [name for name, own in CLASSES.items() if own == split]
        _write_metrics(layout, split, names)
        _write_metrics_of_features(layout, split, names)
        _write_neighbours(layout, split, names)
        _write_images(layout, split, names)
        _write_latent(layout, split, names)
    _write_metrics_of_all(layout)
    layout.source.write_text(json.dumps(SOURCE))
    layout.judge.mkdir()
    shares = {"clean": 0.9, "noise": 0.8, "blur": 0.7, "mean": 0.8}
    held_out = {"images": 40, "side": 32, "noise": "some", "blur": "some"}
    judge = {"requested": "auto", "candidates": {"small-cnn": shares}}
    (layout.judge / "facts.json").write_text(json.dumps({"name": "small-cnn"}))
    (layout.judge / "manifest.json").write_text(json.dumps(judge | {"held_out": held_out}))
    return layout


def _write_metrics(layout: Layout, split: str, names: list[str]) -> None:
    accuracy, pairs, in_training = [], [], []
    for name in names:
        for side in RUNGS:
            for subset in range(2):
                low, high = RIGHT[name]
                right = (low if side <= 8 else high) / 2
                real = 9 if side <= 8 else 10
                made = right + (0.5 if subset else -0.5)
                known = (len(RIGHT), len(RIGHT))  # asked for, and known: a judge that learnt the classes
                accuracy.append((name, "held_out", side, subset, real, real, *known, 10))
                accuracy.append((name, "generated", side, subset, made, made, *known, 5))
        for source, mean in zip(("training", "generated"), MS_SSIM[name], strict=True):
            pairs += [(name, source, 0, mean - 0.05), (name, source, 1, mean + 0.05)]
        in_training += [(name, iteration, 0.9 - iteration / 1000) for iteration in (100, 200)]
    frames = {
        "accuracy": (accuracy, list(METRICS["accuracy"].columns)),
        "ms_ssim": (pairs, ["class_id", "source", "pair", "ms_ssim"]),
        "ms_ssim_in_training": (in_training, ["class_id", "iteration", "ms_ssim"]),
    }
    for metric, (rows, columns) in frames.items():
        _write(layout, metric, split, rows, columns)


def _write_metrics_of_features(layout: Layout, split: str, names: list[str]) -> None:
    """FID 10 and 5, more in later classes; walks of four equal steps but for the first of each class."""
    prdc = ("precision", "recall", "density", "coverage")
    columns = ["class_id", "source", "fid", *prdc, "training", "images"]
    rows = [
        (name, source, fid + ord(name) - ord("a"), 0.8, 0.6, 0.9, 0.7, 3, images)
        for name in names
        for source, fid, images in (("generated", 10.0, 3), ("held_out", 5.0, 1))
    ]
    _write(layout, "intra_class", split, rows, columns)
    columns = ["class_id", "path", "walk", "length", "largest_step", "largest_over_mean"]
    rows = [
        (name, path, walk, 8.0, 2.0 + (walk == 0), 1.0 + (walk == 0) / 2)
        for name in names
        for path in ("linear", "spherical")
        for walk in range(2)
    ]
    _write(layout, "smoothness", split, rows, columns)
    rows = [(name, "model", 3, 4) for name in names]
    _write(layout, "class_output", split, rows, ["class_id", "named_by", "correct", "count"])


def _write_metrics_of_all(layout: Layout) -> None:
    values = {"fid": 10, "kid": 0.01, "precision": 0.8, "recall": 0.6, "density": 0.9, "coverage": 0.7}
    rows = [
        (source, metric, value, 0.001 if metric == "kid" else float("nan"), 12, 12 if own else 4)
        for source, own in (("generated", True), ("held_out", False))
        for metric, value in values.items()
    ]
    _write(layout, "distribution", WHOLE, rows, ["source", "metric", "value", "std", "training", "images"])
    rows = [
        (name, group, 2, score + group)
        for name, score in (("samples", 2.0), ("fresh", 1.5), ("training", 3.0), ("held_out", 2.5))
        for group in range(2)
    ]
    _write(layout, "inception_score", WHOLE, rows, ["set", "group", "images", "score"])
    rows = [(name, source, 1, 1) for name in CLASSES for source in ("generated", "training")]
    _write(layout, "classification", WHOLE, rows, ["class_id", "trained_on", "correct", "count"])


def _write_neighbours(layout: Layout, split: str, names: list[str]) -> None:
    """Samples lie 30, 31, 32 levels from their class, held-out images 20; the first sample of a is a copy."""
    rows: list[tuple[object, ...]] = []
    for label, name in enumerate(names):
        for source, images in (("generated", range(3 * label, 3 * label + 3)), ("held_out", [label])):
            for number, image in enumerate(images):
                copied = name == "a" and source == "generated" and number == 0
                levels = 2.0 if copied else (30.0 + number if source == "generated" else 20.0)
                own, other = 3 * label + number, 3 - 3 * label  # another class has one at 25 levels
                nearest = (own, name, levels) if levels < 25 else (other, names[1 - label], 25.0)
                rows += [
                    (source, name, image, "l1", "class", own, name, levels),
                    (source, name, image, "l1", "split", *nearest),
                    (source, name, image, "ms_ssim", "class", 3 * label + 2, name, 0.6),
                    (source, name, image, "ms_ssim", "split", 3 * label + 2, name, 0.6),
                ]
    columns = ["source", "class_id", "image", "metric", "scope", "neighbour", "neighbour_class", "distance"]
    _write(layout, "neighbours", split, rows, columns)


def _write(
    layout: Layout, metric: str, split: str, rows: Sequence[tuple[object, ...]], columns: list[str]
) -> None:
    """Rows of samples and of real images, each in their file, as the metrics write them."""
    frame = pd.DataFrame(rows, columns=columns)
    column = next((name for name in ("source", "set", "trained_on") if name in columns), None)
    is_real = frame[column].isin(REAL) if column else np.zeros(len(frame), bool)
    for path, own in (
        (layout.metric(metric, split), frame[~is_real]),
        (layout.real_metric(metric, split), frame[is_real]),
    ):
        if len(own):
            path.parent.mkdir(parents=True, exist_ok=True)
            own.reset_index(drop=True).to_parquet(path)


def _write_images(layout: Layout, split: str, names: list[str]) -> None:
    rng = np.random.default_rng(int(split))
    facts = {"classes": names, "resolution": 32}
    manifest = {"libraries": {"torch": "2"}, "commit": "abc", "engine": {"precision": "torch.bfloat16"}}
    manifest |= {"settings": {"model": {"family": "acgan"}}}
    manifest |= {"images": {"train": 6, "held_out": 2}, "rejected": {"train": [{}], "held_out": []}}
    manifest |= {"converted": {"train": {"greyscale": ["1.jpg", "2.jpg"]}, "held_out": {"CMYK": ["3.jpg"]}}}
    for folder in (layout.arrays(split), layout.samples(split), layout.train(split)):
        folder.mkdir(parents=True)
        np.save(folder / "images.npy", rng.integers(0, 256, (6, 32, 32, 3), dtype=np.uint8))
        np.save(folder / "labels.npy", np.array([0, 0, 0, 1, 1, 1], np.int16))
        (folder / "facts.json").write_text(json.dumps(facts))
        (folder / "manifest.json").write_text(json.dumps(manifest))
    np.save(
        layout.arrays(split) / "held_out_images.npy", rng.integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    )
    np.save(layout.arrays(split) / "held_out_labels.npy", np.array([0, 1], np.int16))
    np.save(layout.samples(split) / "fresh_images.npy", rng.integers(0, 256, (4, 32, 32, 3), dtype=np.uint8))
    np.save(layout.samples(split) / "fresh_labels.npy", np.array([0, 0, 1, 1], np.int16))
    keys = ("loss_discriminator", "loss_generator", "source_real", "source_fake", "class_real", "class_fake")
    lines = [{"iteration": i} | dict.fromkeys(keys, 1 / i) for i in (100, 200)]
    (layout.train(split) / "history.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def _write_latent(layout: Layout, split: str, names: list[str]) -> None:
    """Two walks of each class and path, a square of even colours, and a grid of three styles."""
    rng = np.random.default_rng(2 + int(split))
    folder = layout.latent(split)
    folder.mkdir(parents=True)
    shapes = {"linear": (2, 2, STEPS), "spherical": (2, 2, STEPS), "grid": (3, 2)}
    tensors = {
        name: rng.integers(0, 256, (*shape, 32, 32, 3), dtype=np.uint8) for name, shape in shapes.items()
    }
    row, column = SHADE * np.mgrid[:SQUARE, :SQUARE].astype(np.uint8)
    square = np.stack([column, row, np.full_like(row, 128)], axis=-1)[:, :, None, None]
    tensors["square"] = np.broadcast_to(square, (2, SQUARE, SQUARE, 32, 32, 3)).copy()
    save_file(tensors, folder / "images.safetensors")
    (folder / "facts.json").write_text(json.dumps({"classes": names}))
