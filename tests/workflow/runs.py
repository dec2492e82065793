"""Runs of Snakemake on a project of its own, and what a dry run would do."""

import os
import re
import sys
from pathlib import Path

from calls import call

BIN = Path(sys.executable).parent


def snakemake(project: Path, *words: str, check: bool = True) -> str:
    """Standard output and error of one call."""
    ended, said = told(project, *words)
    assert (ended == 0) is check, said[-5000:]
    return said


def told(project: Path, *words: str, **variables: str) -> tuple[int, str]:
    """Exit status of one call under these variables of the environment, and all that it says."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "SNAKEMAKE_"))}
    environment |= {"XDG_CACHE_HOME": str(project / ".snakemake/cache")}
    environment |= {"MPLCONFIGDIR": str(project / ".snakemake/matplotlib")}
    return call([BIN / "snakemake", "--cores", "2", *words], project, environment | variables)


def planned(project: Path, *words: str) -> dict[str, int]:
    """Rule -> jobs of a dry run; empty when there is nothing to be done."""
    output = snakemake(project, "--dry-run", *words)
    counts = dict(re.findall(r"^(\w+) {2,}(\d+)\b", output, re.MULTILINE))
    assert counts or "Nothing to be done" in output, output
    return {rule: int(n) for rule, n in counts.items() if rule not in {"total", "everything"}}
