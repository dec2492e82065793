"""What Slurm and a run's messages say, waited for."""

import json
import time
from collections.abc import Callable
from pathlib import Path

from cluster.project import Project
from cluster.slurm import out

TARGET = "results/small/long/train/00/manifest.json"
ON_SLURM = ("--profile", "slurm", "--latency-wait", "10", "--config")


def jobs(project: Project) -> list[dict[str, str]]:
    """Slurm's own records of the project's jobs, by number."""
    fields = {"id": "%A", "state": "%T", "name": "%j", "start": "%S", "folder": "%Z"}
    lines = out("squeue", "-h", "--states=all", "--format", "|".join(fields.values())).splitlines()
    found = [dict(zip(fields, line.split("|"), strict=True)) for line in lines]
    ours = [job for job in found if Path(job["folder"]) == project.folder]
    return sorted(ours, key=lambda job: int(job["id"]))


def fact(job: str, name: str) -> str:
    """One field of Slurm's full record of a job; empty where it has none."""
    words = out("scontrol", "show", "job", job).split()
    return next((word.partition("=")[2] for word in words if word.startswith(f"{name}=")), "")


def until(true: Callable[[], object], seconds: float, project: Project) -> float:
    """Wait until something is so; the seconds that it took."""
    begun = time.monotonic()
    while not true():
        if time.monotonic() - begun > seconds:
            raise TimeoutError(messages(project)[-4000:])
        time.sleep(0.1)
    return time.monotonic() - begun


def messages(project: Project) -> str:
    """What Snakemake said."""
    return (project.folder / "run.log").read_text()


def trained(project: Project, experiment: str = "small/long", split: str = "00") -> dict[str, bytes]:
    """What the training of a split wrote."""
    return {k: v for k, v in project.results(experiment).items() if k.startswith(f"train/{split}/")}


def in_the_middle(project: Project, more: int = 200) -> str:
    """Wait until the training in Slurm is some iterations past those it began with; its job."""
    timing = project.folder / "scratch/small/long/00/timing.jsonl"
    journal = timing.read_text().splitlines() if timing.exists() else []
    begun = json.loads(journal[-2])["iteration"] if len(journal) > 1 else 0

    def iteration() -> int:
        lines = timing.read_text().splitlines() if timing.exists() else []
        return json.loads(lines[-2])["iteration"] if len(lines) > 1 else 0

    until(lambda: iteration() >= begun + more, 120, project)
    return [job["id"] for job in jobs(project) if job["state"] == "RUNNING"][-1]
