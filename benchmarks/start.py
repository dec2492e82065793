"""From the start of `centigan train` to the end of its first step, in seconds.

    python benchmarks/start.py [--experiment demo] [--rounds 5]

Runs in a temporary copy of the project; needs the experiment's arrays of split 0, which the pipeline makes.
The time stamp of iteration 1 tells when the step was over; importing torch alone is timed beside it.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from centigan import params
from centigan.layout import Layout, split_names
from centigan.settings.stages import TrainStage


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--experiment", default="demo")
    parser.add_argument("--rounds", type=int, default=5)
    words = parser.parse_args()
    settings = params.load(words.experiment)
    stage = params.stage(settings, TrainStage, "0")
    once = stage.model_copy(
        update={"train": stage.train.model_copy(update={"iterations": 1, "log_every": 1})}
    )
    split = split_names(settings.data.classes, settings.data.split_size)[0]
    seconds: dict[str, list[float]] = {"import torch": [], "first step": []}
    for _ in range(words.rounds):
        seconds["import torch"].append(timed_import())
        seconds["first step"].append(timed_start(words.experiment, split, params.canonical_json(once)))
    for name, times in seconds.items():
        print(f"{name:12} {statistics.median(times):5.2f} s  ({min(times):.2f} to {max(times):.2f})")


def timed_import() -> float:
    start = time.time()
    subprocess.run([sys.executable, "-c", "import torch"], check=True)
    return time.time() - start


def timed_start(experiment: str, split: str, settings: str) -> float:
    with tempfile.TemporaryDirectory() as name:
        here, there = Layout(experiment), Layout(experiment, Path(name))
        for file in ("params.yaml", "experiments"):
            (there.root / file).symlink_to(Path(file).resolve())
        shutil.copytree(here.arrays(split), there.arrays(split))
        command = [Path(sys.executable).parent / "centigan", "train", "-e", experiment, "-s", split]
        start = time.time()
        subprocess.run(
            [*command, "--settings", settings], cwd=there.root, check=True, stderr=subprocess.DEVNULL
        )
        line = json.loads((there.scratch(split) / "timing.jsonl").read_text().splitlines()[0])
        return float(line["timestamp"]) / 1000 - start


if __name__ == "__main__":
    main()
