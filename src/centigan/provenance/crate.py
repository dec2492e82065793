"""The chain behind all results of an experiment as an RO-Crate, https://w3id.org/ro/crate/1.1.

Every job is a CreateAction with what it read (object), what it wrote (result) and the rule that it ran
(instrument), as in the Workflow Run Crate profiles.
"""

import json
from pathlib import Path
from typing import Any

import centigan
from centigan.atomic import write_text
from centigan.layout import Layout
from centigan.provenance.chain import Job, all_jobs, raw_inputs

NAME = "ro-crate-metadata.json"
SOFTWARE = "#centigan"
Entity = dict[str, Any]


def crate(layout: Layout) -> Path:
    """Write results/<experiment>/ro-crate-metadata.json; files are named relative to it.

    Raises:
        UserError: when nothing was computed yet.
    """
    jobs = all_jobs(layout)
    digests = raw_inputs(jobs) | {path: digest for job in jobs for path, digest in job.outputs.items()}
    files = [_file(layout, path, digest) for path, digest in digests.items()]
    rules = {job.rule: {"@id": f"#{job.rule}", "@type": "HowTo", "name": job.rule} for job in jobs}
    actions = [_action(layout, job) for job in jobs]
    document = {
        "@context": "https://w3id.org/ro/crate/1.1/context",
        "@graph": [*_root(layout, files, actions), *files, *rules.values(), *actions],
    }
    target = layout.results / NAME
    write_text(target, json.dumps(document, indent=1, allow_nan=False) + "\n")
    return target


def _root(layout: Layout, files: list[Entity], actions: list[Entity]) -> list[Entity]:
    inside = [{"@id": file["@id"]} for file in files if not file["@id"].startswith("#")]
    return [
        {
            "@id": NAME,
            "@type": "CreativeWork",
            "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
            "about": {"@id": "./"},
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "name": f"centigan: {layout.experiment}",
            "description": f"Results of the experiment {layout.experiment}, with the jobs that made them.",
            "hasPart": inside,
            "mentions": [{"@id": action["@id"]} for action in actions],
        },
        {
            "@id": SOFTWARE,
            "@type": "SoftwareApplication",
            "name": "centigan",
            "softwareVersion": centigan.__version__,
        },
    ]


def _id(layout: Layout, path: str) -> str:
    """A file of the results by its place; one outside, such as raw data, by a name only."""
    if Path(path).is_relative_to(layout.results):
        return Path(path).relative_to(layout.results).as_posix()
    return f"#{path}"


def _file(layout: Layout, path: str, digest: str) -> Entity:
    found = {"@id": _id(layout, path), "@type": "File", "name": Path(path).name, "sha256": digest}
    if Path(path).exists():
        found["contentSize"] = str(Path(path).stat().st_size)
    return found


def _action(layout: Layout, job: Job) -> Entity:
    facts = {"made with": job.params, **job.facts}
    return {
        "@id": f"#job/{job.name}",
        "@type": "CreateAction",
        "name": job.name,
        "agent": {"@id": SOFTWARE},
        "instrument": {"@id": f"#{job.rule}"},
        "object": [{"@id": _id(layout, path)} for path in job.inputs],
        "result": [{"@id": _id(layout, path)} for path in job.outputs],
        "description": json.dumps(facts, sort_keys=True, allow_nan=False),
    }
