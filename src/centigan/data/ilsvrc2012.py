"""The 1000 classes of ILSVRC2012 by name.

`ilsvrc2012_ids.txt` has the WordNet ids in the order of ILSVRC2012_ID: line k is also row k of the Inception
graph of 2015 (tensorflow's imagenet_2012_challenge_label_map_proto.pbtxt; StudioGAN's
tf_imagenet_folder_label_pairs.txt says the same). Networks trained since, torchvision's among them, number
the same ids sorted.
"""

from pathlib import Path

IDS = tuple(Path(__file__).with_name("ilsvrc2012_ids.txt").read_text(encoding="utf-8").split())
