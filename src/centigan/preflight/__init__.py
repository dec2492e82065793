"""Whether a run can end, asked before its first job: everything that settings, index and machine can tell.

What each measurement refuses it refuses itself, too; here it is said before a training, all at once. What
only pixels tell, such as that every image of a class is damaged, comes out when they are read.
"""

from collections.abc import Callable, Collection, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from centigan import params
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.preflight.captions import of_captions, of_unseen
from centigan.preflight.choices import of_choices, of_shipped_classes
from centigan.preflight.counts import Counts, of_index, regrouped
from centigan.preflight.findings import Finding, files_of, good, problem, require_good
from centigan.preflight.networks import of_weights, still_wanted, wanted_by
from centigan.preflight.numbers import of_numbers
from centigan.preflight.points import of_family, of_flips, of_points
from centigan.preflight.sentence import BY_ENCODER, of_sentence_encoder, still_embedded
from centigan.preflight.trainings import of_trainings
from centigan.settings import Settings
from centigan.settings.data import DataSettings
from centigan.settings.sources import PUT_IN_PLACE, SHIPPED, about


class OfRaw(NamedTuple):
    """What is said of the raw data, and their images where they were looked at."""

    found: list[Finding]
    counts: Counts | None = None
    fit: bool = True  # whether they have the classes that the settings say, as far as was seen


Look = Callable[[DataSettings], OfRaw]
OF_DATA = {"raw", "index", "arrays", "data"}  # rules to which no measurement's limits matter


def before_first_job(
    layout: Layout, settings: Settings, *, rules: Collection[str], dry: bool, look: Look | None = None
) -> None:
    """Make sure that a run of the workflow can end; weights that it needs are downloaded now.

    Args:
        rules: those whose jobs are to run; what they do not need is not asked for.
        dry: whether the run only tells what it would do; then nothing is downloaded.
        look: `look_at_raw`, or what remembers it: the experiments of a run have the same raw data.

    Raises:
        UserError: with every problem, what would do, and where to set it.
    """
    found, raw = list(of_params(layout)), OfRaw([])
    of_protocol = _of_protocol(layout, settings)
    if layout.shared.classes.exists() and "index" not in rules:
        raw = OfRaw([], of_index(layout.shared))
    elif "index" in rules and settings.data.source not in PUT_IN_PLACE:
        raw = (look or look_at_raw)(of_protocol.data)
        found += raw.found
    if not OF_DATA.issuperset(rules):
        found += of_all(layout, settings, raw.counts, fit=raw.fit)
    can_run = all(finding.good for finding in found)
    found += of_weights(wanted_by(rules, of_protocol), fetch=can_run and not dry)
    found += of_sentence_encoder(of_protocol, wanted=BY_ENCODER & {*rules}, fetch=can_run and not dry)
    require_good(found, layout.experiment)


def after_index(layout: Layout, settings: Settings) -> None:
    """Make sure of what the index has brought to light; it is kept.

    Arrays ask of a protocol, and each training of its experiment: no job of the protocol knows which
    classes an experiment's figures name.

    Raises:
        UserError: with every problem.
    """
    require_good(of_all(layout, settings, of_index(layout)), layout.experiment)


def before_training(layout: Layout, settings: Settings) -> None:
    """Make sure that a model can learn the data, whatever is measured of it afterwards.

    Raises:
        UserError: with every problem.
    """
    found = [*of_family(settings), *of_flips(settings), *of_captions(settings, None)]
    require_good(found, layout.experiment)


