"""What the machine or the cluster at hand has; loads no settings, since the Slurm profile imports this."""

import getpass
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any

from centigan.errors import UserError
from centigan.yaml_mapping import advice, read_texts

FILE = Path("site.yaml")
SCRATCH = Path("scratch")
# sbatch's options that the workflow sets itself; Snakemake's plugin hangs when it finds one of them
OWN = re.compile(
    r"(--(?:job-name|output|error|export|comment|workdir|account|partition|mem|mem-per-cpu|ntasks|time|qos"
    r"|constraint|nodes|gres|gpus|cpus-per-task|clusters|parsable)|-[JoeDApnctCN])(?=[=\s]|$)"
)
GPU = re.compile(r"\+?([0-9]+)|(?:GPU|MIG)-.+")
IN_JOB = "CENTIGAN_IN_JOB"  # set for the commands of a cluster's jobs
LOG_ALONE = "CENTIGAN_LOG_ALONE"  # in the environment of a job whose log is shown by what runs it
TRUTHS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
SEEN = ".seen-by-all-nodes"  # in scratch: a job that does not find it looks at another folder


def visible_gpus(environment: Mapping[str, str] = os.environ, devices: Path = Path("/dev")) -> int:
    """How many NVIDIA GPUs this machine lets us use, told without loading torch.

    CUDA_VISIBLE_DEVICES is read as CUDA reads it: up to the first entry that names no GPU, none at all where
    an entry stands twice, and of "1st" the number.
    """
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return len(list(devices.glob("nvidia[0-9]*")))
    entries = (GPU.match(entry.strip()) for entry in visible.split(","))
    names = [int(found[1]) if found[1] else found[0] for found in takewhile(bool, entries) if found]
    return len(names) if len(set(names)) == len(names) else 0


def overridden(
    defaults: Mapping[str, Any],
    file: Path = FILE,
    environment: Mapping[str, str] = os.environ,
) -> dict[str, Any]:
    """The defaults, overlaid by site.yaml, then by CENTIGAN_<KEY> in the environment.

    Raises:
        UserError: for keys that the defaults do not have, and values of another type.
    """
    said = {key: (value, str(file)) for key, value in _said(file).items()}
    for key in defaults:
        if (name := f"CENTIGAN_{key.upper()}") in environment:
            said[key] = environment[name], name
    values, wrong = dict(defaults), []
    for key, (text, where) in said.items():
        try:
            values[key] = _understood(key, text, defaults)
        except ValueError as error:
            wrong.append(f"{where}: {error}")
    if wrong:
        raise UserError("; ".join(wrong))
    return values


def of_slurm(defaults: Mapping[str, Any]) -> dict[str, Any]:
    """What the profile `slurm` asks for: the defaults, overlaid by the site's, checked with Slurm.

    A mistake is one line, then the end: after an exception in a profile Snakemake prints its whole usage.
    """
    try:
        return checked_with_slurm(overridden(defaults))
    except UserError as error:
        sys.exit(f"error: {error}")


def checked_with_slurm(site: dict[str, Any]) -> dict[str, Any]:
    """The same values, once Slurm has said that it has the partitions and GPUs that they name.

    Raises:
        UserError: when it has not, there is no Slurm, or `extra` holds what has a key of its own.
    """
    if found := OWN.search(site["extra"]):
        raise UserError(f"extra: {found[1]} is not for `extra`: the profile sets it, from a key of its own")
    if site["status_command"] not in ("", "squeue", "sacct"):
        raise UserError(f"status_command must be squeue, sacct or empty, not {site['status_command']!r}")
    devices, default = _partitions()
    if site["account"] and (own := _accounts()) and site["account"].lower() not in own:
        raise UserError(
            f"account: Slurm knows no account {site['account']!r} of yours; there are: {', '.join(own)}"
        )
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
    command = ["sinfo", "--all", "--noheader", "--format=%P|%G"]
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


def _accounts() -> list[str]:
    """The user's accounts; none where Slurm keeps no accounts."""
    user = getpass.getuser()
    command = [
        "sacctmgr",
        "--noheader",
        "--parsable2",
        "list",
        "associations",
        f"user={user}",
        "format=account",
    ]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return sorted({line.strip().lower() for line in asked.stdout.splitlines() if line.strip()})


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
    return overridden(dict.fromkeys(_said(FILE), "") | {key: default})[key]


def _said(file: Path) -> dict[str, Any]:
    """What the site says of itself, as text; nothing where it has no file."""
    return read_texts(file) if file.exists() else {}


def _understood(key: str, text: Any, defaults: Mapping[str, Any]) -> Any:
    """A value of the default's type, where that is text as it is: an account of digits is a name."""
    if key not in defaults:
        raise ValueError(f"{key}: unknown; {advice(key, defaults)}")
    default = defaults[key]
    if not isinstance(text, str):
        raise ValueError(f"{key} must be one value, not a list or a mapping")
    if isinstance(default, str):
        return text
    if isinstance(default, bool):
        if text.lower() not in TRUTHS:
            raise ValueError(f"{key} must be true or false, not {text!r}")
        return TRUTHS[text.lower()]
    if not re.fullmatch("[0-9]{1,9}", text):
        raise ValueError(f"{key} must be a whole number, not {text!r}")
    return int(text)
