"""Which source lies in a folder, by the names there."""

from collections.abc import Iterable
from pathlib import Path

from centigan.data.idx_raw import FILES, dotted
from centigan.data.sources.archives import TRAIN, VALIDATION
from centigan.data.sources.celeba import PLACES, ZIP
from centigan.data.sources.celeba_lists import PARTITION, TABLES
from centigan.data.sources.folders import TRAIN as TRAINING
from centigan.data.sources.folders import holds_folders
from centigan.data.sources.hub_archives import SIGNS as SIGNS_OF_HUB
from centigan.data.sources.imagenet_npz import SIGNS as SIGNS_OF_NPZ
from centigan.data.sources.kaggle import DATA
from centigan.data.sources.lsun import scenes_at
from centigan.data.sources.shards import has_shards
from centigan.data.sources.tiny_imagenet import IDS
from centigan.data.sources.tiny_imagenet import SIGNS as SIGNS_OF_TINY
from centigan.settings.sources import Source

# What lies in `root`, first match first -> the source it is.
SIGNS: dict[str, Source] = {
    TRAIN: "archives",
    VALIDATION: "archives",
    DATA: "kaggle",
    **dict.fromkeys(SIGNS_OF_HUB, "hub_archives"),
    "cifar-10-batches-py": "cifar10",
    "cifar-10-batches-bin": "cifar10",
    "cifar-100-python": "cifar100",
    "cifar-100-binary": "cifar100",
    **dict.fromkeys(SIGNS_OF_TINY, "tiny_imagenet"),
    **dict.fromkeys(SIGNS_OF_NPZ, "imagenet_npz"),
    "stl10_binary": "stl10",
    "train_32x32.mat": "svhn",
    "train_32x32.bin": "svhn",
    "points.csv": "points",
    "CUB_200_2011": "cub200",
    "image_class_labels.txt": "cub200",
    "imagelabels.mat": "oxford102",
    **{f"{place}{name}": "celeba" for place in PLACES for name in (PARTITION, TABLES[PARTITION], ZIP)},
    "annotations/captions_train2014.json": "coco_captions",
    "annotations/captions_train2017.json": "coco_captions",
}
IDX = (*FILES, *map(dotted, FILES))
# The ending of numbered files such as train-00000.tar -> the source they are.
SHARDS: dict[str, Source] = {".tar": "webdataset", ".parquet": "parquet"}
# Of the same signs as another.
LIKE: dict[Source, Source] = {
    "stl10_unlabelled": "stl10",
    "fashion_mnist": "mnist",
    "captioned_folders": "folders",
}
IN_ORDER: tuple[Source, ...] = (*dict.fromkeys(SIGNS.values()), "lsun", *SHARDS.values(), "mnist")
# Looked for in folders of the root, too; numbered archives may lie among the images of a class.
BELOW: tuple[Source, ...] = (*dict.fromkeys(SIGNS.values()), "lsun", "mnist", "folders")


def first_at(folder: Path, wanted: Iterable[Source]) -> Source | None:
    """The first of these sources that lies there."""
    return next((source for source in wanted if _lies_at(folder, source)), None)


def _lies_at(folder: Path, source: Source) -> bool:
    """Whether a sign of the source lies there."""
    match source:
        case "lsun":
            return bool(scenes_at(folder))
        case "mnist":
            return any((folder / f"{file}{packed}").exists() for file in IDX for packed in ("", ".gz"))
        case "folders":
            return holds_folders(folder / TRAINING)
        case "tiny_imagenet" if (folder / IDS).is_file() and any(folder.glob("train/*/images")):
            return True  # also without annotations, where val/ was sorted by hand
        case "webdataset" | "parquet":
            return any(has_shards(folder, ending) for ending, of in SHARDS.items() if of == source)
        case _:
            return any((folder / sign).exists() for sign, of in SIGNS.items() if of == source)
