"""The 1000 classes of ILSVRC2012, and the one condition of judges that come trained on them.

`ilsvrc2012_ids.txt` has the WordNet ids in the order of ILSVRC2012_ID: line k is row k of the 2015 graph
(tensorflow's imagenet_2012_challenge_label_map_proto.pbtxt; StudioGAN's tf_imagenet_folder_label_pairs.txt
says the same). Networks trained since, torchvision's among them, number the same ids sorted.
"""

from pathlib import Path

from centigan.errors import UserError

ROWS_OF_2015 = tuple(Path(__file__).with_name("ilsvrc2012_ids.txt").read_text(encoding="utf-8").split())
CLASSES = tuple(sorted(ROWS_OF_2015))


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
