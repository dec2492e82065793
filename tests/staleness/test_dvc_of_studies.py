"""studies/dvc.yaml is held to the studies' files, and stands beside dvc.yaml in one graph of DVC's."""

import os
from pathlib import Path

import pytest
import yaml
from calls import call
from copied import ROOT, copy_project
from staleness.project import BIN

from centigan.errors import UserError
from centigan.settings.points import NO_STUDY, read_study

STAGE = yaml.safe_load((ROOT / "studies/dvc.yaml").read_text())["stages"]["study"]


def test_every_study_is_a_stage_and_stands_there_with_its_protocol() -> None:
    names = {file.stem for file in (ROOT / "studies").glob("*.yaml")} - {NO_STUDY}
    assert STAGE["foreach"] == {name: read_study(name, ROOT).protocol for name in names}


def test_the_stages_are_no_study() -> None:
    with pytest.raises(UserError, match=r"there are: (?!.*dvc)"):
        read_study(NO_STUDY, ROOT)


def test_a_study_is_one_output_that_overlaps_none_and_follows_from_what_its_points_share(
    tmp_path: Path,
) -> None:
    project = tmp_path / "project"
    copy_project(project, "dvc.yaml", ".gitignore", ".dvcignore", ".dvc", "studies")
    params = project / "params.yaml"  # of which DVC takes the protocol
    text = params.read_text().replace("protocol: digits", "protocol: digits_short")
    params.write_text(text.replace("experiment: digits/", "experiment: digits_short/"))
    assert call(["git", "init", "--quiet"], project, os.environ) == (0, "")
    ended, said = call([BIN / "dvc", "dag", "--dot", "studies/dvc.yaml"], project, os.environ)
    assert ended == 0, said  # DVC refuses outputs that overlap
    studies = [name for name, protocol in STAGE["foreach"].items() if protocol == "digits_short"]
    assert "families" in studies
    for name in studies:
        for shared in ("data", "judge"):
            assert f'"{shared}" -> "studies/dvc.yaml:study@{name}"' in said
    # DVC names the folder in a file that travels with studies/dvc.lock; Git sees nothing of the points
    paths = ["results/digits_short/.gitignore", "results/digits_short/families/cgan-0/summary.json"]
    assert call(["git", "check-ignore", *paths], project, os.environ) == (0, f"{paths[1]}\n")
