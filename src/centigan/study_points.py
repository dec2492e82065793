"""The settings of a study's points, and what is wrong with them together."""

from collections.abc import Collection, Iterator
from pathlib import Path

from centigan import params
from centigan.catalogue import NUMBERS, OF_TRAINING, number_of, subject_of_settings, why_no_number
from centigan.errors import UserError
from centigan.settings import Settings
from centigan.settings.points import points, read_study
from centigan.settings.study import Study
from centigan.yaml_mapping import advice


def load_points(name: str, root: Path = Path()) -> dict[str, Settings]:
    """The settings of every point of a study, by the point's name.

    Raises:
        UserError: naming every mistake once, though many points share it, points that do not differ, and
            numbers that no point will have.
    """
    found: dict[str, Settings] = {}
    wrong: dict[str, None] = {}  # in their order
    study, every = read_study(name, root), points(name, root)
    for point in every:
        try:
            found[point.name] = params.load(point.name, root)
        except UserError as error:
            wrong[str(error)] = None
    wrong |= dict.fromkeys(_alike(found))
    of_all = [] if wrong else found.values()
    wrong |= dict.fromkeys(f"{every[0].file}: {line}" for line in _never_measured(study, of_all))
    if wrong:
        raise UserError("; ".join(wrong))
    return found


def _never_measured(study: Study, points: Collection[Settings]) -> Iterator[str]:
    """A line for each number that a study asks for and no point will have."""
    subjects = dict.fromkeys(subject_of_settings(settings) for settings in points)  # in their order
    for name in study.number_names:
        number, why = number_of(name), [why_no_number(name, subject) for subject in subjects]
        if number not in NUMBERS and not number.startswith(OF_TRAINING):
            yield f"{name}: no such number; {advice(number, list(NUMBERS))}"
        elif why and all(why):
            yield f"{name}: {why[0]}"


def _alike(found: dict[str, Settings]) -> Iterator[str]:
    """A line for each experiment that says what an earlier one says."""
    earlier: dict[str, str] = {}
    for name, settings in found.items():
        same = earlier.setdefault(params.canonical_json(settings.model_copy(update={"experiment": ""})), name)
        if same != name:
            yield f"{same} and {name} have the same settings, which would be trained twice; keep one"
