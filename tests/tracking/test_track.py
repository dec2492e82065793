"""What a store holds of a finished experiment after tracking once, twice, and after an interruption."""

import json
import os
import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from PIL import Image
from toy import write_timing

from centigan.errors import UserError
from centigan.layout import Layout
from centigan.redaction import mark
from centigan.settings import Settings
from centigan.tracking import track
from centigan.tracking.record import sample_grid

SPLITS = ["00", "01"]
TABLES = (
    *("experiments", "runs", "metrics", "latest_metrics", "params", "tags"),
    *("inputs", "input_tags", "datasets", "logged_models", "logged_model_tags", "logged_model_params"),
    "logged_model_metrics",
)


def rows(store: str) -> dict[str, list[tuple[object, ...]]]:
    """Every row of the store's tables that tracking writes to."""
    with sqlite3.connect(store.removeprefix("sqlite:///")) as database:
        return {name: sorted(database.execute(f"select * from {name}"), key=repr) for name in TABLES}


def curves(store: str) -> list[tuple[object, ...]]:
    return [row for row in rows(store)["metrics"] if str(row[0]).startswith("training/")]


def test_the_parent_carries_settings_summary_and_artifacts(
    layout: Layout, settings: Settings, store: str
) -> None:
    identity = track(layout, settings, SPLITS, tracking_uri=store)
    client = MlflowClient(store)
    parent = client.get_run(identity["parent_run_id"])
    assert parent.info.run_name == "width=0.05, iterations=1000, resolution=32, +4 more"
    assert parent.info.status == "FINISHED"
    assert parent.data.metrics == {"accuracy/generated/32": 0.75, "ms_ssim/training/mean": 0.2}
    assert parent.data.params["model.width"] == "0.05"
    assert parent.data.params["data.source"] == "digits"
    assert parent.data.params["splits.1.train.seed"] == "7"
    assert parent.data.tags["centigan.commit"] == "0123456789ab"
    artifacts = [
        file.path
        for folder in ("", "tables", "figures")
        for file in client.list_artifacts(parent.info.run_id, folder)
        if not file.is_dir
    ]
    assert sorted(artifacts) == [
        *("figures/gallery.svg", "report.html", "report.zip", "summary.json"),
        "tables/accuracy_by_resolution.csv",
    ]


def test_a_child_carries_its_splits_settings_curves_and_scores(
    layout: Layout, settings: Settings, store: str
) -> None:
    identity = track(layout, settings, SPLITS, tracking_uri=store)
    client = MlflowClient(store)
    child = client.get_run(identity["child_run_ids"]["01"])
    assert child.info.run_name == "split 01, width=0.05, iterations=1000, train.seed=7, +4 more"
    assert child.data.tags["mlflow.parentRunId"] == identity["parent_run_id"]
    assert child.data.tags["centigan.classes"] == "emu,fox"
    assert child.data.params["train.seed"] == "7"  # this split's override
    assert child.data.metrics["accuracy/generated/32"] == 0.75
    assert child.data.metrics["accuracy/held_out/32"] == 1.0
    assert child.data.metrics["ms_ssim/generated/mean"] == 0.3
    curve = client.get_metric_history(child.info.run_id, "training/loss_generator")
    assert [point.step for point in curve] == list(range(100, 1100, 100))
    assert [point.value for point in curve] == [2 + i / 1000 for i in range(100, 1100, 100)]


def test_the_sample_grid_has_a_row_a_class_and_ten_columns(
    layout: Layout, settings: Settings, store: str
) -> None:
    identity = track(layout, settings, SPLITS, tracking_uri=store)
    run_id = identity["child_run_ids"]["00"]
    path = MlflowClient(store).download_artifacts(run_id, "samples.png")
    grid = np.asarray(Image.open(path))
    assert grid.shape == (2 * 64 + 2, 10 * 64 + 9 * 2, 3)  # 32 pixels, shown at twice that
    assert (grid[:64, :64] == 100).all()
    assert (grid[66:, -64:] == 200).all()
    assert (grid[64:66] == 255).all()


