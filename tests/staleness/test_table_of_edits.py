"""After an edit, exactly what is stale is made again: by Snakemake and by DVC, here and in a clone."""

from collections.abc import Callable
from pathlib import Path
from shutil import copyfile

import pytest
from staleness.project import BIN, FILE, RAW, RESULTS, Project

from centigan import catalogue
from centigan.settings.families.acgan import AcganConfig

OF_PROJECT = catalogue.subject_of(AcganConfig(), classes_of_a_split=2)
FIGURES = {f"figures/{figure}" for figure in catalogue.applying(catalogue.FIGURES, OF_PROJECT)}
TABLES = {"tables", "report", *FIGURES}
RUN = {"snakemake": ("snakemake", "reporting"), "dvc": ("dvc", "repro", "report")}
STATUS = ("dvc", "status", "--with-deps", "report")
DATA = ("snakemake", "data")  # DVC does not look at raw data


OF_FEATURES = {f"measure/{name}/all" for name in ("inception_score", "distribution", "classification")}
OF_REAL_FEATURES = {job.replace("measure", "measure_real") for job in OF_FEATURES}


def measured(split: str, *metrics: str, rule: str = "measure") -> set[str]:
    return {f"{rule}/{metric}/{split}" for metric in metrics}


def after_training(split: str) -> set[str]:
    """A split's jobs that need its networks, and what needs its features."""
    made = {f"{rule}/{split}" for rule in ("sample", "latent", "features")} | OF_FEATURES
    metrics = ("accuracy", "ms_ssim", "ms_ssim_in_training", "neighbours", "intra_class", "smoothness")
    return made | measured(split, *metrics, "class_output")


def after_features(split: str) -> set[str]:
    """A split's features of samples and of real images, and what is measured with their network."""
    made = {f"{rule}/{split}" for rule in ("features", "features_of_real")} | OF_FEATURES | OF_REAL_FEATURES
    real = measured(split, "intra_class", rule="measure_real")
    return made | real | measured(split, "intra_class", "smoothness")


def of_judge(split: str) -> set[str]:
    """A split's jobs that ask the judge or its network, and what needs its features."""
    of_real = measured(split, "accuracy", rule="measure_real")
    return measured(split, "accuracy") | of_real | after_features(split)


def of_arrays(split: str) -> set[str]:
    """What is measured of a split's real images, but by the judge."""
    return measured(split, "ms_ssim", "neighbours", rule="measure_real")


def after_raw_image() -> set[str]:
    """What follows from other arrays of the last split: all classes are the judge's."""
    return {"judge", *after_training("01"), *of_judge("01"), *of_arrays("01"), *of_judge("00")}


def nothing(project: Project) -> set[str]:
    return set()


def learning_rate_of_a_split(project: Project) -> set[str]:
    project.change("splits: {}", "splits: {1: {model: {generator_lr: 1.0e-4}}}")
    return {"train/01", *after_training("01"), *TABLES}


def iterations(project: Project) -> set[str]:
    project.change("iterations: 2", "iterations: 4")
    return {"train/00", "train/01", *after_training("00"), *after_training("01"), *TABLES}


def pairs_of_ms_ssim(project: Project) -> set[str]:
    project.change("pairs: 2", "pairs: 1")
    made = set(TABLES)
    for split in ("00", "01"):
        made |= measured(split, "ms_ssim", "ms_ssim_in_training")
        made |= measured(split, "ms_ssim", rule="measure_real")
    return made


def precision_of_features(project: Project) -> set[str]:
    project.change("network: judge", "network: judge, precision: bfloat16")
    return after_features("00") | after_features("01") | TABLES


def title_of_a_figure(project: Project) -> set[str]:
    with (project.folder / FILE).open("a") as file:
        file.write("figures: {gallery: {title: Another}}\n")
    return {"figures/gallery", "report"}


def curve_of_another_experiment(project: Project) -> set[str]:
    mine = project.folder / FILE
    copyfile(mine, mine.with_name("other.yaml"))
    other = Path(project.folder, RESULTS).with_name("other")
    other.mkdir()
    copyfile(project.folder / RESULTS / "summary.json", other / "summary.json")
    with mine.open("a") as file:
        file.write("figures: {accuracy_by_resolution: {beside: [mine/other]}}\n")
    return {"figures/accuracy_by_resolution", "report"}


