"""How long a command takes to start, in seconds: by itself, and forked from a run's warm process.

    python benchmarks/start.py [--experiment digits/acgan] [--rounds 5]

The command is a training of one iteration: from its start to the time stamp of that iteration, and to its
end. Importing torch alone is timed beside it. Runs in a temporary copy of the project; needs the
experiment's arrays of split 0, which the pipeline makes.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from centigan import params, warm_start
from centigan.layout import Layout, split_names
from centigan.settings.stages import TrainStage


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--experiment", default="digits/acgan")
    parser.add_argument("--rounds", type=int, default=5)
    words = parser.parse_args()
    settings = params.load(words.experiment)
    stage = params.stage(settings, TrainStage, "0")
    once = stage.model_copy(
        update={"train": stage.train.model_copy(update={"iterations": 1, "log_every": 1})}
    )
    split = split_names(settings.data.classes, settings.data.split_size)[0]
    alone = dict(os.environ)
    process = warm_start.begin(warm_start.WORTH_IT, log=Path(os.devnull))
    assert process, "needs Linux 5.3 or later"
    warm = dict(os.environ)
    while not warm_start.is_ready(warm[warm_start.ADDRESS]):
        time.sleep(0.1)
    seconds: dict[str, list[float]] = {"import torch": []}
    for _ in range(words.rounds):
        seconds["import torch"].append(timed_import())
        for name, environment in (("by itself", alone), ("forked", warm)):
            times = timed(words.experiment, split, params.canonical_json(once), environment)
            for what, value in zip(("first step", "end"), times, strict=True):
                seconds.setdefault(f"{name}, {what}", []).append(value)
    for name, times in seconds.items():
        print(f"{name:22} {statistics.median(times):5.2f} s  ({min(times):.2f} to {max(times):.2f})")


def timed_import() -> float:
    start = time.time()
    subprocess.run([sys.executable, "-c", "import torch"], check=True)
    return time.time() - start


def timed(experiment: str, split: str, settings: str, environment: dict[str, str]) -> tuple[float, float]:
    """Seconds from the start of the command to its first step, and to its end."""
    with tempfile.TemporaryDirectory() as name:
        here, there = Layout(experiment), Layout(experiment, Path(name))
        for file in ("params.yaml", "experiments"):
            (there.root / file).symlink_to(Path(file).resolve())
        shutil.copytree(here.arrays(split), there.arrays(split))
        for file in (here.classes, here.source):
            shutil.copy(file, there.protocol)
        command = [Path(sys.executable).parent / "centigan", "train", "-e", experiment, "-s", split]
        command += ["--threads", "1", "--settings", settings]
        start = time.time()
        subprocess.run(command, cwd=there.root, check=True, stderr=subprocess.DEVNULL, env=environment)
        end = time.time()
        line = json.loads((there.scratch(split) / "timing.jsonl").read_text().splitlines()[0])
        return float(line["timestamp"]) / 1000 - start, end - start


if __name__ == "__main__":
    main()
