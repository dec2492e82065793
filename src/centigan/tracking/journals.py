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

    @property
    def start(self) -> int | None:
        """When the first line was written."""
        return min((self.timing[s].timestamp for s in self._steps() if s in self.timing), default=None)

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
    scratch = layout.scratch(split)
    timing = {
        int(line["iteration"]): Timing(int(line["timestamp"]), line["images_per_second"])
        for line in read_lines(scratch / "timing.jsonl", "timestamp", "images_per_second")
    }
    if is_trained(layout, split, stage):
        return Curves(read_lines(layout.train(split) / "history.jsonl"), timing, finished=True)
    if _belongs_to_others(scratch, stage):
        return Curves([], {}, finished=False)
    lines = read_lines(scratch / "history.jsonl")  # of these, a line without its time is not whole yet
    return Curves([line for line in lines if line["iteration"] in timing], timing, finished=False)


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
