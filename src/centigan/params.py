"""Reading settings, each layer over the one before: params.yaml, what the family's paper says of training,
experiments/<protocol>/protocol.yaml, the experiment's own file, a study's point, a split's overrides.
"""

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from centigan.errors import UserError
from centigan.layout import GROUPS, split_name
from centigan.settings import OF_STUDIES, OWN_SECTIONS, Named, Settings
from centigan.settings.families import FAMILIES, family_of
from centigan.settings.families.contract import StartingFromAnother
from centigan.settings.frozen import Frozen
from centigan.settings.grouping import GroupingSettings
from centigan.settings.parsing import parse as parse
from centigan.settings.parsing import parse_json as parse_json
from centigan.settings.points import companion, point_of, read_study
from centigan.yaml_mapping import read_mapping

StageT = TypeVar("StageT", bound=Frozen)
BEGINNING = "starts_from"  # a setting of `model`: the experiment whose trained networks this one begins with
PROTOCOL_FILE = "protocol.yaml"  # in a folder of experiments/: what all experiments beside it share


class Layer(NamedTuple):
    """What one place says of the settings."""

    values: dict[str, Any]
    place: str
    is_file: bool = True


def load(experiment: str | None = None, root: Path = Path()) -> Settings:
    """The settings of an experiment, a study's point, or a protocol alone; by default what params.yaml names.

    Raises:
        UserError: for a missing file, a misspelt key, a value out of range, or an experiment that sets
            what is its protocol's.
    """
    name, layers = _written(experiment, root)
    values, parent = _begun(_merged(layers), name, layers, root)
    files = " + ".join(layer.place for layer in layers if layer.is_file)
    settings = _grouped(parse(Settings, values | {"experiment": name}, files), layers[-1].place)
    if parent and parent.grouping != settings.grouping:
        raise UserError(
            f"{files}: model.{BEGINNING}: {parent.experiment} has other splits than {name}; name another"
        )
    if (word := _word_of(name)) is not None and settings.grouping.word != word:
        raise UserError(_no_splits(name))
    for split in settings.splits:
        for_split(settings, split)
    return settings


