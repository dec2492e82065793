"""What a store holds of a study of made-up numbers: tracked once, twice, after a change, after an outage."""

import json
import shutil
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from reporting.test_studies import measured

from centigan.errors import UserError
from centigan.layout import Layout
from centigan.redaction import mark
from centigan.reporting.studies import write_study
from centigan.tracking.study import track_study, track_study_for_workflow

STUDY = """
title: Two families
of: digits
axes:
  - experiment: [acgan, cgan]
  - train.seed: [7]
columns: [fid/generated, model/numbers]
claims:
  - {says: labels help, source: "A 2017, section 5", check: "fid/generated[acgan-7] < fid/generated[cgan-7]"}
  - says: by far | and within bounds
    source: B 2018
    check: "2 * fid/generated[acgan-7] < fid/generated[cgan-7] and fid/generated[acgan-7] < 9"
"""
NUMBERS = {
    "acgan-7": {"fid/generated": 8.25, "images/generated": 12.0, "bits_per_dim/held_out": float("inf")},
    "cgan-7": {"fid/generated": 15.0, "images/generated": 12.0},
}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("study") / "project"
    write_study(measured(root, STUDY, NUMBERS))
    return root


@pytest.fixture
def project(written: Path, tmp_path: Path) -> Path:
    """A study of two points that was written; a copy, to be changed."""
    return Path(shutil.copytree(written, tmp_path / "project"))


def runs(store: str) -> dict[str, Run]:
    """What is not deleted of the study's experiment, by the runs' names."""
    client = MlflowClient(store)
    experiment = client.get_experiment_by_name("centigan/digits/families")
    assert experiment
    found = client.search_runs([experiment.experiment_id])
    assert len({run.info.run_name for run in found}) == len(found)
    return {str(run.info.run_name): run for run in found}


def test_a_point_is_a_run_of_its_values_and_finite_numbers(project: Path, store: str) -> None:
    identity = track_study("families", root=project, tracking_uri=store)
    found = runs(store)
    assert found.keys() == {"Two families", "acgan-7", "cgan-7"}
    point = found["acgan-7"]
    assert point.info.run_id == identity["point_run_ids"]["acgan-7"]
    assert point.info.status == "FINISHED"
    assert "mlflow.parentRunId" not in point.data.tags
    assert point.data.params == {"experiment": "acgan", "train.seed": "7"}
    # 3 * 4 + 2 numbers of the generator and 5 + 2 of the discriminator
    assert point.data.metrics == {"fid/generated": 8.25, "images/generated": 12, "model/numbers": 21}
    expected = {
        "centigan.experiment": "digits/families/acgan-7",
        "centigan.study": "families",
        "centigan.point": "acgan-7",
        "centigan.axis.experiment": "acgan",
        "centigan.axis.train.seed": "7",
        "centigan.family": "acgan",
        "centigan.width": "0.5",
    }
    assert expected.items() <= point.data.tags.items()


def test_the_study_has_a_run_with_its_verdicts_table_figures_and_page(project: Path, store: str) -> None:
    identity = track_study("families", root=project, tracking_uri=store)
    own, client = runs(store)["Two families"], MlflowClient(store)
    assert own.info.run_id == identity["study_run_id"]
    assert own.data.tags["centigan.claim.1"] == "met"  # 8.25 < 15
    assert own.data.tags["centigan.claim.2"] == "not met"  # 16.5 < 15 does not hold; two comparisons
    assert "centigan.claim.3" not in own.data.tags
    assert "| by far \\| and within bounds | B 2018 | not met |" in own.data.tags["mlflow.note.content"]
    assert own.data.params["axes.experiment"] == '["acgan", "cgan"]'
    assert {file.path for file in client.list_artifacts(own.info.run_id)} == {
        *("table.csv", "table.tex", "points.csv", "claims.csv", "report.html"),
        *("figure.svg", "figure.png", "samples.svg", "samples.png"),
    }
    page = Path(client.download_artifacts(own.info.run_id, "report.html")).read_text()
    assert "data:image/svg+xml" in page
    assert "report.zip" not in page
    assert json.loads((project / "results/digits/families/mlflow.json").read_text()) == {
        **identity,
        "attempt": 0,
        "complete": True,
        "store": mark(store),
    }


def test_tracking_twice_changes_nothing_and_a_changed_number_replaces_its_run(
    project: Path, store: str
) -> None:
    first = track_study("families", root=project, tracking_uri=store)
    assert track_study("families", root=project, tracking_uri=store) == first
    change(project, ",15,", ",16,")
    second = track_study("families", root=project, tracking_uri=store)
    assert second["point_run_ids"]["acgan-7"] == first["point_run_ids"]["acgan-7"]
    assert second["point_run_ids"]["cgan-7"] != first["point_run_ids"]["cgan-7"]
    assert second["study_run_id"] != first["study_run_id"]  # its points.csv is another
    assert runs(store)["cgan-7"].data.metrics["fid/generated"] == 16
    assert runs(store).keys() == {"Two families", "acgan-7", "cgan-7"}
    client = MlflowClient(store)
    assert client.get_run(first["point_run_ids"]["cgan-7"]).info.lifecycle_stage == "deleted"


def test_an_interrupted_export_is_completed_in_the_same_runs(
    project: Path, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "log_artifact", unplugged)
        with pytest.raises(UserError, match="run `centigan track-study families` when the store is back"):
            track_study("families", root=project, tracking_uri=store)
    (begun,) = runs(store).values()
    assert begun.info.status == "RUNNING"
    identity = track_study("families", root=project, tracking_uri=store)
    assert identity["study_run_id"] == begun.info.run_id
    assert len(runs(store)) == 3


def test_a_point_that_the_study_no_longer_has_is_given_up(project: Path, store: str) -> None:
    track_study("families", root=project, tracking_uri=store)
    file, points = project / "studies/families.yaml", project / "results/digits/families/points.csv"
    text = file.read_text().replace("[acgan, cgan]", "[acgan]").partition("claims:")[0]
    file.write_text(text)
    with pytest.raises(UserError, match="other points"):
        track_study("families", root=project, tracking_uri=store)
    points.write_text("\n".join(points.read_text().splitlines()[:2]) + "\n")
    track_study("families", root=project, tracking_uri=store)
    assert runs(store).keys() == {"Two families", "acgan-7"}


def test_a_store_that_is_away_costs_the_workflow_a_warning(
    project: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    away = f"sqlite:///{tmp_path / 'no' / 'such' / 'folder' / 'store.db'}"
    (tmp_path / "no").write_text("a file, no folder")
    track_study_for_workflow("families", attempt=3, root=project, tracking_uri=away)
    told = json.loads(Layout("digits/families", project).published.read_text())
    assert (told["complete"], told["attempt"], told["store"]) == (False, 3, mark(away))
    assert "`centigan track-study families` completes later" in caplog.text


def test_a_study_that_is_not_written_says_what_writes_it(project: Path, store: str) -> None:
    (project / "results/digits/families/claims.csv").unlink()
    with pytest.raises(UserError, match=r"claims.csv is missing: `centigan study families`"):
        track_study("families", root=project, tracking_uri=store)


def change(project: Path, old: str, new: str) -> None:
    """Another number in the study's points, as a new measurement writes it."""
    file = project / "results/digits/families/points.csv"
    before = file.read_text()
    assert old in before
    file.write_text(before.replace(old, new))


def unplugged(*args: object) -> None:
    raise OSError("unplugged")
