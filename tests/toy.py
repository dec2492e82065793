"""A toy experiment of two splits, two classes each: its files as the pipeline writes them, at any pace."""

import hashlib
import json
import shutil
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import save_file

from centigan.catalogue import METRICS
from centigan.families import build
from centigan.journal import Journal, text_until
from centigan.layout import Layout
from centigan.manifest import sha256
from centigan.params import canonical_json, stage
from centigan.settings import Settings
from centigan.settings.stages import TrainStage

SPLITS = {"00": ["cat", "dog"], "01": ["emu", "fox"]}
ITERATIONS = range(100, 1100, 100)
KEYS = (
    *("loss_discriminator", "loss_generator", "source_real"),
    *("source_fake", "class_real", "class_fake"),
)
SIDE = 32
PER_CLASS = 12
SETTINGS = Settings.model_validate(
    {
        "experiment": "toy",
        "data": {"source": "digits", "classes": 4, "split_size": 2},
        "arrays": {"resolution": SIDE},
        "model": {"width": 0.05},
        "train": {"iterations": 1000},
        "splits": {1: {"train": {"seed": 7}}},
    }
)


def values(split: str, iteration: int) -> dict[str, float]:
    """A line of the journal: other numbers for each split, iteration and key."""
    return {key: int(split) + iteration / 1000 + k for k, key in enumerate(KEYS)}


def train(layout: Layout, split: str, iterations: range, *, shift: float = 0.0, pause: float = 0.0) -> None:
    """Write journals as a training does that starts, or resumes, before the first of these iterations.

    `shift` makes other numbers of it; `pause` seconds pass between two lines.
    """
    scratch, before = layout.scratch(split), iterations[0] - 1
    with (
        closing(resumed(scratch / "history.jsonl", before)) as history,
        closing(resumed(scratch / "timing.jsonl", before)) as timing,
    ):
        for iteration in iterations:
            history.write(iteration, {k: v + shift for k, v in values(split, iteration).items()})
            now = time.time_ns() // 1_000_000
            timing.write(iteration, {"timestamp": now, "images_per_second": iteration + now % 1000})
            time.sleep(pause)


def resumed(path: Path, iteration: int) -> Journal:
    return Journal(path, text_until(path, iteration))


def write_timing(layout: Layout, split: str, *, start: int) -> None:
    """What a training of that journal, begun at `start` (ms), left in scratch: 20 ms an iteration."""
    folder = layout.scratch(split)
    folder.mkdir(parents=True)
    lines = [
        {"iteration": i, "timestamp": start + 20 * i, "images_per_second": 5000.0}  # in batches of 100
        for i in range(100, 1100, 100)
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "timing.jsonl").write_text(text + '{"iteration": 11')  # killed while it wrote
    shutil.copy(layout.train(split) / "history.jsonl", folder)


def finish_training(layout: Layout, split: str, settings: Settings = SETTINGS) -> None:
    """The results of a training: its journal, an untrained generator, the manifest."""
    lines = [f"{name},the {name},{of}" for of, names in SPLITS.items() for name in names]
    write(layout.classes, "\n".join(["class_id,words,split", *lines, ""]))
    own, folder, classes = stage(settings, TrainStage, split), layout.train(split), SPLITS[split]
    write(folder / "history.jsonl", (layout.scratch(split) / "history.jsonl").read_text())
    rng = torch.Generator().manual_seed(int(split))
    family = build(own.model, classes=len(classes), resolution=SIDE, rng=rng)
    weights = family.networks["generator"].state_dict()
    save_file({name: value.contiguous() for name, value in weights.items()}, folder / "generator.safetensors")
    manifest = {
        "commit": "0123456789ab",
        "settings": own.model_dump(mode="json"),
        "settings_sha256": hashlib.sha256(canonical_json(own).encode()).hexdigest(),
        "inputs": {f"results/toy/arrays/{split}/{name}.npy": split * 32 for name in ("images", "labels")},
    }
    write(folder / "facts.json", json.dumps({"classes": classes, "resolution": SIDE}))
    write(folder / "manifest.json", json.dumps(manifest))


def finish(layout: Layout, settings: Settings = SETTINGS) -> None:
    """Everything that follows the trainings."""
    for split, classes in SPLITS.items():
        finish_training(layout, split, settings)
        write_samples(layout, split, classes)
        write_metrics(layout, split, classes)
    write(layout.table("accuracy_by_resolution"), "resolution,real\n32,0.9\n")
    write(layout.figure("gallery"), "<svg xmlns='http://www.w3.org/2000/svg'/>")
    write(layout.summary, json.dumps({"accuracy/generated/32": 0.75, "ms_ssim/training/mean": 0.2}))
    write(layout.report, "<!doctype html><title>toy</title>")


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def write_samples(layout: Layout, split: str, classes: list[str]) -> None:
    folder, generator = layout.samples(split), layout.train(split) / "generator.safetensors"
    manifest = {"inputs": {"generator.safetensors": sha256(generator)}}
    write(folder / "facts.json", json.dumps({"classes": classes}))
    write(folder / "manifest.json", json.dumps(manifest))
    labels = np.repeat(np.arange(len(classes), dtype=np.int16), PER_CLASS)
    images = np.zeros((len(labels), SIDE, SIDE, 3), dtype=np.uint8)
    images += (100 * (labels + 1)).astype(np.uint8)[:, None, None, None]  # a grey a class
    np.save(folder / "images.npy", images)
    np.save(folder / "labels.npy", labels)


def write_metrics(layout: Layout, split: str, classes: list[str]) -> None:
    accuracy = [
        (name, source, resolution, subset, correct, correct, len(classes), len(classes), 4)
        for name in classes
        for source, correct in (("held_out", 4), ("generated", 3))
        for resolution in (16, SIDE)
        for subset in (0, 1)
    ]
    save(layout, "accuracy", split, pd.DataFrame(accuracy, columns=list(METRICS["accuracy"].columns)))
    ms_ssim = [
        (name, source, pair, value)
        for name in classes
        for source, value in (("training", 0.1), ("generated", 0.3))
        for pair in range(3)
    ]
    columns = ["class_id", "source", "pair", "ms_ssim"]
    save(layout, "ms_ssim", split, pd.DataFrame(ms_ssim, columns=columns))


def save(layout: Layout, metric: str, split: str, frame: pd.DataFrame) -> None:
    """Rows of samples and of real images, each in their file."""
    is_real = frame["source"] != "generated"
    for path, rows in (
        (layout.metric(metric, split), frame[~is_real]),
        (layout.real_metric(metric, split), frame[is_real]),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        rows.to_parquet(path)
