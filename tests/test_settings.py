import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numpy
import pytest
import yaml
from pydantic import BaseModel
from small import write_experiment
from snakemake.cli import parse_config

from centigan import params
from centigan.errors import UserError
from centigan.settings import OF_STUDIES, Settings
from centigan.settings.families.cgan import CganConfig
from centigan.settings.frozen import Frozen
from centigan.settings.stages import STAGES, ArraysStage, TrainStage

ROOT = Path(__file__).parents[1]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "params.yaml").write_text("experiment: mine\ntrain: {iterations: 1000, seed: 3}\n")
    (tmp_path / "experiments/mine").mkdir(parents=True)
    return tmp_path


def overlay(project: Path, text: str) -> Path:
    (project / "experiments/mine/protocol.yaml").write_text(text)
    return project


def test_an_experiment_overlays_key_by_key(project: Path) -> None:
    settings = params.load(root=overlay(project, "train: {iterations: 2000}"))
    assert (settings.train.iterations, settings.train.seed) == (2000, 3)
    assert settings.train.batch_size == 100  # the paper's


def test_each_layer_is_over_the_one_before(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """params.yaml, the family's paper, the protocol, the experiment, a split's own."""
    paper = {"iterations": 2000, "batch_size": 2000, "log_every": 20, "seed": 2000}
    monkeypatch.setattr(CganConfig, "paper", paper)
    shared = "train: {batch_size: 300, log_every: 30, seed: 300}\ndata: {classes: 20}"
    own = "model: {family: cgan}\ntrain: {log_every: 4, seed: 400}\nsplits: {1: {train: {seed: 5}}}"
    write_experiment(project, "layers/own", own, shared)
    settings = params.load("layers/own", project)
    train = settings.train
    assert (train.iterations, train.batch_size, train.log_every, train.seed) == (2000, 300, 4, 400)
    assert params.for_split(settings, 1).train.seed == 5
    (line,) = params.overridden("layers/own", project)[:1]
    assert "train.iterations is 1000, but the paper of CGAN says 2000" in line
    assert f"dvc exp run -S {project}/experiments/layers/own.yaml:train.iterations=1000" in line
    assert params.load("layers", project).train.iterations == 1000  # no model of its own, hence no paper


def test_what_is_the_protocols_is_refused_in_an_experiment_at_once(project: Path) -> None:
    write_experiment(project, "shared/own", "data: {classes: 5}\nsample: {seed: 1}\ntrain: {seed: 1}", "")
    with pytest.raises(UserError, match=r"own\.yaml: `data`, `sample`: .* move to .*shared/protocol\.yaml"):
        params.load("shared/own", project)


@pytest.mark.parametrize("name", ["index", "arrays", "judge", "real", "records", "protocol"])
def test_an_experiment_is_not_called_as_what_lies_beside_it(project: Path, name: str) -> None:
    with pytest.raises(UserError, match=f"'{name}' is a name that a protocol itself uses"):
        params.load(f"mine/{name}", project)


def test_the_two_lines_of_params_yaml_that_dvc_reads_agree(project: Path) -> None:
    write_experiment(project, "shared/own", "", "")
    (project / "params.yaml").write_text("protocol: mine\nexperiment: shared/own\n")
    with pytest.raises(UserError, match=r"`protocol` is \"mine\".*let `protocol` be shared"):
        params.load(root=project)
    assert params.load("shared/own", project).experiment == "shared/own"  # where the lines do not decide


def test_a_file_of_the_layout_before_protocols_is_said_with_what_to_do(project: Path) -> None:
    (project / "experiments/old.yaml").write_text("data: {classes: 5}")
    with pytest.raises(UserError, match=r"before protocols: move its sections model, train, supervision"):
        params.load("old", project)


@pytest.mark.parametrize("name", params.experiments_of(ROOT))
def test_every_experiment_that_is_shipped_is_valid(name: str) -> None:
    assert params.load(name, ROOT).experiment == name


def test_params_yaml_holds_the_papers_values_and_every_key() -> None:
    written = yaml.safe_load((ROOT / "params.yaml").read_text())
    assert written.pop("protocol") == "digits"
    assert written.pop("study") is None
    of_experiments = Settings(experiment="digits/acgan").model_dump(mode="json", exclude={OF_STUDIES})
    assert written == of_experiments


def test_digits_are_grey_and_what_says_nothing_of_channels_or_crops_is_known_by_the_json_of_before(
    project: Path,
) -> None:
    def arrays(text: str) -> str:
        return params.canonical_json(params.stage(params.load(root=overlay(project, text)), ArraysStage))

    assert arrays("data: {source: photos}") == '{"arrays": {"dct_scaling": true, "resolution": 128}}'
    assert '"channels": 1' in arrays("data: {source: digits}")
    assert '"channels": 3' in arrays("data: {source: digits}\narrays: {channels: 3}")
    assert '"channels": 1' in arrays("arrays: {channels: 1}")
    with pytest.raises(UserError, match=r"arrays\.channels"):
        arrays("arrays: {channels: 2}")
    assert '"crop": 148, "crop_down": 5' in arrays("arrays: {crop: 148, crop_down: 5}")
    with pytest.raises(UserError, match=r"arrays\.crop_down: .*moves the square of arrays\.crop"):
        arrays("arrays: {crop_down: 5}")


def test_the_schema_file_is_generated_from_the_models() -> None:
    file = ROOT / "workflow/schemas/params.schema.json"
    assert json.loads(file.read_text()) == Settings.model_json_schema()


def test_stages_are_parts_of_the_settings() -> None:
    for kind in STAGES.values():
        for name, field in kind.model_fields.items():
            whole, part = Settings.model_fields[name].annotation, field.annotation
            assert whole == part or issubclass(whole, part)


def test_where_the_raw_data_lie_makes_no_other_stage() -> None:
    """A path is no content: an index of the same images elsewhere is the same."""
    settings = Settings.model_validate({"experiment": "x"})
    moved = Settings.model_validate({"experiment": "x", "data": {"root": "elsewhere"}})
    for kind in STAGES.values():
        assert params.stage(moved, kind).model_dump() == params.stage(settings, kind).model_dump()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train: {iteratons: 5}", r"train\.iteratons: unknown setting; did you mean `iterations`\?"),
        ("trian: {}", r"trian: unknown setting; did you mean `train`\?"),
        ("figures: {gallery: {per_clas: 3}}", r"figures\.gallery\.per_clas.*`per_class`"),
        ("train: {zzz: 5}", r"train\.zzz: unknown setting; there are: seed, batch_size"),
        ("train: {iterations: many}", r"train\.iterations: input should be a valid integer"),
        ("train: {iterations: 50}", r"train: value error, log_every 100 exceeds iterations 50; lower it"),
        ("model: {width: 0}", r"model\.width: input should be greater than 0"),
        ("model: {widht: 1}", r"model\.widht: unknown setting; did you mean `width`\?"),
        ("model: {family: cgan, width: 0}", r"model\.width: input should be greater than 0"),
        ("model: {family: cgan, weight_decy: 1}", r"model\.weight_decy: .*did you mean `weight_decay`\?"),
        ("model: {family: cgan, activation_noise: 0}", r"model\.activation_noise: unknown setting"),
        ("model: {family: gan, sgd: {dekay: 1}}", r"model\.sgd\.dekay: .*did you mean `decay`\?"),
        ("model: {family: cgna}", r"model\.family: unknown family; did you mean `cgan`\?"),
        ("model: {family: [1]}", r"model\.family: unknown family"),
        ("model: 5", r"model: settings are expected, `key: value` lines, not 5"),
        (
            "model: {family: cq, flow: true}",
            r"model.flow: settings are expected, `key: value` lines, not True",
        ),
        ("arrays: {resolution: 50}", r"arrays\.resolution: input should be 8, 32, 48, 64 or 128"),
        ("judge: {name: inception}", r"judge\.name: input should be 'auto'"),
        ("data: {split_size: 10, classes: 20}\nsplits: {2: {train: {seed: 1}}}", r"split 2 .*00\.\.01"),
        ("splits: {1: {train: {sed: 1}}}", r"splits\.1: train\.sed: unknown setting; did you mean `seed`"),
        ("splits: {1: {data: {classes: 1}}}", r"splits\.1\.data"),
        ("splits: {1: {model: {family: cgan}}}", r"splits\.1: model\.family: 'cgan' differs from .* 'acgan'"),
        ("train: [1", r"mine/protocol\.yaml is not valid YAML"),
        ("just words", r"mine/protocol\.yaml must hold settings"),
    ],
)
def test_a_mistake_is_named_with_file_and_key(project: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as error:
        params.load(root=overlay(project, text))
    assert "mine/protocol.yaml" in str(error.value) or "splits." in str(error.value)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("other", "no file .*other/protocol.yaml; protocols there are: mine, yours$"),
        ("mine/zzz", "no file .*mine/zzz.yaml; there are: mine/acgan, mine/own$"),
        ("mine/agcan", r"did you mean `mine/acgan`\?$"),
        ("your/vae", r"did you mean `yours/vae`\?$"),
    ],
)
def test_an_unknown_experiment_is_told_with_the_nearest_or_those_beside_it(
    project: Path, asked: str, told: str
) -> None:
    for name in ("mine/own", "mine/acgan", "yours/vae"):
        write_experiment(project, name, "")
    with pytest.raises(UserError, match=rf"experiment '{asked}' has .*{told}"):
        params.load(asked, project)


