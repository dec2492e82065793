"""What the machine or the cluster at hand has; loads no settings, since the Slurm profile imports this."""

import difflib
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from centigan.errors import UserError


def visible_gpus(environment: Mapping[str, str] = os.environ, devices: Path = Path("/dev")) -> int:
    """How many NVIDIA GPUs this machine lets us use, told without loading torch."""
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return len(list(devices.glob("nvidia[0-9]*")))
    return len([name for name in visible.split(",") if name.strip() not in {"", "-1"}])


def overridden(
    defaults: Mapping[str, Any],
    file: Path = Path("site.yaml"),
    environment: Mapping[str, str] = os.environ,
) -> dict[str, Any]:
    """The defaults, overlaid by site.yaml, then by CENTIGAN_<KEY> in the environment.

    Raises:
        UserError: for a key that the defaults do not have, or a value of another type.
    """
    values = dict(defaults)
    values |= _checked(_read(file), defaults, str(file))
    for key in defaults:
        name = f"CENTIGAN_{key.upper()}"
        if name in environment:
            values |= _checked({key: yaml.safe_load(environment[name])}, defaults, name)
    return values


def checked_with_slurm(site: dict[str, Any]) -> dict[str, Any]:
    """The same values, once Slurm has said that it has the partitions and GPUs that they name.

    Raises:
        UserError: when it has not, or there is no Slurm.
    """
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
    devices: dict[str, str] = {}  # of each partition
    default = ""
    for line in asked.stdout.splitlines():
        name, _, gres = line.partition("|")
        if name.endswith("*"):
            default = name = name[:-1]
        devices[name] = devices.get(name, "") + f"{gres},"
    for key in ("cpu_partition", "gpu_partition"):
        if site[key] and site[key] not in devices:
            raise UserError(
                f"{key}: Slurm has no partition {site[key]!r} here; there are: {', '.join(devices)}"
            )
    partition = site["gpu_partition"] or default
    wanted = f"gpu:{site['gpu_model']}:" if site["gpu_model"] else "gpu:"
    if site["gpus"] and wanted not in devices.get(partition, ""):
        raise UserError(
            f"partition {partition!r} has no {wanted.rstrip(':')}: name another as gpu_partition or "
            "gpu_model, or train on CPUs with gpus: 0"
        )
    return site


def site_value(key: str, default: Any) -> Any:
    """One value of the site: from the environment, else from site.yaml, else the default."""
    found = _read(Path("site.yaml"))
    known = {key: default} | {other: value for other, value in found.items() if other != key}
    return overridden(known)[key]


def _read(file: Path) -> dict[str, Any]:
    if not file.exists():
        return {}
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise UserError(f"{file} is not valid YAML: {error}") from None
    if not isinstance(found or {}, dict):
        raise UserError(f"{file} must hold `key: value` lines")
    return found or {}


def _checked(found: dict[str, Any], defaults: Mapping[str, Any], where: str) -> dict[str, Any]:
    for key, value in found.items():
        if key not in defaults:
            near = difflib.get_close_matches(key, defaults, n=1)
            advice = f"did you mean `{near[0]}`?" if near else f"there are: {', '.join(defaults)}"
            raise UserError(f"{where}: {key}: unknown; {advice}")
        kind = type(defaults[key])
        if kind is str and value is not None and not isinstance(value, dict | list):
            found[key] = str(value)  # an account of digits is a name
        elif type(value) is not kind:
            raise UserError(f"{where}: {key} must be of type {kind.__name__}, not {value!r}")
    return found
