"""A run's times are those of its trainings, wherever and whenever it is exported."""

import os
import shutil
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from toy import write_timing

from centigan.layout import Layout
from centigan.settings import Settings
from centigan.tracking import track

SPLITS = ["00", "01"]
START = 1_700_000_000_000
LENGTH = 20 * 1000  # ms


def times(identity: dict[str, Any] | None, store: str) -> list[tuple[int, int, str]]:
    """Start, end and where they are from, of the splits' runs."""
    assert identity
    runs = [MlflowClient(store).get_run(run_id) for run_id in identity["child_run_ids"].values()]
    return [(r.info.start_time, r.info.end_time, r.data.tags["centigan.times"]) for r in runs]


def another_revision(settings: Settings) -> Settings:
    return settings.model_copy(update={"ms_ssim": settings.ms_ssim.model_copy(update={"pairs": 7})})


def test_a_training_that_two_revisions_share_ran_when_it_ran(
    layout: Layout, settings: Settings, store: str, tmp_path: Path
) -> None:
    clone = Layout("toy", tmp_path / "clone")  # pulled: results, and no scratch
    shutil.copytree(layout.results, clone.results)
    for split in SPLITS:
        write_timing(layout, split, start=START)
    first = track(layout, settings, SPLITS, tracking_uri=store)
    second = track(clone, another_revision(settings), SPLITS, tracking_uri=store)
    assert first
    assert second
    assert first["parent_run_id"] != second["parent_run_id"]
    assert times(first, store) == times(second, store) == [(START, START + LENGTH, "journal")] * 2
    client = MlflowClient(store)
    for identity in (first, second):
        parent = client.get_run(identity["parent_run_id"]).info
        assert (parent.start_time, parent.end_time) == (START, START + LENGTH)
        curve = client.get_metric_history(identity["child_run_ids"]["01"], "training/loss_generator")
        assert [point.timestamp for point in curve] == [START + 20 * i for i in range(100, 1100, 100)]


def test_the_times_of_another_training_in_scratch_are_not_taken(
    layout: Layout, settings: Settings, store: str
) -> None:
    for split in SPLITS:
        write_timing(layout, split, start=START)
        with (layout.scratch(split) / "history.jsonl").open("a") as journal:
            journal.write('{"iteration": 1100, "loss_generator": 1.0}\n')
    assert {where for *_, where in times(track(layout, settings, SPLITS, tracking_uri=store), store)} == {
        "date"
    }


def test_without_recorded_times_a_training_ended_when_its_results_were_written(
    layout: Layout, settings: Settings, store: str
) -> None:
    for split in SPLITS:
        os.utime(layout.train(split) / "manifest.json", (START / 1000, START / 1000))
    found = times(track(layout, settings, SPLITS, tracking_uri=store), store)
    assert [(end, where) for _, end, where in found] == [(START, "date")] * 2


def test_a_training_of_a_single_line_took_its_time(layout: Layout, settings: Settings, store: str) -> None:
    for split in SPLITS:
        folder = layout.train(split)
        (folder / "history.jsonl").write_text('{"iteration": 1000, "loss_generator": 1.0}\n')
        write_timing(layout, split, start=START)
    assert (
        times(track(layout, settings, SPLITS, tracking_uri=store), store)
        == [(START, START + LENGTH, "journal")] * 2
    )
