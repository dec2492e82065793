"""Whether a study can run: what is asked of an experiment, of every one of its points."""

from functools import cache, partial
from pathlib import Path

from centigan.preflight import everything, look_at_raw
from centigan.preflight.findings import Finding
from centigan.study_points import load_points

NAMED = 3  # points that have a problem and are named; the others are counted


def everything_of_study(name: str, root: Path = Path()) -> list[Finding]:
    """All findings of all points, each once; a problem of some points alone names them.

    Raises:
        UserError: with every mistake in the study's file and in its points' settings.
    """
    every = load_points(name, root)
    look = cache(partial(look_at_raw, thorough=True))  # the raw data are those of the protocol
    found: dict[Finding, list[str]] = {}
    for experiment, settings in every.items():
        for finding in everything(settings.layout_at(root), settings, look=look):
            found.setdefault(finding, []).append(experiment.rpartition("/")[2])
    return [
        finding
        if finding.good or len(own) == len(every)
        else Finding(False, f"{_named(own)}: {finding.text}")
        for finding, own in found.items()
    ]


def _named(points: list[str]) -> str:
    more = f" and {len(points) - NAMED} more" if points[NAMED:] else ""
    return ", ".join(points[:NAMED]) + more
