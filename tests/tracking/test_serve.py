"""A stored generator behind HTTP, as docs/tracking.md starts it."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from mlflow_server import free_port
from toy import SIDE, SPLITS

from centigan.layout import Layout
from centigan.settings import Settings
from centigan.tracking import track

pytestmark = pytest.mark.faults  # loads torch in a process of its own


@pytest.fixture
def served(layout: Layout, settings: Settings, store: str, tmp_path: Path) -> Iterator[str]:
    identity = track(layout, settings, list(SPLITS), tracking_uri=store)
    assert identity
    port, log = free_port(), tmp_path / "serve.log"
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--env-manager", "local"]
    command += ["-m", f"models:/{identity['model_ids']['01']}", "--host", "127.0.0.1", "--port", str(port)]
    environment = os.environ | {"MLFLOW_TRACKING_URI": store}
    with log.open("w") as file:
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=file, stderr=file)
        try:
            until = time.monotonic() + 120
            while not alive(f"http://127.0.0.1:{port}/ping"):
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < until, log.read_text()
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}/invocations"
        finally:
            process.terminate()
            process.wait(timeout=20)


def alive(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False


def images(url: str, **asked: object) -> np.ndarray:
    request = urllib.request.Request(url, json.dumps(asked).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return np.array(json.load(answer)["predictions"])


def test_a_served_generator_draws_the_classes_that_it_is_asked_for(served: str) -> None:
    drawn = images(served, inputs=[0, 1, 1], params={"seed": 3})
    assert drawn.shape == (3, SIDE, SIDE, 3)
    assert 0 <= drawn.min() <= drawn.max() <= 255
    assert (drawn == images(served, inputs=[0, 1, 1], params={"seed": 3})).all()
    assert (drawn != images(served, inputs=[0, 1, 1])).any()
    assert (drawn == images(served, inputs=["emu", "fox", 1], params={"seed": 3})).all()
    table = {"columns": ["class"], "data": [[0], ["fox"], [1]]}
    assert (drawn == images(served, dataframe_split=table, params={"seed": 3})).all()


def test_a_served_generator_says_what_it_cannot_draw_and_shows_no_traceback(served: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        images(served, inputs=["emu", "fux"])
    answer = json.load(refused.value)
    assert refused.value.code == 400
    assert "number 2 of 2: no class 'fux' in split 01; did you mean `fox`?" in answer["message"]
    assert "stack_trace" not in answer
