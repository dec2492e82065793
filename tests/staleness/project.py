"""A project of its own, under Git and DVC, with its own copy of the source, in which the pipeline is run."""

import json
import os
import random
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from built_once import built_once
from calls import call
from copied import copy_project
from PIL import Image
from small import write_experiment

from centigan.layout import OF_PROTOCOL

BIN = Path(sys.executable).parent
RAW = "data/raw/mine"
# Two splits of two classes of own images, each stage as short as it can be.
MINE = f"""
data: {{source: class-folders, root: {RAW}, classes: 4, split_size: 2, held_out: 0.4}}
arrays: {{resolution: 32}}
sample: {{per_class: 4, fresh_per_class: 2}}
judge: {{name: small-cnn, steps: 4}}
ms_ssim: {{pairs: 2}}
features: {{network: judge}}
inception_score: {{select_groups: 2, report_groups: 2}}
distribution: {{kid_subsets: 2, kid_subset_size: 4, neighbours: 1}}
neighbours: {{per_class: 2, ms_ssim_per_class: 1, permutations: 20}}
latent: {{walks: 1, steps: 3, styles: 1}}
model: {{}}
train: {{}}
accuracy: {{}}
classification: {{}}
bits_per_dim: {{}}
modes: {{}}
linear_probe: {{}}
text: {{}}
reconstructions: {{}}
demonstrations: {{}}
supervision: {{}}
splits: {{}}
"""
TINY = """
model: {width: 0.1}
train: {batch_size: 4, iterations: 2, log_every: 1, checkpoint_every: 2, snapshot_every: 1,
        snapshot_per_class: 2}
supervision: {}
splits: {}
"""
PROTOCOL_FILE, FILE = "experiments/mine/protocol.yaml", "experiments/mine/tiny.yaml"
SHARED, RESULTS = "results/mine", "results/mine/tiny"


class Project:
    """A folder with the project's files, its own source, and an experiment `mine/tiny`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def computed(cls, factory: pytest.TempPathFactory) -> "Project":
        """One that `dvc repro` ran from beginning to end, committed and pushed; to be read and copied."""
        return cls(built_once(factory, "computed", cls._compute) / "project")

    @classmethod
    def _compute(cls, place: Path) -> None:
        project = cls.begin(place / "project")
        project.commit("Begin")
        project.run("dvc", "repro")
        project.run("dvc", "remote", "add", "--quiet", "--default", "store", str(place / "store"))
        project.commit("Compute")
        project.run("dvc", "push", "--quiet")

    @classmethod
    def begin(cls, folder: Path) -> "Project":
        """Copy the project's files and draw its raw images."""
        copy_project(folder, "dvc.yaml", ".gitignore", ".dvcignore", ".dvc", "src")
        self = cls(folder)
        write_experiment(folder, "mine/tiny", TINY, MINE)
        self.edit("params.yaml", "protocol: digits", "protocol: mine")
        self.edit("params.yaml", "experiment: digits/acgan", "experiment: mine/tiny")
        rng = np.random.default_rng(0)
        for number in range(4):
            (folder / RAW / f"class{number}").mkdir(parents=True)
            for image in range(6):
                pixels = rng.integers(0, 255, (32, 32, 3), np.uint8)
                Image.fromarray(pixels).save(folder / RAW / f"class{number}" / f"{image}.bmp")
        self.run("git", "init", "--quiet", "--initial-branch", "main")
        return self

    def copy(self, folder: Path) -> "Project":
        """The same in another place of the same machine, times and all."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Project(folder)

    def clone(self, folder: Path, *, raw: bool = True) -> "Project":
        """What another machine gets: git clone, dvc pull, raw data by other means; times say nothing."""
        self.run("git", "clone", "--quiet", str(self.folder), str(folder))
        other = Project(folder)
        other.run("dvc", "pull", "--quiet")
        if raw:
            shutil.copytree(self.folder / RAW, folder / RAW)
        rng = random.Random(0)
        for path in folder.joinpath("results").rglob("*"):
            if path.is_file():
                path.chmod(0o644)
                os.utime(path, (rng.randrange(2**30, 2**31), rng.randrange(2**30, 2**31)))
        return other

    @property
    def environment(self) -> dict[str, str]:
        """That of a person who has nothing set, with the project's own source."""
        inherited = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("MLFLOW_", "SNAKEMAKE_", "DVC_", "GIT_"))
        }
        return inherited | {
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "PYTHONPATH": str(self.folder / "src"),
            "XDG_CACHE_HOME": str(self.folder / ".snakemake/cache"),
            "MPLCONFIGDIR": str(self.folder / ".snakemake/matplotlib"),
            "DVC_SITE_CACHE_DIR": str(self.folder / ".dvc/tmp/site"),
            "DVC_NO_ANALYTICS": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            # the same files, the same commit: manifests name it
            **{f"GIT_{who}_DATE": "2026-01-01T00:00:00Z" for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }

    def run(self, *words: str) -> str:
        """Output of a command, which must succeed."""
        ended, said = call(words, self.folder, self.environment)
        assert ended == 0, f"{' '.join(words)}\n{said[-6000:]}"
        return said

    def has_nothing_to_do(self) -> None:
        """Neither for Snakemake's default target nor for DVC nor for Git, whichever is asked."""
        told = self.run("snakemake", "--dry-run")
        assert "Nothing to be done" in told, told
        assert "missing" not in told, told
        assert self.named() == set()
        reproduced = self.run("dvc", "repro")
        assert "Running" not in reproduced, reproduced
        assert self.run("git", "status", "--porcelain") == ""

    def named(self) -> set[str]:
        """The stages that `dvc status` names."""
        return set(re.findall(r"^(\w+):$", self.run("dvc", "status"), re.MULTILINE))

    def commit(self, message: str) -> None:
        """Commit every file that Git is not to ignore."""
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "-m", message)

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace one passage of a text file, which must be there."""
        path = self.folder / file
        text = path.read_text()
        assert old in text, (file, old)
        path.write_text(text.replace(old, new, 1))

    def change(self, old: str, new: str) -> None:
        """Replace one passage of the experiment's file or else of its protocol's."""
        own = old in (self.folder / FILE).read_text()
        self.edit(FILE if own else PROTOCOL_FILE, old, new)

    def result(self, path: str) -> Path:
        """A result of the experiment, or of its protocol."""
        shared = path.split("/")[0] in {*OF_PROTOCOL, "real"}
        return self.folder / (SHARED if shared else RESULTS) / path

    def jobs_of(self, *words: str) -> set[str]:
        """Run a command; the jobs that ran, named as their logs are: "train/00", "figures/gallery".

        Records that have just come from Git or DVC count too: look first (`snakemake --dry-run`).
        """
        before = self._starts()
        self.run(*words)
        ran = {output for output, start in self._starts().items() if before.get(output) != start}
        return {self._job(output) for output in ran}

    def _starts(self) -> dict[str, float]:
        """When the job of each of Snakemake's records began."""
        return {
            path.name: json.loads(path.read_text())["starttime"]
            for path in (self.folder / ".snakemake/metadata").glob("*")
        }

    def _job(self, name: str) -> str:
        (log,) = json.loads((self.folder / ".snakemake/metadata" / name).read_text())["log"]
        return re.sub(r"^logs/mine/(tiny/)?|\.log$", "", log)
