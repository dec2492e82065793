"""Results that are about to be replaced, kept until they are.

Snakemake removes a job's outputs before it runs the job, and writes the record of a job that failed as if it
had not. So before a run each good output gets a second name, a hard link in the folder .kept
of its protocol or experiment.
What a failed or killed job has not replaced gets its place and its record back.
"""

import logging
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from centigan.freshness.records import forget_incomplete, recorded, renew
from centigan.layout import Layout

log = logging.getLogger(__name__)


def keep(layout: Layout, outputs: Iterable[str]) -> None:
    """Give each of these results a second name."""
    for output in map(Path, outputs):
        second = layout.kept / output.relative_to(layout.results)
        second.parent.mkdir(parents=True, exist_ok=True)
        second.unlink(missing_ok=True)
        try:
            os.link(output, second)
        except OSError as error:  # a file system without hard links, a folder linked to another disk
            log.warning("%s cannot be kept while it is made again: %s", output, error.strerror)
            return


def give_back(layout: Layout) -> None:
    """Put back what no job has replaced, with its record, and keep nothing any more."""
    if not layout.kept.is_dir():
        return
    known = recorded(layout)
    for second in sorted(layout.kept.rglob("*")):
        output = layout.results / second.relative_to(layout.kept)
        if not second.is_file() or output.exists():
            continue
        output.parent.mkdir(parents=True, exist_ok=True)
        second.rename(output)
        if output.as_posix() in known:
            _, record = known[output.as_posix()]
            renew(output.as_posix(), record)
            forget_incomplete(output.as_posix())
    shutil.rmtree(layout.kept)
