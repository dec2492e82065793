"""kill -9 at random moments; CENTIGAN_KILLS=30 makes it thirty."""

import os
import random
import shutil
import signal
import time
from pathlib import Path

import torch
from dying import CHILDREN, LONG, train_long

from centigan.layout import Layout
from centigan.sampling import sample_split
from centigan.settings.stages import SampleStage
from centigan.training.loop import train_split

KILLS = int(os.environ.get("CENTIGAN_KILLS", "3"))
CPU = torch.device("cpu")


def results(layout: Layout) -> dict[str, bytes]:
    """Every file of the trained split and of its samples; manifests name a commit, which may be a new one."""
    stage = SampleStage.model_validate({"model": LONG.model.model_dump(), "sample": {"per_class": 3}})
    sample_split(layout, "00", stage, device=CPU)
    files = [path for folder in (layout.train("00"), layout.samples("00")) for path in folder.iterdir()]
    return {
        f"{path.parent.parent.name}/{path.name}": path.read_bytes()
        for path in files
        if path.suffix != ".json"
    }


def killed_after(layout: Layout, seconds: float) -> bool:
    """Start the training, kill it so long after its first line of the journal; whether it still ran."""
    journal = layout.scratch("00") / "history.jsonl"
    before = journal.stat().st_mtime_ns if journal.exists() else 0
    process = CHILDREN.Process(target=train_long, args=(layout.root,))
    process.start()
    while process.is_alive() and not (journal.exists() and journal.stat().st_mtime_ns > before):
        time.sleep(0.005)
    time.sleep(seconds)
    process.kill()
    process.join()
    return process.exitcode == -signal.SIGKILL


def test_a_training_killed_at_random_moments_ends_with_the_bytes_of_an_uninterrupted_one(
    layout: Layout,
) -> None:
    start = time.monotonic()
    train_split(layout, "00", LONG, device=CPU)
    longest = time.monotonic() - start
    expected = results(layout)
    seed = time.time_ns()
    moments = random.Random(seed)
    kills = 0
    while kills < KILLS:
        for folder in (layout.train("00"), layout.samples("00"), layout.scratch("00")):
            shutil.rmtree(folder, ignore_errors=True)
        for _ in range(min(3, KILLS - kills)):  # several in one training
            kills += killed_after(layout, moments.uniform(0, longest / 3))
        train_split(layout, "00", LONG, device=CPU)
        assert results(layout) == expected, f"seed {seed}, after {kills} kills"
    assert Path(layout.train("00") / "manifest.json").exists()
