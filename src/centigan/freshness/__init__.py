"""Whether results are what their jobs wrote, from the inputs that they were made with.

Snakemake judges by times: a file that is older than what was made from it is never looked into, one that is
gone from the middle is not missed, and a clone knows nothing. So before a run and after it, contents are
compared with the records, and what differs is made to look so. docs/decisions/0013-staleness.md.
"""

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from centigan.atomic import write_text
from centigan.freshness import raw
from centigan.freshness.digests import Digests
from centigan.freshness.records import STAGES, Record, note, noted, save, saved
from centigan.layout import Layout

SECOND = 10**9  # ns
log = logging.getLogger(__name__)


@dataclass
class Memory:
    """What this machine has seen of an experiment's results."""

    digests: Digests = field(default_factory=Digests)
    good: dict[str, tuple[float, str]] = field(default_factory=dict)  # output: its job's start, its digest
    records: dict[str, str] = field(default_factory=dict)  # records/<stage>.json: its digest

    @classmethod
    def load(cls, file: Path) -> "Memory":
        if not file.exists():
            return cls()
        found = json.loads(file.read_text(encoding="utf-8"))
        known = {path: tuple(state) for path, state in found["digests"].items()}
        good = {path: tuple(state) for path, state in found["good"].items()}
        return cls(Digests(known), good, found["records"])

    def write(self, file: Path) -> None:
        values = {"digests": self.digests.known, "good": self.good, "records": self.records}
        write_text(file, json.dumps(values))


def refresh(layout: Layout, made_here: Callable[[str], bool] = lambda output: True) -> list[str]:
    """Make Snakemake's view of an experiment's results true; the outputs that must be made again first.

    Records that came with the results are given to Snakemake. An input of other content than a record says is
    made newer than what was made from it. An output that was here and is gone, or is not what its job wrote,
    is returned: made again, it may well be the same, and then nothing after it is stale.

    made_here: whether the workflow, as it is now, makes an output.
    """
    memory = Memory.load(layout.memory)
    _take_over(layout, memory)
    records = noted(layout)
    lost = _lost(records, memory, made_here)
    _show_changed_inputs(records, memory.digests, spared=set(lost))
    _save(layout, records, memory, lost, made_here)
    for stage in STAGES:
        if digest := memory.digests.of(layout.records(stage).as_posix()):
            memory.records[stage] = digest
    memory.write(layout.memory)
    return lost


def _take_over(layout: Layout, memory: Memory) -> None:
    """Give Snakemake the records that Git or DVC has brought."""
    for stage in STAGES:
        file = layout.records(stage)
        if memory.digests.of(file.as_posix()) in {None, memory.records.get(stage)}:
            continue
        for output, (digest, record) in saved(file).items():
            found = memory.digests.of(output)
            if found in {None, digest}:  # what is not there may come later
                start = time.time()
                note(output, {**record, "starttime": start, "endtime": start, "incomplete": False})
            if found == digest:
                memory.good[output] = start, digest


def _save(
    layout: Layout,
    records: dict[str, Record],
    memory: Memory,
    lost: list[str],
    made_here: Callable[[str], bool],
) -> None:
    """Save what is known of the results, and what is said of those that are not here: they may come later."""
    known = {output: entry for stage in STAGES for output, entry in saved(layout.records(stage)).items()}
    for output in records.keys() & memory.good.keys() - set(lost):
        known[output] = memory.good[output][1], records[output]
    save(layout, {output: entry for output, entry in known.items() if made_here(output)})


def _lost(records: dict[str, Record], memory: Memory, made_here: Callable[[str], bool]) -> list[str]:
    lost = []
    for output, record in records.items():
        digest, start = memory.digests.of(output), record["starttime"]
        seen_start, seen_digest = memory.good.get(output, (None, None))
        if digest is not None and start != seen_start:  # a job has made it since
            memory.good[output] = start, digest
        elif digest != seen_digest:
            if made_here(output):
                lost.append(output)
            else:
                memory.good.pop(output, None)
    return lost


def _show_changed_inputs(records: dict[str, Record], digests: Digests, spared: set[str]) -> None:
    """Make inputs of other content than was used newer than all else, which no clock may have set ahead."""
    now = time.time_ns()
    changed = {path for record in records.values() for path in _changed(record, digests)} - spared
    for path in sorted(changed):
        log.info("%s is not what was used: what is made from it is stale", path)
        digests.set_time(path, now)
    for path in digests.known.keys() - changed:
        if digests.known[path][1] >= now:
            digests.set_time(path, now - SECOND)


def _changed(record: Record, digests: Digests) -> list[str]:
    used = record.get("input_checksums") or {}
    found = {path: digests.of(path) for path in used}
    return [path for path, digest in found.items() if digest and f"sha256:{digest}" != used[path]]


__all__ = ["raw", "refresh"]