def everything(layout: Layout, settings: Settings, *, look: Look | None = None) -> list[Finding]:
    """All findings; raw data that are there are listed anew, and nothing is downloaded.

    `look` remembers what `look_at_raw` found, where experiments have the same raw data.
    """
    found = list(of_params(layout))
    there, of_protocol = Path(settings.data.root).exists(), _of_protocol(layout, settings)
    if layout.shared.classes.exists() and not there:
        indexed = f"data: indexed in {layout.shared.classes}; {settings.data.root} is not here"
        raw = OfRaw([good(indexed)], of_index(layout.shared))
    elif settings.data.source in PUT_IN_PLACE and not there:
        raw = OfRaw([_to_be_put(settings.data)])
    else:
        raw = (look or partial(look_at_raw, thorough=True))(of_protocol.data)
    found += raw.found
    found += of_all(layout, settings, raw.counts, fit=raw.fit)
    found += _of_parent(layout, settings, raw)
    found += of_weights(still_wanted(layout, settings), fetch=False)
    return [*found, *of_sentence_encoder(of_protocol, wanted=still_embedded(layout, settings), fetch=False)]


def _to_be_put(data: DataSettings) -> Finding:
    """What is said of a set that `raw` is yet to put in place: one that is published must be downloaded."""
    if about(data.source).put_by in SHIPPED:
        return good(f"data: {data.source} is put at {data.root} by the run itself")
    return good(
        f"data: {data.source} is not at {data.root}; the run itself downloads it, which needs a network "
        "(not tried here). Without one, put its files there by hand: `centigan raw "
        f"{data.source} --root {data.root}` says which"
    )


def _of_parent(layout: Layout, settings: Settings, raw: OfRaw) -> Iterator[Finding]:
    """Problems of the experiment whose networks this one begins with, which a run trains first."""
    if parent := settings.model.parent:
        of_its_own = params.load(parent, layout.root)
        for finding in of_all(Layout(parent, layout.root), of_its_own, raw.counts, fit=raw.fit):
            if not finding.good:
                yield problem(f"{parent}, which this begins with: {finding.text}")


def of_params(layout: Layout) -> Iterator[Finding]:
    """Changes of params.yaml that have no effect."""
    lines = params.overridden(layout.experiment, layout.root)
    if not lines:
        yield good(f"settings: {files_of(layout.experiment)} over params.yaml")
    yield from map(problem, lines)


def look_at_raw(data: DataSettings, *, thorough: bool = False) -> OfRaw:
    """What is said of the raw data, and their images where they were looked at."""
    from centigan.preflight.raw import look

    try:
        seen = look(data, thorough=thorough)
    except UserError as error:
        return OfRaw([problem(str(error))])
    if seen.wrong:
        return OfRaw([problem(seen.wrong)], seen.counts, fit=False)
    told = f"data: {seen.source} at {data.root}"
    if seen.counts:
        told += f", {seen.counts.train:,} images to train on, {seen.counts.held_out:,} held out"
    if seen.other:
        told += f"; not the published set: {seen.other}"
    lacking = [problem(seen.lacking)] if seen.lacking else []
    return OfRaw([good(told), *lacking], seen.counts)


def of_all(
    layout: Layout, settings: Settings, counts: Counts | None, *, fit: bool = True
) -> Iterator[Finding]:
    """What follows from settings, and from the images of each class of the protocol where they are known.

    Args:
        fit: whether the raw data have the classes that the settings say. Else what follows from the number
            of classes is not said: it would be advice for a protocol that is about to change.
    """
    own = counts if layout.home == layout.shared or counts is None else regrouped(counts, settings)
    if not layout.is_protocol:
        yield from of_family(settings)
        yield from of_captions(settings, counts)
    if settings.data.kind == "points":
        yield from of_points(settings, own)
        yield of_shipped_classes(settings)
        return
    if fit:
        yield from of_numbers(settings, own)
        yield from of_unseen(own) if own else ()
    if fit and own and not layout.is_protocol:  # whose experiments say how they train
        yield from of_trainings(settings, own)
    yield from of_choices(_of_protocol(layout, settings), counts, layout.root, fit=fit)


def _of_protocol(layout: Layout, settings: Settings) -> Settings:
    """The same settings; of an experiment in other splits, those of its protocol, which has one judge."""
    return settings if layout.home == layout.shared else params.load(layout.shared.experiment, layout.root)
