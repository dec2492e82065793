"""What a person sees in MLflow's pages: two runs of an experiment, at two widths, compared in a browser.

    CENTIGAN_SCREENSHOT=docs/images/mlflow_compare.png pytest tests/tracking/test_ui.py

draws the picture of the docs.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from copied import ROOT, copy_project
from mlflow import MlflowClient
from mlflow_server import Server
from PIL import Image
from small import TINY

BIN = Path(sys.executable).parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
WINDOW = (1400, 1120)
SHOWN = (200, 8, 1015, 960)  # of the window, what MLflow's menus do not cover
pytestmark = [pytest.mark.faults, pytest.mark.skipif(not CHROMIUM, reason="needs chromium")]


@pytest.fixture
def server(migrated: Path, tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "server", migrated)
    server.start()
    yield server
    server.end()


def run_pipeline(project: Path, width: float, uri: str) -> None:
    longer = TINY.replace("iterations: 8, log_every: 2", "iterations: 60, log_every: 5")
    (project / "experiments" / "tiny.yaml").write_text(longer.replace("width: 0.1", f"width: {width}"))
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SNAKEMAKE_")}
    environment |= {"XDG_CACHE_HOME": str(project / ".cache"), "MPLCONFIGDIR": str(project / ".cache")}
    environment |= {"OMP_NUM_THREADS": "1", "MLFLOW_TRACKING_URI": uri}
    command = [BIN / "snakemake", "--cores", "2", "--config", "experiment=tiny"]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-5000:]


def browse(url: str, profile: Path, *words: str) -> str:
    """What a headless browser prints of a page, once it has drawn it."""
    assert CHROMIUM
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    flags += ["--disable-background-networking", f"--user-data-dir={profile}"]
    flags += ["--window-size={},{}".format(*WINDOW), "--virtual-time-budget=20000"]
    done = subprocess.run(
        [CHROMIUM, *flags, *words, url], capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout


def test_two_widths_of_an_experiment_are_compared_side_by_side(server: Server, tmp_path: Path) -> None:
    project = tmp_path / "project"
    copy_project(project)
    for width in (0.1, 0.2):
        run_pipeline(project, width, server.uri)

    client = MlflowClient(server.uri)
    experiment = client.get_experiment_by_name("centigan/tiny")
    parents = [
        run
        for run in client.search_runs([experiment.experiment_id])
        if "mlflow.parentRunId" not in run.data.tags
    ]
    assert {run.data.tags["centigan.width"] for run in parents} == {"0.1", "0.2"}

    runs = quote(json.dumps([run.info.run_id for run in parents]))
    page = (
        f"{server.uri}/#/compare-runs?runs={runs}&experiments={quote(json.dumps([experiment.experiment_id]))}"
    )
    text = browse(page, tmp_path / "first", "--dump-dom")
    assert "Comparing 2 Runs from 1 Experiment" in text
    for run in parents:
        assert run.info.run_name in text
    assert "model.width" in text

    picture = tmp_path / "compare.png"
    browse(page, tmp_path / "second", f"--screenshot={picture}")
    shown = Image.open(picture).convert("RGB").crop(SHOWN)
    assert len(shown.getcolors(2**24) or ()) > 100  # something is drawn
    if place := os.environ.get("CENTIGAN_SCREENSHOT"):
        shown.quantize(128).save(ROOT / place, optimize=True)
