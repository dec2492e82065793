"""Writes an experiment to an MLflow store: one parent run a revision, one child run a split.

Publishing again finds the same runs by their tags, completes what an interruption left out, and
overwrites artifacts by name; a finished run gets no second parameter or point.
"""

import fcntl
import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from centigan import __version__
from centigan.atomic import write_text
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.settings import Settings
from centigan.tracking.record import Point, Record, SplitRecord, read, sample_grid

log = logging.getLogger(__name__)

MAX_PARAM = 6000  # characters that MLflow stores of a parameter
MAX_TAG = 8000


def publish(
    layout: Layout, settings: Settings, splits: list[str], *, tracking_uri: str | None = None
) -> dict[str, Any]:
    """Mirror one finished experiment and write mlflow.json: the ids of its runs.

    The store is `tracking_uri`, else MLFLOW_TRACKING_URI, else mlflow.db in the working directory.

    Raises:
        UserError: for an unfinished experiment, or a store that is away, hangs or refuses.
    """
    uri = tracking_uri or os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{Path.cwd()}/mlflow.db"
    record = read(layout, settings, splits)
    with _alone(layout.root / "scratch" / "publish.lock"), _store_errors(uri, layout):
        identity = _mirror(MlflowClient(tracking_uri=uri), record, layout=layout, settings=settings, uri=uri)
    write_text(layout.published, json.dumps(identity, indent=2, sort_keys=True) + "\n")
    return identity


def _mirror(
    client: MlflowClient, record: Record, *, layout: Layout, settings: Settings, uri: str
) -> dict[str, Any]:
    name = f"centigan/{settings.experiment}"
    experiment = _experiment(client, name, _artifact_root(uri))
    parent = _run(
        client,
        experiment,
        {"centigan.revision": record.revision},
        name=f"{settings.experiment} @ {record.revision[:7]}",
        start=record.start,
    )
    points = _summary_points(record, parent.info.start_time)
    _log_values(client, parent, params=record.params, points=points)
    _log_tags(client, parent, tags=_parent_tags(settings, record))
    _log_artifacts(client, parent, layout=layout)
    children = {split.name: _mirror_split(client, parent, split, layout=layout) for split in record.splits}
    _finish(client, parent, end=max((end for _, end in children.values()), default=None))
    return {
        "experiment_id": experiment,
        "experiment_name": name,
        "revision": record.revision,
        "parent_run_id": parent.info.run_id,
        "child_run_ids": {split: run_id for split, (run_id, _) in children.items()},
    }


def _mirror_split(
    client: MlflowClient, parent: Run, split: SplitRecord, *, layout: Layout
) -> tuple[str, int]:
    """The id of a split's run, and when its training ended (ms)."""
    run = _run(
        client,
        parent.info.experiment_id,
        {"mlflow.parentRunId": parent.info.run_id, "centigan.split": split.name},
        name=f"split {split.name}",
        start=split.start,
    )
    points = split.points(run.info.start_time)
    _log_values(client, run, params=split.params, points=points)
    _log_tags(client, run, tags=_split_tags(split))
    client.log_image(run.info.run_id, sample_grid(layout, split.name), artifact_file="samples.png")
    end = max(point.timestamp for point in points)
    _finish(client, run, end=end)
    return run.info.run_id, end


def _experiment(client: MlflowClient, name: str, artifact_root: str | None) -> str:
    """The id of the experiment, created once; `mlflow.set_experiment` races and is not used."""
    found = client.get_experiment_by_name(name)
    if found is None:
        return client.create_experiment(name, artifact_location=artifact_root)
    if found.lifecycle_stage != "active":
        raise UserError(
            f"MLflow's experiment {name} was deleted; bring it back with `mlflow "
            f"experiments restore --experiment-id {found.experiment_id}`, then publish again"
        )
    return found.experiment_id


def _run(
    client: MlflowClient, experiment: str, identity: dict[str, str], *, name: str, start: int | None
) -> Run:
    """The run with these tags; the first call creates it."""
    where = " and ".join(f"tags.`{key}` = '{value}'" for key, value in identity.items())
    found = client.search_runs([experiment], where)
    if not found:
        start = start or time.time_ns() // 1_000_000
        return client.create_run(experiment, start_time=start, tags=identity, run_name=name)
    # A server that hung while a request was tried again has made the run more than once.
    keep, *doubles = sorted(found, key=lambda run: (run.info.status != "FINISHED", run.info.run_id))
    for run in doubles:
        client.delete_run(run.info.run_id)
    return keep


