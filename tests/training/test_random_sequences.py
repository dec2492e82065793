"""Random edits, stops and damages of one training: what comes out is what a training from scratch gives.

CENTIGAN_SEQUENCES=200 makes it two hundred sequences.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small import TRAIN

from centigan.errors import UserError
from centigan.layout import Layout
from centigan.manifest import read_manifest
from centigan.settings.stages import TrainStage
from centigan.training import loop

SEQUENCES = int(os.environ.get("CENTIGAN_SEQUENCES", "10"))
SCRATCH = (
    "history.jsonl",
    "timing.jsonl",
    "snapshots/ms_ssim.jsonl",
    "newest checkpoint",
    "oldest checkpoint",
)
State = dict[str, int]
EDITS: dict[str, st.SearchStrategy[tuple[str, object]]] = {
    "lengthen or shorten": st.tuples(st.just("iterations"), st.integers(2, 9)),
    "another seed": st.tuples(st.just("seed"), st.integers(0, 1)),
    "corrected labels": st.tuples(st.just("labels"), st.integers(0, 1)),
    "kill": st.tuples(st.just("kill"), st.integers(1, 9)),
    "damage": st.tuples(
        st.just("damage"), st.tuples(st.sampled_from(SCRATCH), st.sampled_from(["gone", "cut", "flipped"]))
    ),
}


class Killed(BaseException):
    """Ends a training where it is, as a kill between two iterations does."""


def stage_of(state: State) -> TrainStage:
    values = {"iterations": state["iterations"], "seed": state["seed"]}
    return TRAIN.model_copy(update={"train": TRAIN.train.model_copy(update=values)})


def train(layout: Layout, state: State, *, kill_at: int | None = None) -> None:
    """Train; where an unfinished training of other settings is in the way, do what the message says."""
    step = loop.Progress.step

    def deadly(self: loop.Progress, iteration: int) -> None:
        step(self, iteration)
        if iteration == kill_at:
            raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop.Progress, "step", deadly)
        for _ in range(2):
            try:
                return loop.train_split(layout, "00", stage_of(state), device=torch.device("cpu"))
            except Killed:
                return None
            except UserError as error:
                if "belongs to an unfinished training with other settings" not in str(error):
                    raise
                shutil.rmtree(layout.scratch("00"))
    raise AssertionError("the repair did not help")


def damage(path: Path, how: str) -> None:
    content = path.read_bytes() if path.is_file() else b""
    if not content:
        return
    half = len(content) // 2
    changed = {
        "cut": content[:half],
        "flipped": content[:half] + bytes([content[half] ^ 1]) + content[half + 1 :],
    }
    path.unlink() if how == "gone" else path.write_bytes(changed[how])


def in_scratch(layout: Layout, name: str) -> Path:
    found = sorted(layout.scratch("00").glob("checkpoint-*"))
    if "checkpoint" in name and found:
        return found[-1 if name.startswith("newest") else 0]
    return layout.scratch("00") / name


def outputs(layout: Layout) -> dict[str, object]:
    """All files; of the manifest not the commit, which may be another by now."""
    found: dict[str, object] = {path.name: path.read_bytes() for path in layout.train("00").iterdir()}
    return found | {"manifest.json": read_manifest(layout.train("00")) | {"commit": None}}


@pytest.fixture
def from_scratch(layout: Layout, tmp_path: Path) -> Callable[[State], dict[str, object]]:
    """The results of a training that nothing disturbed."""
    known: dict[tuple[int, ...], dict[str, object]] = {}

    def results(state: State) -> dict[str, object]:
        key = tuple(state.values())
        if key not in known:
            kept = [layout.root / name for name in ("scratch", "results/small/train")]
            for folder in kept:
                shutil.rmtree(folder, ignore_errors=True)
            train(layout, state)
            known[key] = outputs(layout)
        return known[key]

    return results


@settings(max_examples=SEQUENCES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=st.lists(st.one_of(*EDITS.values()), min_size=1, max_size=5))
def test_after_any_sequence_the_results_are_those_from_scratch(
    layout: Layout, from_scratch: Callable[[State], dict[str, object]], edits: list[tuple[str, object]]
) -> None:
    labels = np.load(layout.arrays("00") / "labels.npy")
    state = {"iterations": 6, "seed": 0, "labels": 0}
    for folder in (layout.train("00"), layout.scratch("00")):
        shutil.rmtree(folder, ignore_errors=True)
    train(layout, state)
    try:
        for kind, value in edits:
            if kind == "damage":
                name, how = value
                damage(in_scratch(layout, name), how)
            if kind == "labels" and value != state["labels"]:
                np.save(layout.arrays("00") / "labels.npy", 1 - np.load(layout.arrays("00") / "labels.npy"))
            if kind in state:
                state[kind] = value
            train(layout, state, kill_at=value if kind == "kill" else None)
        train(layout, state)
        found = outputs(layout)
        assert found == from_scratch(state)
    finally:
        np.save(layout.arrays("00") / "labels.npy", labels)