def test_a_folder_without_params_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"params.yaml is missing; run from the project's folder"):
        params.load(root=tmp_path)


QUOTES = "write a text in quotes"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("data: {root: 0123}", rf"data\.root: YAML takes 123 .*; {QUOTES}"),
        ("data: {order: 2024-01-01}", rf"data\.order: YAML takes 2024-01-01 .*; {QUOTES}"),
        ("data: {root: true}", rf"data\.root: value error, true is no value of it; {QUOTES}"),
        ("figures: {accuracy_by_resolution: {beside: [64]}}", rf"beside\.0: YAML takes 64 .*; {QUOTES}"),
        ("figures: {examples: {classes: [1, 1e3]}}", rf"classes\.0: .*; figures.*classes\.1: .*{QUOTES}"),
        ("figures: {gallery: {title: 7}}", rf"title: YAML takes 7 .*; {QUOTES}"),
        ("judge: {weights: 7}", rf"judge\.weights: YAML takes 7 .*; {QUOTES}"),
    ],
)
def test_a_name_that_yaml_takes_for_something_else_must_be_quoted(
    project: Path, text: str, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        params.load(root=overlay(project, text))


@pytest.mark.parametrize("name", ["007", "2024_01", "1e3", "0", "null", "on", "12.30", "_", "a-b.c"])
def test_an_experiment_is_called_what_is_written(project: Path, name: str) -> None:
    write_experiment(project, f"mine/{name}", "", "")
    write_experiment(project, f"{name}/{name}", "", "")
    assert params.load(f"mine/{name}", project).experiment == f"mine/{name}"
    (project / "params.yaml").write_text(f"protocol: '{name}'\nexperiment: '{name}/{name}'\n")
    assert params.load(root=project).protocol == name
    assert params.load(name, project).experiment == name


@pytest.mark.parametrize("name", ["007", "1e3", "2024_01", "0", "2024-01-01", "true", ".5"])
def test_a_name_in_params_yaml_that_is_no_text_must_be_quoted(project: Path, name: str) -> None:
    """DVC reads it there, too, and would take it for a number."""
    (project / "params.yaml").write_text(f"experiment: {name}\n")
    with pytest.raises(UserError, match=rf"params\.yaml: experiment: .*{QUOTES}"):
        params.load(root=project)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../x", "-x", ".x", "a b", "a/", "/a", "a//b", "a/b/c/d", "a\nb", "ä", "$x", "a;b"],
)
def test_what_is_no_name_of_a_file_names_no_experiment(project: Path, name: str) -> None:
    with pytest.raises(UserError, match="the experiment asked for: experiment: must be of letters, digits"):
        params.load(name, project)


