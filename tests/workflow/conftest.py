"""A project that was run once from beginning to end; each file of tests has a copy of it."""

import shutil
from pathlib import Path

import pytest
from staleness.project import by_snakemake


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project's files and of the results of mine/tiny, times and all."""
    place = tmp_path_factory.mktemp("project") / "centigan"
    shutil.copytree(by_snakemake(tmp_path_factory), place, symlinks=True)
    return place
