"""What a training asks of the images of its split, said before the first job."""

from collections.abc import Iterator

from centigan.layout import split_names
from centigan.params import for_split
from centigan.preflight.counts import Counts
from centigan.preflight.findings import Finding, good, problem
from centigan.preflight.numbers import more_to_train_on
from centigan.settings import Settings


def of_trainings(settings: Settings, counts: Counts) -> Iterator[Finding]:
    """Batches that splits can fill, and labels that classes have; images of unseen classes do not count."""
    if settings.grouping.order == "data":
        yield _batches(settings, counts)
    yield _labels(settings, counts)


def _batches(settings: Settings, counts: Counts) -> Finding:
    images: dict[str, int] = {}
    for one in counts.classes:
        images[one.split] = images.get(one.split, 0) + one.learnt
    names = split_names(settings.data.classes, settings.data.split_size)
    own = {names[split]: for_split(settings, split).train.batch_size for split in settings.splits}
    sizes = dict.fromkeys(images, settings.train.batch_size) | own
    few = [split for split, there in images.items() if 0 < there < sizes[split]]
    if few:
        split = min(few, key=lambda name: images[name])
        more = f", and {len(few) - 1} more splits have too few" if len(few) > 1 else ""
        raised = "raise data.split_size" if len(images) > 1 else more_to_train_on(settings)
        return problem(
            f"train.batch_size is {sizes[split]}, and split {split} has {images[split]} training "
            f"images{more}; {images[split]} at most, or {raised}"
        )
    return good(f"a batch of {settings.train.batch_size}: every split has as many training images")


def _labels(settings: Settings, counts: Counts) -> Finding:
    wanted = settings.supervision.labelled_per_class
    if wanted is None:
        return good("a training sees every label")
    seen = [one for one in counts.classes if not one.unseen]
    fewest = min(seen, key=lambda one: one.train, default=None)
    if fewest and fewest.train < wanted:
        return problem(
            f"supervision.labelled_per_class is {wanted}, and class {fewest.class_id!r} has {fewest.train} "
            f"training images; {fewest.train} at most"
        )
    return good(f"a training sees {wanted} labels of each class")
