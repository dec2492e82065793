"""Brings the store up to what the files say: a parent run an experiment, a child run a split.

The files are the truth and every pass may be repeated. Until its results are there a parent goes by its
settings and the copy of the project that computes it; then by its revision, the hash of the results.
"""

import logging
from typing import Any

from mlflow import MlflowClient

from centigan import __version__
from centigan.layout import Layout
from centigan.settings import Settings
from centigan.tracking.attachments import log_dataset, log_generator, log_report, log_sample_sheet
from centigan.tracking.journals import Point
from centigan.tracking.record import (
    SplitRecord,
    State,
    Trained,
    data_hash,
    flatten,
    measured_settings,
    read_split,
    revision,
    scores_of,
    settings_key,
    state_of,
    summary_of,
)
from centigan.tracking.runs import (
    GENERATOR,
    JOURNAL,
    PARENT,
    SAMPLES,
    Contradiction,
    StoredRun,
    children_of,
    find,
    find_or_create,
)
from centigan.tracking.store import experiment_id, new_token, store_errors, turn

REVISION = "centigan.revision"
log = logging.getLogger(__name__)


class Exporter:
    """One process's view of the store; it asks for what is there once, and again after any failure."""

    def __init__(self, layout: Layout, settings: Settings, splits: list[str], uri: str) -> None:
        self.layout, self.settings, self.splits, self.uri = layout, settings, splits, uri
        self.name = f"centigan/{settings.experiment}"
        self.key = settings_key(settings)
        self.process = new_token()
        self.parent: StoredRun | None = None
        self.children: dict[str, StoredRun] = {}
        self.states: dict[str, State] = {}

    def export(self, *, complete: bool) -> dict[str, Any] | None:
        """One pass; `complete`: all results are there, and this revision is closed with it.

        Returns the ids of the runs once they are complete.

        Raises:
            StoreError: when the store is away, hangs, is full or refuses. The next pass goes on.
        """
        if not complete and self._states() == self.states:
            return None
        lock = self.layout.root / "scratch" / "track.lock"
        try:
            with turn(lock, self.process) as ours:
                if not ours.undisturbed:
                    self._forget()
                return self._pass(complete, ours.project)
        except BaseException:
            self._forget()  # what was stored of a failed pass is not known
            raise

    def _pass(self, complete: bool, project: str) -> dict[str, Any] | None:
        states = self._states()
        changed = [split for split in self.splits if complete or states[split] != self.states.get(split)]
        records = [read_split(self.layout, self.settings, split) for split in changed]
        begun = [record for record in records if record.curves.lines]
        identity = None
        if begun:
            own = revision(self.layout, self.settings, self.splits) if complete else None
            with store_errors(self.uri, self.layout):
                identity = self._write(begun, own, project)
        self.states = states
        return identity

    def _write(self, records: list[SplitRecord], own: str | None, project: str) -> dict[str, Any] | None:
        parent = self._attach(records, own, project)
        for record in records:
            self._write_split(parent, record, own)
        return self._close(parent, records, own) if own else None

    def _attach(self, records: list[SplitRecord], own: str | None, project: str) -> StoredRun:
        """Find this experiment's runs, unless they are known, or begin them; returns the parent."""
        if self.parent and self.parent.tags.get(REVISION) == own:
            return self.parent
        self.client = MlflowClient(tracking_uri=self.uri)
        self.experiment = experiment_id(self.client, self.name, self.uri)
        identity = {"centigan.settings": self.key, "centigan.project": project}
        published = find(self.client, self.experiment, {REVISION: own}, finished=True) if own else None
        unfinished = find(self.client, self.experiment, identity, finished=False)
        if unfinished and (published or unfinished.tags.get(REVISION, own) != own):
            unfinished.discard()  # these results are there already, or it was being closed with others
        start = min((record.curves.start for record in records if record.curves.start), default=None)
        self.parent = published or find_or_create(
            self.client, self.experiment, identity, name=self._run_name(self.key), start=start
        )
        params = flatten(measured_settings(self.settings))
        self.parent.add([], params=params, tags=self._tags(own))
        self.children = children_of(self.client, self.parent)
        return self.parent

    def _write_split(self, parent: StoredRun, record: SplitRecord, own: str | None) -> None:
        try:
            self._fill(parent, record, own)
        except Contradiction as found:
            log.info("split %s: its run is written anew, since the journal changed: %s", record.name, found)
            self.children.pop(record.name).discard()
            self._fill(parent, record, own)

    def _fill(self, parent: StoredRun, record: SplitRecord, own: str | None) -> None:
        """Bring one split's run up to its record."""
        run, trained = self._child(parent, record), record.trained
        if JOURNAL in run.tags and (trained is None or run.tags[JOURNAL] != trained.journal):
            raise Contradiction("trained again")
        points = [] if JOURNAL in run.tags else list(record.curves.points(run.start))
        if trained and points:
            run.must_hold_only(points)
        scores = scores_of(self.layout, self.settings, record.name) if own else {}
        named = [Point(key, value, 0, run.start) for key, value in scores.items()]
        run.add(points + named, params=record.params, tags=self._tags(own) | _tags_of(record))
        if trained:
            self._attach_to(run, record, trained)
            run.add([], params={}, tags={JOURNAL: trained.journal})
            run.finish(record.curves.end(run.start))

    def _attach_to(self, run: StoredRun, record: SplitRecord, trained: Trained) -> None:
        log_dataset(run, self.layout, record.name, trained)
        if run.tags.get(GENERATOR) != trained.generator:
            log_generator(run, self.layout, self.settings, record, trained)
            run.add([], params={}, tags={GENERATOR: trained.generator})
        if trained.samples and run.tags.get(SAMPLES) != trained.samples:
            log_sample_sheet(run, self.layout, record.name)
            run.add([], params={}, tags={SAMPLES: trained.samples})

    def _child(self, parent: StoredRun, record: SplitRecord) -> StoredRun:
        if record.name not in self.children:
            self.children[record.name] = find_or_create(
                self.client,
                self.experiment,
                {PARENT: parent.id, "centigan.split": record.name},
                name=f"split {record.name}",
                start=record.curves.start,
            )
        return self.children[record.name]

    def _close(self, parent: StoredRun, records: list[SplitRecord], own: str) -> dict[str, Any]:
        """Give the parent its results and finish it."""
        summary = summary_of(self.layout).items()
        parent.add([], params={}, tags={REVISION: own})  # before the numbers that belong to it
        points = [Point(key, value, 0, parent.start) for key, value in summary]
        parent.add(points, params={}, tags=self._results_tags(records))
        log_report(parent, self.layout)
        if not parent.finished:
            self.client.update_run(parent.id, name=self._run_name(own))
        ends = [record.curves.end(self.children[record.name].start) for record in records]
        parent.finish(max(ends))
        # requests that outlived a hanging server may have left doubles
        kept = find(self.client, self.experiment, {REVISION: own}, finished=True) or parent
        self.children = children_of(self.client, kept)
        return {
            "experiment_id": self.experiment,
            "experiment_name": self.name,
            "revision": own,
            "parent_run_id": kept.id,
            "child_run_ids": {split: self.children[split].id for split in self.splits},
        }

    def _run_name(self, version: str) -> str:
        return f"{self.settings.experiment}, width {self.settings.model.width:g} @ {version[:7]}"

    def _tags(self, own: str | None) -> dict[str, str]:
        """What every run of the experiment can be chosen by."""
        return {
            "centigan.experiment": self.settings.experiment,
            "centigan.family": self.settings.model.family,
            "centigan.width": f"{self.settings.model.width:g}",
            "centigan.data": self.settings.data.source,
            "centigan.version": __version__,
            **({REVISION: own} if own else {}),
        }

    def _results_tags(self, records: list[SplitRecord]) -> dict[str, str]:
        commits = {record.trained.commit for record in records if record.trained and record.trained.commit}
        return {
            "centigan.arrays": data_hash(records),
            "mlflow.note.content": self._description(),
            **_commit_tags(",".join(sorted(commits))),
        }

    def _description(self) -> str:
        """Markdown above the run's numbers."""
        settings = self.settings
        return (
            f"{settings.model.family}, width {settings.model.width:g}, on {settings.data.source} at "
            f"{settings.arrays.resolution} px: {settings.data.classes} classes, {len(self.splits)} "
            "splits, a child run each. Under *Artifacts*, `report/index.html` is the whole page."
        )

    def _states(self) -> dict[str, State]:
        return {split: state_of(self.layout, split) for split in self.splits}

    def _forget(self) -> None:
        self.parent, self.children, self.states = None, {}, {}


def _tags_of(record: SplitRecord) -> dict[str, str]:
    """What is known of one split once it is trained."""
    if record.trained is None:
        return {}
    return {
        "centigan.classes": ",".join(record.trained.classes),
        "centigan.arrays": record.trained.arrays["images.npy"],
        **_commit_tags(record.trained.commit or ""),
    }


def _commit_tags(commit: str) -> dict[str, str]:
    """Ours, and MLflow's own for its column Source; none for results made outside git."""
    if not commit:
        return {}
    shown = {"mlflow.source.name": "centigan", "mlflow.source.type": "LOCAL"}
    return {"centigan.commit": commit, "mlflow.source.git.commit": commit, **shown}
