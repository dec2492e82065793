"""Which store is written to, who writes at once, and what happens when it is away."""

import logging
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

from centigan.errors import UserError
from centigan.layout import Layout
from centigan.settings import Settings
from centigan.tracking import track, track_for_workflow

ROOT = Path(__file__).parents[2]
SPLITS = ["00", "01"]
TRACK = """
import sys
from pathlib import Path

def tell(event, args):
    if event in ("socket.connect", "socket.getaddrinfo"):
        print(event, args, file=sys.stderr)

sys.addaudithook(tell)

from centigan.layout import Layout
from centigan.settings import Settings
from centigan.tracking import track

print("ready", flush=True)
track(Layout("toy", Path(sys.argv[1])), Settings.model_validate_json(sys.argv[2]), ["00", "01"])
"""


def start_tracker(
    layout: Layout, settings: Settings, *, folder: Path, uri: str | None = None
) -> subprocess.Popen[str]:
    """`track` in a process of its own that works in `folder` and is not told of pytest or CI.

    It has imported all, and begins to export.
    """
    hidden = ("MLFLOW_", "PYTEST_", "CI")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
    if uri:
        environment["MLFLOW_TRACKING_URI"] = uri
    exporter = subprocess.Popen(
        [sys.executable, "-c", TRACK, str(layout.root), settings.model_dump_json()],
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert exporter.stdout
    assert exporter.stdout.readline() == "ready\n"
    return exporter


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


ODD = (
    "a ?b=c#d %20 %3F é&+;'x'"  # of which SQLAlchemy, and MLflow with a file's address, decode each something
)


def test_the_default_store_lies_in_the_working_directory_whatever_that_is_called(
    layout: Layout, settings: Settings, migrated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ODD
    folder.mkdir()
    shutil.copy(migrated, folder / "mlflow.db")
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    identity = track(layout, settings, SPLITS)
    assert sorted(path.name for path in folder.iterdir()) == ["mlartifacts", "mlflow.db"]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("a ")] == [ODD]
    assert list(folder.rglob("report.html"))
    client = MlflowClient(of_make_ui())
    assert client.get_run(identity["parent_run_id"]).info.status == "FINISHED"
    assert client.list_artifacts(identity["parent_run_id"])


def of_make_ui() -> str:
    """The store that `make ui` opens."""
    (found,) = re.findall(r"--backend-store-uri (\S+)", (ROOT / "Makefile").read_text())
    return str(found)


@pytest.fixture
def server(migrated: Path, tmp_path: Path) -> Iterator[str]:
    """A real MLflow server on loopback, over a database of its own."""
    database = shutil.copy(migrated, tmp_path / "server.db")
    uri = f"http://127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "mlflow", "server", "--workers", "1"]
    command += ["--host", "127.0.0.1", "--port", uri.rsplit(":", 1)[1]]
    command += ["--backend-store-uri", f"sqlite:///{database}"]
    command += ["--artifacts-destination", (tmp_path / "served").as_uri()]
    environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (tmp_path / "server.log").open("w") as log:
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log)
        try:
            wait_until_healthy(uri, process, log=tmp_path / "server.log")
            yield uri
        finally:
            process.terminate()
            process.wait(timeout=20)


def wait_until_healthy(uri: str, process: subprocess.Popen[bytes], *, log: Path) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"{uri}/health", timeout=1):
                return
        except OSError:
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
    raise TimeoutError(log.read_text())


