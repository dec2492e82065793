"""A Slurm cluster on this machine, and copies of the project that compute on it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster.project import Project
from cluster.slurm import Cluster, available


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two nodes with four fake GPUs each, for all tests."""
    if why := available():
        pytest.skip(why)
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    cluster.up()
    try:
        yield cluster
    finally:
        cluster.down()


@pytest.fixture(scope="session")
def computed_here(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The whole of `tiny` and the training of split 00 of `long`, without a cluster, never interrupted."""
    project = Project(tmp_path_factory.mktemp("here") / "centigan")
    # as many threads as in Slurm (cpu_cores: 1): they are part of the last bits of sums
    threads = [f"{rule}=1" for rule in ("distribution", "classification", "inception_score")]
    words = ("--cores", "2", "--set-threads", *threads, "--config", "experiment=tiny")
    project.finish(project.start(*words))
    target = "results/long/train/00/manifest.json"
    words = ("--cores", "2", "--set-threads", "train=1", "--config", "experiment=long")
    project.finish(project.start(target, *words))
    return project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A fresh copy of the project."""
    project = Project(tmp_path / "centigan")
    try:
        yield project
    finally:
        project.stop()


@pytest.fixture
def untrained(computed_here: Project, project: Project) -> Project:
    """A project whose arrays are there and whose splits are to be trained."""
    for name in ("data", ".snakemake/metadata"):
        shutil.copytree(computed_here.folder / name, project.folder / name)
    trained = shutil.ignore_patterns("train")
    shutil.copytree(computed_here.folder / "results", project.folder / "results", ignore=trained)
    return project
