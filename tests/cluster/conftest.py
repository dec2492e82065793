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


def train(project: Project, experiment: str, *splits: str) -> Project:
    """Train these splits without a cluster, never interrupted."""
    targets = [f"results/{experiment}/train/{split}/manifest.json" for split in splits]
    words = ("--cores", "2", "--set-threads", "train=1", "--config", f"experiment={experiment}")
    project.finish(project.start(*targets, *words))
    return project


@pytest.fixture(scope="session")
def here(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The trainings of `tiny`."""
    return train(Project(tmp_path_factory.mktemp("here") / "centigan"), "small/tiny", "00", "01")


@pytest.fixture(scope="session")
def trained_here(here: Project) -> Project:
    """That of split 00 of `long`, too."""
    return train(here, "small/long", "00")


@pytest.fixture(scope="session")
def computed_here(here: Project) -> Project:
    """The whole of `tiny`, too."""
    # as many threads as in Slurm (cpu_cores: 1): they are part of the last bits of sums
    threads = ["measure=1", "measure_real=1"]
    words = ("--cores", "2", "--set-threads", *threads, "--config", "experiment=small/tiny")
    here.finish(here.start(*words))
    return here


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A fresh copy of the project."""
    project = Project(tmp_path / "centigan")
    try:
        yield project
    finally:
        project.stop()


@pytest.fixture
def untrained(here: Project, project: Project) -> Project:
    """A project whose arrays are there and whose splits are to be trained."""
    for name in ("data", ".snakemake/metadata", ".snakemake/centigan"):
        # without memory: what it knows of, and is not here, would be made by a run before all else
        no_memory = shutil.ignore_patterns("memory.json")
        shutil.copytree(here.folder / name, project.folder / name, ignore=no_memory)
    trained = shutil.ignore_patterns("train")
    shutil.copytree(here.folder / "results", project.folder / "results", ignore=trained)
    return project
