"""A project that was computed once; the tests edit copies and clones of it."""

import pytest
from staleness.project import Project


@pytest.fixture(scope="session")
def computed(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project.computed(tmp_path_factory)
