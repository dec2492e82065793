"""Where raw images come from: one file a source, each read as it lies on disk."""

from pathlib import Path

from centigan.data.idx_raw import FILES, dotted
from centigan.data.order_file import named_classes
from centigan.data.sources import folders
from centigan.data.sources.archives import TRAIN, VALIDATION, list_archives
from centigan.data.sources.captioned_folders import list_captioned_folders
from centigan.data.sources.captioned_shapes import list_captioned_shapes
from centigan.data.sources.celeba import PLACES, ZIP, list_celeba
from centigan.data.sources.celeba_lists import PARTITION, TABLES
from centigan.data.sources.cifar import list_cifar
from centigan.data.sources.coco_captions import list_coco_captions
from centigan.data.sources.cub200 import list_cub200
from centigan.data.sources.folders import class_folders, list_class_folders, list_folders
from centigan.data.sources.hub_archives import SIGNS as SIGNS_OF_HUB
from centigan.data.sources.hub_archives import list_hub_archives
from centigan.data.sources.idx import list_idx
from centigan.data.sources.imagenet_npz import SIGNS as SIGNS_OF_NPZ
from centigan.data.sources.imagenet_npz import list_imagenet_npz
from centigan.data.sources.kaggle import DATA, list_kaggle
from centigan.data.sources.listing import Listing, cannot_read
from centigan.data.sources.lsun import list_lsun, scenes_at
from centigan.data.sources.oxford102 import list_oxford102
from centigan.data.sources.parquet import list_parquet
from centigan.data.sources.points import list_points
from centigan.data.sources.shards import has_shards
from centigan.data.sources.sift import Sieve
from centigan.data.sources.stacked import list_stacked_digits
from centigan.data.sources.stl10 import list_stl10
from centigan.data.sources.svhn import list_svhn
from centigan.data.sources.tiny_imagenet import SIGNS as SIGNS_OF_TINY
from centigan.data.sources.tiny_imagenet import list_tiny_imagenet
from centigan.data.sources.webdataset import list_webdataset
from centigan.errors import UserError
from centigan.settings.data import DataSettings
from centigan.settings.sources import DOWNLOADED, SHIPPED, Source, about

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
NAMES_OF_IDX = (*FILES, *map(dotted, FILES))
GZIPPED = (".tgz", ".tar.gz")
# The ending of numbered files such as train-00000.tar -> the source they are.
SHARDS: dict[str, Source] = {".tar": "webdataset", ".parquet": "parquet"}
KNOWN = (
    "ILSVRC2012's archives, train/<class>/ and val/<class>/, Kaggle's ILSVRC/, a WebDataset's tars, the "
    "Hub's Parquet files, CIFAR's folders, STL-10's, SVHN's .mat, CUB's, Oxford's flowers, COCO's "
    "annotations/, CelebA's faces, LSUN's scenes, Tiny ImageNet, ImageNet's npz files, or class folders"
)


def list_source(settings: DataSettings) -> Listing:
    """The images at settings.root, read as the source that is set or recognised there.

    Raises:
        UserError: for a root that cannot be read or holds no source, and for every fault of a source.
    """
    root = Path(settings.root)
    if about(settings.source).put_by in SHIPPED and not root.exists():
        raise UserError(f"{root} is missing: `centigan raw {settings.source} --root {root}` makes it")
    if settings.source in DOWNLOADED and not root.exists():
        raise UserError(
            f"{root} is missing: `centigan raw {settings.source} --root {root}` downloads what is published, "
            "where there is a network; docs/experiments.md says what to put there by hand"
        )
    try:
        source = recognise(root) if settings.source == "auto" else settings.source
        return _list(source, root, settings)
    except OSError as error:  # a folder without permission, a failing disk, too many open files
        raise cannot_read(error.filename or root, error) from error


def _list(source: Source, root: Path, settings: DataSettings) -> Listing:
    match source:
        case "archives":
            return list_archives(root)
        case "kaggle":
            return list_kaggle(root)
        case "hub_archives":
            return list_hub_archives(root)
        case "webdataset":
            return list_webdataset(root)
        case "parquet":
            return list_parquet(root)
        case "cifar10" | "cifar100":
            return list_cifar(source, root)
        case "stl10" | "stl10_unlabelled":
            return list_stl10(source, root)
        case "mnist" | "fashion_mnist":
            return list_idx(source, root)
        case "svhn":
            return list_svhn(root)
        case "cub200":
            return list_cub200(root, settings.held_out)
        case "oxford102":
            return list_oxford102(root, settings.held_out)
        case "coco_captions":
            return list_coco_captions(root)
        case "captioned_folders":
            return list_captioned_folders(root, settings.held_out)
        case "captioned_shapes":
            return list_captioned_shapes(root)
        case "celeba":
            return list_celeba(root, settings.attribute)
        case "lsun":
            return list_lsun(root, named_classes(settings.order))
        case "tiny_imagenet":
            return list_tiny_imagenet(root)
        case "imagenet_npz":
            return list_imagenet_npz(root)
        case "class-folders":
            return list_class_folders(root, settings.held_out)
        case "points" | "ring" | "grid" | "circles" | "swiss_roll" | "line":
            return list_points(root)
        case "stacked_digits":
            return list_stacked_digits(root)
        case _:  # digits, noise, photos and shapes lie in folders too
            return list_folders(root)


def recognise(root: Path) -> Source:
    """The source that lies at `root`, by the names there.

    Raises:
        UserError: where there is none.
    """
    for sign, source in SIGNS.items():
        if (root / sign).exists():
            return source
    if scenes_at(root):
        return "lsun"
    for ending, source in SHARDS.items():
        if has_shards(root, ending):
            return source
    if any((root / f"{name}{packed}").exists() for name in NAMES_OF_IDX for packed in ("", ".gz")):
        raise UserError(
            f"{root} holds IDX files, which MNIST and Fashion-MNIST have by the same names: name "
            "`data.source`, as the protocols mnist and fashion_mnist do; it says, too, that images are grey"
        )
    if folders.has_subsets(root):
        return "folders"
    _refuse_one_level_up(root)
    try:
        class_folders(root, Sieve(root))
    except UserError as error:
        raise UserError(f"no data found: {error}. `data.root` may hold {KNOWN}") from None
    return "class-folders"


def _refuse_one_level_up(root: Path) -> None:
    """Say what to do with an archive such as imagenette2-160.tgz, and with the folder that is in it.

    Raises:
        UserError: where either lies at `root`, and no data set beside it.
    """
    entries = sorted(root.iterdir()) if root.is_dir() else []
    inner = next((entry for entry in entries if folders.holds_folders(entry / folders.TRAIN)), None)
    if inner:
        raise UserError(f"{root} holds {inner.name}/, and that {folders.TRAIN}/: set data.root: {inner}")
    packed = next((entry for entry in entries if entry.name.endswith(GZIPPED)), None)
    if packed and not any(entry.is_dir() for entry in entries):
        raise UserError(
            f"{packed} is gzipped as a whole, so that no image in it has a place of its own to be read from: "
            f"unpack it with `tar -xzf {packed} -C {root}`, and set data.root to the folder that comes "
            "out of it"
        )
