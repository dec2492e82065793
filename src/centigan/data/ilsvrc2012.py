"""The 1000 classes of ILSVRC2012 by name.

`ilsvrc2012_ids.txt` has the WordNet ids in the order of ILSVRC2012_ID: line k is also row k of the Inception
graph of 2015 (tensorflow's imagenet_2012_challenge_label_map_proto.pbtxt; StudioGAN's
tf_imagenet_folder_label_pairs.txt says the same). Networks trained since, torchvision's among them, number
the same ids sorted.
"""

from collections.abc import Sequence
from pathlib import Path

IDS = tuple(Path(__file__).with_name("ilsvrc2012_ids.txt").read_text(encoding="utf-8").split())
SORTED_IDS = tuple(sorted(IDS))


def other_than_imagenet(judge: str, classes: Sequence[str]) -> str | None:
    """Why label i of the experiment is not output i of a network trained on ImageNet, if so.

    Args:
        judge: the network, which the text names.
        classes: sorted ids.
    """
    instead = "choose judge.name: auto, small-cnn or head-on-features, which learn the classes"
    if len(classes) != len(SORTED_IDS):
        return (
            f"judge.name: {judge} names the {len(SORTED_IDS)} classes of ImageNet and this data has "
            f"{len(classes)}; {instead}"
        )
    for found, expected in zip(classes, SORTED_IDS, strict=True):
        if found != expected:
            return (
                f"judge.name: {judge} needs the {len(SORTED_IDS)} WordNet ids of ImageNet as class folders, "
                f"in sorted order; this data has {found} in place of {expected}; {instead}"
            )
    return None
