"""The chain behind a result, for people: a paragraph for each rule, from the raw data on."""

import json
from pathlib import Path

from centigan.layout import Layout
from centigan.manifest import read_digests
from centigan.provenance.chain import Job, chain, raw_inputs, state

SHOWN = 12  # characters of a hash
MOST_NAMED = 4  # jobs or files of a kind, unless all are asked for


def describe(layout: Layout, target: Path, root: str, *, everything: bool = False) -> str:
    """Files, hashes, settings, source, commit, versions, seeds and devices between raw data and a result.

    Args:
        root: where the raw data lie.
        everything: name every job and file, with whole hashes; else a few of each kind.

    Raises:
        UserError: when no job of the experiment has written the file.
    """
    jobs = chain(layout, target)
    lines = _raw(layout, root, jobs, everything)
    paragraphs: dict[tuple[str, str], list[Job]] = {}
    for job in jobs:
        paragraphs.setdefault((job.other, job.rule), []).append(job)
    for paragraph in paragraphs.values():
        lines += ["", *_rule(paragraph, everything)]
    return "\n".join(lines)


def _raw(layout: Layout, root: str, jobs: list[Job], everything: bool) -> list[str]:
    lines = ["raw data"]
    if layout.source.exists():
        source = json.loads(layout.source.read_text(encoding="utf-8"))
        counts = ", ".join(f"{count:,} {subset}" for subset, count in source["images"].items())
        lines.append(f"  {source['source']} in {root}: {counts} images")
    pins = {f"{root}/{path}": digest for path, digest in read_digests(layout.raw_pins).items()}
    return lines + _files(raw_inputs(jobs), everything) + _files(pins, everything)


def _rule(jobs: list[Job], everything: bool) -> list[str]:
    """One paragraph; jobs of one rule that differ in their settings are told apart."""
    shown = jobs if everything else jobs[:MOST_NAMED]
    more = f" and {len(jobs) - len(shown)} more" if len(jobs) > len(shown) else ""
    lines = [f"{jobs[0].rule}: {', '.join(job.name for job in shown)}{more}"]
    for text in dict.fromkeys(line for job in jobs for line in _made_with(job)):
        lines.append(f"  {text}")
    outputs = {path: digest for job in jobs for path, digest in job.outputs.items()}
    return lines + _files(outputs, everything)


def _made_with(job: Job) -> list[str]:
    lines = [f"{kind} {text}" for kind, text in job.params]
    facts = {key: value for key, value in job.facts.items() if value is not None}
    libraries = facts.pop("libraries", {})
    engine = facts.pop("engine", {})
    told = {**facts, **{key: value for key, value in engine.items() if key != "device"}}
    if told:
        lines.append(", ".join(f"{key} {value}" for key, value in told.items()))
    if libraries:
        lines.append(", ".join(f"{name} {version}" for name, version in libraries.items()))
    return sorted(lines, key=lambda line: line.startswith("settings"))


def _files(found: dict[str, str], everything: bool) -> list[str]:
    lines = []
    for path, digest in list(found.items())[: None if everything else MOST_NAMED]:
        trouble = state(path, digest)
        lines.append(f"  {digest if everything else digest[:SHOWN]}  {path}{trouble and f'  {trouble}'}")
    if len(found) > len(lines):
        lines.append(f"  and {len(found) - len(lines)} more files")
    return lines
