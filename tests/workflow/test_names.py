"""What the workflow is asked for by name, on its command line and by the site, is what it plans."""

import re
from pathlib import Path

import pytest
from copied import copy_project
from small import TINY, write_experiment
from workflow.runs import told


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Experiments that could be taken for one another, each with a mistake: a run tells which it read."""
    place = tmp_path_factory.mktemp("names") / "centigan"
    copy_project(place)
    for name in ("007", "7", "1e3", "1000.0"):
        write_experiment(place, f"small/{name}", "train: {iteratons: 5}")
    write_experiment(place, "small/tiny")
    return place


def snakemake(project: Path, *words: str, **variables: str) -> str:
    """What a run says, good or bad."""
    _, said = told(project, *words, **variables)
    assert "Traceback" not in said
    return said


@pytest.mark.parametrize("name", ["007", "1e3"])
def test_the_experiment_is_the_one_that_was_written(project: Path, name: str) -> None:
    said = snakemake(project, "--list", "--config", f"experiment=small/{name}")
    assert f"experiments/small/{name}.yaml: train.iteratons" in said


def test_no_name_is_no_experiment(project: Path) -> None:
    said = snakemake(project, "--list", "--config", "experiment=", CENTIGAN_TRACK="folow")
    assert "the experiment asked for: experiment: must be of letters, digits" in said


def test_a_prelude_may_hold_braces_and_a_comment_and_track_is_no_other_word(project: Path) -> None:
    words = ("--config", "experiment=small/tiny", "--until", "raw")
    assert "track must be `follow` or empty, not 'folow'" in snakemake(
        project, *words, CENTIGAN_TRACK="folow"
    )
    prelude = 'echo "prelude in ${PWD}"  # such as module load'
    assert f"prelude in {project}" in snakemake(project, *words, CENTIGAN_PRELUDE=prelude)
    assert (project / "data/raw/digits/manifest.json").exists()


@pytest.mark.parametrize(
    ("word", "made"), [("train", {"train": "2"}), ("judge", {"train": "0", "judge": "1"})]
)
def test_the_name_of_a_rule_is_a_target(project: Path, word: str, made: dict[str, str]) -> None:
    said = snakemake(project, word, "-n", "--config", "experiment=small/tiny")
    counts = dict(re.findall(r"^(\w+) {2,}(\d+)\b", said, re.MULTILINE))
    assert {rule: counts.get(rule, "0") for rule in made} == made
    assert "evaluate" not in counts


def test_a_title_may_hold_braces(project: Path) -> None:
    titled = TINY + "figures: {examples: {title: 'samples of {split} and {x}'}}\n"
    write_experiment(project, "small/titled", titled)
    said = snakemake(project, "-n", "--config", "experiment=small/titled")
    assert "This was a dry-run" in said


def test_a_run_is_of_one_protocol(project: Path) -> None:
    said = snakemake(project, "-n", "--config", "experiment=digits/acgan,cifar10/acgan")
    assert "one run is of one protocol, not of digits, cifar10" in said


def test_a_protocol_alone_is_prepared(project: Path) -> None:
    said = snakemake(project, "-n", "--config", "experiment=small")
    counts = dict(re.findall(r"^(\w+) {2,}(\d+)\b", said, re.MULTILINE))
    assert counts.keys() - {"raw"} == {
        "index",
        "arrays",
        "judge",
        "features_of_real",
        "measure_real",
        "total",
    }
