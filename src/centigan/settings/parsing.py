"""From values as they were read to typed settings, with one line for each mistake."""

import json
from datetime import date
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from centigan.errors import UserError
from centigan.settings.families import FAMILIES
from centigan.settings.frozen import MEANING, Frozen
from centigan.yaml_mapping import advice

ModelT = TypeVar("ModelT", bound=Frozen)


def parse(kind: type[ModelT], values: Any, where: str) -> ModelT:
    """Validate values read from `where`.

    Raises:
        UserError: one line per mistake: the key, what is wrong, the nearest valid key.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        lines = [_explain(kind, item) for item in error.errors()]
        raise UserError(f"{where}: " + "; ".join(lines)) from None


def parse_json(kind: type[ModelT], text: str, where: str) -> ModelT:
    """Validate settings given as JSON text."""
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"{where}: not valid JSON: {error}") from None
    return parse(kind, values, where)


def _explain(kind: type[Frozen], wrong: ErrorDetails) -> str:
    location, message, family = wrong["loc"], wrong["msg"], None
    if location[0] == "model" and location[1:2] and location[1] in FAMILIES:
        first, family, *rest = location  # pydantic puts the family between `model` and the key
        location = (first, *rest)
    key = ".".join(str(part) for part in location)
    if wrong["type"] == "string_pattern_mismatch":
        return f"{key}: {MEANING[wrong['ctx']['pattern']]}, not {wrong['input']!r}"
    if wrong["type"] == "string_type" and isinstance(wrong["input"], int | float | date):
        return f"{key}: YAML takes {wrong['input']} for a number, a date or a truth; write a text in quotes"
    if wrong["type"] in ("union_tag_not_found", "model_type"):
        return f"{key}: settings are expected, `key: value` lines, not {wrong['input']!r}"
    if wrong["type"] == "union_tag_invalid":
        return f"{key}.family: unknown family; {advice(str(wrong['ctx']['tag']), list(FAMILIES))}"
    if wrong["type"] != "extra_forbidden":
        return f"{key}: {message[0].lower()}{message[1:]}"
    schema, path = kind.model_json_schema(), location[:-1]
    if family:  # its keys, not those of all
        schema, path = FAMILIES[str(family)].model_json_schema(), location[1:-1]
    known = _keys(schema, path)
    return f"{key}: unknown setting; {advice(str(location[-1]), known)}"


def _keys(schema: dict[str, Any], path: tuple[int | str, ...]) -> list[str]:
    """Names of the settings under `path` in a model's JSON schema."""
    node = schema
    for part in path:
        node = node["items"] if isinstance(part, int) else node["properties"][part]
        node = next((kind for kind in node.get("anyOf", ()) if "$ref" in kind), node)  # it, or null
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]
    return list(node["properties"])