def test_points_have_runs_and_no_generator_to_load(layout: Layout, settings: Settings, store: str) -> None:
    of_points = settings.model_copy(update={"data": settings.data.model_copy(update={"source": "ring"})})
    identity = track(layout, of_points, SPLITS, tracking_uri=store)
    assert list(identity["child_run_ids"]) == SPLITS
    assert identity["model_ids"] == {}
    run = MlflowClient(store).get_run(identity["child_run_ids"]["00"])
    assert run.info.status == "FINISHED"
    assert "loss_generator" in " ".join(run.data.metrics)


def test_samples_of_no_class_are_a_square(tmp_path: Path) -> None:
    layout = Layout("toy/gan", tmp_path)
    layout.samples("00").mkdir(parents=True)
    np.save(layout.samples("00") / "images.npy", np.full((25, 32, 32, 3), 7, np.uint8))
    np.save(layout.samples("00") / "labels.npy", np.full(25, -1, np.int16))
    grid = np.asarray(sample_grid(layout, "00"))
    assert grid.shape == (3 * 64 + 4, 10 * 64 + 18, 3)  # the last row has five
    assert (grid[132:, : 5 * 66 - 2 : 66] == 7).all()


def test_the_file_names_every_run_and_no_path_or_time(layout: Layout, settings: Settings, store: str) -> None:
    identity = track(layout, settings, SPLITS, tracking_uri=store)
    assert json.loads(layout.published.read_text()) == identity | {
        "complete": True,
        "attempt": 0,
        "store": mark(store),
    }
    keys = {"experiment_id", "experiment_name", "revision", "parent_run_id", "child_run_ids", "model_ids"}
    assert set(identity) == keys
    assert identity["experiment_name"] == "centigan/toy"
    assert list(identity["child_run_ids"]) == SPLITS


@pytest.mark.parametrize("timed", [False, True])
def test_tracking_twice_changes_no_row(layout: Layout, settings: Settings, store: str, timed: bool) -> None:
    if timed:
        for split in SPLITS:
            write_timing(layout, split, start=1_700_000_000_000)
    first = track(layout, settings, SPLITS, tracking_uri=store)
    before, text = rows(store), layout.published.read_bytes()
    assert len(before["runs"]) == 3
    curves, scores, summary = (6 + timed) * 10 * 2, 8 * 2, 2
    assert len(before["metrics"]) == curves + scores + summary
    assert track(layout, settings, SPLITS, tracking_uri=store) == first
    assert rows(store) == before
    assert layout.published.read_bytes() == text


def test_artifacts_are_overwritten_by_name(layout: Layout, settings: Settings, store: str) -> None:
    track(layout, settings, SPLITS, tracking_uri=store)
    layout.report.write_text("<!doctype html><title>drawn again</title>")
    identity = track(layout, settings, SPLITS, tracking_uri=store)
    client = MlflowClient(store)
    path = client.download_artifacts(identity["parent_run_id"], "report.html")
    assert "drawn again" in Path(path).read_text()
    assert len(client.list_artifacts(identity["parent_run_id"])) == 5


def test_recorded_times_place_the_points_and_the_runs(layout: Layout, settings: Settings, store: str) -> None:
    start = 1_700_000_000_000
    write_timing(layout, "00", start=start)
    write_timing(layout, "01", start=start + 500)
    identity = track(layout, settings, SPLITS, tracking_uri=store)
    client = MlflowClient(store)
    child = client.get_run(identity["child_run_ids"]["00"])
    curve = client.get_metric_history(child.info.run_id, "training/class_fake")
    assert [point.timestamp for point in curve] == [start + 20 * i for i in range(100, 1100, 100)]
    assert child.data.metrics["training/images_per_second"] == 5000.0
    assert child.info.end_time - child.info.start_time == 20 * 1000
    parent = client.get_run(identity["parent_run_id"])
    assert parent.info.start_time == start
    assert parent.info.end_time == start + 500 + 20_000


