import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from centigan.layout import Layout
from centigan.settings import Settings
from centigan.tracking import mirror  # before any test imports mlflow: keeps it from calling home

SPLITS = {"00": ["cat", "dog"], "01": ["emu", "fox"]}
ITERATIONS = range(100, 1100, 100)
KEYS = (
    *("loss_discriminator", "loss_generator", "source_real"),
    *("source_fake", "class_real", "class_fake"),
)
SIDE = 32
PER_CLASS = 12


@pytest.fixture(scope="session")
def settings() -> Settings:
    return Settings.model_validate(
        {
            "experiment": "toy",
            "data": {"source": "digits", "classes": 4, "split_size": 2},
            "arrays": {"resolution": SIDE},
            "model": {"width": 0.25},
            "train": {"iterations": 1000},
            "splits": {1: {"train": {"seed": 7}}},
        }
    )


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A finished toy experiment of two splits, two classes each."""
    layout = Layout("toy", tmp_path / "project")
    for number, (split, classes) in enumerate(SPLITS.items()):
        write_training(layout.train(split), number)
        write_samples(layout.samples(split), classes)
        write_metrics(layout, split, classes)
    write(layout.summary, json.dumps({"accuracy/generated/32": 0.75, "ms_ssim/real/mean": 0.2}))
    write(layout.table("accuracy_by_resolution"), "resolution,real\n32,0.9\n")
    write(layout.figure("gallery"), "<svg xmlns='http://www.w3.org/2000/svg'/>")
    write(layout.report, "<!doctype html><title>toy</title>")
    return layout


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty MLflow database; creating its tables takes seconds, so tests copy this one."""
    path = tmp_path_factory.mktemp("mlflow") / "empty.db"
    mirror.MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def store(migrated: Path, tmp_path: Path) -> str:
    """URI of an empty store of the test's own."""
    return f"sqlite:///{shutil.copy(migrated, tmp_path / 'store.db')}"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def write_training(folder: Path, number: int) -> None:
    write(folder / "manifest.json", json.dumps({"commit": "0123456789ab"}))
    (folder / "generator.safetensors").write_bytes(bytes([number] * 64))
    lines = [
        {"iteration": i} | {key: number + i / 1000 + k for k, key in enumerate(KEYS)} for i in ITERATIONS
    ]
    write(folder / "history.jsonl", "".join(json.dumps(line) + "\n" for line in lines))


def write_samples(folder: Path, classes: list[str]) -> None:
    write(folder / "manifest.json", json.dumps({"classes": classes}))
    labels = np.repeat(np.arange(len(classes), dtype=np.int16), PER_CLASS)
    images = np.zeros((len(labels), SIDE, SIDE, 3), dtype=np.uint8)
    images += (100 * (labels + 1)).astype(np.uint8)[:, None, None, None]  # a grey a class
    np.save(folder / "images.npy", images)
    np.save(folder / "labels.npy", labels)


def write_metrics(layout: Layout, split: str, classes: list[str]) -> None:
    accuracy = [
        (name, source, resolution, subset, correct, 4)
        for name in classes
        for source, correct in (("real", 4), ("generated", 3))
        for resolution in (16, SIDE)
        for subset in (0, 1)
    ]
    columns = ["class_id", "source", "resolution", "subset", "correct", "count"]
    save(layout.metric("accuracy", split), pd.DataFrame(accuracy, columns=columns))
    ms_ssim = [
        (name, source, pair, value)
        for name in classes
        for source, value in (("real", 0.1), ("generated", 0.3))
        for pair in range(3)
    ]
    columns = ["class_id", "source", "pair", "ms_ssim"]
    save(layout.metric("ms_ssim", split), pd.DataFrame(ms_ssim, columns=columns))


def save(path: Path, frame: pd.DataFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(path)
