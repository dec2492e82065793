"""What the measurements ask of the numbers of images and classes; each limit is that of `settings.limits`."""

from collections.abc import Iterable, Iterator
from math import ceil
from typing import NamedTuple

from centigan.errors import plural
from centigan.layout import split_names
from centigan.params import for_split
from centigan.preflight.counts import CLASS_FOLDERS, Counts
from centigan.preflight.findings import Finding, good, problem
from centigan.settings import Settings
from centigan.settings.limits import (
    FID_IMAGES,
    PAIR_IMAGES,
    images_with_balls,
    most_neighbours,
)
from centigan.settings.training import SampleSettings


class Some(NamedTuple):
    """So many images of a kind, in all or of the class that has fewest."""

    images: int
    called: str  # "held-out images of class 7"
    more: str  # what gives more of them
    of: int = 0  # images of which data.held_out holds these out; 0 where it does not decide


def of_numbers(settings: Settings, counts: Counts | None) -> Iterator[Finding]:
    """What follows from settings alone and, where they are known, from the images of each class."""
    samples = samples_of_splits(settings)
    in_all = [_samples_in_all(settings, samples)]
    of_class = [_samples_of_class(samples)]
    yield _classes(settings)
    if counts:
        in_all += _real_in_all(settings, counts)
        train, held_out = _real_of_class(settings, counts)
        of_class += [train, held_out]
        yield _pairs(train)
        if "represents" in settings.model.abilities and settings.data.judged:
            wanted, why = settings.linear_probe.labels_per_class, "a linear classifier learns from so many"
            yield _at_most("linear_probe.labels_per_class", wanted, [train], why)
    yield from _distribution(settings, in_all, of_class)
    yield from _inception_score(settings, in_all, samples)
    yield from _neighbours(settings, samples)


def samples_of_splits(settings: Settings) -> dict[str, SampleSettings]:
    """Split -> how its samples are drawn."""
    names = split_names(settings.data.classes, settings.data.split_size)
    own = {names[split]: for_split(settings, split).sample for split in settings.splits}
    return {name: own.get(name, settings.sample) for name in names}


def _classes(settings: Settings) -> Finding:
    classes = settings.data.classes
    if not settings.data.judged:
        return good("1 class: there is no judge, and what tells classes apart is left out")
    splits = len(split_names(classes, settings.data.split_size))
    return good(f"{classes} {plural('class', classes)} in {splits} {plural('split', splits)}")


def _distribution(settings: Settings, in_all: list[Some], of_class: list[Some]) -> Iterator[Finding]:
    chosen = settings.distribution
    yield _at_most("distribution.kid_subset_size", chosen.kid_subset_size, in_all, "KID takes subsets")
    if few := [some for some in of_class if some.images < FID_IMAGES]:
        yield problem(f"FID within a class needs {FID_IMAGES} images of a kind: {_told(few, FID_IMAGES)}")
    wanted = images_with_balls(chosen.neighbours)
    kept = Some(chosen.manifold_images, "images kept by distribution.manifold_images", "raise that")
    few = [some for some in (*of_class, kept) if some.images < wanted]
    most = most_neighbours(max(FID_IMAGES, min((some.images for some in few), default=wanted)))
    if chosen.neighbours > most:
        yield problem(
            f"distribution.neighbours is {chosen.neighbours}, for which precision and recall within a class "
            f"need {wanted} images of a kind: {most} at most for what there is; {_told(few, wanted)}"
        )
    elif not few:
        yield good(f"distribution.neighbours {chosen.neighbours}: every class has {wanted} images and more")


def _pairs(train: Some) -> Finding:
    if train.images < PAIR_IMAGES:
        return problem(f"MS-SSIM needs {PAIR_IMAGES} images of a class: {_told([train], PAIR_IMAGES)}")
    return good(f"MS-SSIM: every class has {PAIR_IMAGES} training images and more")


