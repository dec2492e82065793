"""What a computed project has, and what Snakemake would make again after an edit."""

import json
import shutil
from pathlib import Path

import pytest
from acgan_figures import ACGAN_FIGURES
from small import TINY_PROTOCOL, write_experiment
from staleness.project import TINY
from workflow.runs import planned, snakemake

from centigan import catalogue
from centigan.reporting.captions import CAPTIONS

# What a run may write, beside the project's own files.
WRITTEN = {"results", "scratch", "logs", "data", "mlflow.db", "mlartifacts", ".snakemake"}


def planned_after(project: Path, old: str, new: str, *words: str) -> dict[str, int]:
    """What a dry run would do after an edit of the settings, which is taken back."""
    files = [project / "experiments/mine" / name for name in ("tiny.yaml", "protocol.yaml")]
    file, text = next((file, text) for file in files if old in (text := file.read_text()))
    file.write_text(text.replace(old, new))
    try:
        return planned(project, *words)
    finally:
        file.write_text(text)


def test_one_command_ends_in_a_page_a_summary_and_a_published_run(project: Path) -> None:
    results = project / "results/mine/tiny"
    page = (results / "report/index.html").read_text()
    assert "http-equiv" not in page
    summary = json.loads((results / "summary.json").read_text())
    for name in ("accuracy/held_out/32", "accuracy/generated/32", "ms_ssim/generated/mean"):
        assert 0 <= summary[name] <= 1
    assert "ms_ssim/share_below_max_training" in summary
    own = {name for name in summary if not name.startswith(catalogue.OF_TRAINING)}
    assert {name for name in own if catalogue.number_of(name) not in catalogue.NUMBERS} == set()
    assert json.loads((results / "mlflow.json").read_text())["parent_run_id"]


def test_its_commands_were_forked_from_one_that_had_imported_all(project: Path) -> None:
    told = (project / ".snakemake/centigan/warm_start.log").read_text().splitlines()
    kinds = {line.partition(":")[0] for line in told}
    assert "forked" in kinds
    assert kinds <= {"forked", "by itself, other OMP_NUM_THREADS"}  # the latter on a single core


def test_nothing_is_written_outside_the_declared_places(project: Path) -> None:
    own = {"Snakefile", "params.yaml", "workflow", "experiments", "profiles", "slurm", "src"}
    own |= {"dvc.yaml", "dvc.lock", ".dvc", ".dvcignore", ".git", ".gitignore"}
    assert {path.name for path in project.iterdir()} - own == WRITTEN
    assert {path.name for path in (project / "data").iterdir()} == {"raw"}


def test_a_second_run_has_nothing_to_do(project: Path) -> None:
    assert planned(project) == {}
    assert "Nothing to be done" in snakemake(project)


def test_an_export_by_hand_leaves_nothing_to_do(project: Path) -> None:
    published = project / "results/mine/tiny/mlflow.json"
    assert json.loads(published.read_text())["complete"]
    published.write_text(json.dumps(json.loads(published.read_text())))  # as `centigan track` does
    assert planned(project) == {}


@pytest.mark.parametrize(
    ("old", "new", "jobs"),
    [
        (
            "pairs: 2",
            "pairs: 1",
            {"measure": 4, "measure_real": 2, "tables": 1, "figure": 17, "report": 1, "publish": 1},
        ),
        ("batch_size: 4", "batch_size: 3", {"train": 2, "sample": 2}),
        ("per_class: 4", "per_class: 5", {"sample": 2}),
    ],
)
def test_an_edit_of_one_setting_reruns_what_depends_on_it(
    project: Path, old: str, new: str, jobs: dict[str, int]
) -> None:
    found = planned_after(project, old, new)
    assert found.items() >= jobs.items()
    assert not {"raw", "index", "arrays", "judge"} & found.keys()
    assert ("train" in found) is ("train" in jobs)


def test_one_splits_learning_rate_reruns_that_split(project: Path) -> None:
    found = planned_after(project, "splits: {}", "splits: {1: {model: {generator_lr: 1.0e-3}}}")
    assert (found["train"], found["sample"]) == (1, 1)


