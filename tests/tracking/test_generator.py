"""The generator of a split as a model of MLflow's, and the data it was trained on."""

import json
import re
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from toy import SIDE, SPLITS

from centigan.layout import Layout
from centigan.settings import Settings
from centigan.tracking import track

NAMES = list(SPLITS)


@pytest.fixture
def identity(layout: Layout, settings: Settings, store: str) -> dict[str, Any]:
    found = track(layout, settings, NAMES, tracking_uri=store)
    assert found
    return found


@pytest.mark.filterwarnings("ignore")  # MLflow warns of its own type hints while it is imported
def test_the_generator_is_loaded_and_samples(
    identity: dict[str, Any], store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    run = MlflowClient(store).get_run(identity["child_run_ids"]["01"])
    (output,) = run.outputs.model_outputs
    uris = [f"models:/{output.model_id}", f"models:/{identity['model_ids']['01']}"]
    model, same = map(mlflow.pyfunc.load_model, uris)
    assert same.metadata.model_id == model.metadata.model_id
    images = model.predict(pd.DataFrame({"class": [0, 1, 1]}), params={"seed": 3})
    assert (images.dtype, images.shape) == (np.uint8, (3, SIDE, SIDE, 3))
    assert (images != model.predict(np.array([0, 1, 1]))).any()
    assert len(model.predict(model.input_example)) == 2, model.input_example
    for asked in (
        np.array([0, 1, 1]),
        ["emu", "fox", "The Fox"],
        np.array(["emu", "fox", "fox"]),
        ["emu", 1, "fox"],
    ):
        assert (images == model.predict(asked, params={"seed": 3})).all(), asked
    for asked, told in (
        (np.array([2]), "positions are 0..1: emu, fox"),
        (["fux"], "did you mean `fox`?"),
        (pd.DataFrame({"class": ["fox", 2, "emu", "fux"]}), "number 2 of 4: no class 2: positions are"),
        (pd.DataFrame({"class": ["fox", 2, "emu", "fux"]}), "number 4 of 4: no class 'fux'"),
        (
            pd.DataFrame({"id": [1], "class": ["fox"]}),
            "the first column is called 'id', and it alone is read",
        ),
        (pd.DataFrame({"caption": ["a fox"]}), "draws without captions; ask for classes"),
    ):
        with pytest.raises(MlflowException, match=re.escape(told)):
            model.predict(asked)


def test_the_model_has_a_signature_and_nothing_pickled(identity: dict[str, Any], store: str) -> None:
    (model,) = MlflowClient(store).search_logged_models(
        [identity["experiment_id"]], f"source_run_id = '{identity['child_run_ids']['00']}'"
    )
    folder = Path(model.artifact_location.removeprefix("file://"))
    names = {path.name for path in folder.rglob("*") if path.is_file()}
    assert {"generator.safetensors", "settings.json", "sampler.py", "input_example.json"} <= names
    assert not [name for name in names if name.endswith((".pkl", ".pickle", ".pt"))]
    description = (folder / "MLmodel").read_text()
    assert '"dtype": "uint8", "shape": [-1, 32,' in description
    classes = json.loads((folder / "artifacts" / "settings.json").read_text())["classes"]
    assert [each["id"] for each in classes] == ["cat", "dog"]


def test_the_model_says_what_it_is_how_to_call_it_and_how_good_it_is(
    identity: dict[str, Any], store: str
) -> None:
    client = MlflowClient(store)
    model = client.get_logged_model(identity["model_ids"]["01"])
    run = client.get_run(identity["child_run_ids"]["01"])
    assert model.name == run.info.run_name.replace(".", "·")  # which MLflow forbids in a model's name
    description = model.tags["mlflow.note.content"]
    assert "0: emu, 1: fox" in description
    assert f"mlflow models serve -m models:/{model.model_id} --env-manager local" in description
    assert model.params["train.seed"] == "7"
    (data,) = run.inputs.dataset_inputs
    scores = {metric.key: metric.value for metric in model.metrics}
    assert scores == {k: v for k, v in run.data.metrics.items() if not k.startswith("training/")}
    assert {(m.dataset_name, m.dataset_digest) for m in model.metrics} == {("toy/01", data.dataset.digest)}


def test_a_run_names_the_arrays_it_was_trained_on_once(
    identity: dict[str, Any], layout: Layout, settings: Settings, store: str
) -> None:
    track(layout, settings, NAMES, tracking_uri=store)
    (data,) = MlflowClient(store).get_run(identity["child_run_ids"]["01"]).inputs.dataset_inputs
    assert data.dataset.name == "toy/01"
    assert data.dataset.digest == ("01" * 32)[:36]
    assert json.loads(data.dataset.source)["uri"] == "results/toy/arrays/01"


def test_every_run_can_be_chosen_by_what_it_is(identity: dict[str, Any], store: str) -> None:
    shared = ("experiment", "family", "width", "data", "revision")
    for run in MlflowClient(store).search_runs([identity["experiment_id"]]):
        tags = {name: run.data.tags[f"centigan.{name}"] for name in shared}
        expected = ("toy", "acgan", "0.05", "digits", identity["revision"])
        assert tags == dict(zip(shared, expected, strict=True))
        assert run.data.tags["centigan.arrays"]


def test_an_upload_that_was_cut_short_is_replaced(
    identity: dict[str, Any], layout: Layout, settings: Settings, store: str
) -> None:
    client, run_id = MlflowClient(store), identity["child_run_ids"]["00"]
    client.delete_tag(run_id, "centigan.generator")  # what is set last
    (model,) = client.search_logged_models([identity["experiment_id"]], f"source_run_id = '{run_id}'")
    client.finalize_logged_model(model.model_id, "FAILED")
    track(layout, settings, NAMES, tracking_uri=store)
    (anew,) = client.search_logged_models([identity["experiment_id"]], f"source_run_id = '{run_id}'")
    assert anew.model_id != model.model_id
    assert str(anew.status) == "READY"
