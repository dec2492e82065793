"""What settings say of one another where models learn points, or images that a family may not be made for."""

from collections.abc import Iterator

from centigan.params import for_split
from centigan.preflight.counts import Counts
from centigan.preflight.findings import Finding, good, problem
from centigan.settings import Settings
from centigan.settings.data import STORED_LEVELS, STORED_SIDE
from centigan.settings.families import FAMILIES
from centigan.settings.limits import images_with_balls


def of_family(settings: Settings) -> Iterator[Finding]:
    """Whether the family has networks for what it is to learn."""
    kind, model = settings.data.kind, settings.model
    if kind in model.learns:
        yield good(f"{model.title} learns {kind}")
        if kind == "images":
            every = [settings, *(for_split(settings, split) for split in settings.splits)]
            yield from dict.fromkeys(found for own in every for found in _of_pixels(own))
        elif model.needs_a_plane and settings.data.source == "line":
            yield problem(
                f"model.family: {model.title}'s couplings keep a coordinate and move another, and points of "
                "data.source: line have one; choose points of a plane, or a model without couplings"
            )
        return
    able = ", ".join(name for name, family in FAMILIES.items() if kind in family.learns)
    yield problem(
        f"model.family: {model.title} has no networks for {kind}, which data.source: {settings.data.source} "
        f"holds; those of {able} learn them"
    )


def _of_pixels(settings: Settings) -> Iterator[Finding]:
    """Whether the family has networks for images of this side, and the source has the levels."""
    model, source, side = settings.model, settings.data.source, settings.arrays.resolution
    stored = source == "digits" and side == STORED_SIDE
    if side not in model.resolutions:
        able = ", ".join(name for name, family in FAMILIES.items() if side in family.resolutions)
        yield problem(
            f"arrays.resolution: {model.title} has no networks for {side} px; those of {able} learn them"
        )
    key, halvings = model.halvings
    if side % 2**halvings:
        most = (side & -side).bit_length() - 1
        yield problem(
            f"model.{key}: {model.title} needs a side that can be halved {halvings} times, and {side} px can "
            f"be so {most} times; lower it by {halvings - most}"
        )
    if side == STORED_SIDE and source != "digits":
        yield problem(f"arrays.resolution: {side} px are those of the digits as stored, not of {source}")
    if "likelihood" in model.abilities and settings.bits_per_dim.importance > 1 and not model.weighs:
        yield problem(f"bits_per_dim.importance: {model.title} has no importance samples; set it to 1")
    if settings.arrays.levels == STORED_LEVELS and not stored:
        yield problem(
            f"arrays.levels: {STORED_LEVELS} levels have the digits as they are stored, at {STORED_SIDE} px; "
            "set it to auto"
        )


def of_flips(settings: Settings) -> Iterator[Finding]:
    """Whether what is mirrored has sides."""
    if settings.data.kind == "points" and settings.train.flips:
        yield problem("train.flips mirrors images, and points have no sides; set it to false")


def of_points(settings: Settings, counts: Counts | None) -> Iterator[Finding]:
    """What measurements of points ask, and settings that only images know; counts: None where unknown yet."""
    yield from of_flips(settings)
    wanted = images_with_balls(settings.distribution.neighbours)
    samples = settings.sample.per_class * settings.data.classes
    needed = (
        f"precision and recall with distribution.neighbours {settings.distribution.neighbours} need {wanted} "
        "points"
    )
    if samples < wanted:
        yield problem(f"sample.per_class: {needed}, and {samples} are drawn; raise it")
    there = {"trained on": counts.train, "held out": counts.held_out} if counts else {}
    for what, number in there.items():
        if number < wanted:
            yield problem(f"data: {needed}, and {number} are {what}; add some, or lower it")
    yield good(f"{samples:,} points are drawn")
