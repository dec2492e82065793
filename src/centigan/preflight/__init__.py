"""Whether a run can end, asked before its first job: everything that settings, index and machine can tell.

What each measurement refuses it refuses itself, too; here it is said before a training, all at once. What
only pixels tell, such as that every image of a class is damaged, comes out when they are read.
"""

from collections.abc import Callable, Collection, Iterator
from functools import partial
from pathlib import Path

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
from centigan.settings.sources import PUT_IN_PLACE

Look = Callable[[DataSettings], tuple[list[Finding], Counts | None]]
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
    found, counts = list(of_params(layout)), None
    of_protocol = _of_protocol(layout, settings)
    if layout.shared.classes.exists() and "index" not in rules:
        counts = of_index(layout.shared)
    elif "index" in rules and settings.data.source not in PUT_IN_PLACE:
        found_raw, counts = (look or look_at_raw)(of_protocol.data)
        found += found_raw
    if not OF_DATA.issuperset(rules):
        found += of_all(layout, settings, counts)
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
    counts, there, of_protocol = None, Path(settings.data.root).exists(), _of_protocol(layout, settings)
    if layout.shared.classes.exists() and not there:
        counts = of_index(layout.shared)
        found.append(good(f"data: indexed in {layout.shared.classes}; {settings.data.root} is not here"))
    elif settings.data.source in PUT_IN_PLACE and not there:
        found.append(good(f"data: {settings.data.source} is put at {settings.data.root} by the run itself"))
    else:
        found_raw, counts = (look or partial(look_at_raw, thorough=True))(of_protocol.data)
        found += found_raw
    found += of_all(layout, settings, counts)
    found += _of_parent(layout, settings, counts)
    found += of_weights(still_wanted(layout, settings), fetch=False)
    return [*found, *of_sentence_encoder(of_protocol, wanted=still_embedded(layout, settings), fetch=False)]


def _of_parent(layout: Layout, settings: Settings, counts: Counts | None) -> Iterator[Finding]:
    """Problems of the experiment whose networks this one begins with, which a run trains first."""
    if parent := settings.model.parent:
        for finding in of_all(Layout(parent, layout.root), params.load(parent, layout.root), counts):
            if not finding.good:
                yield problem(f"{parent}, which this begins with: {finding.text}")


def of_params(layout: Layout) -> Iterator[Finding]:
    """Changes of params.yaml that have no effect."""
    lines = params.overridden(layout.experiment, layout.root)
    if not lines:
        yield good(f"settings: {files_of(layout.experiment)} over params.yaml")
    yield from map(problem, lines)


def look_at_raw(data: DataSettings, *, thorough: bool = False) -> tuple[list[Finding], Counts | None]:
    """What is said of the raw data, and their images where they were looked at."""
    from centigan.preflight.raw import look

    try:
        seen = look(data, thorough=thorough)
    except UserError as error:
        return [problem(str(error))], None
    if seen.wrong:
        return [problem(seen.wrong)], seen.counts
    told = f"data: {seen.source} at {data.root}"
    if seen.counts:
        told += f", {seen.counts.train:,} images to train on, {seen.counts.held_out:,} held out"
    return [good(told)], seen.counts


def of_all(layout: Layout, settings: Settings, counts: Counts | None) -> Iterator[Finding]:
    """What follows from settings, and from the images of each class of the protocol where they are known."""
    own = counts if layout.home == layout.shared or counts is None else regrouped(counts, settings)
    if not layout.is_protocol:
        yield from of_family(settings)
        yield from of_captions(settings, counts)
    if settings.data.kind == "points":
        yield from of_points(settings, own)
        yield of_shipped_classes(settings)
        return
    yield from of_numbers(settings, own)
    if own:
        yield from of_unseen(own)
    if own and not layout.is_protocol:  # whose experiments say how they train
        yield from of_trainings(settings, own)
    yield from of_choices(_of_protocol(layout, settings), counts, layout.root)


def _of_protocol(layout: Layout, settings: Settings) -> Settings:
    """The same settings; of an experiment in other splits, those of its protocol, which has one judge."""
    return settings if layout.home == layout.shared else params.load(layout.shared.experiment, layout.root)
