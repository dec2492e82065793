"""Who has a clone and nothing to do: no raw data, no tracking store, another revision."""

import shutil
from pathlib import Path

import pytest
from staleness.project import FILE, PROTOCOL_FILE, RAW, RESULTS, Project

DIGITS = "data: {source: digits, root: data/raw/digits, classes: 10, split_size: 5, per_class: 6}"


def another_title(project: Project) -> set[str]:
    """An edit, and the jobs that follow."""
    with (project.folder / FILE).open("a") as file:
        file.write("figures: {gallery: {title: Another}}\n")
    return {"figures/gallery", "report", "publish"}


def test_a_reader_without_raw_data_and_store_has_nothing_to_do(computed: Project, tmp_path: Path) -> None:
    reader = computed.clone(tmp_path / "reader", raw=False)
    reader.has_nothing_to_do()
    assert not (reader.folder / "mlflow.db").exists()


def test_a_reader_needs_no_raw_data_that_a_job_had_put_in_place(tmp_path: Path) -> None:
    author = Project.begin(tmp_path / "author")
    mine = author.folder / PROTOCOL_FILE
    mine.write_text("\n".join([DIGITS, *mine.read_text().split("\n")[2:]]))
    author.run("dvc", "repro", "data")
    author.run("dvc", "remote", "add", "--quiet", "--default", "store", str(tmp_path / "store"))
    author.commit("Read the digits")
    author.run("dvc", "push", "--quiet", "data")
    assert (author.folder / "data/raw/digits/manifest.json").exists()
    author.run("git", "clone", "--quiet", str(author.folder), str(tmp_path / "reader"))
    reader = Project(tmp_path / "reader")
    reader.run("dvc", "pull", "--quiet", "data")
    told = reader.run("snakemake", "--dry-run", "data")
    assert "Nothing to be done" in told
    assert "missing" not in told
    assert "data" not in reader.named()
    assert reader.run("git", "status", "--porcelain") == ""


def test_a_reader_whose_raw_data_differ_is_told(computed: Project, tmp_path: Path) -> None:
    reader = computed.clone(tmp_path / "reader")
    shutil.copy(reader.folder / RAW / "class0/1.bmp", reader.folder / RAW / "class0/new.bmp")
    assert "lists other raw images than there are" in reader.run("snakemake", "--dry-run")


def test_results_of_ones_own_are_published_in_ones_own_store(computed: Project, tmp_path: Path) -> None:
    other = computed.clone(tmp_path / "other", raw=False)
    other.run("snakemake", "--dry-run")
    expected = another_title(other)
    before = (other.folder / RESULTS / "mlflow.json").read_bytes()
    assert other.jobs_of("snakemake") == expected
    assert (other.folder / RESULTS / "mlflow.json").read_bytes() != before
    assert (other.folder / "mlflow.db").exists()
    assert "Nothing to be done" in other.run("snakemake", "--dry-run")


@pytest.mark.faults
def test_a_store_that_is_named_is_published_to_once(computed: Project, tmp_path: Path) -> None:
    other = computed.clone(tmp_path / "other", raw=False)
    named = ("env", "MLFLOW_TRACKING_URI=sqlite:///other.db", "snakemake")
    other.run("snakemake", "--dry-run")
    assert other.jobs_of(*named) == {"publish"}
    assert (other.folder / "other.db").exists()
    for command in (named, ("snakemake",)):
        assert "Nothing to be done" in other.run(*command, "--dry-run")


@pytest.mark.faults
def test_another_revision_and_back_leaves_nothing_to_do(computed: Project, tmp_path: Path) -> None:
    author = computed.copy(tmp_path / "author")
    author.run("dvc", "remote", "modify", "store", "url", str(tmp_path / "store"))
    expected = another_title(author)
    author.commit("Name another title and another store")
    assert author.jobs_of("dvc", "repro") == expected
    author.commit("Compute")
    author.run("dvc", "push", "--quiet", "--all-commits")
    reader = author.clone(tmp_path / "reader", raw=False)
    for project, get in ((author, "checkout"), (reader, "pull")):
        for revision in ("main~2", "main"):
            project.run("git", "checkout", "--quiet", revision)
            project.run("dvc", get, "--quiet")
            project.has_nothing_to_do()
