"""YAML files of `key: value` lines, and what to say of a key that is not known."""

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from centigan.errors import UserError


def read_mapping(path: Path) -> dict[str, Any]:
    """What a file says; nothing for an empty one.

    Raises:
        UserError: when it is missing, no YAML, or anything else than `key: value` lines.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} is missing; run from the project's folder") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not valid YAML: {error}") from None
    if not isinstance(values or {}, dict):
        raise UserError(f"{path} must hold settings as `key: value` lines")
    return values or {}


def advice(key: str, known: Iterable[str]) -> str:
    """What may have been meant by an unknown key."""
    names = list(known)
    near = difflib.get_close_matches(key, names, n=1, cutoff=0.5)
    return f"did you mean `{near[0]}`?" if near else f"there are: {', '.join(names)}"
