"""The project that the room of staleness computes; each file of tests has a copy of it."""

from pathlib import Path

import pytest
from staleness.project import Project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project's files and of the results of mine/tiny, times and all."""
    place = tmp_path_factory.mktemp("project") / "centigan"
    return Project.computed(tmp_path_factory).copy(place).folder
