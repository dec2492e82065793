"""What a store holds of an experiment that is still being computed, and how following it ends."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow_server import assert_complete, assert_every_point_once, curves, free_port, start_follower
from safetensors.numpy import save_file
from toy import SPLITS, finish, finish_training, train

from centigan.layout import Layout
from centigan.redaction import mark
from centigan.settings import Settings
from centigan.tracking import Followed, follow, track, track_for_workflow

NAMES = list(SPLITS)


def database(store: str) -> Path:
    return Path(store.removeprefix("sqlite:///"))


def train_both(layout: Layout, iterations: range) -> None:
    for split in SPLITS:
        train(layout, split, iterations)


def compute(layout: Layout) -> None:
    """Train both splits line by line, then measure."""
    for split in SPLITS:
        train(layout, split, range(10, 110, 10), pause=0.05)
    finish(layout)


def test_an_unfinished_journal_is_exported_as_far_as_it_goes(
    begun: Layout, settings: Settings, store: str
) -> None:
    train(begun, "00", range(10, 60, 10))
    with (begun.scratch("00") / "history.jsonl").open("a") as journal:
        journal.write('{"iteration": 60, "loss_gen')  # being written just now
    assert track(begun, settings, NAMES, tracking_uri=store) is None
    assert not begun.published.exists()
    assert_every_point_once(database(store), begun, settings)
    assert len(curves(database(store))["00"]) == 5 * 7
    runs = MlflowClient(store).search_runs(["1"])
    assert {run.info.status for run in runs} == {"RUNNING"}
    assert [run.info.run_name for run in runs if run.info.run_name.startswith("split 00, width=0.05")]


def test_nothing_is_begun_before_the_first_line(begun: Layout, settings: Settings, store: str) -> None:
    assert track(begun, settings, NAMES, tracking_uri=store) is None
    assert MlflowClient(store).get_experiment_by_name("centigan/toy") is None


def test_the_runs_of_a_training_are_those_of_its_results(
    begun: Layout, settings: Settings, store: str
) -> None:
    train_both(begun, range(10, 60, 10))
    track(begun, settings, NAMES, tracking_uri=store)
    early = {run.info.run_id for run in MlflowClient(store).search_runs(["1"])}
    train_both(begun, range(60, 110, 10))
    finish(begun)
    identity = track(begun, settings, NAMES, tracking_uri=store)
    assert identity
    assert {identity["parent_run_id"], *identity["child_run_ids"].values()} == early
    assert_complete(database(store), store, begun, settings)


def test_a_resumed_training_doubles_no_point(begun: Layout, settings: Settings, store: str) -> None:
    train_both(begun, range(10, 110, 10))
    track(begun, settings, NAMES, tracking_uri=store)
    time.sleep(0.002)
    train_both(begun, range(50, 160, 10))  # from a checkpoint: the same numbers at another time
    track(begun, settings, NAMES, tracking_uri=store)
    assert_every_point_once(database(store), begun, settings)
    finish(begun)
    track(begun, settings, NAMES, tracking_uri=store)
    assert_complete(database(store), store, begun, settings)


def test_numbers_that_a_training_took_back_leave_the_store(
    begun: Layout, settings: Settings, store: str
) -> None:
    train_both(begun, range(10, 110, 10))
    track(begun, settings, NAMES, tracking_uri=store)
    train(begun, "01", range(50, 160, 10), shift=0.5)  # half the learning rates after a divergence
    track(begun, settings, NAMES, tracking_uri=store)
    assert_every_point_once(database(store), begun, settings)
    assert len(MlflowClient(store).search_runs(["1"])) == 3


def test_a_split_that_is_trained_again_is_one_run_with_one_generator(
    begun: Layout, settings: Settings, store: str
) -> None:
    train_both(begun, range(10, 110, 10))
    finish_training(begun, "01")
    track(begun, settings, NAMES, tracking_uri=store)
    train(begun, "01", range(10, 110, 10), shift=0.5)
    finish(begun)
    track(begun, settings, NAMES, tracking_uri=store)
    assert_complete(database(store), store, begun, settings)


def test_what_was_trained_under_other_settings_is_not_this_run(
    begun: Layout, settings: Settings, store: str
) -> None:
    train_both(begun, range(10, 60, 10))
    finish(begun)
    wider = settings.model_copy(update={"model": settings.model.model_copy(update={"width": 0.1})})
    for split in SPLITS:  # what the trainer's checkpoint says of the journal beside it
        identity = {"model": settings.model.model_dump(mode="json"), "train": {}}
        facts = {"centigan": json.dumps({"identity": identity})}
        save_file({}, begun.scratch(split) / "checkpoint-00000050.safetensors", metadata=facts)
    assert track(begun, wider, NAMES, tracking_uri=store) is None
    assert MlflowClient(store).get_experiment_by_name("centigan/toy") is None
    assert track(begun, settings, NAMES, tracking_uri=store)


def test_the_same_results_by_another_copy_of_the_project_are_the_same_run(
    begun: Layout, settings: Settings, store: str, tmp_path: Path
) -> None:
    other = Layout("toy", tmp_path / "other")
    for layout in (begun, other):
        train_both(layout, range(10, 60, 10))
        track(layout, settings, NAMES, tracking_uri=store)
    assert len(MlflowClient(store).search_runs(["1"])) == 6  # two trainings, each with its own times
    finish(begun)
    first = track(begun, settings, NAMES, tracking_uri=store)
    finish(other)
    assert track(other, settings, NAMES, tracking_uri=store) == first
    assert_complete(database(store), store, begun, settings)


def test_following_a_training_ends_with_its_results(begun: Layout, settings: Settings, store: str) -> None:
    computing = threading.Thread(target=compute, args=(begun,))
    computing.start()
    follow(Followed(begun, settings, NAMES), tracking_uri=store, every=0.1)
    computing.join()
    assert_complete(database(store), store, begun, settings)
    assert json.loads(begun.published.read_text())["complete"] is True


def test_one_process_follows_several_experiments_until_the_last_is_complete(
    begun: Layout, settings: Settings, store: str, tmp_path: Path
) -> None:
    other = Layout("toy", tmp_path / "other")
    train_both(begun, range(10, 110, 10))
    finish(begun)
    computing = threading.Thread(target=compute, args=(other,))
    computing.start()
    both = (Followed(layout, settings, NAMES) for layout in (begun, other))
    follow(*both, tracking_uri=store, every=0.1)
    computing.join()
    assert [json.loads(each.published.read_text())["complete"] for each in (begun, other)] == [True, True]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_follower_that_is_asked_to_end_takes_the_last_lines_along(
    begun: Layout, settings: Settings, store: str, number: signal.Signals
) -> None:
    train_both(begun, range(10, 60, 10))

    def ask() -> None:
        wait_for(lambda: curves(database(store)))
        train_both(begun, range(60, 80, 10))
        os.kill(os.getpid(), number)

    follow_while(ask, begun, settings, store)
    assert_every_point_once(database(store), begun, settings)


def test_a_follower_beside_a_process_ends_with_it_and_leaves_the_results_to_it(
    begun: Layout, settings: Settings, store: str
) -> None:
    train_both(begun, range(10, 60, 10))
    finish(begun)
    with subprocess.Popen(["sleep", "60"]) as process:
        follower = start_follower(begun, settings, store, beside=process.pid)
        wait_for(lambda: len(curves(database(store))) == 2)
        process.kill()
    _, errors = follower.communicate(timeout=30)
    assert (follower.returncode, errors) == (0, "")
    assert_every_point_once(database(store), begun, settings)
    assert not begun.published.exists()


def test_results_older_than_what_they_are_made_from_are_waited_for(
    begun: Layout, settings: Settings, store: str
) -> None:
    train_both(begun, range(10, 60, 10))
    finish(begun)
    os.utime(begun.summary, (0, 0))  # being made anew

    def make_anew() -> None:
        wait_for(lambda: len(curves(database(store))) == 2)
        assert not begun.published.exists()
        os.utime(begun.summary)
        os.utime(begun.report)

    follow_while(make_anew, begun, settings, store)
    assert_complete(database(store), store, begun, settings)


def test_the_workflow_goes_on_without_the_store_and_says_so(
    layout: Layout, settings: Settings, store: str, caplog: pytest.LogCaptureFixture
) -> None:
    away = f"http://someone:secret@127.0.0.1:{free_port()}"
    track_for_workflow(layout, settings, NAMES, tracking_uri=away, attempt=4)
    told = json.loads(layout.published.read_text())
    assert (told["complete"], told["attempt"]) == (False, 4)
    assert "does not answer" in told["reason"]
    assert "secret" not in told["reason"] + caplog.text
    assert "`centigan track -e toy` completes later" in caplog.text

    identity = track(layout, settings, NAMES, tracking_uri=store)  # by hand, when the store is back
    assert identity
    assert json.loads(layout.published.read_text()) == identity | {
        "complete": True,
        "attempt": 4,
        "store": mark(store),
    }


def test_a_fault_of_ours_does_not_fail_the_workflow_either(
    layout: Layout, settings: Settings, store: str
) -> None:
    (layout.train("01") / "manifest.json").write_text("{")
    track_for_workflow(layout, settings, NAMES, tracking_uri=store, attempt=0)
    assert json.loads(layout.published.read_text())["complete"] is False


def follow_while(happening: Callable[[], None], layout: Layout, settings: Settings, store: str) -> None:
    """Follow in this thread, which gets the signals, while something happens in another."""
    with ThreadPoolExecutor() as pool:
        happens = pool.submit(happening)
        happens.add_done_callback(lambda done: done.exception() and os.kill(os.getpid(), signal.SIGTERM))
        follow(Followed(layout, settings, NAMES), tracking_uri=store, every=0.1)
        happens.result()


def wait_for(condition: Callable[[], object]) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)