def source_of_a_metric(project: Project) -> set[str]:
    project.edit("src/centigan/metrics/accuracy.py", 'correct=("right", "sum")', 'correct=("right", "count")')
    rules = ("measure", "measure_real")
    return {f"{rule}/accuracy/{split}" for rule in rules for split in ("00", "01")} | TABLES


def comment_in_the_trainer(project: Project) -> set[str]:
    source = project.folder / "src/centigan/training/loop.py"
    source.write_text(f"# Another comment.\n{source.read_text()}")
    return set()


def raw_image(project: Project) -> set[str]:
    """The same size, other pixels. All classes are the judge's, so that it follows."""
    image = project.folder / RAW / "class3/1.bmp"
    content = bytearray(image.read_bytes())
    content[-1000:] = bytes(1000)
    image.write_bytes(content)
    return {"arrays/01", "train/01", *after_raw_image(), *TABLES}


def class_renamed(project: Project) -> set[str]:
    """The last one, so that the order stays. All classes are the judge's, so that it follows."""
    (project.folder / RAW / "class3").rename(project.folder / RAW / "class3 anew")
    return {"index", "arrays/01", "train/01", *after_raw_image(), *TABLES}


def root_moved(project: Project) -> set[str]:
    (project.folder / RAW).rename(project.folder / "data/elsewhere")
    project.change(f"root: {RAW}", "root: data/elsewhere")
    return set()


def raw_data_deleted(project: Project) -> set[str]:
    for image in (project.folder / RAW).rglob("*.bmp"):
        image.unlink()
    return set()


def judge(project: Project) -> set[str]:
    project.change("name: small-cnn", "name: small-cnn, seed: 1")
    return {"judge", *of_judge("00"), *of_judge("01"), *TABLES}


def deleted_result(project: Project) -> set[str]:
    (project.folder / RESULTS / "samples/00/images.npy").unlink()
    return {"sample/00"}


def deleted_page(project: Project) -> set[str]:
    """No rule names it, but the list of the report's files does."""
    (project.folder / RESULTS / "report/classes/class3.html").unlink()
    return {"report"}


def damaged_result(project: Project) -> set[str]:
    """The networks come out the same; their manifest names another commit, which the page shows."""
    path = project.folder / RESULTS / "train/00/generator.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    return {"train/00", "report"}


EDITS = (
    nothing,
    learning_rate_of_a_split,
    iterations,
    pairs_of_ms_ssim,
    title_of_a_figure,
    curve_of_another_experiment,
    source_of_a_metric,
    comment_in_the_trainer,
    raw_image,
    class_renamed,
    root_moved,
    raw_data_deleted,
    judge,
    precision_of_features,
    deleted_result,
    deleted_page,
    damaged_result,
)
OF_RAW_DATA = {raw_image, class_renamed}
QUICK = {  # one makes nothing, one a single page; the others are run by `make test-long`
    (comment_in_the_trainer, "snakemake", "copy"),
    (deleted_page, "dvc", "clone"),
}
CASES = [
    pytest.param(
        edit,
        tool,
        side,
        id=f"{edit.__name__}-{tool}-{side}",
        marks=[] if (edit, tool, side) in QUICK else [pytest.mark.faults],
    )
    for edit in EDITS
    for tool in RUN
    for side in ("copy", "clone")
]


@pytest.mark.parametrize(("edit", "tool", "side"), CASES)
def test_an_edit_makes_again_what_is_stale(
    edit: Callable[[Project], set[str]], tool: str, side: str, computed: Project, tmp_path: Path
) -> None:
    project = getattr(computed, side)(tmp_path / "elsewhere")
    if side == "clone":  # a person looks before they edit
        assert "Nothing to be done" in project.run("snakemake", "--dry-run", "reporting")
    expected = edit(project)
    made = project.jobs_of(*DATA) if edit in OF_RAW_DATA and tool == "dvc" else set()
    assert made | project.jobs_of(*RUN[tool]) == expected
    assert "Nothing to be done" in project.run("snakemake", "--dry-run", "reporting")
    project.run("dvc", "repro", "report")
    assert project.run(*STATUS).strip() == "Data and pipelines are up to date."


def test_dvc_finds_the_environment_that_make_sets_up(computed: Project, tmp_path: Path) -> None:
    project = computed.copy(tmp_path / "elsewhere")
    (project.folder / ".venv").symlink_to(BIN.parent)
    told = project.run(
        "env", "PATH=/usr/bin:/bin", str(BIN / "dvc"), "repro", "--force", "--single-item", "data"
    )
    assert "Nothing to be done" in told
    assert "raw.sha256' is empty" not in told  # where nothing is pinned
