"""Reading settings: params.yaml, overlaid by experiments/<name>.yaml, then by a split's overrides."""

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from centigan.errors import UserError
from centigan.layout import split_name
from centigan.settings import Named, Settings
from centigan.settings.families import FAMILIES
from centigan.settings.frozen import MEANING, Frozen
from centigan.yaml_mapping import advice, read_mapping

StageT = TypeVar("StageT", bound=Frozen)


def load(experiment: str | None = None, root: Path = Path()) -> Settings:
    """The settings of an experiment; by default the one that params.yaml names.

    Raises:
        UserError: for a missing file, a misspelt key or a value out of range.
    """
    params, overlay, file = _written(experiment, root)
    values = _merge(params, overlay) | {"experiment": file.stem}
    settings = parse(Settings, values, f"params.yaml + {file}")
    for split in settings.splits:
        for_split(settings, split)
    return settings


def overridden(experiment: str | None = None, root: Path = Path()) -> list[str]:
    """A line for each value that was changed in params.yaml and that the experiment's file decides otherwise.

    Such a change has no effect, though `dvc exp run -S` makes it and says nothing. What params.yaml ships
    with is what the models have as defaults.

    Raises:
        UserError: as of `load`.
    """
    params, overlay, file = _written(experiment, root)
    shipped = dotted(Settings(experiment=file.stem).model_dump(mode="json"))
    below, above = dotted(params), dotted(overlay)
    lines = [*_of_another_family(params, overlay, shipped, file)]
    for key in sorted(below.keys() & above.keys() - {"experiment"}):
        if below[key] == above[key] or (key in shipped and below[key] == shipped[key]):
            continue
        asked = shlex.quote(f"{file}:{key}={_in_yaml(below[key])}")
        before = f"put back the shipped value, {_in_yaml(shipped[key])}" if key in shipped else "take it out"
        lines.append(
            f"params.yaml: {key} is {_in_yaml(below[key])}, but {file} says {_in_yaml(above[key])}, which "
            f"decides: set it there, or `dvc exp run -S {asked}`; here {before}"
        )
    return lines


def _of_another_family(
    params: dict[str, Any], overlay: dict[str, Any], shipped: dict[str, Any], file: Path
) -> Iterator[str]:
    """A line for each setting of the model that was changed and that another family does not take."""
    model, other = params.get("model"), overlay.get("model")
    if not (isinstance(model, dict) and isinstance(other, dict) and _another_family(model, other)):
        return
    for key, value in sorted(dotted(model, "model.").items()):
        if key not in dotted(other, "model.") and value != shipped.get(key, value):
            yield (
                f"params.yaml: {key} is {_in_yaml(value)}, but {file} takes another family, "
                f"{_in_yaml(other['family'])}, which begins with its own settings: set it there, and here "
                f"put back the shipped value, {_in_yaml(shipped[key])}"
            )


def _written(experiment: str | None, root: Path) -> tuple[dict[str, Any], dict[str, Any], Path]:
    """What params.yaml says, what the experiment's file says, and that file."""
    params = read_mapping(root / "params.yaml")
    if experiment is None and params.get("experiment") is None:
        raise UserError("params.yaml: `experiment` is missing; name a file of experiments/")
    where = "params.yaml" if experiment is None else "the experiment asked for"
    named = parse(Named, {"experiment": params["experiment"] if experiment is None else experiment}, where)
    overlay = root / "experiments" / f"{named.experiment}.yaml"
    if not overlay.is_file():
        known = sorted(path.stem for path in (root / "experiments").glob("*.yaml"))
        raise UserError(
            f"experiment {named.experiment!r} has no file {overlay}; there are: {', '.join(known)}"
        )
    return params, read_mapping(overlay), overlay


def as_written(config: Mapping[str, Any], key: str, words: Iterable[str]) -> Any:
    """What Snakemake's `--config key=...` says, to the letter: it takes 007 and 1e3 for numbers itself.

    Args:
        config: what Snakemake made of the words, and of the files of `--configfile`.
        key: whose value is asked for.
        words: those after `--config`, which every job of a cluster is handed, too.

    Returns:
        The text of the last such word, else what a file says; None where nothing is said.

    Raises:
        UserError: when a file says null.
    """
    if given := [word.partition("=")[2] for word in words if word.startswith(f"{key}=")]:
        return given[-1].strip("'\"")  # so does Snakemake
    if key in config and config[key] is None:
        raise UserError(f"--configfile: `{key}` is null; take it out, or name one in quotes")
    return config.get(key)


def for_split(settings: Settings, split: int | str) -> Settings:
    """The settings that one split sees: its overrides applied."""
    try:
        split_name(split, settings.data.classes, settings.data.split_size)
    except UserError as error:
        raise UserError(f"splits.{split}: {error}") from None
    overrides = settings.model_dump()["splits"].get(int(split), {})
    if (family := overrides.get("model", {}).get("family", settings.model.family)) != settings.model.family:
        raise UserError(
            f"splits.{int(split)}: model.family: {family!r} differs from the experiment's, "
            f"{settings.model.family!r}; all splits are of one family; make another experiment"
        )
    return parse(Settings, _merge(settings.model_dump(), overrides), f"splits.{int(split)}")


def stage(settings: Settings, kind: type[StageT], split: str | None = None) -> StageT:
    """The part of the settings that one stage depends on."""
    source = settings if split is None else for_split(settings, split)
    return kind.model_validate({name: getattr(source, name) for name in kind.model_fields})


def canonical_json(model: Frozen) -> str:
    """One line of JSON with sorted keys: equal settings, equal text."""
    return json.dumps(model.model_dump(mode="json"), sort_keys=True, allow_nan=False)


def dotted(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as one level of dotted keys: {"train": {"seed": 0}} -> {"train.seed": 0}."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= dotted(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat


def parse(kind: type[StageT], values: Any, where: str) -> StageT:
    """Validate values read from `where`.

    Raises:
        UserError: one line per mistake: the key, what is wrong, the nearest valid key.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        lines = [_explain(kind, item) for item in error.errors()]
        raise UserError(f"{where}: " + "; ".join(lines)) from None


def parse_json(kind: type[StageT], text: str, where: str) -> StageT:
    """Validate settings given as JSON text."""
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"{where}: not valid JSON: {error}") from None
    return parse(kind, values, where)


def _in_yaml(value: Any) -> str:
    """A value in one line, as a file of settings may have it."""
    return json.dumps(value, ensure_ascii=False, default=str)


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
    if wrong["type"] == "union_tag_not_found":
        return f"{key}: settings are expected, not {wrong['input']!r}"
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
        node = node["properties"][part]
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]
    return list(node["properties"])


def _merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """`above` over `below`, section by section."""
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = (
            _merge(merged[key], value) if both and not _another_family(merged[key], value) else value
        )
    return merged


def _another_family(below: dict[str, Any], above: dict[str, Any]) -> bool:
    """Whether two sections are of two families, whose settings have nothing to do with each other."""
    return "family" in above and above["family"] != below.get("family", above["family"])