@pytest.mark.parametrize("value", ["null", "~", ""])
def test_nothing_is_no_experiment(project: Path, value: str) -> None:
    (project / "params.yaml").write_text(f"experiment: {value}\n")
    with pytest.raises(UserError, match=r"params\.yaml: `experiment` is missing; name a file"):
        params.load(root=project)


@pytest.mark.parametrize("word", ["007", "1e3", "0", "null", "", "[a]", "2024_01", "True"])
def test_snakemake_s_config_is_taken_to_the_letter(word: str) -> None:
    """However Snakemake takes it, and in a job, too, which it hands the same words."""
    for words in ([f"experiment={word}"], [f"experiment='{word}'"], ["experiment=x", f"experiment={word}"]):
        assert params.as_written(parse_config(words), "experiment", words) == word


def test_without_a_word_a_file_of_config_says_it_or_nobody() -> None:
    assert params.as_written({}, "experiment", []) is None
    assert params.as_written({"experiment": "x"}, "experiment", []) == "x"
    with pytest.raises(UserError, match="`experiment` is null"):
        params.as_written({"experiment": None}, "experiment", [])


def test_a_number_of_a_file_of_config_names_no_experiment(project: Path) -> None:
    with pytest.raises(UserError, match=f"experiment: YAML takes 7 .*; {QUOTES}"):
        params.load(params.as_written({"experiment": 7}, "experiment", []), project)


