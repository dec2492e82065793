"""A project that was computed once, committed and pushed; the tests edit copies and clones of it."""

from pathlib import Path

import pytest
from built_once import built_once
from staleness.project import Project


@pytest.fixture(scope="session")
def computed(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """`dvc repro`, git commit, dvc push."""
    return Project(built_once(tmp_path_factory, "staleness", compute) / "project")


def compute(place: Path) -> None:
    project = Project.begin(place / "project")
    project.commit("Begin")
    project.run("dvc", "repro")
    project.run("dvc", "remote", "add", "--quiet", "--default", "store", str(place / "store"))
    project.commit("Compute")
    project.run("dvc", "push", "--quiet")
