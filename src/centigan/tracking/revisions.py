"""The experiment's other revisions in the store: names beside them, and when shared trainings ran."""

from collections.abc import Iterator
from dataclasses import replace

from mlflow import MlflowClient
from mlflow.entities import Run, RunTag

from centigan.tracking.journals import SPEED, Timing
from centigan.tracking.naming import Name, Revision, names_of, settings_among
from centigan.tracking.record import SplitRecord
from centigan.tracking.runs import JOURNAL, NAME, PARENT, TIMES

RUN_NAME = "mlflow.runName"
BY_JOURNAL, BY_DATE = "journal", "date"  # values of TIMES
COMMIT_DIGITS = 7


def parents_of(client: MlflowClient, experiment: str) -> list[Run]:
    """The runs of all revisions, finished or not."""
    return list(_search(client, experiment, "tags.`centigan.settings` LIKE '%'"))


def rename(client: MlflowClient, parents: list[Run]) -> dict[str, Name]:
    """Call all revisions and their splits by what differs now; returns the names by parent's id.

    Children come first: a parent that has its name has children that have theirs.
    """
    names = names_of([_revision(run) for run in parents])
    for run in parents:
        name = names[run.info.run_id]
        if run.data.tags.get(NAME) == name.parent:
            continue
        for child in _search(client, run.info.experiment_id, f"tags.`{PARENT}` = '{run.info.run_id}'"):
            _call(client, child, name.child(child.data.tags["centigan.split"]))
        _call(client, run, name.parent)
    return names


def with_times(client: MlflowClient, experiment: str, records: list[SplitRecord]) -> list[SplitRecord]:
    """Give trainings without recorded times those of the run that has followed the same training."""
    untimed = {record.trained.journal for record in records if record.trained and not record.curves.timing}
    if not untimed:
        return records
    where = f"tags.`{TIMES}` = '{BY_JOURNAL}'"
    same = {run.data.tags.get(JOURNAL): run.info.run_id for run in _search(client, experiment, where)}
    known = {journal: _timing(client, same[journal]) for journal in untimed & same.keys()}
    return [
        replace(record, curves=replace(record.curves, timing=known[record.trained.journal]))
        if record.trained and not record.curves.timing and record.trained.journal in known
        else record
        for record in records
    ]


def _timing(client: MlflowClient, run_id: str) -> dict[int, Timing]:
    speeds = client.get_metric_history(run_id, SPEED)
    return {point.step: Timing(point.timestamp, point.value) for point in speeds}


def _revision(run: Run) -> Revision:
    tags = run.data.tags
    outside = {"data": tags.get("centigan.arrays"), "commit": tags.get("centigan.commit", "")[:COMMIT_DIGITS]}
    known = {what: value for what, value in outside.items() if value}
    return Revision(run.info.run_id, run.info.start_time, settings_among(run.data.params), known)


def _call(client: MlflowClient, run: Run, name: str) -> None:
    """Rename a run, unless a person has."""
    if run.data.tags.get(NAME) == name:
        return
    ours = run.info.run_name in (run.data.tags.get(NAME, run.info.run_name), name)
    tags = [RunTag(NAME, name), *([RunTag(RUN_NAME, name)] if ours else [])]
    client.log_batch(run.info.run_id, tags=tags)


def _search(client: MlflowClient, experiment: str, where: str) -> Iterator[Run]:
    token = None
    while True:
        page = client.search_runs([experiment], where, max_results=1000, page_token=token)
        yield from page
        token = page.token
        if not token:
            return
