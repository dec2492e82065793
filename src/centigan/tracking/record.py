"""What the files of an experiment say to MLflow: plain values, read before a store is asked."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from centigan.catalogue import METRICS, all_files, applying, subject_of_settings
from centigan.layout import Layout
from centigan.manifest import read_facts, read_manifest, sha256
from centigan.params import dotted, stage
from centigan.settings import Settings
from centigan.settings.families import FAMILIES
from centigan.settings.stages import TrainStage
from centigan.sheets import GAP, contact_sheet
from centigan.tracking.journals import Curves, is_trained, read_curves
from centigan.types import UNLABELLED

GRID_PER_CLASS = 10
GRID_SIDE = 64  # pixels; smaller images are enlarged by a whole factor
State = list[tuple[int, int]]  # of files: time of the last change, ns, and size
DIGITS = 12  # of a hash that names something


@dataclass(frozen=True)
class Trained:
    """What a split's finished training left behind."""

    classes: list[str]  # in order of their position within the split
    commit: str | None
    journal: str  # sha256 of history.jsonl
    generator: str  # sha256 of the weights that draw
    arrays: dict[str, str]  # file of the training data -> its sha256
    samples: str | None  # sha256 of the manifest of images that this generator drew


@dataclass(frozen=True)
class SplitRecord:
    """One split: a child run."""

    name: str
    params: dict[str, str]
    curves: Curves
    trained: Trained | None


def read_split(layout: Layout, settings: Settings, split: str) -> SplitRecord:
    """What there is of a split now."""
    own = stage(settings, TrainStage, split)
    curves = read_curves(layout, split, own)
    trained = _read_trained(layout, split) if curves.finished else None
    return SplitRecord(split, flatten(own.model_dump(mode="json")), curves, trained)


def state_of(layout: Layout, split: str) -> State:
    """What changes whenever a file changes that `read_split` reads."""
    train, scratch = layout.train(split), layout.scratch(split)
    files = [train / "manifest.json", train / "history.jsonl", layout.samples(split) / "manifest.json"]
    files += [scratch / "history.jsonl", scratch / "timing.jsonl"]
    found = [path.stat() if path.exists() else None for path in files]
    return [(at.st_mtime_ns, at.st_size) if at else (0, 0) for at in found]


def missing(layout: Layout, settings: Settings, splits: list[str]) -> str | None:
    """What the experiment lacks to be complete; None when it lacks nothing."""
    needed = [layout.summary, layout.report, layout.results / "tables", layout.results / "figures"]
    for split in splits:
        if not is_trained(layout, split, stage(settings, TrainStage, split)):
            return f"split {split} is not trained under these settings"
        needed += [*_content(layout, settings, split)]
        needed += [layout.samples(split) / f for f in ("images.npy", "labels.npy", "manifest.json")]
    absent = next((path for path in needed if not path.exists()), None)
    return f"{absent} is missing" if absent else None


def outdated(layout: Layout, settings: Settings, splits: list[str]) -> bool:
    """Whether the page is older than the numbers, or these older than what they are made from."""
    sources = [layout.train(split) / "manifest.json" for split in splits]
    sources += [layout.samples(split) / "manifest.json" for split in splits]
    sources += [path for path in all_files(_told(settings), layout, splits) if path.exists()]
    summary = layout.summary.stat().st_mtime
    return max(path.stat().st_mtime for path in sources) > summary or summary > layout.report.stat().st_mtime


def settings_key(settings: Settings) -> str:
    """Short hash of the settings behind the numbers: what a run goes by until it has its results."""
    return short_hash(json.dumps(measured_settings(settings), sort_keys=True, allow_nan=False))


def revision(layout: Layout, settings: Settings, splits: list[str]) -> str:
    """Short hash of the settings and of every file whose numbers a run cannot take back."""
    files = [layout.summary, *(path for split in splits for path in _content(layout, settings, split))]
    digests = {path.relative_to(layout.results).as_posix(): sha256(path) for path in files}
    return short_hash(
        json.dumps(
            {"settings": measured_settings(settings), "files": digests}, sort_keys=True, allow_nan=False
        )
    )


def short_hash(text: str) -> str:
    """What names something by its content."""
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def data_hash(records: list[SplitRecord]) -> str:
    """Short hash of the training data of all splits, by the hashes in their manifests."""
    arrays = {record.name: record.trained.arrays for record in records if record.trained}
    return short_hash(json.dumps(arrays, sort_keys=True, allow_nan=False))


def measured_settings(settings: Settings) -> dict[str, Any]:
    """The settings behind the numbers: all but the figures' words, which may change under a run."""
    return settings.model_dump(mode="json", exclude={"figures"})


def flatten(values: dict[str, Any]) -> dict[str, str]:
    """Nested settings as dotted names; whatever is not text is written as JSON."""
    return {k: v if isinstance(v, str) else json.dumps(v, allow_nan=False) for k, v in dotted(values).items()}


def sample_grid(layout: Layout, split: str) -> Image.Image:
    """The first samples of each class of a split: a row a class, by position; of no class a square."""
    images = np.load(layout.samples(split) / "images.npy", mmap_mode="r")  # (N, R, R, 3)
    labels = np.load(layout.samples(split) / "labels.npy")
    tile = images.shape[1] * max(1, GRID_SIDE // images.shape[1])
    rows = [images[np.flatnonzero(labels == k)[:GRID_PER_CLASS]] for k in np.unique(labels)]
    if labels[0] == UNLABELLED:
        first = images[: GRID_PER_CLASS**2]
        rows = [first[start : start + GRID_PER_CLASS] for start in range(0, len(first), GRID_PER_CLASS)]
    return Image.fromarray(contact_sheet(rows, across=GRID_PER_CLASS, tile=tile)[:-GAP, :-GAP])


def _read_trained(layout: Layout, split: str) -> Trained:
    manifest, folder = read_manifest(layout.train(split)), layout.train(split)
    networks = [sha256(path) for path in _drawing_networks(layout, split)]
    generator = networks[0] if len(networks) == 1 else hashlib.sha256("".join(networks).encode()).hexdigest()
    return Trained(
        classes=read_facts(folder)["classes"],
        commit=manifest.get("commit"),
        journal=sha256(folder / "history.jsonl"),
        generator=generator,
        arrays={Path(name).name: digest for name, digest in manifest["inputs"].items()},
        samples=_samples(layout.samples(split), networks),
    )


def _drawing_networks(layout: Layout, split: str) -> list[Path]:
    """The files of the networks that samples are drawn by."""
    family = read_manifest(layout.train(split))["settings"]["model"]["family"]
    return [layout.train(split) / f"{name}.safetensors" for name in FAMILIES[family].sampled]


def _samples(folder: Path, networks: list[str]) -> str | None:
    """The hash of the samples' manifest; None for those of other networks."""
    path = folder / "manifest.json"
    if not path.exists() or not set(networks) <= set(read_manifest(folder)["inputs"].values()):
        return None
    return sha256(path)


def _content(layout: Layout, settings: Settings, split: str) -> list[Path]:
    """The files of a split that make it another revision when they change."""
    return [
        *_drawing_networks(layout, split),
        layout.train(split) / "history.jsonl",
        *(layout.metric(metric, split) for metric in _told(settings)),
    ]


def _told(settings: Settings) -> list[str]:
    """The metrics of a split that its run tells and that tell whether it is complete."""
    metrics = applying(METRICS, subject_of_settings(settings))
    return [metric for metric in ("accuracy", "ms_ssim") if metric in metrics]
