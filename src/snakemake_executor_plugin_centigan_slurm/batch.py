"""The Slurm job of a Snakemake job or group: what it asks for, its name, its script."""

import json
import shlex
import sys
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from snakemake.deployment import singularity
from snakemake.settings.types import DeploymentMethod
from snakemake_executor_plugin_slurm.submit_string import get_submit_command
from snakemake_executor_plugin_slurm.utils import set_gres_string
from snakemake_executor_plugin_slurm.validation import validate_slurm_extra

from centigan.needed import OF_A_METRIC
from centigan.site import IN_JOB

END = "END_OF_STEPS"
LONGEST = 900  # letters of a comment, of which Slurm may allow 1024
# what Snakemake sets for a shell command, read when the libraries are loaded
THREADS = ["OMP_NUM_THREADS", "GOTO_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"]
THREADS += ["VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS"]
ADDED_SIDE_BY_SIDE = ("mem_mb", "threads")
OWNERS = ("experiment", "protocol")  # what a wildcard or a param is called that says whose a job is


class Resources(dict[str, Any]):
    """Resources by name and as attributes, as the functions of snakemake-executor-plugin-slurm read them."""

    def __getattr__(self, name: str) -> Any:
        return self.get(name)


class Batch:
    """What is submitted as one Slurm job: a job of Snakemake, a group, or ready groups of one split.

    All run in turn, so that the Slurm job asks for the most that one of them does; those of the group
    `side_by_side` run at the same time, and what they ask for is added up.
    """

    def __init__(self, jobs: list[Any], side_by_side: str | None) -> None:
        self.jobs = jobs
        self.members = [member for job in jobs for member in members_of(job)]
        self.group = group_of(jobs[0])
        self.together = side_by_side is not None and self.group == side_by_side
        self.owners = list(dict.fromkeys(map(owner_of, self.members)))
        self.resources = Resources(self._resources())
        self.threads = self.resources.pop("threads")
        self.token = uuid.uuid4().hex[
            :12
        ]  # in the comment: tells whether Slurm has the job, when sbatch does not
        self.before: dict[Path, tuple[int, int] | None] = {}  # the outputs that lay there at submission

    def _resources(self) -> dict[str, Any]:
        asked: dict[str, Any] = {}
        for member in self.members:
            for name, value in [*member.resources.items(), ("threads", member.threads)]:
                if name not in asked:
                    asked[name] = value
                elif isinstance(value, int) and isinstance(asked[name], int):
                    add = self.together and name in ADDED_SIDE_BY_SIDE
                    asked[name] = asked[name] + value if add else max(asked[name], value)
        return asked

    @property
    def targets(self) -> dict[str, list[str]]:
        """Of each experiment or protocol: `<rule>/<what it is run for>` of each member."""
        found: dict[str, list[str]] = {owner: [] for owner in self.owners}
        for member in self.members:
            of = (str(value) for name, value in member.wildcards.items() if name not in OWNERS)
            found[owner_of(member)].append("/".join([member.rule.name, *of]))
        return found

    @property
    def name(self) -> str:
        """A name for squeue and sacct, whose first letters tell most: train.03.imagenet128.acgan."""
        targets = [target.split("/") for targets in self.targets.values() for target in targets]
        rule = self.group
        if len(self.members) == 1:  # of a metric, its name
            rule = targets[0][1] if targets[0][0] in OF_A_METRIC else targets[0][0]
        of = {target[-1] if len(target) > 1 else "" for target in targets}
        parts = (rule, first_of(sorted(of)), first_of(self.owners).replace("/", "."))
        return ".".join(filter(None, parts))

    @property
    def folder(self) -> str:
        """Where its log lies among those of all jobs."""
        return self.owners[0]

    def is_group(self) -> bool:
        """Asked by snakemake-executor-plugin-slurm."""
        return False

    def call(self, settings: Any, log: str, folder: str) -> list[str]:
        """The call of sbatch, which reads the script from standard input."""
        validate_slurm_extra(self)
        said = {"slurm_account": "-A", "slurm_partition": "-p"}
        account, partition = (
            f"{flag} {shlex.quote(str(self.resources[key]))}" if self.resources.get(key) else ""
            for key, flag in said.items()
        )
        told = (" ".join([owner, *targets]) for owner, targets in self.targets.items())
        comment = f"centigan {' + '.join(told)}"  # centigan.status reads it
        comment = comment if len(comment) < LONGEST else comment[:LONGEST].rpartition(" ")[0]
        comment += f" #{self.token}"
        params = {"run_uuid": self.name, "slurm_logfile": log, "comment_str": comment}
        params |= {"account": account, "partition": partition, "workdir": folder}
        return shlex.split(get_submit_command(self, params, settings=settings) + set_gres_string(self))

    def script(self, workflow: Any, prelude: str | None) -> str:
        """Bash that hands the steps to `centigan job`, in whose place it then is: one process, one signal."""
        outputs = {str(path) for member in self.members for path in member.output}
        needed = dict.fromkeys(
            str(path) for m in self.members for path in m.input if str(path) not in outputs
        )
        steps = [
            {"job": number, "command": member.shellcmd, "outputs": [str(path) for path in member.output]}
            for number, job in enumerate(self.jobs)
            for member in members_of(job)
        ]
        described = {
            "wait": workflow.execution_settings.latency_wait,
            "inputs": list(needed),
            "side_by_side": self.together,
            "steps": steps,
        }
        threads = max(member.threads for member in self.members)
        variables = [f"{IN_JOB}=1", *(f"{name}={threads}" for name in THREADS)]
        lines = ["#!/bin/bash", "set -e", f"export {' '.join(variables)}"]
        lines += [prelude] if prelude else []
        lines += [f"exec {self._runner(workflow)} <<'{END}'", json.dumps(described), END, ""]
        return "\n".join(lines)

    def _runner(self, workflow: Any) -> str:
        if DeploymentMethod.APPTAINER not in workflow.deployment_settings.deployment_method:
            return shlex.quote(str(Path(sys.executable).with_name("centigan"))) + " job"
        image = next(m.container_img_path for m in self.members)
        return singularity.shellcmd(image, "centigan job", args=workflow.deployment_settings.apptainer_args)


