import json
from pathlib import Path

import pytest
import yaml

from centigan import params
from centigan.errors import UserError
from centigan.settings import Settings
from centigan.settings.frozen import Frozen
from centigan.settings.stages import STAGES, TrainStage

ROOT = Path(__file__).parents[1]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "params.yaml").write_text("experiment: mine\ntrain: {iterations: 1000, seed: 3}\n")
    (tmp_path / "experiments").mkdir()
    return tmp_path


def overlay(project: Path, text: str) -> Path:
    (project / "experiments" / "mine.yaml").write_text(text)
    return project


def test_an_experiment_overlays_key_by_key(project: Path) -> None:
    settings = params.load(root=overlay(project, "train: {iterations: 2000}"))
    assert (settings.train.iterations, settings.train.seed) == (2000, 3)
    assert settings.train.batch_size == 100  # the paper's


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "experiments").glob("*.yaml")))
def test_every_experiment_that_is_shipped_is_valid(name: str) -> None:
    assert params.load(name, ROOT).experiment == name


def test_params_yaml_holds_the_papers_values_and_every_key() -> None:
    written = yaml.safe_load((ROOT / "params.yaml").read_text())
    assert written == Settings(experiment="demo").model_dump(mode="json")


def test_the_schema_file_is_generated_from_the_models() -> None:
    file = ROOT / "workflow/schemas/params.schema.json"
    assert json.loads(file.read_text()) == Settings.model_json_schema()


def test_stages_are_parts_of_the_settings() -> None:
    for kind in STAGES.values():
        for name, field in kind.model_fields.items():
            assert field.annotation == Settings.model_fields[name].annotation


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
        ("arrays: {resolution: 48}", r"arrays\.resolution: input should be 32, 64 or 128"),
        ("judge: {name: inception}", r"judge\.name: input should be 'auto'"),
        ("data: {split_size: 10, classes: 20}\nsplits: {2: {train: {seed: 1}}}", r"split 2 .*00\.\.01"),
        ("splits: {1: {train: {sed: 1}}}", r"splits\.1: train\.sed: unknown setting; did you mean `seed`"),
        ("splits: {1: {data: {classes: 1}}}", r"splits\.1\.data"),
        ("train: [1", r"mine\.yaml is not valid YAML"),
        ("just words", r"mine\.yaml must hold settings"),
    ],
)
def test_a_mistake_is_named_with_file_and_key(project: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as error:
        params.load(root=overlay(project, text))
    assert "mine.yaml" in str(error.value) or "splits." in str(error.value)


def test_an_unknown_experiment_lists_the_known(project: Path) -> None:
    overlay(project, "")
    with pytest.raises(UserError, match=r"experiment 'other' has no file .*there are: mine"):
        params.load("other", project)


def test_a_folder_without_params_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"params.yaml is missing; run from the project's folder"):
        params.load(root=tmp_path)


def test_one_split_can_differ_and_the_others_do_not_notice(project: Path) -> None:
    settings = params.load(root=overlay(project, "splits: {7: {train: {iterations: 800}}}"))

    def stage(split: str) -> str:
        return params.canonical_json(params.stage(settings, TrainStage, split))

    assert json.loads(stage("07"))["train"]["iterations"] == 800
    assert stage("06") == stage("08") != stage("07")


def test_small_numbers_in_yaml_need_no_dot(project: Path) -> None:
    settings = params.load(root=overlay(project, "model: {generator_lr: 2e-4}"))
    assert settings.model.generator_lr == 2.0e-4


def test_settings_cannot_be_changed_in_place() -> None:
    settings: Frozen = Settings(experiment="x")
    with pytest.raises(ValueError, match="frozen"):
        settings.experiment = "y"
