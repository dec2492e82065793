"""Whether results are what their jobs wrote, from the inputs that they were made with.

Snakemake judges by times: a file that is older than what was made from it is never looked into, one that is
gone from the middle is not missed, and a clone knows nothing. So before a run and after it, contents are
compared with the records, and what differs is made to look so. docs/decisions/0013-staleness.md.

The folder of a protocol and that of each of its experiments are looked at one by one, as they travel one by
one; `layout` is either. What an experiment's jobs read of the protocol is an input of theirs.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from centigan.atomic import out_of_the_way
from centigan.freshness import first, kept, raw
from centigan.freshness.digests import Digests
from centigan.freshness.inputs import changed, show_changed
from centigan.freshness.memory import Memory
from centigan.freshness.records import (
    RAW,
    UNCHECKED,
    Record,
    belonging,
    noted,
    parts_of,
    recorded,
    renew,
    save,
    saved,
    stages_of,
    strangers,
)
from centigan.layout import Layout
from centigan.manifest import DIGESTS

LOST = "is gone, or is not what its job wrote"
STRANGE = "was made by no job that is known"
REPLACED = "has raw images that were replaced"
NEW = "is not there, and its job, which was run before, writes it now"
log = logging.getLogger(__name__)


class Job(NamedTuple):
    """What a rule's jobs would be made with now, as Snakemake's records write it."""

    params: set[str]
    command: str
    inputs: set[str] | None = None  # None: those of the record


def begin(layout: Layout, published: dict[str, Any], *, dry: bool) -> None:
    """Put in order what a killed run has left.

    Args:
        published: what mlflow.json tells; nothing where it is damaged.
        dry: whether this run only tells what it would do.
    """
    kept.give_back(layout)
    _sweep(layout)
    if not (layout.is_protocol or layout.is_group or published or dry) and layout.published.exists():
        out_of_the_way(layout.published)
        layout.published.unlink(missing_ok=True)  # damaged is as good as absent


def first_of_all(
    layout: Layout,
    root: Path,
    indexes: Iterable[str],
    made_here: Callable[[str], bool],
    now: Mapping[str, "Job"],
    made: Mapping[str, str],
    beside: Callable[[str, str], Iterable[str]] = lambda rule, output: (),
) -> dict[str, str]:
    """Outputs of a protocol to be made before all else, and why; what is gone of the raw data is told once.

    What was lost, and what the data stage must make anew: where it comes out the same, nothing after it is
    stale.

    Args:
        made: outputs that were made first just now, and why.

    Raises:
        UserError: for an archive that holds something else than the one that was indexed.
    """
    if REPLACED in made.values():
        raw.images_were_read(layout)
    why, indexes = refresh(layout, made_here, now, beside=beside), set(indexes)
    if why.keys() & indexes:  # the raw data are those of an index
        return why
    found = raw.changes(layout, root)
    if found.index:
        return why | dict.fromkeys(indexes, "lists other raw images than there are")
    if found.gone:
        log.warning(
            "%d raw files are gone from %s, such as %s. What was made from them is kept; to make it without "
            "them: snakemake --config experiment=%s --forcerun index",
            len(found.gone),
            root,
            found.gone[0],
            layout.experiment,
        )
    if any(output.startswith(f"{layout.arrays(split)}/") for split in found.without for output in why):
        return dict.fromkeys(indexes, "lists raw images that are gone, so that no arrays can be made of them")
    replaced = (f"{layout.arrays(split)}/{DIGESTS}" for split in found.splits)
    return why | dict.fromkeys(replaced, REPLACED)


def end(layout: Layout, made_here: Callable[[str], bool]) -> None:
    """Put back what a run did not replace, and note what it made."""
    kept.give_back(layout)
    refresh(layout, made_here)


def refresh(
    layout: Layout,
    made_here: Callable[[str], bool] = lambda output: True,
    now: Mapping[str, Job] | None = None,
    about_to_be_made: Iterable[str] = (),
    beside: Callable[[str, str], Iterable[str]] = lambda rule, output: (),
) -> dict[str, str]:
    """Make Snakemake's view of a folder of results true; what must be made again first, and why.

    Records that came with the results are given to Snakemake. An input of other content than a record says is
    made newer than what was made from it. An output that was here and is gone, or is not what its job wrote,
    is returned: made again, it may well be the same, and then nothing after it is stale. So are those that no
    record describes, those of the rules in `now` whose jobs would be others today, and those that a job whose
    other outputs are here did not write yet when it was run.

    Args:
        made_here: whether the workflow, as it is now, makes an output.
        now: rules whose outputs, once stale, are made before all that follows from them.
        about_to_be_made: inputs that are made again before they are used, as the protocol's that were lost.
        beside: what else the job of a rule's output writes, as the workflow is now.
    """
    memory, records = Memory.load(layout.memory), noted(layout)
    memory.digests.doubtful = not memory.digests.known and bool(records)
    known = {stage: _own(layout, saved(layout.records(stage))) for stage in stages_of(layout)}
    records = _take_over(layout, memory, known, records)
    lost = _lost(records, memory, known, made_here)
    show_changed(records, memory.digests, spared={*lost, *about_to_be_made})
    stale = _stale(records, memory.digests, now or {})
    _save(layout, known, records, memory, lost, made_here)
    for stage in stages_of(layout):
        if digest := memory.digests.of(layout.records(stage).as_posix()):
            memory.records[stage] = digest
    memory.write(layout.memory)
    strange = dict.fromkeys(strangers(layout, records, made_here), STRANGE)
    new = {
        other: NEW
        for output, record in records.items()
        for other in beside(record["rule"], output)
        if other not in records and Path(output).exists() and not Path(other).exists()
    }
    return strange | stale | new | dict.fromkeys(lost, LOST)


def keep(layout: Layout, outputs: Iterable[str]) -> None:
    """Keep those of these outputs that are what their jobs wrote, until they are replaced."""
    memory = Memory.load(layout.memory)
    known = {output: digest for output, (digest, _) in recorded(layout).items()}
    own = filter(belonging(layout, parts_of(layout) - {RAW}), outputs)
    kept.keep(layout, [o for o in own if o in known and memory.digests.of(o) == known[o]])


def _sweep(layout: Layout) -> None:
    """Remove what killed writers left half-written among the results; a trainer clears its own folder."""
    parts = parts_of(layout) - {"train"}
    halves = [*layout.results.glob(".*.part*")]
    halves += [half for part in parts for half in (layout.results / part).rglob(".*.part*")]
    for half in halves:
        if half.is_file():
            half.unlink(missing_ok=True)


def _take_over(
    layout: Layout,
    memory: Memory,
    known: Mapping[str, dict[str, tuple[str, Record]]],
    records: dict[str, Record],
) -> dict[str, Record]:
    """Give Snakemake the records that Git or DVC has brought, and those it lost; all records."""
    records = dict(records)
    for stage, of_stage in known.items():
        digest_of_stage = memory.digests.of(layout.records(stage).as_posix())
        brought = digest_of_stage not in {None, memory.records.get(stage)}
        for output, (digest, record) in of_stage.items():
            if not brought and output in records:
                continue
            found = memory.digests.of(output)
            may_differ = found is None or record["rule"] in UNCHECKED  # what is not there may come later
            if found == digest or (brought and may_differ):
                records[output] = renew(output, record)
            if found == digest:
                memory.good[output] = records[output]["starttime"], digest
    return records


def _save(
    layout: Layout,
    saved_before: Mapping[str, dict[str, tuple[str, Record]]],
    records: dict[str, Record],
    memory: Memory,
    lost: list[str],
    made_here: Callable[[str], bool],
) -> None:
    """Save what is known of the results, and what is said of those that are not here: they may come later."""
    known = {output: entry for of_stage in saved_before.values() for output, entry in of_stage.items()}
    for output in records.keys() & memory.good.keys() - set(lost):
        known[output] = memory.good[output][1], records[output]
    save(layout, {output: entry for output, entry in known.items() if made_here(output)})


def _own(layout: Layout, known: dict[str, tuple[str, Record]]) -> dict[str, tuple[str, Record]]:
    """What is saved of this folder's outputs: a copied one brings records of another's."""
    is_own = belonging(layout, parts_of(layout))
    return {output: entry for output, entry in known.items() if is_own(output)}


def _lost(
    records: dict[str, Record],
    memory: Memory,
    known: Mapping[str, dict[str, tuple[str, Record]]],
    made_here: Callable[[str], bool],
) -> list[str]:
    lost = []
    said = {output: digest for of_stage in known.values() for output, (digest, _) in of_stage.items()}
    for output, record in records.items():
        digest, start = memory.digests.of(output), record["starttime"]
        if record["rule"] in UNCHECKED:
            if digest is not None:
                memory.good[output] = start, digest
            continue
        if memory.digests.doubtful and output in said and Path(output).exists():
            # memory is lost: what is saved is the last word
            memory.good[output] = start, said[output]
        seen_start, seen_digest = memory.good.get(output, (None, None))
        if digest is not None and start != seen_start:  # a job has made it since
            memory.good[output] = start, digest
        elif digest != seen_digest:
            if made_here(output):
                lost.append(output)
            else:
                memory.good.pop(output, None)
    return lost


def _stale(records: dict[str, Record], digests: Digests, now: Mapping[str, Job]) -> dict[str, str]:
    """Outputs of these rules whose settings, source or inputs are others now."""
    stale = {}
    for output, record in records.items():
        if (job := now.get(record["rule"])) is None or digests.of(output) is None:
            continue
        if set(record.get("params") or ()) != job.params or record.get("code") != job.command:
            stale[output] = "was made with other settings or source"
        elif job.inputs not in (None, set(record.get("input") or ())) or changed(record, digests):
            stale[output] = "was made from other inputs"
    return stale


__all__ = ["Job", "begin", "end", "first", "first_of_all", "keep", "refresh"]
