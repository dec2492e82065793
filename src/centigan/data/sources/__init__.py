"""Where raw images come from: one file a source, each read as it lies on disk."""

from pathlib import Path

from centigan.data.order_file import named_classes
from centigan.data.sources.archives import list_archives
from centigan.data.sources.captioned_folders import list_captioned_folders
from centigan.data.sources.captioned_shapes import list_captioned_shapes
from centigan.data.sources.celeba import list_celeba
from centigan.data.sources.cifar import list_cifar
from centigan.data.sources.coco_captions import list_coco_captions
from centigan.data.sources.cub200 import list_cub200
from centigan.data.sources.folders import list_class_folders, list_folders
from centigan.data.sources.hub_archives import list_hub_archives
from centigan.data.sources.idx import list_idx
from centigan.data.sources.imagenet_npz import list_imagenet_npz
from centigan.data.sources.kaggle import list_kaggle
from centigan.data.sources.listing import Listing, cannot_read
from centigan.data.sources.lsun import list_lsun
from centigan.data.sources.oxford102 import list_oxford102
from centigan.data.sources.parquet import list_parquet
from centigan.data.sources.points import list_points
from centigan.data.sources.recognise import explain, recognise
from centigan.data.sources.stacked import list_stacked_digits
from centigan.data.sources.stl10 import list_stl10
from centigan.data.sources.svhn import list_svhn
from centigan.data.sources.tiny_imagenet import list_tiny_imagenet
from centigan.data.sources.webdataset import list_webdataset
from centigan.errors import UserError
from centigan.settings.data import DataSettings
from centigan.settings.sources import DOWNLOADED, SHIPPED, Source, about


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
        with explain(source, root):
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