def _merged(layers: Iterable[Layer]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for layer in layers:
        values = _merge(values, layer.values)
    return values


def _begun(
    values: dict[str, Any], name: str, layers: list[Layer], root: Path
) -> tuple[dict[str, Any], Settings | None]:
    """The same with the model of the experiment that this one starts from, if any; the settings of that one.

    A study's point starts from the point of that experiment which has its values on all other axes.
    """
    kind = _starting(values)
    if kind is None:
        return values, None
    said = [layer for layer in layers if BEGINNING in (layer.values.get("model") or {})]
    place, asked = (said or layers)[-1].place, values["model"].get(BEGINNING)
    where = f"{place}: model.{BEGINNING}"
    if asked is None or asked == "":
        near = get_close_matches(BEGINNING, values["model"], n=1, cutoff=0.75)
        misspelt = f"model.{near[0]} is no setting; " if near and near[0] != BEGINNING else ""
        raise UserError(f"{where} is missing: {misspelt}name an experiment, such as digits8/gan")
    if not isinstance(asked, str) or not asked.partition("/")[2]:
        raise UserError(f"{where}: {_in_yaml(asked)} names no experiment, such as digits8/gan")
    if "decoder" in values["model"]:
        raise UserError(f"{place}: model.decoder is filled in from model.{BEGINNING}; take it out")
    if asked.partition("/")[0] != name.partition("/")[0]:
        raise UserError(f"{where}: {asked} is of another protocol than {name}")
    point = point_of(name, root)
    try:
        found = companion(point, asked, root).name if point else asked
    except UserError as error:
        raise UserError(f"{where}: {error}") from None
    parent = _able_parent(found, kind, place, root)
    begun = {BEGINNING: found, "decoder": parent.model.model_dump(mode="json")}
    return _merge(values, {"model": begun}), parent


def _starting(values: dict[str, Any]) -> type[StartingFromAnother] | None:
    """The family of settings as written, where it begins with networks of another experiment."""
    kind = FAMILIES.get(str(family_of(values.get("model") or {})))
    return kind if kind is not None and issubclass(kind, StartingFromAnother) else None


def _able_parent(parent: str, kind: type[StartingFromAnother], place: str, root: Path) -> Settings:
    """The settings of an experiment that is able to do what a family asks of those that it begins with."""
    where = f"{place}: model.{BEGINNING}: {parent}"
    try:
        if _starting(_merged(_written(parent, root)[1])):
            raise UserError("starts from another one itself; name that one")
        settings = load(parent, root)
    except UserError as error:
        raise UserError(f"{where}: {error}") from None
    if kind.asked_of_parent not in settings.model.abilities:
        able = (
            name
            for name, other in FAMILIES.items()
            if kind.asked_of_parent in other().abilities and not issubclass(other, StartingFromAnother)
        )
        raise UserError(f"{where} is a {settings.model.title}, {kind.lacking}: {', '.join(able)}")
    if any("model" in own for own in settings.splits.values()):
        raise UserError(f"{where} has models of its own for single splits (`splits`); that is not supported")
    return settings


def _grouped(settings: Settings, place: str) -> Settings:
    """The settings with the data as its splits have them, where those are others than the protocol's."""
    try:
        grouping = settings.grouping.without_the_protocols_own(settings.data)
    except ValueError as error:
        raise UserError(f"{place}: {error}") from None
    return settings.model_copy(update={"grouping": grouping, "data": grouping.applied(settings.data)})


def study_of_params(root: Path = Path()) -> str | None:
    """The study that params.yaml names, if it names one.

    Raises:
        UserError: for a name that is none.
    """
    name = read_mapping(root / "params.yaml").get("study")
    if name is None or isinstance(name, str):
        return name
    raise UserError(
        f"params.yaml: study: {_in_yaml(name)} is no name of a file of studies/; write it in quotes"
    )


def overridden(experiment: str | None = None, root: Path = Path()) -> list[str]:
    """A line for each value that was changed in params.yaml and that a layer above it decides otherwise.

    Such a change has no effect, though `dvc exp run -S` makes it and says nothing. What params.yaml ships
    with is what the models have as defaults.

    Raises:
        UserError: as of `load`.
    """
    name, (params, *above) = _written(experiment, root)
    shipped = dotted(Settings(experiment=name).model_dump(mode="json"))
    below, lines = dotted(params.values), list[str]()
    for layer in above:
        lines += _of_another_family(params.values, layer, shipped)
    deciding = {key: (value, layer) for layer in above for key, value in dotted(layer.values).items()}
    for key in sorted(below.keys() & deciding.keys() - {"experiment"}):
        value, layer = deciding[key]
        if below[key] == value or (key in shipped and below[key] == shipped[key]):
            continue
        file = layer.place if layer.is_file else above[-1].place
        asked = shlex.quote(f"{file}:{key}={_in_yaml(below[key])}")
        before = f"put back the shipped value, {_in_yaml(shipped[key])}" if key in shipped else "take it out"
        there = "there" if layer.is_file else f"in {file}"
        lines.append(
            f"params.yaml: {key} is {_in_yaml(below[key])}, but {layer.place} says {_in_yaml(value)}, which "
            f"decides: set it {there}, or `dvc exp run -S {asked}`; here {before}"
        )
    return lines


def _of_another_family(below: dict[str, Any], layer: Layer, shipped: dict[str, Any]) -> Iterator[str]:
    """A line for each setting of the model that was changed and that another family does not take."""
    model, other = below.get("model"), layer.values.get("model")
    if not (isinstance(model, dict) and isinstance(other, dict) and _another_family(model, other)):
        return
    for key, value in sorted(dotted(model, "model.").items()):
        if key not in dotted(other, "model.") and value != shipped.get(key, value):
            yield (
                f"params.yaml: {key} is {_in_yaml(value)}, but {layer.place} takes another family, "
                f"{_in_yaml(other['family'])}, which begins with its own settings: set it there, and here "
                f"put back the shipped value, {_in_yaml(shipped[key])}"
            )


def _written(experiment: str | None, root: Path) -> tuple[str, list[Layer]]:
    """The name of the experiment, and what each place says of its settings, the deciding one last."""
    params = read_mapping(root / "params.yaml")
    protocol = params.pop("protocol", None)
    params.pop("study", None)
    if experiment is None and params.get("experiment") is None:
        raise UserError("params.yaml: `experiment` is missing; name a file of experiments/")
    where = "params.yaml" if experiment is None else "the experiment asked for"
    named = parse(Named, {"experiment": params["experiment"] if experiment is None else experiment}, where)
    if experiment is None and protocol not in (None, named.protocol):
        raise UserError(
            f"params.yaml: `protocol` is {_in_yaml(protocol)}, but `experiment` is {named.experiment}: let "
            f"`protocol` be {named.protocol}, which DVC reads there"
        )
    group, point = _group_of(named.experiment, root), point_of(named.experiment, root)
    files = _files(point.base if point else named.protocol if group else named.experiment, root)
    above = [Layer(read_mapping(file), str(file)) for file in files]
    for layer in (Layer(params, "params.yaml"), *above):
        _require_no_grouping(layer)
    for layer in above[1:]:
        _require_own(layer, files[0])
    if point:
        above.append(Layer(point.overlay, str(point.file)))
    if group:
        above.append(Layer({OF_STUDIES: group.model_dump()}, named.experiment, False))
    return named.experiment, [Layer(params, "params.yaml"), *_of_paper(params, above), *above]


def _group_of(experiment: str, root: Path) -> GroupingSettings | None:
    """The splits that a name is of, digits/class_counts/groups/first_20; None for any other.

    Raises:
        UserError: when there are none of this name.
    """
    word = _word_of(experiment)
    if word is None:
        return None
    read_study(experiment.split("/")[1], root)
    group = GroupingSettings.of_word(word)
    if group is None:
        raise UserError(_no_splits(experiment))
    return group


def _word_of(experiment: str) -> str | None:
    """What a name calls its splits, digits/class_counts/groups/first_20; None for any other."""
    parts = experiment.split("/")
    return parts[3] if parts[2:3] == [GROUPS] and parts[3:] else None


def _no_splits(experiment: str) -> str:
    return (
        f"experiment {experiment!r}: {_word_of(experiment)!r} names no splits, such as first_20-by_10, or "
        "those of the protocol, or names them otherwise than a study does"
    )


def _files(experiment: str, root: Path) -> list[Path]:
    """The protocol's file, and that of the experiment.

    Raises:
        UserError: naming those that there are, where one is missing.
    """
    folder, protocol = root / "experiments", experiment.partition("/")[0]
    files = [folder / protocol / PROTOCOL_FILE]
    if experiment != protocol:
        files.append(folder / f"{experiment}.yaml")
    if absent := next((file for file in reversed(files) if not file.is_file()), None):
        if (old := folder / f"{experiment}.yaml").is_file() and files[-1] != old:
            raise UserError(
                f"{old} is of the layout before protocols: move its sections {', '.join(OWN_SECTIONS)} to "
                f"{folder / protocol / 'acgan.yaml'} and all others to {files[0]}"
            )
        raise UserError(f"experiment {experiment!r} has no file {absent}; {_meant(experiment, root)}")
    return files


def _meant(experiment: str, root: Path) -> str:
    """What may have been meant: the nearest name, else all of the same protocol, or the protocols."""
    known = sorted(experiments_of(root)) or ["none"]
    protocol, _, own = experiment.partition("/")
    beside = {name.partition("/")[2]: name for name in known if name.startswith(f"{protocol}/")}
    if not own or not beside:
        near = get_close_matches(experiment, known, n=1, cutoff=0.75)
        others = dict.fromkeys(name.partition("/")[0] for name in known)
        return f"did you mean `{near[0]}`?" if near else f"protocols there are: {', '.join(others)}"
    near = get_close_matches(own, beside, n=1)
    return f"did you mean `{beside[near[0]]}`?" if near else f"there are: {', '.join(beside.values())}"


def experiments_of(root: Path) -> list[str]:
    """The names of the experiments that have files."""
    files = (root / "experiments").glob("*/*.yaml")
    return [f"{file.parent.name}/{file.stem}" for file in files if file.name != PROTOCOL_FILE]


def _require_own(layer: Layer, protocol: Path) -> None:
    """Make sure that an experiment sets nothing that its protocol decides."""
    if taken := [key for key in layer.values if key in Settings.model_fields and key not in OWN_SECTIONS]:
        keys = ", ".join(f"`{key}`" for key in taken)
        raise UserError(
            f"{layer.place}: {keys}: the protocol's, which compared models share: move to {protocol}, or "
            f"make another protocol; an experiment has {', '.join(OWN_SECTIONS)}"
        )


def _require_no_grouping(layer: Layer) -> None:
    """Make sure that only a study says which classes share a model."""
    if OF_STUDIES in layer.values:
        raise UserError(
            f"{layer.place}: `{OF_STUDIES}` is an axis of a study alone, whose results DVC knows as one; "
            "write data.split_size or data.order in a protocol, or an axis such as grouping.size in studies/"
        )


def _of_paper(params: dict[str, Any], above: list[Layer]) -> list[Layer]:
    """What the paper of the family says of training; all layers together choose the family."""
    chosen: dict[str, Any] = {}
    for values in (params, *(layer.values for layer in above)):
        model = values.get("model")
        chosen = _merge(chosen, model) if isinstance(model, dict) else chosen
    kind = FAMILIES.get(str(family_of(chosen)))
    return [Layer({"train": kind.paper}, f"the paper of {kind.title}", False)] if kind and kind.paper else []


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
    if own := {BEGINNING, "decoder"}.intersection(overrides.get("model", {})):
        raise UserError(
            f"splits.{int(split)}: model.{min(own)}: all splits start from one experiment; make another one"
        )
    return parse(Settings, _merge(settings.model_dump(), overrides), f"splits.{int(split)}")


def stage(settings: Settings, kind: type[StageT], split: str | None = None) -> StageT:
    """The part of the settings that one stage depends on."""
    source = settings if split is None else for_split(settings, split)
    values = {name: getattr(source, name) for name in kind.model_fields}
    if "arrays" in values:
        values["arrays"] = source.arrays_of_source
    return kind.model_validate(values)


def canonical_json(model: Frozen) -> str:
    """One line of JSON with sorted keys: equal settings, equal text."""
    return json.dumps(model.model_dump(mode="json"), sort_keys=True, allow_nan=False)


def dotted(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as one level of dotted keys: {"train": {"seed": 0}} -> {"train.seed": 0}."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= dotted(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat


def _in_yaml(value: Any) -> str:
    """A value in one line, as a file of settings may have it."""
    return json.dumps(value, ensure_ascii=False, default=str)


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
