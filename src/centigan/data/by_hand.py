"""Data sets that are fetched by hand: what must lie in the folder, and where it is to be had.

They ask for an account or a browser, or no checksum is known of all their files, so `centigan raw` fetches
none of them: it says this, and so does a run that finds nothing of the set.
"""

import logging
from pathlib import Path

from centigan.errors import UserError
from centigan.settings.sources import ByHand

ACCOUNT = "which needs an account"
PLACES: dict[ByHand, str] = {
    "archives": "ILSVRC2012_img_train.tar, ILSVRC2012_img_val.tar and ILSVRC2012_devkit_t12.tar.gz, as they "
    f"are, from https://image-net.org/challenges/LSVRC/2012/, {ACCOUNT}",
    "kaggle": "ILSVRC/Data/CLS-LOC/train/, ILSVRC/Data/CLS-LOC/val/ and LOC_val_solution.csv, unpacked, from "
    f"https://www.kaggle.com/c/imagenet-object-localization-challenge, {ACCOUNT}",
    "hub_archives": "train_images_0.tar to train_images_4.tar and val_images.tar, unzipped by gunzip, from "
    f"https://huggingface.co/datasets/ILSVRC/imagenet-1k (data/ of an old revision), {ACCOUNT}",
    "imagenet_npz": "train_data_batch_1.npz to train_data_batch_10.npz, val_data.npz and map_clsloc.txt, as "
    f"they are, from https://image-net.org/download-images, {ACCOUNT}",
    "celeba": "img_align_celeba.zip (or img_align_celeba/, which is in it), list_eval_partition.txt and "
    "list_attr_celeba.txt, from http://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
    "lsun": "<scene>_train_lmdb/ and <scene>_val_lmdb/ of each scene, unpacked of its two zips, which "
    "https://github.com/fyu/lsun tells how to fetch",
}
log = logging.getLogger(__name__)


def put_in_place(name: ByHand, root: Path) -> None:
    """Say what is to be put at `root`.

    Raises:
        UserError: saying so, where nothing lies there.
    """
    if not root.is_dir() or not any(root.iterdir()):
        raise UserError(f"{name} is fetched by hand: put at {root} {PLACES[name]}")
    log.info("%s is fetched by hand; at %s, where something lies, belong %s", name, root, PLACES[name])
    log.info("`centigan check` and `centigan verify` of an experiment on it tell whether that is there")


def lacks_all(name: ByHand, root: Path, what: str) -> UserError:
    """What to say of a root that holds nothing of the set."""
    return UserError(f"{root} holds no {what}: put there {PLACES[name]}")
