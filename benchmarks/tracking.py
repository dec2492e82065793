"""Speed of a training beside `centigan track --follow`, against the same alone, alternately in one run.

    python benchmarks/tracking.py [--iterations 600] [--log-every 5] [--width 0.5] [--rounds 5] [--every 5]

A real MLflow server on loopback takes the points; it shares the cores, as it would not on a cluster. The
journal is written far more often than by default (every 100 iterations). Speed is that between the first
and the last line of the journal, so neither the start of a process nor its end counts.
"""

import argparse
import json
import multiprocessing
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import torch

from centigan.data.arrays import build_arrays
from centigan.data.embedded import put_in_place
from centigan.data.index import build_index
from centigan.layout import Layout
from centigan.params import stage
from centigan.settings import Settings
from centigan.settings.stages import ArraysStage, TrainStage
from centigan.tracking import follow
from centigan.training.loop import train_split


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--iterations", type=int, default=600)
    parser.add_argument("--log-every", type=int, default=5)
    parser.add_argument("--width", type=float, default=0.5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--every", type=float, default=5.0, help="seconds between looks; 5: as the command")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        uri, server = start_server(place)
        try:
            ratios = [compare(place, words, number, uri) for number in range(words.rounds)]
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait()
    print(
        f"width {words.width}, a line every {words.log_every} iterations: beside a follower training is "
        f"{statistics.median(ratios):.3f} x as fast as alone ({min(ratios):.3f} to {max(ratios):.3f})"
    )


def start_server(place: Path) -> tuple[str, subprocess.Popen[bytes]]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--workers", "1", "--port", str(port)]
    command += ["--backend-store-uri", f"sqlite:///{place}/mlflow.db"]
    command += ["--artifacts-destination", (place / "artifacts").as_uri()]
    environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (place / "server.log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    while server.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1):
                return f"http://127.0.0.1:{port}", server
        except OSError:
            time.sleep(0.2)
    raise SystemExit((place / "server.log").read_text())


def compare(place: Path, words: argparse.Namespace, number: int, uri: str) -> float:
    """Speed beside a follower over speed alone; which comes first alternates."""
    speeds = {}
    for followed in (False, True) if number % 2 else (True, False):
        settings = prepare(place, words, f"round{number}-{'followed' if followed else 'alone'}")
        speeds[followed] = speed(place, settings, words, uri if followed else None)
    print(f"alone {speeds[False]:.0f}, beside a follower {speeds[True]:.0f} images/s")
    return speeds[True] / speeds[False]


def prepare(place: Path, words: argparse.Namespace, name: str) -> Settings:
    """An experiment of one split of the digits, its arrays built."""
    root = place / "raw"
    if not root.exists():
        put_in_place("digits", root)
    values = {
        "experiment": name,
        "data": {"source": "digits", "root": str(root), "classes": 10, "split_size": 10},
        "arrays": {"resolution": 32},
        "model": {"width": words.width},
        "train": {"iterations": words.iterations, "log_every": words.log_every, "batch_size": 50},
    }
    settings, layout = Settings.model_validate(values), Layout(name, place)
    build_index(layout, settings.data)
    build_arrays(layout, "00", stage(settings, ArraysStage), Path(settings.data.root))
    return settings


def speed(place: Path, settings: Settings, words: argparse.Namespace, uri: str | None) -> float:
    """Images a second while the training, and the follower of a store, run in processes of their own."""
    context = multiprocessing.get_context("spawn")
    follower = context.Process(target=run_follower, args=(place, settings, uri, words.every))
    if uri:
        follower.start()
        time.sleep(5)  # its imports
    training = context.Process(target=run_training, args=(place, settings))
    training.start()
    training.join()
    if uri:
        follower.terminate()
        follower.join()
    timing = Layout(settings.experiment, place).scratch("00") / "timing.jsonl"
    lines = [json.loads(line) for line in timing.read_text().splitlines()]
    seconds = (lines[-1]["timestamp"] - lines[0]["timestamp"]) / 1000
    return settings.train.batch_size * (lines[-1]["iteration"] - lines[0]["iteration"]) / seconds


def run_follower(place: Path, settings: Settings, uri: str, every: float) -> None:
    follow(Layout(settings.experiment, place), settings, ["00"], tracking_uri=uri, every=every)


def run_training(place: Path, settings: Settings) -> None:
    own = stage(settings, TrainStage, "00")
    train_split(Layout(settings.experiment, place), "00", own, device=torch.device("cpu"))


if __name__ == "__main__":
    main()
