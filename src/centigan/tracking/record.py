"""What the files of an experiment say to MLflow: plain values, read before a store is asked."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from PIL import Image

from centigan.errors import UserError
from centigan.layout import Layout
from centigan.manifest import read_manifest, sha256
from centigan.params import dotted, for_split
from centigan.settings import Frozen, Settings
from centigan.sheets import GAP, contact_sheet

GRID_PER_CLASS = 10
GRID_SIDE = 64  # pixels; smaller images are enlarged by a whole factor


class Point(NamedTuple):
    """One value of a curve."""

    key: str
    value: float
    step: int
    timestamp: int  # milliseconds since 1970


@dataclass(frozen=True)
class Timing:
    """When one journal line was written; kept outside the results, which hold no time."""

    timestamp: int  # milliseconds since 1970
    images_per_second: float


@dataclass(frozen=True)
class SplitRecord:
    """One split: a child run."""

    name: str
    classes: list[str]  # in order of their position within the split
    commit: str | None
    params: dict[str, str]
    scores: dict[str, float]
    history: list[dict[str, float]]
    timing: dict[int, Timing]  # by iteration; empty when nothing recorded it

    @property
    def start(self) -> int | None:
        return min((t.timestamp for t in self.timing.values()), default=None)

    def points(self, start: int) -> list[Point]:
        """Curves and scores; without recorded times an iteration counts as a millisecond."""
        return [*self._curves(start), *(Point(k, v, 0, start) for k, v in self.scores.items())]

    def _curves(self, start: int) -> Iterator[Point]:
        timestamp = start
        for line in self.history:
            step = int(line["iteration"])
            timing = self.timing.get(step)
            if timing is not None:
                timestamp = timing.timestamp
                yield Point("training/images_per_second", timing.images_per_second, step, timestamp)
            elif not self.timing:
                timestamp = start + step
            for key, value in line.items():
                if key != "iteration":
                    yield Point(f"training/{key}", value, step, timestamp)


@dataclass(frozen=True)
class Record:
    """One experiment: a parent run and its children."""

    revision: str
    params: dict[str, str]
    summary: dict[str, float]
    splits: list[SplitRecord]

    @property
    def commits(self) -> list[str]:
        """Every commit that trained one of the splits."""
        return sorted({split.commit for split in self.splits if split.commit})

    @property
    def start(self) -> int | None:
        return min((split.start for split in self.splits if split.start), default=None)


def read(layout: Layout, settings: Settings, splits: list[str]) -> Record:
    """Everything about the experiment but its artifacts.

    Raises:
        UserError: names the first file that is missing.
    """
    _must_exist(layout, splits)
    measured = measured_settings(settings)
    summary = json.loads(layout.summary.read_text(encoding="utf-8"))
    return Record(
        revision=_revision(layout, measured, splits),
        params=flatten(measured),
        summary={name: float(value) for name, value in summary.items() if value is not None},
        splits=[_read_split(layout, settings, split) for split in splits],
    )


def measured_settings(settings: Settings) -> dict[str, Any]:
    """The settings behind the numbers: all but the figures' words, which may change under a run."""
    return settings.model_dump(mode="json", exclude={"figures"})


def flatten(values: dict[str, Any]) -> dict[str, str]:
    """Nested settings as dotted names; whatever is not text is written as JSON."""
    return {k: v if isinstance(v, str) else json.dumps(v) for k, v in dotted(values).items()}


def sample_grid(layout: Layout, split: str) -> Image.Image:
    """The first samples of each class of a split: one row a class, in order of position."""
    images = np.load(layout.samples(split) / "images.npy", mmap_mode="r")  # (N, R, R, 3)
    labels = np.load(layout.samples(split) / "labels.npy")
    tile = images.shape[1] * max(1, GRID_SIDE // images.shape[1])
    rows = [images[np.flatnonzero(labels == k)[:GRID_PER_CLASS]] for k in range(int(labels.max()) + 1)]
    return Image.fromarray(contact_sheet(rows, across=GRID_PER_CLASS, tile=tile)[:-GAP, :-GAP])


def _must_exist(layout: Layout, splits: list[str]) -> None:
    needed = [layout.summary, layout.report, layout.results / "tables", layout.results / "figures"]
    for split in splits:
        needed += [*_content(layout, split), layout.train(split) / "manifest.json"]
        needed += [layout.samples(split) / f for f in ("images.npy", "labels.npy", "manifest.json")]
    for path in needed:
        if not path.exists():
            raise UserError(f"{path} is missing; finish the experiment with `snakemake`, then publish")


def _content(layout: Layout, split: str) -> list[Path]:
    """The files of a split that make it another revision when they change."""
    return [
        layout.train(split) / "generator.safetensors",
        layout.train(split) / "history.jsonl",
        layout.metric("accuracy", split),
        layout.metric("ms_ssim", split),
    ]


def _revision(layout: Layout, measured: dict[str, Any], splits: list[str]) -> str:
    """Short hash of the settings and of every file whose numbers a run cannot take back."""
    files = [layout.summary, *(path for split in splits for path in _content(layout, split))]
    digests = {path.relative_to(layout.results).as_posix(): sha256(path) for path in files}
    text = json.dumps({"settings": measured, "files": digests}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _read_split(layout: Layout, settings: Settings, split: str) -> SplitRecord:
    own: dict[str, Frozen] = {name: getattr(for_split(settings, split), name) for name in ("model", "train")}
    history = (layout.train(split) / "history.jsonl").read_text(encoding="utf-8")
    return SplitRecord(
        name=split,
        classes=read_manifest(layout.samples(split))["classes"],
        commit=read_manifest(layout.train(split)).get("commit"),
        params=flatten({name: part.model_dump(mode="json") for name, part in own.items()}),
        scores=_scores(layout, split, resolution=settings.arrays.resolution),
        history=[json.loads(line) for line in history.splitlines()],
        timing=_timing(layout.scratch(split) / "timing.jsonl"),
    )


def _scores(layout: Layout, split: str, *, resolution: int) -> dict[str, float]:
    """Accuracy at the model's resolution and mean MS-SSIM, over the classes of one split."""
    accuracy = pd.read_parquet(layout.metric("accuracy", split)).query("resolution == @resolution")
    counts = accuracy.groupby("source")[["correct", "count"]].sum()
    ms_ssim = pd.read_parquet(layout.metric("ms_ssim", split)).groupby("source")["ms_ssim"].mean()
    named = {
        f"accuracy_{source}_{resolution}": share
        for source, share in (counts["correct"] / counts["count"]).items()
    } | {f"ms_ssim_{source}": mean for source, mean in ms_ssim.items()}
    return {name: float(value) for name, value in named.items()}


def _timing(path: Path) -> dict[int, Timing]:
    """Recorded times by iteration, the last word on each; a line cut short is passed over."""
    timing: dict[int, Timing] = {}
    if not path.is_file():
        return timing
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            line = json.loads(text)
        except json.JSONDecodeError:
            continue
        timing[int(line["iteration"])] = Timing(int(line["timestamp"]), line["images_per_second"])
    return timing