def test_one_split_can_differ_and_the_others_do_not_notice(project: Path) -> None:
    settings = params.load(root=overlay(project, "splits: {7: {train: {iterations: 800}}}"))

    def stage(split: str) -> str:
        return params.canonical_json(params.stage(settings, TrainStage, split))

    assert json.loads(stage("07"))["train"]["iterations"] == 800
    assert stage("06") == stage("08") != stage("07")


def test_a_change_of_params_yaml_that_an_experiment_overrides_is_said_with_the_place_for_it(
    project: Path,
) -> None:
    overlay(project, "train: {iterations: 2000, seed: 3}\ndata: {root: 'my images', classes: 4}")
    (project / "params.yaml").write_text(
        "experiment: mine\ntrain: {iterations: 50, seed: 3, log_every: 10}\n"
        "data: {root: 'their images', classes: 1000}\nsplits: {}\n"
    )
    root, iterations = params.overridden(root=project)  # neither what is equal nor what is not overridden
    file = project / "experiments/mine/protocol.yaml"
    assert iterations == (
        f"params.yaml: train.iterations is 50, but {file} says 2000, which decides: set it there, or `dvc "
        f"exp run -S {file}:train.iterations=50`; here put back the shipped value, 50000"
    )
    assert f"""`dvc exp run -S '{file}:data.root="their images"'`""" in root


def test_another_family_begins_with_its_own_settings_and_what_is_lost_by_that_is_said(project: Path) -> None:
    overlay(project, "model: {family: cgan, beta1: 0.4}")
    (project / "params.yaml").write_text(
        "experiment: mine\nmodel: {family: acgan, width: 0.5, latent: 100, beta1: 0.5, saturating: true}\n"
    )
    settings = params.load(root=project)
    assert settings.model == CganConfig(beta1=0.4)
    saturating, width = params.overridden(root=project)  # not what is as shipped, or stands in the file too
    assert "model.saturating is true, but" in saturating
    assert 'takes another family, "cgan", which begins with its own settings: set it there' in width
    assert width.endswith("put back the shipped value, 1.0")


@pytest.mark.parametrize("name", params.experiments_of(ROOT))
def test_params_yaml_as_it_is_shipped_is_in_no_experiment_s_way(name: str) -> None:
    assert params.overridden(name, ROOT) == []


