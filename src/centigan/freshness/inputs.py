"""Inputs of other content than their jobs used: Snakemake, which goes by times first, is shown them."""

import logging
import time
from collections.abc import Collection, Mapping

from centigan.freshness.digests import Digests
from centigan.freshness.records import Record

SECOND = 10**9  # ns
log = logging.getLogger(__name__)


def show_changed(records: Mapping[str, Record], digests: Digests, spared: Collection[str]) -> None:
    """Make inputs of other content than was used newer than all else, which no clock may have set ahead.

    mlflow.json, made from all of them, is made older instead: `track --follow` goes by the results' times.
    """
    now = time.time_ns()
    newest = set[str]()
    for output, record in records.items():
        differing = set(changed(record, digests)) - set(spared)
        if record["rule"] != "publish":
            newest |= differing
        elif differing and digests.of(output):
            digests.set_time(output, 0)
    for path in sorted(newest):
        log.info("%s is not what was used: what is made from it is stale", path)
        digests.set_time(path, now)
    for path in digests.known.keys() - newest:
        if digests.known[path][1] >= now:
            digests.set_time(path, now - SECOND)


def changed(record: Record, digests: Digests) -> list[str]:
    """Inputs of a job that are here and of another content than it used."""
    used = record.get("input_checksums") or {}
    found = {path: digests.of(path) for path in used}
    return [path for path, digest in found.items() if digest and f"sha256:{digest}" != used[path]]
