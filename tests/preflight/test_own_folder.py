"""From a folder of own images to a run that can end: `centigan new`, `centigan check`, `snakemake -n`."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from calls import call
from cifar_files import class_names
from preflight.conftest import OWN, write_digits
from small import write_experiment

from centigan import preflight
from centigan.cli import run_verb
from centigan.data.captioned_fixture import write_captioned
from centigan.data.celeba_fixture import write_celeba
from centigan.data.cifar_raw import VERSIONS
from centigan.data.fixture import write_ilsvrc
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.params import load
from centigan.preflight.proposal import explore, split_size
from centigan.settings import Settings

BIN = Path(sys.executable).parent
KINDS = ("class-folders", "folders", "archives", "kaggle", "cifar10")
WRONG = """
data: {source: class-folders, root: data/raw/own, classes: 10, split_size: 6}
arrays: {resolution: 32}
sample: {per_class: 12}
judge: {name: inception-v3}
features: {network: inception-2015, weights: none.pth}
accuracy: {resolutions: [16, 32]}
"""
WRONG_MODEL = "train: {iterations: 3000}"


def says(caplog: pytest.LogCaptureFixture, *words: str) -> str:
    """The error of a verb that must fail."""
    caplog.clear()
    assert run_verb(list(words)) == 1
    return caplog.text


def snakemake(project: Path, *words: str) -> tuple[int, str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "SNAKEMAKE_"))}
    command = [BIN / "snakemake", "--cores", "1", *words, "--config", "experiment=own/acgan"]
    ended, said = call(command, project, environment)
    assert "Traceback" not in said
    return ended, said


def test_what_cannot_be_recognised_is_named_and_faces_are_cut_as_papers_cut_them(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert run_verb(["fixture", "mnist", "--out", "m"]) == 0
    assert run_verb(["raw", "mnist", "--root", "m"]) == 0
    assert "`centigan new --source`" in says(caplog, "new", "digits_of_mnist", "--data", "m")
    assert run_verb(["new", "digits_of_mnist", "--data", "m", "--source", "mnist"]) == 0
    assert load("digits_of_mnist/acgan", Path()).data.source == "mnist"
    write_celeba(Path("faces"), classes=1, per_class=30, held_out_per_class=10)
    assert run_verb(["new", "faces", "--data", "faces"]) == 0
    arrays = load("faces/acgan", Path()).arrays
    assert (arrays.crop, arrays.crop_down) == (148, 5)


def test_an_error_is_cut_and_steers_no_terminal_whatever_a_file_holds(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_celeba(Path("faces"), classes=1, per_class=30, held_out_per_class=10)
    Path("faces/list_eval_partition.txt").write_text(f"\x1b[31m{'x' * 10**6} 7\n")
    said = says(caplog, "new", "faces", "--data", "faces")
    assert "\x1b" not in said
    assert "more characters)" in said
    assert len(said) < 10_000


def test_an_own_folder_needs_two_commands_before_its_run_is_planned(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_verb(["new", "own", "--data", OWN]) == 0
    assert "next: centigan check -e own/acgan" in capsys.readouterr().out
    assert run_verb(["check", "-e", "own/acgan"]) == 0
    told = capsys.readouterr().out
    assert "ok  data: class-folders at data/raw/own, 144 images to train on, 36 held out" in told
    assert "ok  distribution.kid_subset_size 28; fewest are the 36 held-out images" in told
    assert told.endswith("own/acgan can run: snakemake --cores 2 --config experiment=own/acgan\n")
    status, planned = snakemake(project, "-n")
    assert status == 0
    assert "This was a dry-run" in planned


def test_images_of_one_class_are_planned_without_a_judge(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_verb(["new", "own", "--data", str(write_digits(tmp_path / "alone", 120, 1))]) == 0
    assert "1 class, 108 images to train on" in capsys.readouterr().out
    assert run_verb(["check", "-e", "own/acgan"]) == 0
    status, planned = snakemake(project, "-n")
    assert status == 0
    rules = {line.split()[0] for line in planned.splitlines() if line.endswith("not made yet")}
    assert {"features_of_real", "measure_real", "report"} <= rules
    assert "judge" not in rules


def test_settings_that_are_wrong_in_six_ways_are_one_message_before_the_first_job(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_experiment(project, "own/acgan", WRONG_MODEL, WRONG)
    params = project / "params.yaml"
    params.write_text(params.read_text().replace("iterations: 50000", "iterations: 500"))
    expected = (
        "own/acgan cannot run as its settings say, for 6 reasons; settings stand in "
        "experiments/own/acgan.yaml and experiments/own/protocol.yaml, else in params.yaml",
        "params.yaml: train.iterations is 500, but experiments/own/acgan.yaml says 3000, which decides: set ",
        "or `dvc exp run -S experiments/own/acgan.yaml:train.iterations=500`; here put back the shipped ",
        "data/raw/own has 6 classes, but `data.classes` says 10",
        "judge.name: inception-v3 knows ImageNet's 1000 classes by WordNet ids such as n02119789, and this "
        "data has 'digit0' and 5 more; choose judge.name:",
        "judge.name: inception-v3 needs weights that are not at ",
        "accuracy.resolutions [16, 32] lacks 8: the tables need [8, 32]",
        "features.network: inception-2015: features.weights names none.pth, and there is no such file",
    )
    _, refused = snakemake(project)
    checked = says(caplog, "check", "-e", "own/acgan")
    for line in expected:
        assert line in refused
        assert line in checked
    assert "distribution." not in checked  # the classes decide how many samples there are
    assert not (project / "results").exists()


def test_numbers_are_said_where_the_data_have_the_classes_of_the_settings(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_experiment(project, "own/acgan", WRONG_MODEL, WRONG.replace("classes: 10", "classes: 6"))
    few = "at most for what there is"
    checked = says(caplog, "check", "-e", "own/acgan")
    for line in (
        f"distribution.kid_subset_size is 1000 (KID takes subsets): 18 {few}; samples: 72 (raise "
        "sample.per_class); training images: 162 (add some); held-out images: 18 (add some)",
        "distribution.neighbours is 5, for which precision and recall within a class need 6 images of a kind"
        f": 2 {few}; held-out images of class 'digit0': 3 (data.held_out: 0.2 or more, or add images)",
        f"neighbours.per_class is 20 (so many samples have theirs sought): 12 {few}; samples of each class "
        "of split 00: 12 (raise sample.per_class)",
    ):
        assert line in checked


def test_the_index_tells_as_long_as_it_is_that_of_the_settings(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run_verb(["new", "own", "--data", OWN])
    file = project / "experiments/own/protocol.yaml"
    proposed = file.read_text()
    tenth = proposed.replace("held_out: 0.2", "held_out: 0.1")
    tenth = tenth.replace("kid_subset_size: 28", "neighbours: 2\n  kid_subset_size: 18")
    file.write_text(tenth)
    status, told = snakemake(project, "results/own/classes.csv")
    assert status == 0, told
    file.write_text(proposed)  # whose share the index does not have: it would find too few
    status, told = snakemake(project, "-n")
    assert status == 0, told
    file.write_text(tenth.replace("kid_subset_size: 18", "kid_subset_size: 19"))
    (project / OWN).rename(project / "elsewhere")  # now the index alone can tell
    line = "distribution.kid_subset_size is 19 (KID takes subsets): 18 at most for what there is"
    status, told = snakemake(project, "-n")
    assert status == 1
    assert line in told
    arrays = '{"arrays": {"resolution": 32, "dct_scaling": true}}'
    assert line in says(caplog, "arrays", "-e", "own", "-s", "0", "--settings", arrays)
    assert (project / "results/own/classes.csv").exists()
    assert not (project / "results/own/arrays").exists()


def lay_out(kind: str, root: Path) -> Path:
    """A small data set of three classes, or CIFAR's files for what they are."""
    if kind == "class-folders":
        return write_digits(root, 12, 3)
    if kind == "archives":
        write_ilsvrc(root, classes=3, per_class=4, held_out_per_class=2)
        return root
    if kind == "folders":
        write_digits(root / "train", 12, 3)
        write_digits(root / "val", 4, 3)
        return root
    if kind == "kaggle":
        data = root / "ILSVRC/Data/CLS-LOC"
        write_digits(data / "train", 12, 3)
        (data / "val").mkdir()
        lines = ["ImageId,PredictionString"]
        for image in sorted((data / "train").glob("*/0[0-3].png")):
            name = f"{image.parent.name}_{image.name}"
            (data / "val" / name).write_bytes(image.read_bytes())
            lines.append(f"{Path(name).stem},{image.parent.name} 1 2 3 4")
        (root / "LOC_val_solution.csv").write_text("\n".join(lines))
        return root
    version = VERSIONS["cifar10"][1]
    (root / version.folder).mkdir(parents=True)
    records = np.zeros((10_000, 3073), np.uint8)
    records[:, 0] = np.arange(10_000) % 10
    for file in version.batches:
        (root / version.folder / file).write_bytes(records.tobytes())
    (root / version.folder / version.meta).write_text("\n".join(class_names("cifar10")))
    return root


