"""A copy of the project's files in which Snakemake is run."""

import os
import subprocess
import sys
from pathlib import Path

from calls import call
from copied import copy_project
from small import TINY, write_experiment

BIN = Path(sys.executable).parent
# Forty seconds of training at 20 iterations a second, with a checkpoint in most of its moments.
LONG = TINY.replace("iterations: 8", "iterations: 800").replace("checkpoint_every: 4", "checkpoint_every: 25")
SITE = """
train_cpus: 1
cpu_cores: 1
train_mem_mb: 1500
train_minutes: 10
cpu_mem_mb: 1500
seconds_between_checks: 2
"""

RUN_IDS = {"mlflow.json", "publish.json"}  # of the mirror in MLflow, and their hash


class Project:
    """A copy of the project's files in which Snakemake is run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: subprocess.Popen[str] | None = None
        copy_project(folder)
        write_experiment(folder, "small/tiny")
        write_experiment(folder, "small/long", LONG)
        (folder / "site.yaml").write_text(SITE)

    @property
    def environment(self) -> dict[str, str]:
        """That of a person who has nothing set."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "SNAKEMAKE_"))}
        return inherited | {
            "XDG_CACHE_HOME": str(self.folder / ".snakemake/cache"),
            "MPLCONFIGDIR": str(self.folder / ".snakemake/matplotlib"),
        }

    def told(self, *words: str) -> tuple[int, str]:
        """Exit status of Snakemake, and its messages."""
        return call([BIN / "snakemake", *words], self.folder, self.environment)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Snakemake in the background; its messages go to run.log."""
        with (self.folder / "run.log").open("a") as log:
            self.running = subprocess.Popen(
                # where the tests run in the background, their shell lets them ignore Ctrl-C
                ["env", "--default-signal=INT", BIN / "snakemake", *words],
                cwd=self.folder,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
            )
        return self.running

    def stop(self) -> None:
        """Kill what a failed test left."""
        if self.running and self.running.poll() is None:
            self.running.kill()
            self.running.wait()

    def finish(self, running: subprocess.Popen[str], seconds: float = 1200) -> str:
        """Wait for it; its messages. It must have succeeded."""
        status = running.wait(seconds)
        messages = (self.folder / "run.log").read_text()
        assert status == 0, messages[-6000:]
        return messages

    def results(self, experiment: str) -> dict[str, bytes]:
        """Every result's bytes but those of the mirror's run ids."""
        root = self.folder / "results" / experiment
        files = (path for path in root.rglob("*") if path.is_file() and path.name not in RUN_IDS)
        return {str(path.relative_to(root)): path.read_bytes() for path in files}
