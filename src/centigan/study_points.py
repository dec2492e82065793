"""The settings of a study's points, and what is wrong with them together."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from centigan import params
from centigan.catalogue import NUMBERS, OF_TRAINING, number_of, subject_of_settings, why_no_number
from centigan.errors import UserError
from centigan.settings import Settings
from centigan.settings.families.contract import FamilySettings
from centigan.settings.points import Point, points, read_study
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
    never = [*_never_measured(study, of_all), *_no_battle(study, every, {} if wrong else found)]
    wrong |= dict.fromkeys(f"{every[0].file}: {line}" for line in never)
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


def may_fight(model: FamilySettings) -> bool:
    """Whether a family's D may judge samples of another's G."""
    return "discriminates" in model.abilities and model.fights


def _no_battle(study: Study, every: Collection[Point], found: Mapping[str, Settings]) -> Iterator[str]:
    """A line for each reason why the rows of a study cannot fight."""
    if not study.battle or not found:
        return
    fighters = {point.row for point in every if may_fight(found[point.name].model)}
    if len(fighters) < 2:
        had = ", ".join(sorted(fighters)) or "none"
        yield (
            f"battle: two rows are needed whose discriminator tells real images from generated ones, and "
            f"there are {had}; name another such family, or leave `battle` out"
        )
    for key in study.keys:
        if key.startswith("grouping.") and key not in study.over:
            yield f"battle: rows of the axis {key} have other classes in a split, and no common samples"


def _alike(found: dict[str, Settings]) -> Iterator[str]:
    """A line for each experiment that says what an earlier one says."""
    earlier: dict[str, str] = {}
    for name, settings in found.items():
        same = earlier.setdefault(params.canonical_json(settings.model_copy(update={"experiment": ""})), name)
        if same != name:
            yield f"{same} and {name} have the same settings, which would be trained twice; keep one"
