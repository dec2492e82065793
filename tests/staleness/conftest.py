"""A project that was computed once, committed and pushed; the tests edit copies and clones of it."""

import pytest
from staleness.project import Project


@pytest.fixture(scope="session")
def computed(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """`dvc repro`, git commit, dvc push."""
    place = tmp_path_factory.mktemp("staleness")
    project = Project.begin(place / "project")
    project.commit("Begin")
    project.run("dvc", "repro")
    project.run("dvc", "remote", "add", "--quiet", "--default", "store", str(place / "store"))
    project.commit("Compute")
    project.run("dvc", "push", "--quiet")
    return project