def test_an_interrupted_export_is_completed_in_the_same_runs(
    layout: Layout, settings: Settings, store: str
) -> None:
    for split in SPLITS:
        write_timing(layout, split, start=1_700_000_000_000)
    images = layout.samples("01") / "images.npy"
    whole = images.read_bytes()
    images.write_bytes(whole[:300])  # the second split's grid fails, after its points are stored
    with pytest.raises(ValueError, match="mmap"):
        track(layout, settings, SPLITS, tracking_uri=store)
    assert not layout.published.exists()
    client = MlflowClient(store)
    (experiment,) = client.search_experiments(filter_string="name = 'centigan/toy'")
    begun = {run.info.run_id for run in client.search_runs([experiment.experiment_id])}
    points = curves(store)

    images.write_bytes(whole)
    (layout.scratch("01") / "timing.jsonl").unlink()  # its points must not come a second time
    identity = track(layout, settings, SPLITS, tracking_uri=store)
    assert begun == {identity["parent_run_id"], *identity["child_run_ids"].values()}
    assert curves(store) == points
    assert {run.info.status for run in client.search_runs([experiment.experiment_id])} == {"FINISHED"}


def test_another_result_is_another_parent_in_the_same_experiment(
    layout: Layout, settings: Settings, store: str
) -> None:
    first = track(layout, settings, SPLITS, tracking_uri=store)
    frame = pd.read_parquet(layout.metric("ms_ssim", "01"))
    frame.assign(ms_ssim=0.9).to_parquet(layout.metric("ms_ssim", "01"))
    second = track(layout, settings, SPLITS, tracking_uri=store)
    assert first["experiment_id"] == second["experiment_id"]
    assert first["parent_run_id"] != second["parent_run_id"]
    assert not set(first["child_run_ids"].values()) & set(second["child_run_ids"].values())


def test_words_on_figures_are_not_another_revision(layout: Layout, settings: Settings, store: str) -> None:
    first = track(layout, settings, SPLITS, tracking_uri=store)
    renamed = {"gallery": {"title": "Other", "per_class": 3}}
    again = Settings.model_validate(settings.model_dump(exclude={"figures"}) | {"figures": renamed})
    assert track(layout, again, SPLITS, tracking_uri=store) == first


def test_runs_that_a_hanging_server_made_twice_are_deleted(
    layout: Layout, settings: Settings, store: str
) -> None:
    identity = track(layout, settings, SPLITS, tracking_uri=store)
    client = MlflowClient(store)
    for run_id in (identity["parent_run_id"], identity["child_run_ids"]["01"]):
        own = client.get_run(run_id).data.tags
        created_with = ("centigan.settings", "centigan.project", "mlflow.parentRunId", "centigan.split")
        client.create_run(identity["experiment_id"], tags={k: v for k, v in own.items() if k in created_with})
    assert len(client.search_runs([identity["experiment_id"]])) == 5
    assert track(layout, settings, SPLITS, tracking_uri=store) == identity
    assert len(client.search_runs([identity["experiment_id"]])) == 3


def test_long_values_are_cut_to_what_mlflow_stores(layout: Layout, settings: Settings, store: str) -> None:
    data = settings.data.model_copy(update={"root": "x" * 7000})
    long = settings.model_copy(update={"data": data})
    identity = track(layout, long, SPLITS, tracking_uri=store)
    stored = MlflowClient(store).get_run(identity["parent_run_id"]).data.params["data.root"]
    assert stored == "x" * 5999 + "…"


def test_more_points_than_one_request_takes_are_all_stored(
    layout: Layout, settings: Settings, store: str
) -> None:
    lines = [json.dumps({"iteration": i, "a": i, "b": -i}) + "\n" for i in range(1, 1301)]
    (layout.train("00") / "history.jsonl").write_text("".join(lines))
    identity = track(layout, settings, SPLITS, tracking_uri=store)
    run_id = identity["child_run_ids"]["00"]
    for key in ("training/a", "training/b"):
        assert len(MlflowClient(store).get_metric_history(run_id, key)) == 1300


def test_a_deleted_experiment_is_told_with_the_way_back(
    layout: Layout, settings: Settings, store: str
) -> None:
    identity = track(layout, settings, SPLITS, tracking_uri=store)
    MlflowClient(store).delete_experiment(identity["experiment_id"])
    with pytest.raises(UserError, match="mlflow experiments restore --experiment-id"):
        track(layout, settings, SPLITS, tracking_uri=store)


def test_slow_servers_and_telemetry_are_bounded_by_default() -> None:
    assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "2"
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
