"""What the machine or the cluster at hand has; loads no settings, since the Slurm profile imports this."""

import difflib
import os
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
