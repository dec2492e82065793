"""What the machine or the cluster at hand has; loads no settings, since the Slurm profile imports this."""

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from centigan.errors import UserError
from centigan.yaml_mapping import advice, read_mapping

FILE = Path("site.yaml")
SCRATCH = Path("scratch")
# sbatch's options that the workflow sets itself; Snakemake's plugin hangs when it finds one of them
OWN = re.compile(
    r"(--(?:job-name|output|error|export|comment|workdir|account|partition|mem|mem-per-cpu|ntasks|time|qos"
    r"|constraint|nodes|gres|gpus|cpus-per-task|clusters|parsable)|-[JoeDApnctCN])(?=[=\s]|$)"
)
IN_JOB = "CENTIGAN_IN_JOB"  # set for the commands of a cluster's jobs
SEEN = ".seen-by-all-nodes"  # in scratch: a job that does not find it looks at another folder


def visible_gpus(environment: Mapping[str, str] = os.environ, devices: Path = Path("/dev")) -> int:
    """How many NVIDIA GPUs this machine lets us use, told without loading torch."""
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return len(list(devices.glob("nvidia[0-9]*")))
    return len([name for name in visible.split(",") if name.strip() not in {"", "-1"}])


def overridden(
    defaults: Mapping[str, Any],
    file: Path = FILE,
    environment: Mapping[str, str] = os.environ,
) -> dict[str, Any]:
    """The defaults, overlaid by site.yaml, then by CENTIGAN_<KEY> in the environment.

    Raises:
        UserError: for a key that the defaults do not have, or a value of another type.
    """
    values = dict(defaults)
    values |= _checked(_said(file), defaults, str(file))
    for key in defaults:
        name = f"CENTIGAN_{key.upper()}"
        if name in environment:
            values |= _checked({key: yaml.safe_load(environment[name])}, defaults, name)
    return values


def checked_with_slurm(site: dict[str, Any]) -> dict[str, Any]:
    """The same values, once Slurm has said that it has the partitions and GPUs that they name.

    Raises:
        UserError: when it has not, there is no Slurm, or `extra` holds what has a key of its own.
    """
    if found := OWN.search(site["extra"]):
        raise UserError(f"extra: {found[1]} is not for `extra`: the profile sets it, from a key of its own")
    devices, default = _partitions()
    for key in ("cpu_partition", "gpu_partition"):
        if site[key] and site[key] not in devices:
            known = ", ".join(devices)
            raise UserError(f"{key}: Slurm has no partition {site[key]!r} here; there are: {known}")
    partition = site["gpu_partition"] or default
    wanted = f"gpu:{site['gpu_model']}:" if site["gpu_model"] else "gpu:"
    if site["gpus"] and wanted not in devices.get(partition, ""):
        raise UserError(
            f"partition {partition!r} has no {wanted.rstrip(':')}: name another as gpu_partition or "
            "gpu_model, or train on CPUs with gpus: 0"
        )
    return site


def _partitions() -> tuple[dict[str, str], str]:
    """The devices of each of Slurm's partitions, such as "gpu:a100:4,", and the default partition."""
    if not shutil.which("sbatch") or not shutil.which("sinfo"):
        raise UserError(
            "`--profile slurm` runs on a login node of a Slurm cluster, and here is no sbatch on the PATH; "
            "without a cluster: snakemake --cores all"
        )
    command = ["sinfo", "--noheader", "--format=%P|%G"]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        raise UserError("Slurm does not answer: sinfo said nothing for a minute") from None
    if asked.returncode:
        raise UserError(f"Slurm does not answer: {asked.stderr.strip()}")
    devices: dict[str, str] = {}
    default = ""
    for line in asked.stdout.splitlines():
        name, _, gres = line.partition("|")
        if name.endswith("*"):
            default = name = name[:-1]
        devices[name] = devices.get(name, "") + f"{gres},"
    return devices, default


def prepare_scratch(target: str, scratch: Path = SCRATCH) -> None:
    """Make the folder of checkpoints, a link where the site names another, and mark it for all nodes.

    Raises:
        UserError: when it is there already and is not what the site names.
    """
    folder = Path(os.path.expandvars(target)).expanduser().absolute() if target else scratch
    if target and not scratch.is_symlink() and not scratch.exists():
        scratch.symlink_to(folder)
    if target and scratch.resolve() != folder.resolve():
        raise UserError(
            f"{scratch}/ is there already, and site.yaml asks for a link to {folder}: move what it holds "
            f"there and remove {scratch}/, or take `scratch` out of site.yaml"
        )
    folder.mkdir(parents=True, exist_ok=True)
    (scratch / SEEN).touch()


def check_scratch(scratch: Path = SCRATCH, environment: Mapping[str, str] = os.environ) -> None:
    """Make sure in a cluster's job that its node sees the folder of checkpoints that the submitting one sees.

    Raises:
        UserError: when it does not: a requeued training would start over.
    """
    if IN_JOB in environment and not (scratch / SEEN).exists():
        raise UserError(
            f"{socket.gethostname()} does not see the {scratch}/ of the node that submitted this job "
            f"({scratch.resolve()}): it must lie on a file system that all nodes share (site.yaml: scratch)"
        )


def site_value(key: str, default: Any) -> Any:
    """One value of the site: from the environment, else from site.yaml, else the default."""
    found = _said(FILE)
    known = {key: default} | {other: value for other, value in found.items() if other != key}
    return overridden(known)[key]


def _said(file: Path) -> dict[str, Any]:
    """What the site says of itself; nothing where it has no file."""
    return read_mapping(file) if file.exists() else {}


def _checked(found: dict[str, Any], defaults: Mapping[str, Any], where: str) -> dict[str, Any]:
    for key, value in found.items():
        if key not in defaults:
            raise UserError(f"{where}: {key}: unknown; {advice(key, defaults)}")
        kind = type(defaults[key])
        if kind is str and value is not None and not isinstance(value, dict | list):
            found[key] = str(value)  # an account of digits is a name
        elif type(value) is not kind:
            raise UserError(f"{where}: {key} must be of type {kind.__name__}, not {value!r}")
    return found
