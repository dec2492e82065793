"""What is wrong with a study's file by itself, all at once; whether its settings exist is seen later."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from centigan.errors import UserError
from centigan.layout import OF_EXPERIMENT, RESERVED, STUDY_FILES
from centigan.settings import OF_STUDIES, OWN_SECTIONS, Settings
from centigan.settings.claims import parse_claim
from centigan.settings.study import EXPERIMENT, Study
from centigan.yaml_mapping import advice

MOST = 10_000  # points
VARIED = (*(section for section in OWN_SECTIONS if section not in {"figures", "splits"}), OF_STUDIES)
CHOSEN = "chosen"  # in a claim: the row that `select` chose


def mistakes_of_axes(study: Study) -> list[str]:
    """A line for each mistake that leaves no points to speak of."""
    found = [*_of_base(study)]
    for axis in study.axes:
        for key in axis:
            found += _of_key(key)
        found += _of_values(axis)
    found += [f"axes: {key} stands in two axes; keep one" for key in _twice(study.keys)]
    if not found and study.count > MOST:
        found.append(f"axes: they multiply to {study.count:,} points; {MOST:,} are the most")
    return found


def mistakes_of_names(study: Study, names: Sequence[tuple[str, str]]) -> list[str]:
    """A line for each mistake in what is named: points, averaged axes, the choice, columns, claims.

    `names` are those of each point and of its row.
    """
    found = []
    for name in _twice(own for own, _ in names):
        found.append(f"axes: two points are called {name!r}; write values whose letters and digits differ")
    for own, _ in names:
        if own in {*STUDY_FILES, *OF_EXPERIMENT, *RESERVED}:
            found.append(f"axes: a point may not be called {own!r}, which lies beside the points")
    for key in study.over:
        if key not in study.keys:
            found.append(f"over: {key} is no axis; {advice(key, study.keys)}")
    found += [f"over: {key} stands twice; keep one" for key in _twice(study.over)]
    found += _of_against(study)
    found += [f"columns: {column} stands twice; keep one" for column in _twice(study.columns)]
    return [*found, *_of_select(study), *_of_claims(study, list(dict.fromkeys(row for _, row in names)))]


def _of_base(study: Study) -> Iterator[str]:
    parts = study.of.count("/") + 1
    if EXPERIMENT in study.keys:
        if parts != 1:
            yield f"of: the axis `{EXPERIMENT}` names files; write the protocol alone, {study.protocol}"
    elif parts != 2:
        yield f"of: {study.of!r} names no <protocol>/<experiment>, such as digits/acgan"


def _of_key(key: str) -> Iterator[str]:
    section, _, rest = key.partition(".")
    if key == EXPERIMENT:
        return
    if key == "model.family":
        yield (
            f"axes: {key}: a family has settings of its own; name files of the protocol instead, such as "
            f"`{EXPERIMENT}: [acgan, cgan]`"
        )
    elif key == "model.starts_from":
        yield (
            f"axes: {key}: a point starts from another point of the study, which has no such setting; write "
            "an experiment file for each network to start from, and name all of them, beside the networks' "
            f"own files, in one axis, such as `{EXPERIMENT}: [gan, wgan, gan_frozen, wgan_frozen]`"
        )
    elif section not in Settings.model_fields or section == EXPERIMENT:
        sections = [name for name in Settings.model_fields if name != EXPERIMENT]
        yield f"axes: {key}: unknown setting; {advice(section, sections)}"
    elif section in {"figures", "splits"}:
        yield f"axes: {key}: an axis is over {' or '.join(VARIED)}"
    elif section not in VARIED:
        yield (
            f"axes: {key}: the protocol's, which compared models share; make another protocol, or vary which "
            "classes share a model by grouping.classes, grouping.size, grouping.order"
        )
    elif not rest:
        yield f"axes: {key} is a whole section; name one setting of it, such as train.seed"


def _of_values(axis: dict[str, list[object]]) -> Iterator[str]:
    lengths = {key: len(values) for key, values in axis.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{key} has {length}" for key, length in lengths.items())
        yield f"axes: the keys of one axis vary together, but {told} values"
    first = next(iter(axis))
    for twice in _twice(json.dumps(value, default=str) for value in axis[first]):
        yield f"axes: {first}: {twice} stands twice; the first key of an axis tells its values apart"
    for value in axis.get(EXPERIMENT, ()):
        if not isinstance(value, str):
            yield f"axes: {EXPERIMENT}: {value!r} is no text; write the name of a file in quotes"


def _of_against(study: Study) -> Iterator[str]:
    compared = [next(iter(study.axes[position])) for position in study.compared]
    for key in study.against:
        if key not in compared:
            yield f"against: {key} does not name an axis that rows differ in; {advice(key, compared)}"
    if study.against[1:] and (rest := ", ".join(key for key in compared if key not in study.against)):
        yield f"against: a map shows every axis that rows differ in; name {rest} too, or put it under `over`"
    yield from (f"against: {key} stands twice; keep one" for key in _twice(study.against))
    if study.marks and len(study.against) != 1:
        yield "marks: lines are drawn in curves alone; name one axis under `against`"
    for name in study.marks:
        if name not in study.columns:
            yield f"marks: {name} is no column; {advice(name, study.columns)}"


def _of_select(study: Study) -> Iterator[str]:
    select = study.select
    if select is None:
        return
    if (select.highest is None) == (select.lowest is None):
        yield "select: write one of `highest` and `lowest`"
    compared = [key for position in study.compared for key in study.axes[position]]
    for key in select.within:
        if key not in compared:
            yield f"select.within: {key} is no axis that rows differ in; {advice(key, compared)}"


def _of_claims(study: Study, rows: list[str]) -> Iterator[str]:
    known = [*rows, CHOSEN] if study.select and not study.select.within else rows
    for claim in study.claims:
        try:
            parsed = parse_claim(claim.check)
        except UserError as error:
            yield str(error)
            continue
        for cell in dict.fromkeys(cell for comparison in parsed for cell in comparison.cells):
            if cell.row not in known:
                yield f"claim {claim.check!r}: the table has no row {cell.row!r}; {advice(cell.row, known)}"


def _twice(values: Iterable[str]) -> list[str]:
    return [value for value, times in Counter(values).items() if times > 1]
