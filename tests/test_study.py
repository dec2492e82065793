"""Studies: from a file to points; what is wrong with one; what a claim says."""

import json
from itertools import product
from pathlib import Path

import pytest

from centigan import params
from centigan.errors import UserError
from centigan.settings.claims import Cell, parse_claim
from centigan.settings.points import point_of, points, word
from centigan.settings.stages import TrainStage
from centigan.study_points import load_points

EXPERIMENTS = {
    "acgan": "model: {width: 0.5, activation_noise: 0.0}\ntrain: {iterations: 200}\n",
    "cgan": "model: {family: cgan, width: 0.25}\ntrain: {iterations: 200}\n",
    "by_hand": "model: {family: cgan, width: 0.25}\ntrain: {iterations: 200, seed: 2}\n",
}
FAMILIES = """
of: digits
axes:
  - experiment: [acgan, cgan]
  - train.seed: [0, 1, 2]
columns: [fid/generated, inception_score/fresh]
over: [train.seed]
claims:
  - {says: labels help, source: "Somebody, section 5", check: "fid/generated[acgan] < fid/generated[cgan]"}
"""
GRID = """
of: digits/acgan
axes:
  - {model.generator_lr: [1.0e-4, 2.0e-4], model.discriminator_lr: [1.0e-4, 1.0e-4]}
  - model.activation_noise: [0, 0.1]
columns: [inception_score/samples]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "params.yaml").write_text("experiment: digits/acgan\n")
    (tmp_path / "experiments" / "digits").mkdir(parents=True)
    for name, text in EXPERIMENTS.items():
        (tmp_path / "experiments" / "digits" / f"{name}.yaml").write_text(text)
    (tmp_path / "experiments" / "digits" / "protocol.yaml").write_text("")
    (tmp_path / "studies").mkdir()
    return tmp_path


def write(project: Path, text: str, name: str = "families") -> Path:
    (project / "studies" / f"{name}.yaml").write_text(text)
    return project


def test_axes_multiply_and_the_last_is_fastest(project: Path) -> None:
    found = points("families", write(project, FAMILIES))
    assert [point.own for point in found] == [f"{a}-{s}" for a, s in product(("acgan", "cgan"), range(3))]
    assert {point.row for point in found} == {"acgan", "cgan"}
    assert found[4].name == "digits/families/cgan-1"
    assert found[4].base == "digits/cgan"
    assert found[4].overlay == {"train": {"seed": 1}}


def test_the_keys_of_one_axis_vary_together_and_the_first_names_them(project: Path) -> None:
    found = points("grid", write(project, GRID, "grid"))
    assert [point.own for point in found] == ["0.0001-0", "0.0001-0.1", "0.0002-0", "0.0002-0.1"]
    model = {"generator_lr": 2e-4, "discriminator_lr": 1e-4, "activation_noise": 0.1}
    assert found[3].overlay == {"model": model}


def test_a_point_trains_as_an_ordinary_experiment_of_the_same_values(project: Path) -> None:
    point = params.load("digits/families/cgan-2", write(project, FAMILIES))
    by_hand = params.load("digits/by_hand", project)
    json_of = [params.canonical_json(params.stage(one, TrainStage)) for one in (point, by_hand)]
    assert json_of[0] == json_of[1]
    assert json.loads(json_of[0])["train"]["seed"] == 2
    assert point.experiment == "digits/families/cgan-2"


def test_params_yaml_may_name_a_point(project: Path) -> None:
    write(project, FAMILIES)
    (project / "params.yaml").write_text("experiment: digits/families/acgan-1\n")
    assert params.load(root=project).train.seed == 1


def test_all_points_are_loaded_at_once(project: Path) -> None:
    found = load_points("families", write(project, FAMILIES))
    assert [settings.model.family for settings in found.values()] == ["acgan"] * 3 + ["cgan"] * 3
    assert found["digits/families/cgan-1"] == params.load("digits/families/cgan-1", project)


def test_an_ordinary_experiment_is_no_point(project: Path) -> None:
    assert point_of("digits/acgan", project) is None
    assert point_of("digits", project) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0"),
        (2e-4, "0.0002"),
        (1e-5, "1e-05"),
        (-1, "minus1"),
        (True, "true"),
        (None, "null"),
        ("wgan_gp", "wgan_gp"),
        ("a b/c", "a_b_c"),
        ([64, 128], "64_128"),
        ("..", "_"),
    ],
)
def test_a_value_becomes_part_of_a_files_name(value: object, expected: str) -> None:
    assert word(value) == expected


AXES = "of: digits/acgan\ncolumns: [fid/generated]\naxes:\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (AXES + "  - train.seed: []", r"axes.0.train.seed: list should have at least 1 item"),
        (AXES + "  - {}", r"axes.0: dictionary should have at least 1 item"),
        (AXES + "  - train.seed: [1, 1]", r"train.seed: 1 stands twice"),
        (AXES + "  - train.seed: [1]\n  - train.seed: [2]", r"train.seed stands in two axes"),
        (AXES + "  - {train.seed: [1], model.width: [1, 2]}", r"train.seed has 1, model.width has 2 values"),
        (AXES + "  - trian.seed: [1]", r"trian.seed: unknown setting; did you mean `train`"),
        (AXES + "  - train: [1]", r"train is a whole section; name one setting of it"),
        (
            AXES + "  - sample.per_class: [1]",
            r"sample.per_class: the protocol's, which compared models share",
        ),
        (AXES + "  - figures.gallery.per_class: [1]", r"an axis is over model or train"),
        (AXES + "  - model.family: [acgan]", r"a family has settings of its own; name files"),
        (
            AXES + "  - model.starts_from: [digits/gan, digits/wgan]",
            r"model.starts_from: .*write an experiment file for each .* `experiment: \[gan, wgan, ",
        ),
        (AXES + "  - experiment: [acgan]", r"write the protocol alone, digits"),
        (AXES + "  - model.width: ['', _]", r"two points are called '_'"),
        (AXES + "  - model.width: [report]", r"a point may not be called 'report'"),
        (
            AXES + "  - train.seed: [1]\nover: [train.sed]",
            r"over: train.sed is no axis; did you mean `train.seed`",
        ),
        (AXES + "  - train.seed: [1]\nselect: {report: x}", r"select: write one of `highest` and `lowest`"),
        (
            AXES + "  - train.seed: [1]\nselect: {highest: x, report: x, within: [y]}",
            r"select.within: y is no axis",
        ),
        (AXES + "  - train.seed: [1]\nselect: {heighest: x, report: x}", r"did you mean `highest`"),
        (AXES + "  - train.seed: [1]\nclaims: [{says: x, source: y, chek: z}]", r"did you mean `check`"),
        (AXES + "  - train.seed: [1]\nclaims: [{says: x, source: y, check: z}]", r"claim 'z': 'z' is not"),
        (
            AXES + "  - train.seed: [1]\nclaims: [{says: x, source: y, check: 'fid[2] < 1'}]",
            r"the table has no row '2'; there are: 1",
        ),
        ("of: digits\ncolumns: [fid/generated]\naxes: [{train.seed: [1]}]", r"'digits' names no <protocol>/"),
        ("of: digits/acgan\ncolumns: ['FID!']\naxes: [{train.seed: [1]}]", r"columns.0: "),
        ("of: digits\ncolumns: [fid]\naxes: [{experiment: [1]}]", r"experiment: 1 is no text"),
    ],
)
def test_a_mistake_is_one_message_that_names_file_and_key(project: Path, text: str, expected: str) -> None:
    with pytest.raises(UserError, match=expected) as error:
        points("families", write(project, text))
    assert "studies/families.yaml: " in str(error.value)


def test_all_mistakes_are_told_at_once(project: Path) -> None:
    text = AXES + "  - train.seed: [1, 1]\n  - {data.classes: [2], modl.width: [1]}"
    with pytest.raises(UserError, match=r"stands twice.*data.classes: the protocol's.*modl.width: unknown"):
        points("families", write(project, text))


def test_what_only_the_settings_know_is_told_once_for_all_points(project: Path) -> None:
    text = AXES + "  - {model.widht: [1, 2]}\n  - train.seed: [0, 1, -1]"
    with pytest.raises(UserError, match=r"did you mean `width`") as error:
        load_points("families", write(project, text))
    assert str(error.value).count("widht") == 2  # alone, and beside the seed
    assert "train.seed: input should be greater than or equal to 0" in str(error.value)
    assert "studies/families.yaml" in str(error.value)


def test_an_experiment_that_is_not_there_is_named_with_the_nearest(project: Path) -> None:
    text = FAMILIES.replace("[acgan, cgan]", "[acgan, cgna]").replace("[cgan]", "[cgna]")
    with pytest.raises(UserError, match=r"'digits/cgna' has no file .*did you mean `digits/cgan`"):
        load_points("families", write(project, text))


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (
            "fid/genrated",
            r"families.yaml: fid/genrated: no such number; did you mean `fid/generated`",
        ),
        ("accuracy/real/32", r"accuracy/real/32: no such number; did you mean `accuracy/"),
        (
            "bits_per_dim/held_out",
            "bits_per_dim/held_out: needs a model that tells a density .* tells none",
        ),
    ],
)
def test_a_number_that_no_point_will_have_is_told_before_any_is_trained(
    project: Path, column: str, said: str
) -> None:
    with pytest.raises(UserError, match=said):
        load_points("families", write(project, FAMILIES.replace("inception_score/fresh", column)))


def test_two_points_of_the_same_settings_are_a_mistake(project: Path) -> None:
    text = AXES + "  - {model.width: [1, 1.0, 2]}"
    with pytest.raises(UserError, match=r"families/1 and digits/families/1.0 have the same settings"):
        load_points("families", write(project, text))


@pytest.mark.parametrize(
    ("axes", "said"),
    [
        ("[{experiment: [wgan, vae]}]", "battle: two rows are needed .* and there are none"),
        ("[{experiment: [gan, wgan]}]", "battle: two rows are needed .* and there are gan"),
        (
            "[{experiment: [gan, dcgan]}, {grouping.size: [2, 5]}]",
            "battle: rows of the axis grouping.size have other classes",
        ),
    ],
)
def test_rows_that_cannot_fight_are_named_before_the_first_job(project: Path, axes: str, said: str) -> None:
    for family in ("gan", "dcgan", "wgan", "vae"):
        (project / "experiments" / "digits" / f"{family}.yaml").write_text(f"model: {{family: {family}}}\n")
    text = f"of: digits\naxes: {axes}\ncolumns: [fid/generated]\nbattle: true\n"
    with pytest.raises(UserError, match=said):
        load_points("families", write(project, text))
    if "grouping" not in axes:
        load_points("families", write(project, text.replace("battle: true", "battle: false")))


def test_a_study_and_an_experiment_never_share_a_name(project: Path) -> None:
    with pytest.raises(UserError, match=r"digits/acgan.yaml has the same name"):
        points("acgan", write(project, FAMILIES, "acgan"))


def test_a_study_or_a_point_that_is_not_there_is_told_with_those_that_are(project: Path) -> None:
    write(project, FAMILIES)
    with pytest.raises(UserError, match=r"study 'familys' has no file .*there are: families"):
        points("familys", project)
    with pytest.raises(UserError, match=r"no point .*did you mean `digits/families/cgan-2`"):
        params.load("digits/families/cgan2", project)
    with pytest.raises(UserError, match=r"no point 'photos/families/cgan-2'"):
        params.load("photos/families/cgan-2", project)


NUMBERS = {Cell("fid", "a"): 2.0, Cell("fid", "b"): 5.0, Cell("accuracy/generated/32", "0.1-x"): 0.5}


@pytest.mark.parametrize(
    ("text", "left", "right"),
    [
        ("fid[a] < fid[b]", 2, 5),
        ("fid[a] <= 0.5 * fid[b] + 1", 2, 3.5),
        ("2 * fid[a] * fid[b] - 3 > 1e-2", 17, 0.01),
        ("-fid[a] >= - 3", -2, -3),
        ("accuracy/generated/32[0.1-x] < 1", 0.5, 1),
    ],
)
def test_a_claim_is_arithmetic_of_cells(text: str, left: float, right: float) -> None:
    [comparison] = parse_claim(text)
    assert comparison.left.value(NUMBERS.__getitem__) == pytest.approx(left)
    assert comparison.right.value(NUMBERS.__getitem__) == pytest.approx(right)


def test_a_claim_may_be_of_several_comparisons() -> None:
    first, second = parse_claim("fid[a] < 3 and fid[b] < 3")
    assert (first.left.text, first.sign, first.right.text) == ("fid[a]", "<", "3")
    assert second.cells == [Cell("fid", "b")]


@pytest.mark.parametrize(
    "text",
    ["", "fid[a]", "fid[a] <", "fid[a] < 2 < 3",
     "fid[a] == 2", "fid < 2", "fid[a] < 2 3", "fid[a] < 2 ** 3",
     "fid[a] or 2", "__import__('os').system('true') < 1", "fid[a] < 2 and", "fid[a] < (2)",
     "fid[a] < 2 + + 3"],
)  # fmt: skip
def test_what_is_no_claim_is_quoted(text: str) -> None:
    with pytest.raises(UserError, match=r"^claim .*: .*"):
        parse_claim(text)
