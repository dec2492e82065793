"""A project that was run once from beginning to end; each file of tests has a copy of it."""

import shutil
from pathlib import Path

import pytest
from built_once import built_once
from copied import copy_project
from small import write_experiment
from workflow.runs import snakemake


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project's files and of the results of small/tiny, times and all."""
    place = tmp_path_factory.mktemp("project") / "centigan"
    shutil.copytree(built_once(tmp_path_factory, "workflow", run), place, symlinks=True)
    return place


def run(place: Path) -> None:
    copy_project(place)
    write_experiment(place, "small/tiny")
    params = (place / "params.yaml").read_text()
    params = params.replace("protocol: digits", "protocol: small").replace("digits/acgan", "small/tiny")
    (place / "params.yaml").write_text(params)
    snakemake(place)
