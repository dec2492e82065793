"""What settings say of one another and of the classes: the judge, resolutions, what figures show."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from centigan.data.ilsvrc2012 import knows_only_imagenet, other_than_imagenet
from centigan.errors import UserError, plural
from centigan.params import load
from centigan.preflight.counts import Counts
from centigan.preflight.findings import Finding, good, problem
from centigan.reporting.thresholds import LOW_FACTOR
from centigan.settings import Settings
from centigan.settings.figures import ChosenSettings
from centigan.settings.sources import PUT_IN_PLACE, about

KNOWS_IMAGENET = {"efficientnet-lite0", "inception-v3", "inception-2015"}  # judges that learn nothing here


def of_choices(
    settings: Settings, counts: Counts | None, root: Path, *, fit: bool = True
) -> Iterator[Finding]:
    """Everything but numbers of images; where the data do not fit their settings, nothing of splits."""
    yield of_shipped_classes(settings)
    if fit or settings.data.judged:
        yield _judge(settings, [one.class_id for one in counts.classes] if counts else None)
    if settings.data.judged:
        yield _resolutions(settings)
    if counts and fit:
        yield from _classes_of_figures(settings, counts)
    yield from _beside(settings, root)


def of_shipped_classes(settings: Settings) -> Finding:
    """Whether a source that is fetched has as many classes, and their order is known."""
    data = settings.data
    there = about(data.source).classes or data.classes
    if data.order == "devkit" and data.source in PUT_IN_PLACE:
        return problem(
            f"data.order: devkit needs ILSVRC2012's devkit, which {data.source} lacks; sorted would do"
        )
    if Path(data.order).is_file() or data.order in ("sorted", "devkit"):
        if data.order == "sorted" and there != data.classes:
            return problem(
                f"data.classes is {data.classes}, and {data.source} has {there} {plural('class', there)}"
            )
        return good(f"data.order: {data.order}")
    return problem(
        f"data.order: {data.order} is neither sorted, nor devkit, nor a file of classes that is there"
    )


def _judge(settings: Settings, classes: Sequence[str] | None) -> Finding:
    name, network = settings.judge.name, settings.features.network
    if not settings.data.judged:
        if network == "judge":
            return problem(
                "features.network: judge is a network that has learnt the classes, and there is one class; "
                "choose efficientnet-lite0, which is shipped, or inception-2015"
            )
        return good(f"one class needs no judge; features are those of {network}")
    if name not in KNOWS_IMAGENET:
        return good(f"judge {name} learns the classes")
    if classes is None and settings.data.source not in PUT_IN_PLACE:
        return good(f"judge {name}: the index shows whether it knows the classes")
    if classes is None:
        return problem(knows_only_imagenet(name, f"{settings.data.source} has classes of its own"))
    wrong = other_than_imagenet(name, classes)
    return problem(wrong) if wrong else good(f"judge {name} knows the classes")


def _resolutions(settings: Settings) -> Finding:
    measured, side = settings.accuracy.resolutions, settings.arrays.resolution
    needed = {side, side // LOW_FACTOR}
    if measured is not None and (absent := sorted(needed - set(measured))):
        words = " and ".join(map(str, absent))
        return problem(
            f"accuracy.resolutions {list(measured)} lacks {words}: the tables need {sorted(needed)}, the "
            f"model's resolution and a quarter of it; add {words}, or null"
        )
    return good(f"accuracy is measured at {side} px, the model's resolution, and at a quarter of it")


def _classes_of_figures(settings: Settings, counts: Counts) -> Iterator[Finding]:
    split_of = {one.class_id: one.split for one in counts.classes}
    for name in type(settings.figures).model_fields:
        figure = getattr(settings.figures, name)
        if not isinstance(figure, ChosenSettings) or figure.classes is None:
            continue
        key = f"figures.{name}.classes"
        if lost := [class_id for class_id in figure.classes if class_id not in split_of]:
            named, there = ", ".join(map(repr, lost)), ", ".join(list(split_of)[:5])
            yield problem(f"{key} names {named}, which the data lack; they begin with {there}")
        elif name == "class_grid" and len({split_of[class_id] for class_id in figure.classes}) > 1:
            yield problem(f"{key} are of different splits, so no model draws all; name those of one split")
        else:
            yield good(f"{key}: all are there")


def _beside(settings: Settings, root: Path) -> Iterator[Finding]:
    """The experiments whose curves a figure shows beside this one's."""
    for name in settings.figures.accuracy_by_resolution.beside:
        key = "figures.accuracy_by_resolution.beside"
        try:
            other = load(name, root)
        except UserError as error:
            yield problem(f"{key}: {error}")
            continue
        if (settings.data, settings.judge) != (other.data, other.judge):
            yield problem(
                f"{key}: experiment {name} has other `data` or another `judge`, so that accuracies cannot be "
                "compared; leave it out"
            )
        else:
            yield good(f"{key}: {name} has the same data and judge")