def test_a_split_s_own_value_in_params_yaml_is_in_force_or_said(project: Path) -> None:
    (project / "params.yaml").write_text("experiment: mine\nsplits: {3: {train: {seed: 1}}}\n")
    assert params.overridden(root=overlay(project, "splits: {4: {train: {seed: 2}}}")) == []
    (line,) = params.overridden(root=overlay(project, "splits: {3: {train: {seed: 2}}}"))
    assert "splits.3.train.seed is 1, but" in line
    assert line.endswith("here take it out")


def test_small_numbers_in_yaml_need_no_dot(project: Path) -> None:
    settings = params.load(root=overlay(project, "model: {generator_lr: 2e-4}"))
    assert settings.model.generator_lr == 2.0e-4


def fields(kind: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted name and annotation of every setting."""
    for name, field in kind.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from fields(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field.annotation


def with_value(name: str, value: object) -> dict[str, Any]:
    first, *rest = name.split(".")
    return {first: with_value(".".join(rest), value) if rest else value}


NUMBERS = [name for name, kind in fields(Settings) if {int, float} & {kind, *get_args(kind)}]
FLOATS = [name for name, kind in fields(Settings) if float in (kind, *get_args(kind))]
SEEDS = [name for name in NUMBERS if name.endswith("seed")]
TEXTS = [name for name, kind in fields(Settings) if kind is str or kind == str | None]


def refused(name: str, value: object) -> str:
    with pytest.raises(UserError, match=f"{name}: ") as told:
        params.parse(Settings, {"experiment": "x"} | with_value(name, value), "here")
    return str(told.value)


@pytest.mark.parametrize("name", SEEDS)
@pytest.mark.parametrize("seed", [-3, 2**32, 10**20])
def test_a_seed_is_one_that_every_library_takes(name: str, seed: int) -> None:
    refused(name, seed)
    values = with_value(name, 2**32 - 1)
    if OF_STUDIES in values:
        values[OF_STUDIES]["order"] = "shuffled"  # else a seed has no effect
    params.parse(Settings, {"experiment": "x"} | values, "here")
    numpy.random.RandomState(2**32 - 1)


@pytest.mark.parametrize("name", FLOATS)
def test_a_number_is_finite(name: str) -> None:
    for value in (math.nan, math.inf, -math.inf, "nan", "inf"):
        assert "finite number" in refused(name, value)


@pytest.mark.parametrize("name", sorted({*NUMBERS} - {"model.revision"}))
def test_no_number_is_a_truth_or_beyond_all_measure(name: str) -> None:
    assert "true is no value of it" in refused(name, True)
    refused(name, -1)
    if name not in FLOATS:
        refused(name, 10**20)


@pytest.mark.parametrize("name", [name for name in TEXTS if name != "experiment"])
def test_a_text_holds_no_control_character(name: str) -> None:
    assert "without control characters" in refused(name, "a\0b")
    if not name.endswith("title"):
        assert "one line" in refused(name, "a\nb")
        assert "not empty" in refused(name, "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("splits: {3: {train: {seed: -3}}}", r"splits\.3: train\.seed: input should be greater"),
        ("splits: {3: {model: {width: .inf}}}", r"splits\.3: model\.width: input should be a finite"),
        ("splits: {true: {}}", "splits: value error, a split is a number"),
        ("splits: {3: {}, '03': {}}", "splits: value error, one split stands twice"),
        ("accuracy: {resolutions: []}", r"accuracy\.resolutions: tuple should have at least 1"),
        ("accuracy: {resolutions: [32, 32]}", "one stands twice"),
        ("figures: {examples: {classes: []}}", r"examples\.classes: tuple should have at least 1"),
    ],
)
def test_what_could_only_fail_later_is_refused_at_once(project: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        params.load(root=overlay(project, text))


def test_settings_cannot_be_changed_in_place() -> None:
    settings: Frozen = Settings(experiment="x")
    with pytest.raises(ValueError, match="frozen"):
        settings.experiment = "y"
