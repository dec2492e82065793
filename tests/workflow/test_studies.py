"""A study run by Snakemake: its points are ordinary experiments, and what they share is made once."""

from pathlib import Path

import pytest
from copied import copy_project
from small import write_experiment
from staleness.project import MINE, TINY
from workflow.runs import planned, snakemake

from centigan.errors import UserError
from centigan.study_points import load_points

SHARED = {"raw", "index", "arrays", "judge", "features_of_real", "measure_real"}
STUDY = """
of: mine
axes:
  - experiment: [tiny, free]
  - train.seed: [0]
columns: [fid/generated, accuracy/generated/32, model/numbers]
over: [train.seed]
claims:
  - {says: no number is below nothing, source: algebra, check: "fid/generated[free] >= 0"}
"""
# As `tiny`, of a family with other networks.
FREE = TINY.replace("width: 0.1", "family: cgan, width: 0.05")


@pytest.fixture(scope="module")
def studied(project: Path) -> Path:
    """The project, with a study of two points that was run."""
    write_experiment(project, "mine/free", FREE)
    (project / "studies").mkdir()
    (project / "studies/grid.yaml").write_text(STUDY)
    assert not planned(project, "--config", "study=grid").keys() & SHARED
    snakemake(project, "--config", "study=grid")
    return project


def test_a_study_ends_in_a_table_and_a_page_and_makes_no_report_of_its_points(studied: Path) -> None:
    results = studied / "results/mine/grid"
    rows = (results / "table.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == ["tiny", "free"]
    assert "met" in (results / "claims.csv").read_text()
    assert (results / "report/index.html").stat().st_size > 1000
    assert not (results / "tiny-0/report").exists()
    assert planned(studied, "--config", "study=grid") == {}


def test_the_points_are_ordinary_experiments_that_share_what_is_the_protocols(studied: Path) -> None:
    alone = planned(studied, "--config", "experiment=mine/free")
    assert not alone.keys() & SHARED
    assert alone["train"] == 2
    one_split = "results/mine/free/train/00/manifest.json"
    snakemake(studied, "--config", "experiment=mine/free", "--", one_split)
    for name in ("generator", "discriminator"):
        files = (studied / f"results/mine/{of}/train/00/{name}.safetensors" for of in ("free", "grid/free-0"))
        assert len({file.read_bytes() for file in files}) == 1


def test_one_more_seed_adds_its_own_jobs_alone(studied: Path) -> None:
    file = studied / "studies/grid.yaml"
    before = file.read_text()
    file.write_text(before.replace("[0]", "[0, 1]"))
    try:
        more = planned(studied, "--config", "study=grid")
    finally:
        file.write_text(before)
    assert not more.keys() & SHARED
    assert (more["train"], more["tables"], more["study"]) == (4, 2, 1)  # two splits of two new points


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("train.seed", "train.sed", "train.sed.*seed"),
        ("[0]", "[]", "axes"),
        ("[tiny, free]", "[tiny, free, fre]", "mine/fre"),
        ("of: mine", "of: min", "min"),
        ("train.seed: [0]", "sample.per_class: [12, 13]", "protocol"),
        ("[free] >=", "[fre] >=", "fre"),
    ],
)
def test_a_study_that_cannot_be_is_one_clear_error(tmp_path: Path, old: str, new: str, said: str) -> None:
    copy_project(tmp_path / "project")
    write_experiment(tmp_path / "project", "mine/tiny", TINY, MINE)
    write_experiment(tmp_path / "project", "mine/free", FREE, MINE)
    (tmp_path / "project/studies").mkdir()
    (tmp_path / "project/studies/grid.yaml").write_text(STUDY.replace(old, new))
    with pytest.raises(UserError, match=said):
        load_points("grid", tmp_path / "project")


def test_a_point_that_its_protocol_cannot_hold_is_said_before_the_first_job(studied: Path) -> None:
    file = studied / "studies/grid.yaml"
    before = file.read_text()
    file.write_text(before.replace("train.seed", "train.batch_size").replace("[0]", "[1000]"))
    try:
        told = snakemake(studied, "--dry-run", "--config", "study=grid", check=False)
    finally:
        file.write_text(before)
    assert "train.batch_size is 1000, and split 0" in told
    assert "Traceback" not in told


def test_a_study_and_an_experiment_are_not_run_at_once(studied: Path) -> None:
    words = ("--config", "study=grid", "experiment=mine/tiny")
    assert "not both" in snakemake(studied, "--dry-run", *words, check=False)


def test_points_in_other_splits_share_their_arrays_and_the_protocols_judge(project: Path) -> None:
    (project / "studies").mkdir(exist_ok=True)
    axes = "axes:\n  - grouping.order: [data, similar]\n  - train.seed: [0, 1]\n"
    (project / "studies/orders.yaml").write_text(f"of: mine/tiny\n{axes}columns: [fid/generated]\n")
    jobs = planned(project, "--config", "study=orders")
    assert (jobs["group"], jobs["gather"], jobs["features_of_real"], jobs["train"]) == (1, 2, 2, 8)
    assert not jobs.keys() & {"raw", "index", "arrays", "judge"}
    home = "results/mine/orders/groups/similar"
    made = [f"{home}/arrays/01/SHA256SUMS", f"{home}/real/metrics/accuracy/00.parquet"]
    snakemake(project, "--config", "study=orders", "--", *made)
    assert planned(project, "--config", "study=orders").keys() >= {"train"}
    assert planned(project, "--config", "study=orders", "--", *made) == {}
    both = [(project / f"{folder}/classes.csv").read_text().splitlines() for folder in ("results/mine", home)]
    ids = [sorted(line.split(",")[1] for line in lines) for lines in both]
    assert ids[0] == ids[1]
