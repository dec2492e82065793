"""Where raw images come from: one file a source, each read as it lies on disk."""

from pathlib import Path

from centigan.data.sources.archives import TRAIN, VALIDATION, list_archives
from centigan.data.sources.cifar import list_cifar
from centigan.data.sources.folders import SUBSETS, class_folders, list_class_folders, list_folders
from centigan.data.sources.kaggle import DATA, list_kaggle
from centigan.data.sources.listing import Listing, cannot_read
from centigan.data.sources.points import list_points
from centigan.data.sources.sift import Sieve
from centigan.data.sources.stacked import list_stacked_digits
from centigan.errors import UserError
from centigan.settings.data import DataSettings, Source

# What lies in `root`, first match first -> the source it is.
SIGNS: dict[str, Source] = {
    TRAIN: "archives",
    VALIDATION: "archives",
    DATA: "kaggle",
    "cifar-10-batches-py": "cifar10",
    "cifar-10-batches-bin": "cifar10",
    "cifar-100-python": "cifar100",
    "cifar-100-binary": "cifar100",
    "points.csv": "points",
}
KNOWN = (
    "ILSVRC2012's archives, train/<class>/ and val/<class>/, Kaggle's ILSVRC/, CIFAR's folders, "
    "or class folders"
)


def list_source(settings: DataSettings) -> Listing:
    """The images at settings.root, read as the source that is set or recognised there.

    Raises:
        UserError: for a root that cannot be read or holds no source, and for every fault of a source.
    """
    root = Path(settings.root)
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
        case "cifar10" | "cifar100":
            return list_cifar(source, root)
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
    if any(_holds_folders(root / folder) for folder in SUBSETS):
        return "folders"
    try:
        class_folders(root, Sieve(root))
    except UserError as error:
        raise UserError(f"no data found: {error}. `data.root` may hold {KNOWN}") from None
    return "class-folders"


def _holds_folders(folder: Path) -> bool:
    """Whether it is a set of classes; a class that is called "train" holds images."""
    return folder.is_dir() and any(entry.is_dir() for entry in folder.iterdir())
