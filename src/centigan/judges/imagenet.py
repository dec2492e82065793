"""The one condition of judges that come trained: the experiment's classes are ImageNet's."""

from centigan.data.completeness import ILSVRC2012_CLASSES as CLASSES
from centigan.data.completeness import SYNSET
from centigan.errors import UserError


def require_imagenet(judge: str, classes: tuple[str, ...]) -> None:
    """Check that label i of the experiment is output i of an ImageNet network.

    Its outputs stand in the sorted order of the 1000 WordNet ids (paper-facts), so 1000 sorted ids it
    must be.

    Raises:
        UserError: naming the judge, what the classes are and what to choose instead.
    """
    instead = "choose judge.name: auto, small-cnn or head-on-features, which learn the classes"
    if len(classes) != CLASSES:
        raise UserError(
            f"judge.name: {judge} names the {CLASSES} classes of ImageNet and this data has "
            f"{len(classes)}; {instead}"
        )
    if list(classes) != sorted(set(classes)) or not all(map(SYNSET.fullmatch, classes)):
        raise UserError(
            f"judge.name: {judge} needs the {CLASSES} WordNet ids of ImageNet (n01440764, ...) as "
            f"class folders, in sorted order; this data has {classes[0]}, ...; {instead}"
        )
