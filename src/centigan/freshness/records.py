"""What Snakemake noted of each job, in a form that travels with the results.

Snakemake keeps a record an output in .snakemake/metadata: the settings, the source and the content of the
inputs that it was made with. A clone has none, and then an edit goes unnoticed. So every stage's records lie
among its results as records/<stage>.json, without times and machine, and come and go with them through DVC.
"""

import json
import logging
import os
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from centigan.atomic import write_text
from centigan.layout import STUDY_FILES, Layout

METADATA = Path(".snakemake/metadata")
INCOMPLETE = Path(".snakemake/incomplete")
LONGEST_NAME = 254  # Snakemake cuts longer ones into folders whose names begin with @
OF_A_RUN = {"shellcmd", "starttime", "endtime", "job_hash", "incomplete", "external_jobid"}
RAW = "raw"  # stands for what lies outside of results: the raw data
# dvc.yaml's stage, and the first part of its outputs' paths
OF_PROTOCOL = {  # under results/<protocol>
    "data": (RAW, "index", "classes.csv", "source.json", "raw.sha256", "arrays", "text", "captions"),
    "judge": ("judge", "real"),
}
OF_GROUP = {  # under results/<protocol>/<study>/groups/<splits>
    "data": ("classes.csv", "arrays", "captions"),
    "judge": ("real",),
}
OF_EXPERIMENT = {  # under results/<protocol>/<experiment>
    "train": ("train",),
    "evaluate": ("samples", "features", "latent", "reconstructions", "demonstrations", "metrics"),
    "report": ("summary.json", "tables", "figures", "report"),
    "publish": ("mlflow.json",),
    "study": tuple(sorted(STUDY_FILES - {"report"})),
}
# Rules whose outputs others may delete or write anew: a person the raw data, `centigan track` mlflow.json.
# Their records travel, or a clone would not know that they were run; what lies there is not held to them.
UNCHECKED = {"raw", "publish"}
Record = dict[str, Any]
log = logging.getLogger(__name__)


def stages_of(layout: Layout) -> dict[str, tuple[str, ...]]:
    """The stages whose outputs lie in this folder of results."""
    if layout.is_group:
        return OF_GROUP
    return OF_PROTOCOL if layout.is_protocol else OF_EXPERIMENT


def parts_of(layout: Layout) -> set[str]:
    """The first parts of the paths of all that stages make in this folder of results."""
    return {part for parts in stages_of(layout).values() for part in parts}


def noted(layout: Layout, metadata: Path = METADATA) -> dict[str, Record]:
    """Snakemake's records of what lies in this folder of results, by output."""
    is_own = belonging(layout, parts_of(layout))
    found: dict[str, Record] = {}
    for output, file in _files(metadata):
        if is_own(output):
            record = _read(Path(file))
            if isinstance(record, dict) and {"starttime", "rule", "log"} <= record.keys():
                found[output] = record
            else:  # cut, or damaged: Snakemake would not look past it
                log.warning("Snakemake's record of %s is damaged, and left out", output)
                Path(file).unlink()
    return found


def belonging(layout: Layout, parts: Collection[str]) -> Callable[[str], bool]:
    """Whether an output lies in one of these parts of this folder of results; RAW: outside of all results.

    Paths are compared as texts: a run of 90 points asks of 7,000 records for each of them, 3 s; as Path 46 s.
    """
    own, results = (f"{folder.as_posix()}/" for folder in (layout.results, layout.protocol.parent))

    def belongs(output: str) -> bool:
        if output.startswith(own):
            return output[len(own) :].partition("/")[0] in parts
        return RAW in parts and not output.startswith(results)

    return belongs


def _files(folder: Path, before: str = "") -> Iterator[tuple[str, str]]:
    if not folder.exists():
        return
    for entry in os.scandir(folder):
        if entry.is_dir():
            yield from _files(Path(entry.path), before + entry.name.removeprefix("@"))
            continue
        with suppress(ValueError):  # no name of Snakemake's
            yield urlsafe_b64decode(before + entry.name).decode(), entry.path


def note(output: str, record: Record, metadata: Path = METADATA) -> None:
    """Give Snakemake a record of an output that another machine computed."""
    write_text(_place(output, metadata), json.dumps(record, allow_nan=False))


def renew(output: str, record: Record) -> Record:
    """Give Snakemake a saved record as that of a job which has just run."""
    start = time.time()
    renewed = {**record, "starttime": start, "endtime": start, "incomplete": False}
    note(output, renewed)
    return renewed


def forget_incomplete(output: str, incomplete: Path = INCOMPLETE) -> None:
    """Take back Snakemake's mark that an output's job was killed: the output is that of an earlier job."""
    _place(output, incomplete).unlink(missing_ok=True)


def _place(output: str, folder: Path) -> Path:
    name = urlsafe_b64encode(output.encode()).decode()
    *folders, last = [name[i : i + LONGEST_NAME] for i in range(0, len(name), LONGEST_NAME)]
    return folder.joinpath(*(f"@{part}" for part in folders), last)


def save(layout: Layout, known: dict[str, tuple[str, Record]]) -> None:
    """Write digest and record of these outputs to records/<stage>.json, where that says something new."""
    for stage, parts in stages_of(layout).items():
        belongs = belonging(layout, parts)
        jobs: dict[str, dict[str, str]] = {}  # outputs with their digests, by what all of a job share
        for output, (digest, record) in sorted(known.items()):
            if belongs(output):
                lasting = {key: value for key, value in record.items() if key not in OF_A_RUN}
                jobs.setdefault(json.dumps(lasting, sort_keys=True), {})[output] = digest
        lines = (json.dumps({"outputs": outputs, **json.loads(job)}) for job, outputs in jobs.items())
        text = "[\n" + ",\n".join(lines) + "\n]\n"
        file = layout.records(stage)
        if jobs and not (file.is_file() and file.read_bytes() == text.encode()):
            write_text(file, text)


def saved(file: Path) -> dict[str, tuple[str, Record]]:
    """Digest and record of each output in records/<stage>.json; none where that is damaged."""
    found: dict[str, tuple[str, Record]] = {}
    if not file.exists():
        return found
    try:
        for job in json.loads(file.read_text(encoding="utf-8")):
            outputs = job.pop("outputs")
            found |= {output: (digest, job) for output, digest in outputs.items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        log.warning("%s is damaged and made again: %s", file, error)
        return {}
    return found


def recorded(layout: Layout) -> dict[str, tuple[str, Record]]:
    """Digest and record of each output that the records in this folder of results tell of."""
    return {out: entry for stage in stages_of(layout) for out, entry in saved(layout.records(stage)).items()}


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None


def strangers(layout: Layout, records: dict[str, Record], made_here: Callable[[str], bool]) -> list[str]:
    """Results that no record describes: copied from elsewhere, or changed while records were lost.

    Git brings summary.json before DVC brings its record, of the report's pages no rule knows, and
    `centigan track` writes mlflow.json too.
    """
    known_otherwise = {"summary.json", "report", "mlflow.json", RAW}
    paths = (path for part in parts_of(layout) - known_otherwise for path in _below(layout.results / part))
    return [path for path in paths if path not in records and made_here(path)]


def _below(place: Path) -> Iterator[str]:
    if place.is_file():
        yield place.as_posix()
    for folder, _, names in os.walk(place):
        yield from (f"{folder}/{name}" for name in names)