def _log_values(client: MlflowClient, run: Run, *, params: dict[str, str], points: list[Point]) -> None:
    """Parameters and points that the run lacks; a finished run lacks none."""
    if run.info.status == "FINISHED":
        return
    run_id = run.info.run_id
    logged = {
        (metric.key, metric.step)
        for key in run.data.metrics
        for metric in client.get_metric_history(run_id, key)
    }
    missing = [point for point in points if (point.key, point.step) not in logged]
    client.log_batch(  # in requests of at most 1000 points and 100 parameters
        run_id,
        params=[Param(key, _clip(value, MAX_PARAM)) for key, value in params.items()],
        metrics=[Metric(p.key, p.value, p.timestamp, p.step) for p in missing],
    )


def _log_tags(client: MlflowClient, run: Run, *, tags: dict[str, str]) -> None:
    entities = [RunTag(key, _clip(value, MAX_TAG)) for key, value in tags.items()]
    client.log_batch(run.info.run_id, tags=entities)


def _log_artifacts(client: MlflowClient, run: Run, *, layout: Layout) -> None:
    client.log_artifact(run.info.run_id, str(layout.summary))
    client.log_artifact(run.info.run_id, str(layout.report), "report")
    for folder in ("tables", "figures"):
        client.log_artifacts(run.info.run_id, str(layout.results / folder), folder)


def _finish(client: MlflowClient, run: Run, *, end: int | None) -> None:
    if run.info.status != "FINISHED":
        client.set_terminated(run.info.run_id, "FINISHED", end_time=end)


def _summary_points(record: Record, timestamp: int) -> list[Point]:
    return [Point(name, value, 0, timestamp) for name, value in record.summary.items()]


def _parent_tags(settings: Settings, record: Record) -> dict[str, str]:
    return {
        "centigan.experiment": settings.experiment,
        "centigan.version": __version__,
        "centigan.width": f"{settings.model.width:g}",
        "centigan.data": settings.data.source,
        "mlflow.note.content": _description(settings, record),
        **_commit_tags(",".join(record.commits)),
    }


def _split_tags(split: SplitRecord) -> dict[str, str]:
    return {
        "centigan.classes": ",".join(split.classes),
        **_commit_tags(split.commit or ""),
    }


def _commit_tags(commit: str) -> dict[str, str]:
    """Ours, and MLflow's own for its column Source; none for results made outside git."""
    if not commit:
        return {}
    shown = {"mlflow.source.name": "centigan", "mlflow.source.type": "LOCAL"}
    return {"centigan.commit": commit, "mlflow.source.git.commit": commit, **shown}


def _description(settings: Settings, record: Record) -> str:
    """Markdown above the run's numbers."""
    return (
        f"{settings.model.family}, width {settings.model.width:g}, on {settings.data.source} at "
        f"{settings.arrays.resolution} px: {settings.data.classes} classes, {len(record.splits)} "
        "splits, a child run each. Under *Artifacts*, `report/index.html` is the whole page."
    )


def _clip(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _artifact_root(uri: str) -> str | None:
    """Where artifacts go: a server decides; beside a SQLite file; else the working directory.

    Without this a database store would put them in ./mlruns.
    """
    if urlsplit(uri).scheme in ("http", "https"):
        return None
    folder = Path(uri.removeprefix("sqlite:///")).parent if uri.startswith("sqlite:///") else Path()
    return (folder.resolve() / "mlartifacts").as_uri()


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold the project's publishing lock: finding a run and creating it are two requests."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.info("waiting for another `centigan publish` to end")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _store_errors(uri: str, layout: Layout) -> Iterator[None]:
    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError) as error:
        line = (str(error).strip() or type(error).__name__).splitlines()[0]
        cause = line.rpartition("(Caused by ")[2][:300]  # urllib3 puts the reason last
        message = (
            f"MLflow at {uri} does not answer or refuses: {cause}. The results in {layout.results} "
            "are safe; run `centigan publish` again when the store is back, or set "
            "MLFLOW_TRACKING_URI to another"
        )
        raise UserError(_without_password(message, uri)) from error


def _without_password(message: str, uri: str) -> str:
    password = urlsplit(uri).password
    return message.replace(f":{password}@", ":***@") if password else message