def test_a_title_reruns_its_figure_and_the_page(project: Path) -> None:
    found = planned_after(project, "splits: {}", "splits: {}\nfigures: {gallery: {title: Digits}}")
    assert found == {"figure": 1, "report": 1, "publish": 1}


def test_snakemakes_own_report_is_made_with_captions(project: Path) -> None:
    target = project / "results" / "snakemake.html"
    snakemake(project, "--report", str(target))
    report = target.read_text()
    target.unlink()
    for name in ACGAN_FIGURES:
        assert CAPTIONS[name].split(",")[0] in report


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train: {iteratons: 1}", "train.iteratons: unknown setting; did you mean `iterations`?"),
        ("splits: {2: {train: {seed: 1}}}", "split 2 does not exist; splits are 00..01"),
        ("ms_ssim: {pairs: 2}", "`ms_ssim`: the protocol's, which compared models share: move to"),
    ],
)
def test_a_mistake_in_the_settings_stops_before_the_first_job(project: Path, text: str, message: str) -> None:
    file = write_experiment(project, "mine/wrong", text)
    output = snakemake(project, "--config", "experiment=mine/wrong", check=False)
    file.unlink()
    assert message in output
    assert "Traceback" not in output


def test_config_takes_nothing_but_the_experiment(project: Path) -> None:
    assert "--config takes only `experiment`" in snakemake(project, "--config", "width=2", check=False)


def test_a_second_experiment_runs_nothing_of_the_protocol_nor_of_the_first(project: Path) -> None:
    other = TINY.replace("width: 0.1", "family: cgan, width: 0.1")
    write_experiment(project, "mine/other", other)
    both, alone = "experiment=mine/tiny,mine/other", "experiment=mine/other"
    found = planned(project, "--config", alone)
    assert not {"raw", "index", "arrays", "judge"} & found.keys()
    assert (found["train"], found["publish"]) == (2, 1)
    assert planned(project, "--config", both) == found
    said = snakemake(project, "--config", alone, "--", "training")
    assert "made again first" not in said
    left = {rule: jobs for rule, jobs in found.items() if rule != "train"}
    for config in (both, alone):
        assert planned(project, "--config", config) == left
    for config in ("experiment=mine/tiny", "experiment=mine"):
        assert planned(project, "--config", config) == {}
    judge = planned_after(project, "name: small-cnn", "name: small-cnn, seed: 1", "--config", both)
    assert (judge["judge"], judge["features"], judge["publish"]) == (1, 4, 2)


def test_a_training_waits_for_that_of_the_experiment_that_it_starts_from(project: Path) -> None:
    models = {"critic": "family: wgan_gp, width: 0.1"}
    models["frozen"] = "family: frozen_decoder, starts_from: mine/critic, net: dense"
    for name, model in models.items():
        write_experiment(project, f"mine/{name}", TINY.replace("width: 0.1", model))
    of_both = {"train": 4}
    assert planned(project, "training", "--config", "experiment=mine/frozen") == of_both
    assert planned(project, "training", "--config", "experiment=mine/critic,mine/frozen") == of_both
    ran = snakemake(project, "training", "--config", "experiment=mine/frozen")
    assert ran.index("mine/critic") < ran.index("mine/frozen")
    assert planned(project, "training", "--config", "experiment=mine/frozen") == {}


def test_results_of_the_layout_before_protocols_are_named_before_the_first_job(project: Path) -> None:
    old = project / "results/demo/summary.json"
    old.parent.mkdir()
    old.write_text("{}")
    said = snakemake(project, "--dry-run", check=False)
    shutil.rmtree(old.parent)
    assert "results/demo: results of the layout before protocols" in said
    assert "rm -r results/demo" in said


def test_an_image_folder_runs_too_and_a_missing_one_is_named(project: Path) -> None:
    elsewhere = TINY_PROTOCOL.replace("source: digits, root: data/raw/digits", "root: data/raw/nowhere")
    write_experiment(project, "elsewhere/tiny", protocol=elsewhere)
    output = snakemake(project, "--config", "experiment=elsewhere/tiny", check=False)
    assert "no data found: data/raw/nowhere is missing" in output
    assert planned(project) == {}