@pytest.mark.parametrize("kind", KINDS)
def test_an_experiment_is_proposed_for_every_kind_of_data_and_can_run(project: Path, kind: str) -> None:
    root = lay_out(kind, project / "some data: there")
    assert run_verb(["new", "own", "--data", str(root.relative_to(project))]) == 0
    written, own = (
        yaml.safe_load((project / "experiments/own" / file).read_text())
        for file in ("protocol.yaml", "acgan.yaml")
    )
    assert (written["data"]["source"], written["data"]["root"]) == (kind, "some data: there")
    assert set(Settings.model_fields) - {"experiment", "figures", "grouping"} <= set(
        written
    )  # DVC asks for each
    assert set(own) == {"model", "train", "supervision", "splits"}
    found = preflight.everything(Layout("own/acgan"), load("own/acgan"))
    assert [finding.text for finding in found if not finding.good] == []


@pytest.mark.parametrize("kind", ["captioned_folders", "cub200", "coco_captions"])
def test_a_model_that_is_told_captions_is_proposed_where_there_are_some(project: Path, kind: str) -> None:
    write_captioned(kind, project / kind, classes=4, per_class=12, held_out_per_class=4)
    assert run_verb(["new", "own", "--data", kind]) == 0
    assert {file.name for file in (project / "experiments/own").iterdir()} == {
        "protocol.yaml",
        "gan_cls.yaml",
    }
    settings = load("own/gan_cls")
    assert (settings.data.source, settings.model.family) == (kind, "gan_cls")
    assert settings.data.split_size == settings.data.classes
    found = preflight.everything(Layout("own/gan_cls"), settings)
    assert [finding.text for finding in found if not finding.good] == []