def _inception_score(
    settings: Settings, in_all: list[Some], samples: dict[str, SampleSettings]
) -> Iterator[Finding]:
    chosen = settings.inception_score
    sizes = _sizes(settings)
    fresh = sum(sizes[name] * one.fresh_per_class for name, one in samples.items())
    of_fresh = [Some(fresh, "fresh samples", "raise sample.fresh_per_class")]
    yield _at_most("inception_score.select_groups", chosen.select_groups, in_all, "a group needs an image")
    yield _at_most("inception_score.report_groups", chosen.report_groups, of_fresh, "a group needs an image")


def _neighbours(settings: Settings, samples: dict[str, SampleSettings]) -> Iterator[Finding]:
    chosen = settings.neighbours
    of_class = [_samples_of_class(samples)]
    yield _at_most("neighbours.per_class", chosen.per_class, of_class, "so many samples have theirs sought")
    by_l1 = [Some(chosen.per_class, "images that neighbours.per_class chooses from a class", "raise that")]
    yield _at_most("neighbours.ms_ssim_per_class", chosen.ms_ssim_per_class, by_l1, "they are among those")


def _at_most(key: str, value: int, there: list[Some], why: str) -> Finding:
    """A setting that may not exceed the number of any of these images."""
    if few := [some for some in there if some.images < value]:
        most = min(some.images for some in few)
        return problem(f"{key} is {value} ({why}): {most} at most for what there is; {_told(few, value)}")
    fewest = min(there)
    return good(f"{key} {value}; fewest are the {fewest.images:,} {fewest.called}")


def _told(few: Iterable[Some], wanted: int) -> str:
    """What there is too little of, and what gives as many as are wanted."""
    return "; ".join(f"{some.called}: {some.images:,} ({_remedy(some, wanted)})" for some in few)


def _remedy(some: Some, wanted: int) -> str:
    share = ceil(100 * wanted / some.of) / 100 if some.of else 1.0
    return f"data.held_out: {share:g} or more, or add images" if share < 1 else some.more


def _sizes(settings: Settings) -> dict[str, int]:
    """Split -> number of its classes."""
    data = settings.data
    names = split_names(data.classes, data.split_size)
    return {
        name: min(data.split_size, data.classes - number * data.split_size)
        for number, name in enumerate(names)
    }


def _samples_in_all(settings: Settings, samples: dict[str, SampleSettings]) -> Some:
    sizes = _sizes(settings)
    drawn = sum(sizes[name] * one.per_class for name, one in samples.items())
    return Some(drawn, "samples", "raise sample.per_class")


def _samples_of_class(samples: dict[str, SampleSettings]) -> Some:
    split = min(samples, key=lambda name: samples[name].per_class)
    return Some(samples[split].per_class, f"samples of each class of split {split}", "raise sample.per_class")


def _real_in_all(settings: Settings, counts: Counts) -> list[Some]:
    shared = counts.train + counts.held_out if counts.source.startswith(CLASS_FOLDERS) else 0
    return [
        Some(counts.train, "training images", more_to_train_on(settings)),
        Some(counts.held_out, "held-out images", "add some", shared),
    ]


def _real_of_class(settings: Settings, counts: Counts) -> tuple[Some, Some]:
    """The class with the fewest training images, and that with the fewest held-out ones."""
    train = min(counts.classes, key=lambda one: one.train)
    held_out = min(counts.classes, key=lambda one: one.held_out)
    shared = held_out.train + held_out.held_out if counts.source.startswith(CLASS_FOLDERS) else 0
    return (
        Some(train.train, f"training images of class {train.class_id!r}", more_to_train_on(settings)),
        Some(held_out.held_out, f"held-out images of class {held_out.class_id!r}", "add some", shared),
    )


def more_to_train_on(settings: Settings) -> str:
    """What gives more training images."""
    return "raise data.per_class" if settings.data.per_class else "add some"
