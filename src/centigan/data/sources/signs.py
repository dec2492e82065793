"""Which source lies in a folder, by the names there; where none does, what to set or do instead."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from centigan.data.idx_raw import FILES, dotted
from centigan.data.sources.archives import TRAIN, VALIDATION
from centigan.data.sources.celeba import PLACES, ZIP
from centigan.data.sources.celeba_lists import PARTITION, TABLES
from centigan.data.sources.folders import TRAIN as TRAINING
from centigan.data.sources.folders import class_folders, has_subsets, holds_folders
from centigan.data.sources.hub_archives import SIGNS as SIGNS_OF_HUB
from centigan.data.sources.imagenet_npz import SIGNS as SIGNS_OF_NPZ
from centigan.data.sources.kaggle import DATA
from centigan.data.sources.listing import cannot_read, printable
from centigan.data.sources.lsun import scenes_at
from centigan.data.sources.shards import has_shards
from centigan.data.sources.sift import Sieve
from centigan.data.sources.tiny_imagenet import SIGNS as SIGNS_OF_TINY
from centigan.errors import UserError
from centigan.image_names import is_hidden, is_of_system
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
NAMES_OF_IDX = [f"{name}{packed}" for name in (*FILES, *map(dotted, FILES)) for packed in ("", ".gz")]
GZIPPED = (".tgz", ".tar.gz")
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
MOST_FOLDERS = 100  # that are looked into; where there are more they are classes
MOST_NAMED = 5
KNOWN = (
    "ILSVRC2012's archives, train/<class>/ and val/<class>/, Kaggle's ILSVRC/, a WebDataset's tars, the "
    "Hub's Parquet files, CIFAR's folders, STL-10's, SVHN's .mat, CUB's, Oxford's flowers, COCO's "
    "annotations/, CelebA's faces, LSUN's scenes, Tiny ImageNet, ImageNet's npz files, or class folders"
)


def recognise(root: Path) -> Source:
    """The source that lies at `root`, by the names there.

    Raises:
        UserError: where there is none.
    """
    source = _first_at(root, IN_ORDER)
    if source == "mnist":
        raise UserError(
            f"{root} holds IDX files, which MNIST and Fashion-MNIST have by the same names: name "
            "`data.source`, as the protocols mnist and fashion_mnist do; it says, too, that images are grey"
        )
    if source:
        return source
    if has_subsets(root):
        return "folders"
    if told := one_level_down(root, BELOW):
        raise UserError(told)
    _refuse_packed(root)
    try:
        class_folders(root, Sieve(root))
    except UserError as error:
        raise UserError(f"no data found: {error}. `data.root` may hold {KNOWN}") from None
    return "class-folders"


@contextmanager
def explain(source: Source, root: Path) -> Iterator[None]:
    """Add to an error about a source that is not at `root` in which folder there it is.

    Of class folders, which have no sign, any other source may be meant.
    """
    try:
        yield
    except (UserError, OSError) as error:
        wanted = (*BELOW, *SHARDS.values()) if source == "class-folders" else (LIKE.get(source, source),)
        told = "" if _first_at(root, wanted) else one_level_down(root, wanted)
        if not told:
            raise
        said = cannot_read(error.filename or root, error) if isinstance(error, OSError) else error
        raise UserError(f"{said}. {told}") from None


def one_level_down(root: Path, wanted: Sequence[Source]) -> str:
    """Which folders in `root` hold one of these sources, and what to do; empty where none does."""
    found = {folder: source for folder in _folders_in(root) if (source := _first_at(folder, wanted))}
    if not found:
        return ""
    named = list(islice(found, MOST_NAMED))
    more = ", ..." if len(found) > MOST_NAMED else ""
    held = ", ".join(f"{printable(folder.name)}/ ({found[folder]})" for folder in named)
    return f"{root} holds {held}{more}: set data.root: {' or '.join(printable(str(one)) for one in named)}"


def _folders_in(root: Path) -> Iterable[Path]:
    """Folders that people may have put there."""
    entries = sorted(root.iterdir()) if root.is_dir() else []
    shown = (entry for entry in entries if not (is_hidden(entry.name) or is_of_system(entry.name)))
    return islice((entry for entry in shown if entry.is_dir()), MOST_FOLDERS)


def _first_at(folder: Path, wanted: Iterable[Source]) -> Source | None:
    return next((source for source in wanted if _lies_at(folder, source)), None)


def _lies_at(folder: Path, source: Source) -> bool:
    """Whether a sign of the source lies there."""
    match source:
        case "lsun":
            return bool(scenes_at(folder))
        case "mnist":
            return any(
                (folder / f"{name}{packed}").exists() for name in NAMES_OF_IDX for packed in ("", ".gz")
            )
        case "folders":
            return holds_folders(folder / TRAINING)
        case "webdataset" | "parquet":
            return any(has_shards(folder, ending) for ending, of in SHARDS.items() if of == source)
        case _:
            return any((folder / sign).exists() for sign, of in SIGNS.items() if of == source)


def _refuse_packed(root: Path) -> None:
    """Say what to do with an archive such as imagenette2-160.tgz.

    Raises:
        UserError: where one lies at `root`, and no folder beside it.
    """
    entries = sorted(root.iterdir()) if root.is_dir() else []
    packed = next((entry for entry in entries if entry.name.endswith(GZIPPED)), None)
    if packed and not any(entry.is_dir() for entry in entries):
        raise UserError(
            f"{packed} is gzipped as a whole, so that no image in it has a place of its own to be read from: "
            f"unpack it with `tar -xzf {packed} -C {root}`, and set data.root to the folder that comes "
            "out of it"
        )
