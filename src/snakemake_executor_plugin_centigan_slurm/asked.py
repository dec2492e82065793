"""What the rules ask Slurm for, shown by `snakemake --profile slurm -n` before anything is submitted."""

import textwrap
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from snakemake.iocontainers import Wildcards


def tell_asked(
    workflow: Any, experiment: str, splits: list[str], figures: list[str], metrics: Iterable[str]
) -> None:
    """Print a line for all rules that ask for the same, at their first attempt."""
    example = {
        "experiment": experiment,
        "split": splits[0],
        "figure": figures[0],
        "metric": next(iter(metrics)),
    }
    lines: dict[str, list[str]] = {}
    for rule in workflow.rules:
        if rule.output and rule.name not in workflow._localrules:
            wildcards = Wildcards(fromdict={name: example[name] for name in rule.wildcard_names})
            lines.setdefault(asked(rule.expand_resources(wildcards, [], 1)), []).append(rule.name)
    print("Jobs ask Slurm for:")
    for line, rules in lines.items():
        wrapped = textwrap.wrap(", ".join(rules), 110, initial_indent="    ", subsequent_indent="    ")
        print(f"  {line}", *wrapped, sep="\n")


def asked(resources: Any) -> str:
    """A rule's resources in words."""
    gpus, model = resources.get("gpu"), resources.get("gpu_model")
    partition = resources.get("slurm_partition")
    return ", ".join(
        [
            f"partition {partition}" if partition else "the default partition",
            counted(resources["_cores"], "CPU"),
            f"{resources['mem_mb']} MB",
            f"{timedelta(minutes=int(resources['runtime']))} hours",
            counted(gpus, f"{model} GPU" if model else "GPU") if gpus else "no GPU",
        ]
    )


def counted(number: int, thing: str) -> str:
    """A number of things in words."""
    return f"{number} {thing}{'s' if number > 1 else ''}"
