"""Commands before their inputs exist: one form of message, which names what is missing and what makes it."""

import re
from pathlib import Path

import pytest
import typer
import yaml
from small import write_experiment
from staleness.test_identity import listed, of_one, table

from centigan import params
from centigan.cli import app
from centigan.cli.inputs import MADE_FROM, inputs
from centigan.errors import UserError
from centigan.layout import Layout, owned
from centigan.needed import maker, missing

VERBS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
WITHOUT_INPUTS = {"raw", "fixture", "settings", "job", "new", "check"}
OF_SOME = {"reconstruct", "demonstrate"}  # AC-GAN does neither
WHAT_THERE_IS = {
    "status",
    "track",
    "study",
    "track-study",
}  # they tell of any state of an experiment, or of a study
GIVEN = {
    "experiment": "small/orders/groups/shuffled",
    "split": "0",
    "metric": "distribution",
    "name": "gallery",
    "file": "results/small/tiny/figures/gallery.svg",
}
OF_CAPTIONS = {"text", "embed"}
FORM = re.compile(
    r"(\S+?)(, \S+?)*( and \d+ more)? (is|are) missing: (`centigan [^`]+`(, | and \d+ more )?)+ ?or "
    r"`snakemake ([\w ]+) --config experiment=small(?:/tiny|/orders/groups/shuffled)?` makes? (it|them)"
)
PROTOCOL = {"data": {"source": "digits", "root": "data/raw/digits", "classes": 10, "split_size": 5}}
PROTOCOL |= {"features": {"network": "judge"}}  # type: ignore[dict-item]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in which nothing has run."""
    write_experiment(tmp_path, "small/tiny", "", yaml.safe_dump(PROTOCOL))
    (tmp_path / "params.yaml").write_text("experiment: small/tiny\n")
    (tmp_path / "studies").mkdir()
    orders = "of: small/tiny\naxes: [{grouping.order: [data, shuffled]}]\ncolumns: [fid/generated]\n"
    (tmp_path / "studies/orders.yaml").write_text(orders)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def words_of(verb: str) -> list[str]:
    """The verb with what it cannot do without."""
    words = [verb]
    for parameter in VERBS[verb].params:
        if parameter.required:
            option = [] if parameter.param_type_name == "argument" else [parameter.opts[0]]
            words += [*option, GIVEN[parameter.name]]
    return words


@pytest.mark.parametrize("verb", sorted(VERBS.keys() - WITHOUT_INPUTS - WHAT_THERE_IS - OF_CAPTIONS))
def test_a_verb_before_its_inputs_names_them_and_what_makes_them(verb: str, project: Path) -> None:
    if verb in OF_SOME:
        write_experiment(project, "small/tiny", "model: {family: vae}")
    with pytest.raises(UserError) as told:
        app(words_of(verb), standalone_mode=False)
    form = FORM.fullmatch(str(told.value))
    assert form, told.value
    assert set(re.findall(r"`centigan (\S+)", str(told.value))) <= set(VERBS)
    assert set(form[7].split()) <= {*map(of_one, table()), "index"}
    assert not (project / "results").exists()


@pytest.mark.parametrize("verb", sorted(OF_CAPTIONS))
def test_a_verb_of_captions_says_that_images_have_none(verb: str) -> None:
    with pytest.raises(UserError, match=f"{verb} needs images with captions; AC-GAN was trained on others"):
        app(words_of(verb), standalone_mode=False)


@pytest.mark.parametrize("verb", sorted(OF_SOME))
def test_a_verb_that_makes_nothing_of_a_model_says_so_instead(verb: str) -> None:
    with pytest.raises(UserError, match=f"{verb} needs a model that draws .*; AC-GAN draws none"):
        app(words_of(verb), standalone_mode=False)


@pytest.mark.parametrize("rule", MADE_FROM)
def test_what_is_looked_for_is_what_the_rule_is_made_from(rule: str, project: Path) -> None:
    paths = inputs(rule, Layout("small/tiny", project), params.load("small/tiny"), ["00", "01"])
    assert {maker(path)[1] for path in paths} == listed(table()[rule][1])


def test_the_judge_is_not_asked_for_where_another_network_makes_the_features(project: Path) -> None:
    (project / "experiments/small/protocol.yaml").write_text(
        yaml.safe_dump(PROTOCOL | {"features": {"network": "inception-v3"}})
    )
    assert "judge_of_features" not in MADE_FROM["measure distribution"]
    for rule in ("features", "measure inception_score", "measure smoothness"):
        paths = inputs(rule, Layout("small/tiny", project), params.load("small/tiny"), ["00"])
        assert "judge" not in {maker(path)[1] for path in paths}


def test_many_missing_files_are_counted_and_their_commands_named_once() -> None:
    files = [Path(f"results/digits/arrays/{split:02d}/manifest.json") for split in range(100)]
    assert str(missing(*files)) == (
        "results/digits/arrays/00/manifest.json, results/digits/arrays/01/manifest.json, "
        "results/digits/arrays/02/manifest.json and 97 more are missing: `centigan arrays -e digits -s 00` "
        "or `snakemake arrays --config experiment=digits` make them"
    )


@pytest.mark.parametrize(
    ("file", "command"),
    [
        ("metrics/ms_ssim_in_training/03.parquet", "measure ms_ssim_in_training -e digits/acgan -s 03"),
        ("metrics/inception_score/all.parquet", "measure inception_score -e digits/acgan"),
        ("figures/gallery.png", "figure gallery -e digits/acgan"),
        ("mlflow.json", "track -e digits/acgan"),
        ("summary.json", "tables -e digits/acgan"),
    ],
)
def test_every_kind_of_result_has_its_command(file: str, command: str) -> None:
    assert f": `centigan {command}` or" in str(missing(Path("results/digits/acgan") / file))


@pytest.mark.parametrize(
    ("path", "owner", "below"),
    [
        ("results/digits/arrays/00/images.npy", "digits", "arrays/00/images.npy"),
        ("results/digits/acgan/train/00/facts.json", "digits/acgan", "train/00/facts.json"),
        ("results/digits/train/train/00/facts.json", "digits/train", "train/00/facts.json"),
        ("results/digits/families/vae/summary.json", "digits/families/vae", "summary.json"),
        ("results/digits/classes.csv", "digits", "classes.csv"),
    ],
)
def test_a_result_is_a_protocols_an_experiments_or_that_of_a_studys_point(
    path: str, owner: str, below: str
) -> None:
    assert owned(Path(path)) == (owner, Path(below))
    assert owned(Path("/elsewhere", path)) == (owner, Path(below))
