"""The mirror of a study: an experiment of the store, in it a run a point and one of the study itself.

A point's run has its values on the axes as parameters and every number of points.csv as a metric, so that
MLflow's parallel coordinates compare the points. What is read is what the study wrote, and nothing else. A
run whose content is the same is left; a metric cannot be taken back, so one of other content is written anew.
"""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from mlflow import MlflowClient

from centigan import __version__
from centigan.errors import UserError
from centigan.layout import Layout, StudyLayout
from centigan.manifest import sha256
from centigan.redaction import keeping_secret
from centigan.settings import Settings
from centigan.settings.points import Point, points, read_study
from centigan.settings.study import Study
from centigan.study_points import load_points
from centigan.tracking.exporter import REVISION
from centigan.tracking.journals import Point as Value
from centigan.tracking.labels import NOTE, shared_tags
from centigan.tracking.one_page import one_page
from centigan.tracking.published import publish_or_go_on, write_published
from centigan.tracking.record import flatten, short_hash
from centigan.tracking.revisions import BY_DATE
from centigan.tracking.runs import TIMES, StoredRun, find_or_create, one_each
from centigan.tracking.store import experiment_id, new_token, store_errors, store_uri, turn

EXPERIMENT = "centigan.experiment"  # names a point, or the study: what a run is found by
STUDY, POINT, AXIS, CLAIM = "centigan.study", "centigan.point", "centigan.axis.", "centigan.claim."


class Content(NamedTuple):
    """What one run is to hold."""

    name: str
    params: dict[str, str]
    tags: dict[str, str]
    numbers: dict[str, float]
    files: tuple[Path, ...] = ()

    @property
    def revision(self) -> str:
        """Short hash of all that makes it another run; tags may change under one."""
        digests = {path.name: sha256(path) for path in self.files}
        content = {"params": self.params, "numbers": self.numbers, "files": digests}
        return short_hash(json.dumps(content, sort_keys=True, allow_nan=False))


def track_study(
    name: str, *, root: Path = Path(), tracking_uri: str | None = None, attempt: int | None = None
) -> dict[str, Any]:
    """Bring the store up to what a study wrote; returns the ids of the runs, which mlflow.json has too.

    The store is `tracking_uri`, else MLFLOW_TRACKING_URI, else mlflow.db in the working directory.

    Raises:
        UserError: when the study is not written yet, or is of other points than its file now names.
        StoreError: for a store that is away, hangs, is full or refuses.
    """
    uri, study, found = store_uri(tracking_uri), read_study(name, root), points(name, root)
    layout = StudyLayout(study.protocol, name, root)
    contents = [
        _of_study(study, layout, found),
        *_of_points(layout, found, load_points(name, root)),
    ]
    with (
        keeping_secret(uri),
        turn(root / "scratch" / "track.lock", new_token()),
        store_errors(uri, layout.results, _again(name)),
    ):
        identity = _export(MlflowClient(tracking_uri=uri), uri, layout, contents)
    write_published(_as_experiment(layout), identity | {"complete": True}, uri, attempt)
    return identity


def track_study_for_workflow(
    name: str, *, attempt: int, root: Path = Path(), tracking_uri: str | None = None
) -> None:
    """Export; whatever goes wrong is a warning, and `attempt`, Snakemake's count, is for the next try."""
    layout = _as_experiment(StudyLayout(read_study(name, root).protocol, name, root))

    def export() -> None:
        track_study(name, root=root, tracking_uri=tracking_uri, attempt=attempt)

    publish_or_go_on(export, layout, again=_again(name), uri=tracking_uri, attempt=attempt)


def _export(client: MlflowClient, uri: str, layout: StudyLayout, contents: list[Content]) -> dict[str, Any]:
    own = _as_experiment(layout).experiment
    experiment = experiment_id(client, f"centigan/{own}", uri)
    stored = one_each(client, experiment, f"tags.`{STUDY}` = '{layout.study}'", by=EXPERIMENT)
    wanted = {content.tags[EXPERIMENT]: content for content in contents}
    for name in stored.keys() - wanted.keys():
        stored[name].discard()  # a point that the study no longer has
    written = layout.points.stat().st_mtime_ns // 1_000_000
    runs = {
        name: _write(client, experiment, layout, content, stored.get(name), written).id
        for name, content in wanted.items()
    }
    return {
        "experiment_id": experiment,
        "experiment_name": f"centigan/{own}",
        "revision": contents[0].revision,
        "study_run_id": runs.pop(own),
        "point_run_ids": {name.removeprefix(f"{own}/"): run for name, run in runs.items()},
    }


