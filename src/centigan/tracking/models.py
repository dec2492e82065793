"""The generator of a split as a model of MLflow's: weights, code, a description, what was measured."""

import hashlib
import json
import logging
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from mlflow.entities import LoggedModelOutput, LoggedModelStatus, Metric
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema, TensorSpec
from mlflow.types.schema import AnyType

from centigan import __version__
from centigan.classes import named, read_classes
from centigan.intact import require_its_text_encoder
from centigan.layout import Layout
from centigan.manifest import channels_of, levels_of, read_facts
from centigan.params import for_split
from centigan.settings import Settings
from centigan.tracking.attachments import MAX_DIGEST, dataset_name
from centigan.tracking.labels import NOTE
from centigan.tracking.record import SplitRecord, Trained
from centigan.tracking.runs import GENERATOR, MODEL, SCORES, StoredRun

SAMPLER = Path(__file__).with_name("sampler.py")  # not imported: MLflow stores it and runs it
LISTED = 50  # classes that a description names
FORBIDDEN = str.maketrans({".": "·", "/": "-", ":": "-", "%": "-", '"': "-", "'": "-"})  # by MLflow in names
DESCRIPTION = """\
Draws {resolution} x {resolution} images of the {count} classes of split {split}, trained on `{data}`.

```python
generator = mlflow.pyfunc.load_model("models:/{id}")
images = generator.predict([{example}, 0], params={{"seed": 1}})
# uint8 (2, {resolution}, {resolution}, 3); a class is a name or a position
```

```sh
mlflow models serve -m models:/{id} --env-manager local --port 5001
curl http://127.0.0.1:5001/invocations -H 'Content-Type: application/json' \\
  -d '{{"inputs": [{example}, 0], "params": {{"seed": 1}}}}'
```

{by_caption}Classes by position: {classes}
"""
BY_CAPTION = """\
It draws sentences, too: a table with a column `caption`.

```python
generator.predict(pd.DataFrame({"caption": ["a small red circle"]}), params={"seed": 1})
```

```sh
curl http://127.0.0.1:5001/invocations -H 'Content-Type: application/json' \\
  -d '{"dataframe_split": {"columns": ["caption"], "data": [["a small red circle"]]}}'
```

"""


def log_generator(
    run: StoredRun, layout: Layout, settings: Settings, record: SplitRecord, trained: Trained, name: str
) -> str:
    """Log a split's generator as a model; an upload that was cut short is replaced. Returns the model's id.

    Its name is for good, unlike a run's: MLflow has no way to change it.
    """
    client, experiment = run.client, run.run.info.experiment_id
    for found in client.search_logged_models([experiment], f"source_run_id = '{run.id}'"):
        if found.status == LoggedModelStatus.READY and found.tags.get(GENERATOR) == trained.generator:
            return found.model_id
        client.delete_logged_model(found.model_id)
    model = client.create_logged_model(
        experiment,
        name=name.translate(FORBIDDEN),
        source_run_id=run.id,
        tags={GENERATOR: trained.generator, "centigan.split": record.name},
        params=record.params,
        model_type="generator",
    )
    said = _description(layout, settings, record.name, trained, model.model_id)
    client.set_logged_model_tags(model.model_id, {NOTE: said})
    with TemporaryDirectory() as folder:
        entry = Model(
            artifact_path=model.artifact_location,
            model_uuid=model.model_id,
            model_id=model.model_id,
            run_id=run.id,
        )
        _save(Path(folder), entry, layout, settings, record.name, trained)
        client.log_model_artifacts(model.model_id, f"{folder}/model")
    client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    client.log_outputs(run.id, [LoggedModelOutput(model.model_id, step=0)])
    return model.model_id


def log_scores(
    run: StoredRun, layout: Layout, split: str, trained: Trained, scores: dict[str, float]
) -> None:
    """Say of a split's model what the run says of the split, and of which data; once."""
    model = run.tags[MODEL]
    text = json.dumps([model, scores], sort_keys=True, allow_nan=False)
    known = hashlib.sha256(text.encode()).hexdigest()
    if run.tags.get(SCORES) == known:
        return
    data = {
        "dataset_name": dataset_name(layout, split),
        "dataset_digest": trained.arrays["images.npy"][:MAX_DIGEST],
    }
    metrics = [Metric(name, value, run.start, 0, model_id=model, **data) for name, value in scores.items()]
    run.client.log_batch(run.id, metrics=metrics)
    run.add([], params={}, tags={SCORES: known})


def _description(layout: Layout, settings: Settings, split: str, trained: Trained, model: str) -> str:
    names = [f"{position}: {name}" for position, name in enumerate(trained.classes)]
    more = (
        [f"and {len(names) - LISTED} more, in the run's tag `centigan.classes`"]
        if len(names) > LISTED
        else []
    )
    return DESCRIPTION.format(
        id=model,
        split=split,
        data=dataset_name(layout, split),
        resolution=settings.arrays.resolution,
        count=len(names),
        example=json.dumps(trained.classes[-1]).replace("'", "\\u0027"),  # within quotes of a shell
        by_caption=BY_CAPTION if "by_caption" in settings.model.abilities else "",
        classes=", ".join(names[:LISTED] + more),
    )


def _save(
    folder: Path, entry: Model, layout: Layout, settings: Settings, split: str, trained: Trained
) -> None:
    """Write folder/model: weights, settings and the code that samples, with nothing pickled."""
    resolution, trained_on = settings.arrays.resolution, read_facts(layout.train(split))
    model = for_split(settings, split).model
    if "by_caption" in model.abilities:
        require_its_text_encoder(layout, split)
    classes = named(model.groups(trained.classes), split, read_classes(layout))
    facts = {
        "model": model.model_dump(mode="json"),
        "classes": [each._asdict() for each in classes],
        "resolution": resolution,
        "channels": channels_of(trained_on),
        "levels": levels_of(trained_on),
        "embedding": trained_on.get("embedding", 0),
    }
    (folder / "settings.json").write_text(json.dumps(facts, allow_nan=False), encoding="utf-8")
    signature = ModelSignature(
        inputs=Schema([ColSpec(AnyType())]),  # names and positions; unnamed, it takes tables, lists, arrays
        outputs=Schema([TensorSpec(np.dtype("uint8"), (-1, resolution, resolution, 3))]),
        params=ParamSchema([ParamSpec("seed", "long", 0)]),
    )
    example = pd.DataFrame({"class": trained.classes})
    logging.getLogger("mlflow.pyfunc").setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # while it is imported, of type hints within MLflow itself
        from mlflow import pyfunc

        pyfunc.save_model(
            folder / "model",
            python_model=SAMPLER,
            artifacts={
                "settings": str(folder / "settings.json"),
                **{name: str(layout.train(split) / f"{name}.safetensors") for name in model.sampled},
                **({"text": str(layout.text)} if "by_caption" in model.abilities else {}),
            },
            signature=signature,
            input_example=(example, {"seed": 0}),
            pip_requirements=[f"centigan=={__version__}"],  # inferring them would import everything
            mlflow_model=entry,
        )
