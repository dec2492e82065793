"""Brings the store up to what the files say: a parent run an experiment, a child run a split.

The files are the truth and every pass may be repeated. Until its results are there a parent goes by its
settings and the copy of the project that computes it; then by its revision, the hash of the results.
"""

import logging
from typing import Any

from mlflow import MlflowClient

from centigan.layout import Layout
from centigan.settings import Settings
from centigan.tracking.attachments import log_dataset, log_report, log_sample_sheet
from centigan.tracking.journals import Point
from centigan.tracking.labels import results_tags, shared_tags, split_tags
from centigan.tracking.models import log_generator, log_scores
from centigan.tracking.naming import Name
from centigan.tracking.record import (
    SplitRecord,
    State,
    Trained,
    flatten,
    measured_settings,
    read_split,
    revision,
    settings_key,
    state_of,
)
from centigan.tracking.revisions import BY_DATE, BY_JOURNAL, parents_of, rename, with_times
from centigan.tracking.runs import (
    GENERATOR,
    JOURNAL,
    MODEL,
    PARENT,
    SAMPLES,
    TIMES,
    Contradiction,
    StoredRun,
    children_of,
    find,
    find_or_create,
)
from centigan.tracking.scores import constants_of, metrics_of, scores_of
from centigan.tracking.standing import describe_experiment
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
        self.names: dict[str, Name] = {}
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
            again = f"centigan track -e {self.layout.experiment}"
            with store_errors(self.uri, self.layout.results, again):
                identity = self._write(begun, own, project)
        self.states = states
        return identity

    def _write(self, records: list[SplitRecord], own: str | None, project: str) -> dict[str, Any] | None:
        if not (self.parent and self.parent.tags.get(REVISION) == own):
            records = self._attach(records, own, project)
        assert self.parent
        for record in records:
            self._write_split(self.parent, record, own)
        return self._close(self.parent, records, own) if own else None

    def _attach(self, records: list[SplitRecord], own: str | None, project: str) -> list[SplitRecord]:
        """Find this experiment's runs or begin them; returns the records with all times that are known."""
        self.client = MlflowClient(tracking_uri=self.uri)
        self.experiment = experiment_id(self.client, self.name, self.uri)
        identity = {"centigan.settings": self.key, "centigan.project": project}
        published = find(self.client, self.experiment, {REVISION: own}, finished=True) if own else None
        unfinished = find(self.client, self.experiment, identity, finished=False)
        if unfinished and (published or unfinished.tags.get(REVISION, own) != own):
            unfinished.discard()  # these results are there already, or it was being closed with others
        if not published:
            records = with_times(self.client, self.experiment, records)
        start = min((record.curves.start for record in records if record.curves.start), default=None)
        self.parent = published or find_or_create(
            self.client, self.experiment, identity, name=self.settings.experiment, start=start
        )
        params = flatten(measured_settings(self.settings))
        self.parent.add([], params=params, tags=self._tags(own))
        self.names = rename(self.client, parents_of(self.client, self.experiment))
        self.children = children_of(self.client, self.parent)
        return records

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
        run.add(points + named, params=record.params, tags=self._tags(own) | split_tags(record))
        if trained:
            self._attach_to(run, record, trained)
            if scores and MODEL in run.tags:
                log_scores(run, self.layout, record.name, trained, scores)
            times = BY_JOURNAL if record.curves.timing else BY_DATE
            run.add([], params={}, tags={TIMES: run.tags.get(TIMES, times), JOURNAL: trained.journal})
            run.finish(record.curves.end(run.start))

    def _attach_to(self, run: StoredRun, record: SplitRecord, trained: Trained) -> None:
        log_dataset(run, self.layout, record.name, trained)
        if self.settings.data.kind == "points":  # the sheet and the model to load are of images
            return
        if run.tags.get(GENERATOR) != trained.generator or MODEL not in run.tags:
            name = self._child_name(record.name)
            model = log_generator(run, self.layout, self.settings, record, trained, name)
            run.add([], params={}, tags={GENERATOR: trained.generator, MODEL: model})
        if trained.samples and run.tags.get(SAMPLES) != trained.samples:
            log_sample_sheet(run, self.layout, record.name)
            run.add([], params={}, tags={SAMPLES: trained.samples})

    def _child(self, parent: StoredRun, record: SplitRecord) -> StoredRun:
        if record.name not in self.children:
            self.children[record.name] = find_or_create(
                self.client,
                self.experiment,
                {PARENT: parent.id, "centigan.split": record.name},
                name=self._child_name(record.name),
                start=record.curves.start,
            )
        return self.children[record.name]

    def _child_name(self, split: str) -> str:
        assert self.parent
        return self.names[self.parent.id].child(split)

    def _close(self, parent: StoredRun, records: list[SplitRecord], own: str) -> dict[str, Any]:
        """Give the parent its results and finish it."""
        metrics = metrics_of(self.layout, self.settings)
        parent.add([], params={}, tags={REVISION: own})  # before the numbers that belong to it
        points = [Point(key, value, 0, parent.start) for key, value in metrics.items()]
        constants = constants_of(self.layout, flatten(measured_settings(self.settings)))
        parent.add(points, params=constants, tags=results_tags(self.settings, records, metrics))
        log_report(parent, self.layout, self.settings.data.classes)
        parent.finish(max(self.children[record.name].end or 0 for record in records))
        # requests that outlived a hanging server may have left doubles
        kept = find(self.client, self.experiment, {REVISION: own}, finished=True) or parent
        self.children = children_of(self.client, kept)
        parents = parents_of(self.client, self.experiment)  # without doubles; data and code are known now
        self.names = rename(self.client, parents)
        describe_experiment(self.client, self.experiment, parents, self.names)
        return {
            "experiment_id": self.experiment,
            "experiment_name": self.name,
            "revision": own,
            "parent_run_id": kept.id,
            "child_run_ids": {split: self.children[split].id for split in self.splits},
            # none of points, of which no model is logged
            "model_ids": {
                split: run.tags[MODEL] for split in self.splits if MODEL in (run := self.children[split]).tags
            },
        }

    def _tags(self, own: str | None) -> dict[str, str]:
        return shared_tags(self.settings) | ({REVISION: own} if own else {})

    def _states(self) -> dict[str, State]:
        return {split: state_of(self.layout, split) for split in self.splits}

    def _forget(self) -> None:
        self.parent, self.children, self.names, self.states = None, {}, {}, {}
