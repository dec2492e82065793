"""What a run carries beside numbers: training data, generator, sheet of samples, page and figures."""

import json
import logging
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, LoggedModelOutput, LoggedModelStatus
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema, TensorSpec

from centigan import __version__
from centigan.layout import Layout
from centigan.params import for_split
from centigan.settings import Settings
from centigan.tracking.record import SplitRecord, Trained, sample_grid
from centigan.tracking.runs import GENERATOR, StoredRun

MODEL = "generator"
MAX_DIGEST = 36  # characters that MLflow stores of a dataset's digest
SAMPLER = Path(__file__).with_name("sampler.py")  # not imported: MLflow stores it and runs it


def log_dataset(run: StoredRun, layout: Layout, split: str, trained: Trained) -> None:
    """Name the arrays that a split was trained on, by their hash; once a run."""
    if run.run.inputs and run.run.inputs.dataset_inputs:
        return
    arrays = layout.arrays(split)
    source = {"uri": arrays.relative_to(layout.root).as_posix(), "sha256": trained.arrays}
    dataset = Dataset(
        name=f"{layout.experiment}/{split}",
        digest=trained.arrays["images.npy"][:MAX_DIGEST],
        source_type="local",
        source=json.dumps(source, allow_nan=False),
        schema=None,
        profile=json.dumps(_profile(arrays) | {"classes": trained.classes}, allow_nan=False),
    )
    inputs = [DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])]
    run.client.log_inputs(run.id, datasets=inputs)


def log_generator(
    run: StoredRun, layout: Layout, settings: Settings, record: SplitRecord, trained: Trained
) -> None:
    """Log a split's generator as a model; an upload that was cut short is replaced."""
    client, experiment = run.client, run.run.info.experiment_id
    for found in client.search_logged_models([experiment], f"source_run_id = '{run.id}'"):
        if found.status == LoggedModelStatus.READY and found.tags.get(GENERATOR) == trained.generator:
            return
        client.delete_logged_model(found.model_id)
    model = client.create_logged_model(
        experiment,
        name=MODEL,
        source_run_id=run.id,
        tags={GENERATOR: trained.generator, "centigan.split": record.name},
        params=record.params,
        model_type="generator",
    )
    with TemporaryDirectory() as folder:
        entry = Model(
            artifact_path=model.artifact_location,
            model_uuid=model.model_id,
            model_id=model.model_id,
            run_id=run.id,
        )
        _save_model(Path(folder), entry, layout, settings, record.name, trained)
        client.log_model_artifacts(model.model_id, f"{folder}/model")
    client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    client.log_outputs(run.id, [LoggedModelOutput(model.model_id, step=0)])


def log_sample_sheet(run: StoredRun, layout: Layout, split: str) -> None:
    """The first samples of each class as samples.png."""
    run.client.log_image(run.id, sample_grid(layout, split), artifact_file="samples.png")


def log_report(run: StoredRun, layout: Layout) -> None:
    """Summary, tables, figures and the site of pages, overwritten by name."""
    client: MlflowClient = run.client
    client.log_artifact(run.id, str(layout.summary))
    for folder in ("tables", "figures", layout.report.parent.name):
        client.log_artifacts(run.id, str(layout.results / folder), folder)


def _profile(arrays: Path) -> dict[str, Any]:
    """Sizes of the training data, where they lie here."""
    if not (arrays / "images.npy").exists():
        return {}
    return {"images_shape": np.load(arrays / "images.npy", mmap_mode="r").shape}


def _save_model(
    folder: Path, entry: Model, layout: Layout, settings: Settings, split: str, trained: Trained
) -> None:
    """Write folder/model: weights, settings and the code that samples, with nothing pickled."""
    resolution = settings.arrays.resolution
    model = for_split(settings, split).model.model_dump(mode="json")
    facts = {"model": model, "classes": trained.classes, "resolution": resolution}
    (folder / "settings.json").write_text(json.dumps(facts, allow_nan=False), encoding="utf-8")
    signature = ModelSignature(
        inputs=Schema([ColSpec("long")]),  # without a name, it takes tables and arrays
        outputs=Schema([TensorSpec(np.dtype("uint8"), (-1, resolution, resolution, 3))]),
        params=ParamSchema([ParamSpec("seed", "long", 0)]),
    )
    example = pd.DataFrame({"class": range(len(trained.classes))}, dtype="int64")
    logging.getLogger("mlflow.pyfunc").setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # while it is imported, of type hints within MLflow itself
        from mlflow import pyfunc

        pyfunc.save_model(
            folder / "model",
            python_model=SAMPLER,
            artifacts={
                "settings": str(folder / "settings.json"),
                MODEL: str(layout.train(split) / "generator.safetensors"),
            },
            signature=signature,
            input_example=(example, {"seed": 0}),
            pip_requirements=[f"centigan=={__version__}"],  # inferring them would import everything
            mlflow_model=entry,
        )
