"""The curves of a split: its journal, finished or still growing, with the times beside it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from safetensors import SafetensorError, safe_open

from centigan.journal import read_lines
from centigan.layout import Layout
from centigan.manifest import read_manifest, settings_sha256
from centigan.settings.stages import TrainStage

CURVE = "training/"
SPEED = f"{CURVE}images_per_second"


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
class Curves:
    """What is known so far of one training."""

    lines: list[dict[str, float]]  # of the journal
    timing: dict[int, Timing]  # by iteration; empty when nothing recorded it
    finished: bool
    batch_size: int
    written: int | None = None  # when the results were written, by their date; a copy may have a later one

    @property
    def start(self) -> int | None:
        """When the first iteration began; where no time was recorded, what the results' date allows."""
        steps = list(self._steps())
        timed = next((step for step in steps if step in self.timing), None)
        if timed is None:
            return self.written - steps[-1] if self.written and steps else None
        at = self.timing[timed]
        if timed != steps[0]:
            return at.timestamp
        return at.timestamp - round(1000 * timed * self.batch_size / at.images_per_second)

    def points(self, start: int) -> Iterator[Point]:
        """Every value; without recorded times an iteration counts as a millisecond after `start`."""
        timestamp = start
        for line, step in zip(self.lines, self._steps(), strict=True):
            timing = self.timing.get(step)
            if timing is not None:
                timestamp = timing.timestamp
                yield Point(SPEED, timing.images_per_second, step, timestamp)
            elif not self.timing:
                timestamp = start + step
            for key, value in line.items():
                if key != "iteration":
                    yield Point(CURVE + key, value, step, timestamp)

    def end(self, start: int) -> int:
        """When the last line was written, ms."""
        return max((point.timestamp for point in self.points(start)), default=start)

    def _steps(self) -> Iterator[int]:
        return (int(line["iteration"]) for line in self.lines)


def read_curves(layout: Layout, split: str, stage: TrainStage) -> Curves:
    """The curves of a split as trained under these settings, and no others."""
    scratch, batch = layout.scratch(split), stage.train.batch_size
    if is_trained(layout, split, stage):
        journal = layout.train(split) / "history.jsonl"
        own = _same(journal, scratch / "history.jsonl")  # else scratch has the times of another training
        written = (layout.train(split) / "manifest.json").stat().st_mtime_ns // 1_000_000
        return Curves(read_lines(journal), _timing(scratch) if own else {}, True, batch, written)
    if _belongs_to_others(scratch, stage):
        return Curves([], {}, False, batch)
    timing = _timing(scratch)
    lines = read_lines(scratch / "history.jsonl")  # of these, a line without its time is not whole yet
    return Curves([line for line in lines if line["iteration"] in timing], timing, False, batch)


def _timing(scratch: Path) -> dict[int, Timing]:
    lines = read_lines(scratch / "timing.jsonl", "timestamp", "images_per_second")
    timed = ((int(line["iteration"]), int(line["timestamp"]), line["images_per_second"]) for line in lines)
    return {step: Timing(at, speed) for step, at, speed in timed if speed > 0}


def _same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.read_bytes() == other.read_bytes()


def is_trained(layout: Layout, split: str, stage: TrainStage) -> bool:
    """Whether a split's training came to its end under these settings."""
    if not (layout.train(split) / "manifest.json").exists():
        return False
    manifest = read_manifest(layout.train(split))
    return manifest.get("settings_sha256") == settings_sha256(stage)


def _belongs_to_others(scratch: Path, stage: TrainStage) -> bool:
    """Whether scratch holds a training of other settings, by its newest checkpoint.

    A training that begins removes such checkpoints before it clears the journal.
    """
    newest = max(scratch.glob("checkpoint-*.safetensors"), default=None)
    if newest is None:
        return False
    try:
        with safe_open(newest, framework="numpy") as file:
            identity = json.loads(file.metadata()["centigan"])["identity"]
    except (OSError, SafetensorError, KeyError, ValueError):  # just replaced, or damaged: the journal decides
        return False
    own = stage.model_dump(mode="json")
    return any(own[part].get(key) != value for part in own for key, value in identity[part].items())
