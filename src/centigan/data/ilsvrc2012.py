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
KNOWN = frozenset(IDS)
OF_SUBSET = {"train": 1_281_167, "held_out": 50_000}  # images
IMAGES = sum(OF_SUBSET.values())


def other_than_imagenet(judge: str, classes: Sequence[str]) -> str | None:
    """Why a network trained on ImageNet does not know these classes, if so.

    Args:
        judge: the network, which the text names.
        classes: ids, of all 1000 classes or of some.
    """
    others = [class_id for class_id in classes if class_id not in KNOWN]
    if not others:
        return None
    more = f" and {len(others) - 1} more" if len(others) > 1 else ""
    return knows_only_imagenet(judge, f"this data has {others[0]!r}{more}")


def knows_only_imagenet(judge: str, other: str) -> str:
    """What to say of such a network beside data that have something else."""
    return (
        f"judge.name: {judge} knows ImageNet's {len(IDS)} classes by WordNet ids such as {IDS[0]}, and "
        f"{other}; choose judge.name: auto, small-cnn or head-on-features, which learn the classes"
    )