def _write(
    client: MlflowClient,
    experiment: str,
    layout: StudyLayout,
    content: Content,
    stored: StoredRun | None,
    written: int,
) -> StoredRun:
    """The finished run of this content: the stored one, or one in its place."""
    revision = content.revision
    if stored and stored.tags.get(REVISION) != revision:
        stored.discard()
        stored = None
    if stored and stored.finished:
        return stored
    identity = {key: content.tags[key] for key in (EXPERIMENT, STUDY)} | {REVISION: revision}
    run = stored or find_or_create(client, experiment, identity, name=content.name, start=written)
    values = [Value(key, number, 0, run.start) for key, number in content.numbers.items()]
    run.add(values, params=content.params, tags=content.tags | {TIMES: BY_DATE})
    for path in content.files:
        if path == layout.report:
            client.log_text(run.id, one_page(path, classes=None), "report.html")
        else:
            client.log_artifact(run.id, str(path))
    run.finish(written)
    return run


def _of_points(layout: StudyLayout, found: list[Point], settings: dict[str, Settings]) -> Iterator[Content]:
    rows = {row["point"]: row for row in _rows(layout.points, layout.study)}
    if rows.keys() != {point.own for point in found}:
        raise UserError(
            f"{layout.points} is of other points than {found[0].file}; `centigan study {layout.study}` "
            "writes it anew"
        )
    for point in found:
        axes = flatten(point.values)
        tags = {STUDY: layout.study, POINT: point.own, **{AXIS + key: value for key, value in axes.items()}}
        cells = {key: text for key, text in rows[point.own].items() if key not in ("point", *point.values)}
        numbers = {key: float(text) for key, text in cells.items() if text}  # a number it lacks is empty
        yield Content(point.own, axes, shared_tags(settings[point.name]) | tags, numbers)


def _of_study(study: Study, layout: StudyLayout, found: list[Point]) -> Content:
    claims = list(_claims(layout))
    tags = {
        EXPERIMENT: _as_experiment(layout).experiment,
        STUDY: layout.study,
        "centigan.version": __version__,
        **{f"{CLAIM}{number}": verdict for number, (_, _, verdict) in enumerate(claims, 1)},
        NOTE: _description(study, claims, found),
    }
    described = {"of": study.of, "points": len(found), "columns": study.columns, "over": study.over}
    axes = {f"axes.{key}": values for axis in study.axes for key, values in axis.items()}
    drawn = [path for suffix in ("svg", "png") for path in layout.figures(suffix, battle=study.battle)]
    files = (*layout.tables(battle=study.battle), *drawn, layout.report)
    if absent := [path for path in files if not path.is_file()]:
        raise _not_written(absent[0], layout.study)
    return Content(study.title or layout.study, flatten(described | axes), tags, {}, files)


def _claims(layout: StudyLayout) -> Iterator[tuple[str, str, str]]:
    """What each claim says, its source and verdict; its comparisons are rows below each other."""
    rows = [(row["says"], row["source"], row["verdict"]) for row in _rows(layout.claims, layout.study)]
    yield from dict.fromkeys(rows)


def _description(study: Study, claims: list[tuple[str, str, str]], found: list[Point]) -> str:
    """Above the run: what was compared, what papers say and the verdicts."""
    lines = [" | ".join(cell.replace("|", "\\|") for cell in claim) for claim in claims]
    table = ["| claim | source | here |", "| --- | --- | --- |", *(f"| {line} |" for line in lines)]
    return "\n\n".join(
        [
            f"The study `{found[0].file.name}`: {len(found)} experiments of the protocol {study.protocol}, "
            "a run each. Under *Artifacts*, `report.html` is its page, `table.csv` its table.",
            *(["\n".join(table)] if claims else []),
        ]
    )


def _rows(path: Path, study: str) -> list[dict[str, str]]:
    """The rows of a CSV file that the study wrote, as texts: a point may be called 1."""
    if not path.is_file():
        raise _not_written(path, study)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _not_written(path: Path, study: str) -> UserError:
    return UserError(
        f"{path} is missing: `centigan study {study}` or `snakemake --config study={study}` makes it"
    )


def _as_experiment(layout: StudyLayout) -> Layout:
    """The study's folder as that of an experiment, which has mlflow.json at the same place."""
    return Layout(f"{layout.protocol}/{layout.study}", layout.root)


def _again(study: str) -> str:
    return f"centigan track-study {study}"