def test_texts_beside_some_images_are_told_and_are_no_captions(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for image in list((project / OWN / "digit0").glob("*.png"))[1:]:
        image.with_suffix(".txt").write_text("a nought")
    first = sorted((project / OWN / "digit1").glob("*.png"))[0]
    first.with_suffix(".txt").write_text("a one")
    assert run_verb(["new", "own", "--data", OWN]) == 0
    assert "30 of 180 images have a file .txt beside them, which are not taken for captions" in caplog.text
    assert "and the first without is data/raw/own/digit0/" in caplog.text
    assert load("own/acgan").data.source == "class-folders"


def test_texts_are_told_where_the_first_image_of_every_class_has_none(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for folder in (project / OWN).iterdir():
        for image in sorted(folder.glob("*.png"))[1:]:
            image.with_suffix(".txt").write_text("a digit")
    assert run_verb(["new", "own", "--data", OWN]) == 0
    assert "174 of 180 images have a file .txt beside them" in caplog.text
    assert "the first without is data/raw/own/digit0/00.png" in caplog.text


def test_the_paper_s_model_is_proposed_for_as_many_images_as_cifar_has(project: Path) -> None:
    root = lay_out("cifar10", project / "cifar")
    assert run_verb(["new", "own", "--data", str(root)]) == 0
    settings, paper = load("own/acgan"), Settings(experiment="own")
    assert (settings.model, settings.train) == (paper.model, paper.train)
    assert settings.arrays.resolution == 32
    assert settings.features.network == "judge"  # weights are neither here nor within reach


@pytest.mark.parametrize(
    ("images", "held_out", "neighbours"), [(60, 0.1, 5), (30, 0.2, 5), (10, 0.2, 1), (4, 0.4, 1)]
)
def test_as_many_are_held_out_as_the_measurements_need(
    project: Path, tmp_path: Path, images: int, held_out: float, neighbours: int
) -> None:
    root = write_digits(tmp_path / "few", images, 2)
    assert run_verb(["new", "own", "--data", str(root)]) == 0
    settings = load("own/acgan")
    assert settings.data.held_out == held_out
    assert settings.distribution.neighbours == neighbours
    found = preflight.everything(Layout("own/acgan"), settings)
    assert [finding.text for finding in found if not finding.good] == []


def test_too_few_images_for_any_settings_are_said(tmp_path: Path) -> None:
    few = (
        r"class 'digit0' has 1 to train on and 2 held out, as have 1 more classes; every class needs 2 and 2"
    )
    with pytest.raises(UserError, match=few):
        explore(write_digits(tmp_path / "few", 3, 2))
    with pytest.raises(UserError, match="no data found"):
        explore(tmp_path / "nowhere")


def test_new_replaces_no_file_and_takes_no_path_for_a_name(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = (project / "experiments/digits/acgan.yaml").read_bytes()
    assert "experiments/digits is there and stays as it is" in says(caplog, "new", "digits", "--data", OWN)
    assert (project / "experiments/digits/acgan.yaml").read_bytes() == before
    assert "own/cgan has a `/`" in says(caplog, "new", "own/cgan", "--data", OWN)
    assert "must be of letters, digits" in says(caplog, "new", "../params", "--data", OWN)


@pytest.mark.parametrize(
    ("classes", "size"), [(2, 2), (6, 6), (10, 10), (11, 6), (13, 7), (14, 7), (20, 10), (22, 8), (1000, 10)]
)
def test_a_split_has_ten_classes_at_most_and_a_size_that_divides_them_where_one_does(
    classes: int, size: int
) -> None:
    assert split_size(classes) == size
