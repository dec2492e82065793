"""What a run is called: by the settings that tell it from the experiment's other revisions.

The first revision has none beside it and is told from the paper's settings, those of params.yaml. A name
follows from what the store holds of all revisions and from nothing else: the same runs have the same names.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import NamedTuple

from centigan.settings import Settings
from centigan.tracking.record import flatten

Facts = Mapping[str, str]  # dotted setting -> its value as text or JSON
OUTSIDE = ("data", "commit")
OF_THE_MODEL = ("model.", "train.", "arrays.")
SHOWN = 3  # settings of a name
LONGEST_VALUE = 24
AS_THE_PAPER = "paper's settings"
OVERRIDE = re.compile(r"splits\.(\d+)\.(.+)")
FIRST = (  # what a name begins with, if it differs: sections and settings, the most telling ones first
    *("model.", "train.", "arrays.", "data.source", "data.classes", "data.", "sample."),
    *("judge.", "features.", "splits."),
)
HOUSEKEEPING = ("train.log_every", "train.checkpoint", "train.snapshot", "data.root")  # come last


class Revision(NamedTuple):
    """A parent run, as far as its name depends on it."""

    id: str
    start: int  # milliseconds since 1970
    facts: Facts
    outside: Facts = MappingProxyType({})  # what no setting says: hash of the data, commit


class Name(NamedTuple):
    """What a revision and its splits are called."""

    parent: str
    differing: Facts
    facts: Facts
    suffix: str  # what tells it from another of equal settings; mostly nothing

    def child(self, split: str) -> str:
        """The name of one split's run: what differs, with the split's own settings in their place."""
        prefix = f"splits.{int(split)}."
        own = {key.removeprefix(prefix): v for key, v in self.facts.items() if key.startswith(prefix)}
        shared = {key: value for key, value in self.differing.items() if not OVERRIDE.match(key)}
        return f"split {split}" + "".join(f", {part}" for part in (_label(shared | own), self.suffix) if part)


def names_of(revisions: list[Revision]) -> dict[str, Name]:
    """The name of each revision of one experiment, by id; no two are alike."""
    differing = {own.id: differences(own, revisions) for own in revisions}
    alone = AS_THE_PAPER if len(revisions) == 1 else ""
    labels = {own.id: _label(differing[own.id]) or alone for own in revisions}
    names = {}
    for own in revisions:
        alike = [each for each in revisions if labels[each.id] == labels[own.id] and each.id != own.id]
        suffix = _apart(own, alike)
        parent = ", ".join(part for part in (labels[own.id], suffix) if part)
        names[own.id] = Name(parent, differing[own.id], own.facts, suffix)
    return names


def differences(own: Revision, revisions: list[Revision]) -> Facts:
    """The settings of a revision that another one has otherwise; of a lone one, that the paper has otherwise.

    A setting that a run does not name, since the version that made it had none, differs from nothing.
    """
    others = [each.facts for each in revisions if each.id != own.id] or [_PAPERS]
    overridden = {key for facts in (own.facts, *others) for key in facts if OVERRIDE.match(key)}
    mine = {key: _value(own.facts, key) for key in own.facts.keys() | overridden}
    return {
        key: value
        for key, value in mine.items()
        if any(_value(facts, key) not in (value, "") for facts in others) and value
    }


def _apart(own: Revision, alike: list[Revision]) -> str:
    """What tells a revision from those of the same label: data, code, or when it began."""
    if not alike:
        return ""
    for what in OUTSIDE:
        if what in own.outside and all(each.outside.get(what) != own.outside[what] for each in alike):
            return f"{what} {own.outside[what]}"
    return datetime.fromtimestamp(own.start / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def settings_among(params: Facts) -> Facts:
    """Those of a run's parameters that are settings: it also has sizes of what was measured."""
    return {key: value for key, value in params.items() if key in _PAPERS or OVERRIDE.match(key)}


def from_the_paper(own: Facts) -> str:
    """All settings that the paper has otherwise, in Markdown; nothing where there is none."""
    differing = differences(Revision("", 0, own), [])
    rows = [
        f"| {key} | {_written(_PAPERS.get(key, ''))} | {_written(differing[key])} |"
        for key in _ordered(differing)
    ]
    return "\n".join(["| setting | paper | here |", "| --- | --- | --- |", *rows]) if rows else ""


def _papers() -> Facts:
    return flatten(Settings(experiment="paper").model_dump(mode="json", exclude={"figures", "experiment"}))


def _value(facts: Facts, key: str) -> str:
    """A setting's value; of an override that is not there, the value that holds without it."""
    override = OVERRIDE.match(key)
    return facts.get(key, facts.get(override[2], "") if override else "")


def _label(differing: Facts) -> str:
    """The first few differences: generator_lr=4e-4, width=0.2, +3 more."""
    keys = _ordered(differing)
    parts = [f"{_short(key)}={_written(differing[key])}" for key in keys[:SHOWN]]
    return ", ".join(parts + ([f"+{len(keys) - SHOWN} more"] if len(keys) > SHOWN else []))


def _ordered(differing: Facts) -> list[str]:
    def rank(key: str) -> tuple[int, str]:
        if key.startswith(HOUSEKEEPING):
            return len(FIRST) + 1, key
        return next((at for at, start in enumerate(FIRST) if key.startswith(start)), len(FIRST)), key

    return sorted(differing, key=rank)


def _short(key: str) -> str:
    """A setting's last word where that tells enough: generator_lr, but train.seed and ms_ssim.pairs."""
    if override := OVERRIDE.match(key):
        return f"split {override[1]} {_short(override[2])}"
    last = key.rpartition(".")[2]
    return last if key.startswith(OF_THE_MODEL) and _LAST_WORDS[last] == 1 else key


def _written(value: str) -> str:
    """4e-4 for 0.0004, long texts cut."""
    try:
        number = json.loads(value)
    except ValueError:
        number = None
    if isinstance(number, float):
        plain, short = f"{number:g}", re.sub(r"\.?0*e([+-])0*", r"e\1", f"{number:e}").replace("e+", "e")
        value = short if len(short) < len(plain) else plain
    return value if len(value) <= LONGEST_VALUE else f"{value[: LONGEST_VALUE - 1]}…"


_PAPERS = _papers()
# of what is read of captions a name says all: few trainings have any
_LAST_WORDS = Counter(key.rpartition(".")[2] for key in _PAPERS if not key.startswith("text."))
