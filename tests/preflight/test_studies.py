"""`centigan check --study`: what a run would ask of an experiment, asked of every point."""

from pathlib import Path

import pytest

from centigan import preflight
from centigan.cli import run_verb

STUDY = """
of: digits8
axes:
  - experiment: [vae, real_nvp]
  - train.seed: [0, 1]
columns: [bits_per_dim/held_out]
over: [train.seed]
"""


def checked(project: Path, study: str, *words: str) -> int:
    (project / "studies").mkdir(exist_ok=True)
    (project / "studies/mine.yaml").write_text(study)
    return run_verb(["check", "--study", "mine", *words])


def test_all_points_are_asked_and_what_is_well_is_told_once(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checked(project, STUDY) == 0
    *told, last = capsys.readouterr().out.splitlines()
    assert last == "study mine can run: snakemake --cores 2 --config study=mine"
    assert {"ok  CQ learns images", "ok  Real NVP learns images"} <= set(told)
    assert len(set(told)) == len(told)


def test_every_problem_is_told_with_its_points_and_raw_data_are_looked_at_once(
    project: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = []
    of_data = preflight.look_at_raw
    monkeypatch.setattr(
        "centigan.preflight.studies.look_at_raw",
        lambda data, thorough: looked.append(data.root) or of_data(data, thorough=thorough),
    )
    assert run_verb(["raw", "digits"]) == 0
    protocol = project / "experiments/digits8/protocol.yaml"
    protocol.write_text(protocol.read_text().replace("per_class: 100", "per_class: 3"))
    more = "  - {train.batch_size: [64, 1500], train.log_every: [25, 20]}\n"
    assert checked(project, STUDY.replace("columns:", f"{more}columns:")) == 1
    assert looked == ["data/raw/digits"]
    said = caplog.messages[-1].splitlines()
    assert said[0].startswith("error: study mine cannot run as its settings say, for ")
    assert "studies/mine.yaml and experiments/digits8/protocol.yaml" in said[0]
    (batch,) = (line for line in said if "train.batch_size" in line)
    assert batch.startswith(
        "  - vae-0-1500, vae-1-1500, real_nvp-0-1500 and 1 more: train.batch_size is 1500"
    )
    assert [line for line in said if line.startswith("  - ") and "sample.per_class" in line]


def test_a_study_s_own_mistakes_and_an_experiment_beside_it_are_refused(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert checked(project, STUDY.replace("train.seed: [0, 1]", "train.sed: [0, 1]")) == 1
    assert "studies/mine.yaml: over: train.seed is no axis; did you mean `train.sed`" in caplog.messages[-1]
    assert checked(project, STUDY, "-e", "digits8/vae") == 1
    assert "a study or an experiment, not both" in caplog.messages[-1]
