"""A real MLflow server to be killed, frozen and slowed down; exporters beside it; what its database holds."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections import defaultdict
from pathlib import Path

from mlflow import MlflowClient
from toy import SPLITS

from centigan.layout import Layout
from centigan.params import stage
from centigan.settings import Settings
from centigan.settings.stages import TrainStage
from centigan.tracking.journals import SPEED, read_curves


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Server:
    """`mlflow server` on loopback over the database and artifacts in one folder."""

    def __init__(self, folder: Path, migrated: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.folder, self.port = folder, free_port()
        self.database = Path(shutil.copy(migrated, folder / "server.db"))
        self.uri = f"http://127.0.0.1:{self.port}"
        self.log = folder.parent / f"{folder.name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "mlflow", "server", "--workers", "1"]
        command += ["--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--backend-store-uri", f"sqlite:///{self.database}"]
        command += ["--artifacts-destination", (self.folder / "served").as_uri()]
        environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"{self.uri}/health", timeout=1):
                    return
            except OSError:
                assert self.process.poll() is None, self.log.read_text()
                time.sleep(0.1)
        raise TimeoutError(self.log.read_text())

    def send(self, number: signal.Signals) -> None:
        """To the server and its worker."""
        assert self.process
        os.killpg(self.process.pid, number)

    def end(self) -> None:
        if self.process and self.process.poll() is None:
            self.send(signal.SIGCONT)
            self.send(signal.SIGKILL)
            self.process.wait(timeout=20)
        self.process = None


class SlowProxy:
    """Hands on every answer of a server so many seconds late."""

    def __init__(self, port: int, delay: float) -> None:
        self.delay, self.behind = delay, port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.uri = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections; those that are open end with the server."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:  # closed
                return
            far = socket.create_connection(("127.0.0.1", self.behind))
            threading.Thread(target=self._pass, args=(near, far, 0.0), daemon=True).start()
            threading.Thread(target=self._pass, args=(far, near, self.delay), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, delay: float) -> None:
        try:
            while data := source.recv(65536):
                time.sleep(delay)
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:  # the other side has gone
            pass
        finally:
            source.close()  # the other one is closed by the thread that reads from it


FOLLOW = """
import logging
import sys
from pathlib import Path

from centigan.layout import Layout
from centigan.settings import Settings
from centigan.tracking import Followed, follow

logging.basicConfig(level=logging.INFO, format="%(message)s")
_, root, settings, uri, beside = sys.argv
follow(
    Followed(Layout("toy", Path(root)), Settings.model_validate_json(settings), ["00", "01"]),
    tracking_uri=uri,
    beside=int(beside) or None,
    every=0.2,
)
"""


def start_follower(
    layout: Layout, settings: Settings, uri: str, *, beside: int = 0, timeout: int = 10
) -> subprocess.Popen[str]:
    """`centigan track --follow` in a process of its own that looks five times a second."""
    words = [str(layout.root), settings.model_dump_json(), uri, str(beside)]
    return subprocess.Popen(
        [sys.executable, "-c", FOLLOW, *words],
        env=os.environ
        | {"MLFLOW_HTTP_REQUEST_TIMEOUT": str(timeout), "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )


def curves(database: Path) -> dict[str, list[tuple[str, int, float]]]:
    """Split -> every point of its curves in the whole history of metrics, doubled ones too."""
    found = defaultdict(list)
    with sqlite3.connect(database) as opened:
        rows = opened.execute(
            "select t.value, m.key, m.step, m.value from metrics m"
            " join runs r on r.run_uuid = m.run_uuid and r.lifecycle_stage = 'active'"
            " join tags t on t.run_uuid = m.run_uuid and t.key = 'centigan.split'"
            " where m.key like 'training/%'"
        )
        for split, *point in rows:
            found[split].append(tuple(point))
    opened.close()
    return found


def assert_every_point_once(database: Path, layout: Layout, settings: Settings) -> None:
    """The database holds what the journals hold: nothing lost, nothing twice."""
    found = curves(database)
    for split in SPLITS:
        journal = read_curves(layout, split, stage(settings, TrainStage, split))
        points = [(point.key, point.step, point.value) for point in journal.points(0) if point.key != SPEED]
        assert sorted(point for point in found[split] if point[0] != SPEED) == sorted(points)
        speeds = sorted(step for key, step, _ in found[split] if key == SPEED)
        assert speeds == sorted({step for _, step, _ in points})  # of a repeated iteration, either speed


def assert_complete(database: Path, uri: str, layout: Layout, settings: Settings) -> None:
    """Every point once, one finished run of everything, all artifacts there."""
    assert_every_point_once(database, layout, settings)
    client = MlflowClient(uri)
    (experiment,) = client.search_experiments(filter_string="name = 'centigan/toy'")
    runs = client.search_runs([experiment.experiment_id])
    assert [run.info.status for run in runs] == ["FINISHED"] * 3
    children = {run.data.tags["centigan.split"]: run for run in runs if "centigan.split" in run.data.tags}
    assert children.keys() == SPLITS.keys()
    (parent,) = (run for run in runs if "centigan.split" not in run.data.tags)
    assert parent.data.metrics.keys() == {"accuracy/generated/32", "ms_ssim/training/mean"}
    names = {file.path for file in client.list_artifacts(parent.info.run_id)}
    assert names == {"summary.json", "report.html", "report.zip", "tables", "figures"}
    models = client.search_logged_models([experiment.experiment_id])
    assert {(model.source_run_id, str(model.status)) for model in models} == {
        (run.info.run_id, "READY") for run in children.values()
    }
    assert len(models) == len(SPLITS)
    for run in children.values():
        assert [file.path for file in client.list_artifacts(run.info.run_id)] == ["samples.png"]
        assert len(run.inputs.dataset_inputs) == 1