def test_the_default_store_is_two_names_in_the_working_directory_and_calls_nobody(
    layout: Layout, settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    exporter = start_tracker(layout, settings, folder=folder)
    _, errors = exporter.communicate(timeout=60)
    assert exporter.returncode == 0, errors
    assert sorted(path.name for path in folder.iterdir()) == ["mlartifacts", "mlflow.db"]
    assert list(folder.rglob("report.html"))
    assert "socket." not in errors


def test_the_environment_names_the_store_and_its_artifacts_lie_beside_it(
    layout: Layout, settings: Settings, store: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    identity = track(layout, settings, SPLITS)
    assert MlflowClient(store).get_run(identity["parent_run_id"]).info.status == "FINISHED"
    assert not list(folder.iterdir())
    assert list((tmp_path / "mlartifacts").rglob("summary.json"))


def test_two_exporters_at_once_make_one_parent(
    layout: Layout, settings: Settings, store: str, tmp_path: Path
) -> None:
    exporter = start_tracker(layout, settings, folder=tmp_path, uri=store)
    track(layout, settings, SPLITS, tracking_uri=store)
    _, errors = exporter.communicate(timeout=60)
    assert exporter.returncode == 0, errors
    client = MlflowClient(store)
    (experiment,) = client.search_experiments(filter_string="name = 'centigan/toy'")
    assert len(client.search_runs([experiment.experiment_id])) == 3


def test_a_dead_server_is_told_within_seconds_and_can_be_tried_again(
    layout: Layout, settings: Settings, store: str
) -> None:
    uri = f"http://someone:secret@127.0.0.1:{free_port()}"
    began = time.monotonic()
    with pytest.raises(UserError) as told:
        track(layout, settings, SPLITS, tracking_uri=uri)
    assert time.monotonic() - began < 20
    message = str(told.value)
    assert uri.replace("someone:secret", "***") in message
    assert "secret" not in message
    assert "are safe; run `centigan track -e toy` when" in message
    assert not layout.published.exists()
    track(layout, settings, SPLITS, tracking_uri=store)


@pytest.mark.parametrize(
    "form",
    ["{}@127.0.0.1:{}", "me:{}@127.0.0.1:{}", "127.0.0.1:{1}?token={0}", "127.0.0.1:{1}/a?password={0}"],
)
@pytest.mark.parametrize("scheme", ["http", "postgresql", "ftp"])
def test_a_secret_is_told_by_no_message_log_or_file(
    layout: Layout,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    scheme: str,
    form: str,
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    uri = f"{scheme}://{form.format('s3cr3t%2Ftoken', free_port())}"
    with caplog.at_level(logging.DEBUG):
        track_for_workflow(layout, settings, SPLITS, tracking_uri=uri, attempt=0)
    told = caplog.text + layout.published.read_text()
    assert "going on without MLflow" in told
    assert "s3cr3t" not in told


def test_a_hanging_server_is_told_after_the_timeout(
    layout: Layout, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    with socket.create_server(("127.0.0.1", 0)) as mute:
        uri = f"http://127.0.0.1:{mute.getsockname()[1]}"
        with pytest.raises(UserError, match="timed out"):
            track(layout, settings, SPLITS, tracking_uri=uri)


def test_a_store_that_mlflow_refuses_is_told(layout: Layout, settings: Settings) -> None:
    with pytest.raises(UserError, match="MLflow at ftp://nowhere does not answer or refuses"):
        track(layout, settings, SPLITS, tracking_uri="ftp://nowhere")


def test_a_server_takes_the_same_runs_twice_without_change(
    layout: Layout, settings: Settings, server: str, tmp_path: Path
) -> None:
    with_token = server.replace("//", "//s3cr3t-token@")
    first = track(layout, settings, SPLITS, tracking_uri=with_token)
    assert track(layout, settings, SPLITS, tracking_uri=server) == first
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and b"s3cr3t" in path.read_bytes()]
    assert kept == []
    client = MlflowClient(server)
    runs = client.search_runs([first["experiment_id"]])
    assert {run.info.run_id for run in runs} == {
        first["parent_run_id"],
        *first["child_run_ids"].values(),
    }
    run_id = first["child_run_ids"]["01"]
    assert len(client.get_metric_history(run_id, "training/loss_generator")) == 10
    assert [file.path for file in client.list_artifacts(run_id)] == ["samples.png"]
