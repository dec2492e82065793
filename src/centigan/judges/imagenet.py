"""The one condition of judges that come trained: the experiment's classes are ImageNet's."""

from centigan.data.ilsvrc2012 import IDS
from centigan.errors import UserError

CLASSES = tuple(sorted(IDS))


def require_imagenet(judge: str, classes: tuple[str, ...]) -> None:
    """Check that label i of the experiment is output i of an ImageNet network.

    Raises:
        UserError: naming the judge, what the classes are and what to choose instead.
    """
    instead = "choose judge.name: auto, small-cnn or head-on-features, which learn the classes"
    if len(classes) != len(CLASSES):
        raise UserError(
            f"judge.name: {judge} names the {len(CLASSES)} classes of ImageNet and this data has "
            f"{len(classes)}; {instead}"
        )
    for found, expected in zip(classes, CLASSES, strict=True):
        if found != expected:
            raise UserError(
                f"judge.name: {judge} needs the {len(CLASSES)} WordNet ids of ImageNet as class folders, in "
                f"sorted order; this data has {found} in place of {expected}; {instead}"
            )
