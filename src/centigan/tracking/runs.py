"""Runs of the store: found by their tags or created, filled without a doubled point, given up."""

import time

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run, RunTag

from centigan.tracking.journals import CURVE, SPEED, Point

MAX_PARAM = 6000  # characters that MLflow stores of a parameter
MAX_TAG = 8000
PARENT = "mlflow.parentRunId"
# tags, each the hash of what the store holds whole
JOURNAL, GENERATOR, SAMPLES = "centigan.journal", "centigan.generator", "centigan.samples"
SCORES = "centigan.scores"
MODEL = "centigan.model"  # the generator's id as a model
TIMES = "centigan.times"  # where start and end are from: journal, or the date of a file
NAME = "centigan.name"  # the name that we gave; another one is a person's, and is kept


class Contradiction(Exception):  # noqa: N818
    """The store holds a point that the files do not, or twice; a run's points cannot be taken back."""


class StoredRun:
    """A run of the store, and the points that it is known to hold."""

    def __init__(self, client: MlflowClient, run: Run) -> None:
        self.client, self.run = client, run
        self.id: str = run.info.run_id
        self.start: int = run.info.start_time
        self.end: int | None = run.info.end_time
        self.tags: dict[str, str] = dict(run.data.tags)
        self.params: dict[str, str] = dict(run.data.params)
        self.finished: bool = run.info.status == "FINISHED"
        self._known: dict[tuple[str, int], float] | None = None

    def add(self, points: list[Point], *, params: dict[str, str], tags: dict[str, str]) -> None:
        """Log what the run lacks of these, in requests of at most 1000 entries.

        Raises:
            Contradiction: when it holds another value, except of speed, which no two runs share.
        """
        known = self._points()
        for point in points:
            if point.key != SPEED and known.get((point.key, point.step), point.value) != point.value:
                raise Contradiction(f"{point.key} at {point.step}")
        lacking = [point for point in points if (point.key, point.step) not in known]
        self.client.log_batch(
            self.id,
            metrics=[Metric(p.key, p.value, p.timestamp, p.step) for p in lacking],
            params=[Param(k, _clip(v, MAX_PARAM)) for k, v in params.items() if k not in self.params],
            tags=[RunTag(k, v) for k, v in _clipped(tags).items() if self.tags.get(k) != v],
        )
        known |= {(point.key, point.step): point.value for point in lacking}
        self.params |= params
        self.tags |= _clipped(tags)

    def must_hold_only(self, points: list[Point]) -> None:
        """Make sure that the curves have no step besides these.

        Raises:
            Contradiction: when they do.
        """
        own = {(p.key, p.step) for p in points} | {(SPEED, p.step) for p in points}
        more = {at for at in self._points() if at[0].startswith(CURVE)} - own
        if more:
            raise Contradiction(f"{len(more)} points that the journal does not have")

    def finish(self, end: int | None) -> None:
        """Mark the run as finished at a time (ms), unless it is."""
        if not self.finished:
            self.client.set_terminated(self.id, "FINISHED", end_time=end)
            self.finished, self.end = True, end

    def discard(self) -> None:
        """Delete the run with its children and models; MLflow keeps all of them restorable."""
        for child in children_of(self.client, self).values():
            child.discard()
        where = f"source_run_id = '{self.id}'"
        for model in self.client.search_logged_models([self.run.info.experiment_id], where):
            self.client.delete_logged_model(model.model_id)
        self.client.delete_run(self.id)

    def _points(self) -> dict[tuple[str, int], float]:
        """Asked of the store once; of curves that are known to be whole nothing is asked."""
        if self._known is None:
            latest = self.run.data.metrics
            self._known = {(key, 0): value for key, value in latest.items() if not key.startswith(CURVE)}
            for key in latest if JOURNAL not in self.tags else ():
                if key.startswith(CURVE):
                    self._read_history(key, self._known)
        return self._known

    def _read_history(self, key: str, known: dict[tuple[str, int], float]) -> None:
        for metric in self.client.get_metric_history(self.id, key):
            if (key, metric.step) in known:
                raise Contradiction(f"{key} at {metric.step} twice")
            known[key, metric.step] = metric.value


def find_or_create(
    client: MlflowClient, experiment: str, identity: dict[str, str], *, name: str, start: int | None
) -> StoredRun:
    """The unfinished run with these tags, created if there is none."""
    found = find(client, experiment, identity, finished=False)
    if found is None:
        start = start or time.time_ns() // 1_000_000
        client.create_run(experiment, start_time=start, tags=identity | {NAME: name}, run_name=name)
        # looked for, not taken: a request that timed out and was tried again may have made two
        found = find(client, experiment, identity, finished=False)
        assert found is not None
    return found


def find(
    client: MlflowClient, experiment: str, identity: dict[str, str], *, finished: bool | None = None
) -> StoredRun | None:
    """The run with these tags, a child only if they name its parent; doubles, holding less, are deleted."""
    where = " and ".join(f"tags.`{key}` = '{value}'" for key, value in identity.items())
    found = [StoredRun(client, run) for run in client.search_runs([experiment], where, max_results=1000)]
    if PARENT not in identity:
        found = [run for run in found if PARENT not in run.tags]
    if finished is not None:
        found = [run for run in found if run.finished is finished]
    return keep_fullest(found)


def children_of(client: MlflowClient, parent: StoredRun) -> dict[str, StoredRun]:
    """The run of each split; doubles are deleted."""
    where = f"tags.`{PARENT}` = '{parent.id}'"
    return one_each(client, parent.run.info.experiment_id, where, by="centigan.split")


def one_each(client: MlflowClient, experiment: str, where: str, *, by: str) -> dict[str, StoredRun]:
    """The run of each value of a tag, of those that are asked for; doubles, holding less, are deleted."""
    token = None
    found: dict[str, list[StoredRun]] = {}
    while True:
        page = client.search_runs([experiment], where, page_token=token)
        for run in page:
            found.setdefault(run.data.tags.get(by, ""), []).append(StoredRun(client, run))
        token = page.token
        if not token:
            return {value: kept for value, runs in found.items() if (kept := keep_fullest(runs))}


def keep_fullest(runs: list[StoredRun]) -> StoredRun | None:
    """The run that holds most; the others are deleted."""
    if not runs:
        return None
    keep, *doubles = sorted(
        runs, key=lambda run: (not run.finished, -len(run.run.data.metrics), -len(run.params), run.id)
    )
    for run in doubles:
        run.discard()
    return keep


def _clipped(tags: dict[str, str]) -> dict[str, str]:
    return {key: _clip(value, MAX_TAG) for key, value in tags.items()}


def _clip(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
