"""From a result back to the raw data: the jobs in between, as the records beside the results tell them."""

import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from centigan.errors import UserError
from centigan.freshness.records import UNCHECKED, Record, recorded
from centigan.layout import Layout, owned
from centigan.manifest import DIGESTS, read_digests, read_manifest, sha256

SOURCE_HASH = re.compile("[0-9a-f]{16}")
FACTS = ("version", "commit", "seed", "device", "threads", "engine", "libraries")  # of a manifest


@dataclass
class Job:
    """One job of the workflow: what it wrote, from what, under which settings."""

    name: str  # "train/00", as its log is named; of another experiment, "digits8/gan/train/00"
    record: Record
    other: str = ""  # the experiment that it is of, where a training begins with its networks
    outputs: dict[str, str] = field(default_factory=dict)  # path: sha256

    @property
    def rule(self) -> str:
        return str(self.record["rule"])

    @property
    def inputs(self) -> dict[str, str]:
        """Path: sha256; in the order of the rule."""
        return {path: text.removeprefix("sha256:") for path, text in self.record["input_checksums"].items()}

    @property
    def params(self) -> list[tuple[str, str]]:
        """What the rule got beside its inputs: settings as JSON, the hash of its source, a caption."""
        found = []
        for param in self.record["params"]:
            text = str(param)[1:-1] if str(param)[:1] in {"'", '"'} else str(param)
            hashed = SOURCE_HASH.fullmatch(text)
            found.append(("settings" if text.startswith("{") else "source" if hashed else "caption", text))
        return found

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What its manifest says of how it was computed; {} where it wrote none, or it is not here."""
        manifests = [Path(path) for path in self.outputs if Path(path).name == "manifest.json"]
        if not manifests or not manifests[0].exists():
            return {}
        found = read_manifest(manifests[0].parent)
        return {key: found[key] for key in FACTS if key in found}


def chain(layout: Layout, target: Path) -> list[Job]:
    """The jobs behind a result, from the raw data to the one that wrote it.

    Raises:
        UserError: when no record knows the file.
    """
    jobs, writer = _jobs(layout)
    path = target.as_posix()
    if path not in writer:
        raise UserError(
            f"no job of {layout.experiment} has written {path}: name a file below {layout.results}, "
            "from the project's folder"
        )
    ordered: dict[str, Job] = {}

    def visit(name: str) -> None:
        for source in jobs[name].inputs:
            if source in writer and writer[source] not in ordered:
                visit(writer[source])
        ordered[name] = jobs[name]

    visit(writer[path])
    return list(ordered.values())


def all_jobs(layout: Layout) -> list[Job]:
    """Every job of an experiment, in the order of the stages.

    Raises:
        UserError: when nothing was computed yet.
    """
    jobs, _ = _jobs(layout)
    if not jobs:
        raise UserError(f"{layout.results}/records is missing: run the workflow, or `dvc pull`")
    return list(jobs.values())


def raw_inputs(jobs: list[Job]) -> dict[str, str]:
    """What the jobs read that none of them wrote: path and sha256."""
    written = {path for job in jobs for path in job.outputs}
    return {path: digest for job in jobs for path, digest in job.inputs.items() if path not in written}


def state(path: str, digest: str) -> str:
    """Whether a file is here and what it was: "", "is not here", "has changed since"."""
    if not Path(path).exists():
        return "is not here"
    return "" if sha256(Path(path)) == digest else "has changed since"


def _jobs(layout: Layout) -> tuple[dict[str, Job], dict[str, str]]:
    """Every job of an experiment and of what it shares by name, and the name of the job that wrote a file.

    The trainings of another experiment whose networks it begins with come last.
    """
    jobs: dict[str, Job] = {}
    writer: dict[str, str] = {}
    for owner in dict.fromkeys((layout.shared, layout.home, layout)):
        _take(owner, jobs, writer)
    read = [path for job in jobs.values() if job.rule == "train" for path in job.inputs if path not in writer]
    for other in dict.fromkeys(owned(Path(path))[0] for path in read if path.startswith("results/")):
        _take(Layout(other, layout.root), jobs, writer, other=other)
    return jobs, writer


def _take(owner: Layout, jobs: dict[str, Job], writer: dict[str, str], other: str = "") -> None:
    """Add the recorded jobs of one folder of results; of another experiment its trainings alone."""
    for output, (digest, record) in recorded(owner).items():
        if record["rule"] in UNCHECKED:  # neither raw data nor what MLflow holds is one of the results
            continue
        if other and record["rule"] != "train":
            continue
        log = Path(record["log"][0])
        name = (other / log.relative_to(owner.log("x").parent)).with_suffix("").as_posix()
        jobs.setdefault(name, Job(name, record, other)).outputs[output] = digest
        writer[output] = name
        if record["rule"] == "train" and Path(output).name == DIGESTS and not state(output, digest):
            for path, of_network in _listed(Path(output)).items():
                jobs[name].outputs.setdefault(path, of_network)
                writer.setdefault(path, name)


def _listed(sums: Path) -> dict[str, str]:
    """What a list of digests names: a training's networks, which are no outputs of its rule."""
    return {(sums.parent / name).as_posix(): digest for name, digest in read_digests(sums).items()}
