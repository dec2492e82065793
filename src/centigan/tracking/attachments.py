"""What a run carries beside numbers: training data, sheet of samples, the report and its figures."""

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag

from centigan.layout import Layout
from centigan.tracking.one_page import one_page
from centigan.tracking.record import Trained, sample_grid
from centigan.tracking.runs import StoredRun

MAX_DIGEST = 36  # characters that MLflow stores of a dataset's digest


def dataset_name(layout: Layout, split: str) -> str:
    """What a split's training data are called, the same for all experiments of a protocol."""
    return f"{layout.shared.experiment}/{split}"


def log_dataset(run: StoredRun, layout: Layout, split: str, trained: Trained) -> None:
    """Name the arrays that a split was trained on, by their hash; once a run."""
    if run.run.inputs and run.run.inputs.dataset_inputs:
        return
    arrays = layout.arrays(split)
    source = {"uri": arrays.relative_to(layout.root).as_posix(), "sha256": trained.arrays}
    dataset = Dataset(
        name=dataset_name(layout, split),
        digest=trained.arrays["images.npy"][:MAX_DIGEST],
        source_type="local",
        source=json.dumps(source, allow_nan=False),
        schema=None,
        profile=json.dumps(_profile(arrays) | {"classes": trained.classes}, allow_nan=False),
    )
    inputs = [DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])]
    run.client.log_inputs(run.id, datasets=inputs)


def log_sample_sheet(run: StoredRun, layout: Layout, split: str) -> None:
    """The first samples of each class as samples.png."""
    run.client.log_image(run.id, sample_grid(layout, split), artifact_file="samples.png")


def log_report(run: StoredRun, layout: Layout, classes: int) -> None:
    """Summary, tables, figures, the report as one page to look at and as a site to download."""
    client: MlflowClient = run.client
    client.log_artifact(run.id, str(layout.summary))
    for folder in ("tables", "figures"):
        client.log_artifacts(run.id, str(layout.results / folder), folder)
    client.log_text(run.id, one_page(layout.report, classes), "report.html")
    with TemporaryDirectory() as folder:  # one file: a site of a thousand classes has seven thousand
        site = shutil.make_archive(f"{folder}/report", "zip", layout.results, layout.report.parent.name)
        client.log_artifact(run.id, site)


def _profile(arrays: Path) -> dict[str, Any]:
    """Sizes of the training data, where they lie here."""
    if not (arrays / "images.npy").exists():
        return {}
    return {"images_shape": np.load(arrays / "images.npy", mmap_mode="r").shape}
