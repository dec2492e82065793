"""Exports once, or again and again beside a training; a store that fails costs a warning, not a result."""

import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any, NamedTuple

from centigan.errors import UserError
from centigan.layout import Layout
from centigan.redaction import keeping_secret
from centigan.settings import Settings
from centigan.tracking.exporter import Exporter
from centigan.tracking.published import publish_or_go_on, write_published
from centigan.tracking.record import missing, outdated
from centigan.tracking.store import store_uri

LONGEST_PAUSE = 300.0  # seconds between tries on a store that stays away
STEP = 1.0  # seconds between looks for a reason to end
log = logging.getLogger(__name__)


def track(
    layout: Layout,
    settings: Settings,
    splits: list[str],
    *,
    tracking_uri: str | None = None,
    attempt: int | None = None,
) -> dict[str, Any] | None:
    """Export what there is now; returns the ids of the runs, also in mlflow.json, once all of it is there.

    The store is `tracking_uri`, else MLFLOW_TRACKING_URI, else mlflow.db in the working directory.

    Raises:
        StoreError: for a store that is away, hangs, is full or refuses.
    """
    uri = store_uri(tracking_uri)
    lack = missing(layout, settings, splits)
    with keeping_secret(uri):
        identity = Exporter(layout, settings, splits, uri).export(complete=lack is None)
    if identity is None:
        log.info("not complete yet: %s. What there is, is in MLflow", lack)
        return None
    write_published(layout, identity | {"complete": True}, uri, attempt)
    return identity


def track_for_workflow(
    layout: Layout, settings: Settings, splits: list[str], *, attempt: int, tracking_uri: str | None = None
) -> None:
    """Export; whatever goes wrong is a warning, and `attempt`, Snakemake's count, is for the next try."""

    def export() -> str | None:
        if track(layout, settings, splits, tracking_uri=tracking_uri, attempt=attempt):
            return None
        return missing(layout, settings, splits) or "results changed meanwhile"

    again = f"centigan track -e {layout.experiment}"
    publish_or_go_on(export, layout, again=again, uri=tracking_uri, attempt=attempt)


class Followed(NamedTuple):
    """An experiment, its settings, and its splits."""

    layout: Layout
    settings: Settings
    splits: list[str]


def follow(
    *followed: Followed, tracking_uri: str | None = None, beside: int | None = None, every: float = 5.0
) -> None:
    """Export these every few seconds until all are complete, or SIGINT or SIGTERM ends it after a last pass.

    With `beside`, until that process ends; closing the results is then left to it, since it knows which of
    them are about to be made anew.
    """
    exporters = [Exporter(*each, store_uri(tracking_uri)) for each in followed]
    pause = every
    with _asked_to_end() as asked:

        def ended() -> bool:
            return asked.is_set() or (beside is not None and not _lives(beside))

        while not (last := ended()) or pause == every:  # after a failure there is no last pass
            passes = [_try(each, warn=pause == every, close=beside is None) for each in exporters]
            exporters = [each for each, (done, _) in zip(exporters, passes, strict=True) if not done]
            if last or not exporters:
                return
            failed = any(failed for _, failed in passes)
            if pause > every and not failed:
                log.info("MLflow answers again")
            pause = min(2 * pause, LONGEST_PAUSE) if failed else every
            _wait(pause, ended)


def _try(exporter: Exporter, *, warn: bool, close: bool) -> tuple[bool, bool]:
    """One pass: whether all is complete, whether it failed."""
    layout, settings, splits = exporter.layout, exporter.settings, exporter.splits
    try:
        complete = (
            close and missing(layout, settings, splits) is None and not outdated(layout, settings, splits)
        )
        identity = exporter.export(complete=complete)
        if identity:
            write_published(layout, identity | {"complete": True}, exporter.uri, None)
        return identity is not None, False
    except FileNotFoundError:  # a job of the workflow is replacing it
        return False, False
    except UserError as error:
        if warn:
            log.warning("%s. Trying again with growing pauses", error)
    except Exception:  # of a library or of ours: the training beside goes on, and so does this
        if warn:
            log.exception("Tracking failed; trying again with growing pauses")
    return False, True


@contextmanager
def _asked_to_end() -> Iterator[Event]:
    """An event that SIGINT and SIGTERM set; the second of them ends the process at once."""
    asked = Event()

    def ask(number: int, frame: object) -> None:
        asked.set()
        for each in before:
            signal.signal(each, signal.SIG_DFL)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, ask)
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(seconds: float, ended: Callable[[], bool]) -> None:
    """Sleep, but not past the end of what is followed."""
    until = time.monotonic() + seconds
    while not ended() and (left := until - time.monotonic()) > 0:
        time.sleep(min(left, STEP))


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