def owner_of(member: Any) -> str:
    """The experiment that a job is of, or the protocol: by its wildcards, or else by what it is handed."""
    named = (place.get(name) for place in (member.wildcards, member.params) for name in OWNERS)
    return str(next((name for name in named if name), ""))


def first_of(names: list[str]) -> str:
    """The first, and how many there are more."""
    return f"{names[0]}+{len(names) - 1}" if names[0] and names[1:] else names[0]


def outputs_of(jobs: list[Any], folder: Path) -> dict[Path, tuple[int, int] | None]:
    """Each output of the jobs, with its inode and time (ns), or None where it is not there."""
    found: dict[Path, tuple[int, int] | None] = {}
    for path in (folder / str(path) for job in jobs for member in members_of(job) for path in member.output):
        try:
            state = path.stat()
            found[path] = state.st_ino, state.st_mtime_ns
        except FileNotFoundError:
            found[path] = None
    return found


def members_of(job: Any) -> list[Any]:
    """The rules' jobs of a job or group, in the order of their dependencies."""
    return list(job) if job.is_group() else [job]


def group_of(job: Any) -> str:
    """The name of a group, without what Snakemake adds to tell its parts apart; "" of a single job."""
    return job.groupid.split("_local")[0] if job.is_group() else ""


def sharing(jobs: list[Any], side_by_side: str | None) -> list[list[Any]]:
    """The jobs, put together where ready groups of one name are for the same split."""
    shared: dict[Any, list[Any]] = {}
    for job in jobs:
        group = group_of(job)
        targets = {member.wildcards.get("split") or tuple(member.wildcards) for member in members_of(job)}
        alone = not group or group == side_by_side or len(targets) > 1
        shared.setdefault(id(job) if alone else (group, targets.pop(), job.attempt), []).append(job)
    return list(shared.values())


def numbered(words: Iterable[str], limit: int = 5) -> str:
    """Some of the words, and how many there are more."""
    words = list(words)
    return ", ".join(words[:limit]) + (f" and {len(words) - limit} more" if len(words) > limit else "")
