"""The raw files of MNIST (LeCun et al., 1998) and Fashion-MNIST (Xiao et al., 2017): the same four names.

An IDX file is a number for its kind and number of axes, the length of each axis, four bytes big-endian each,
then a byte a value, an image row by row. Each is published packed by gzip, with an MD5 of that. Images are
read in place, as ranges of bytes, so that the unpacked files must lie beside. Kaggle's copies have a
dot in each name, train-images.idx3-ubyte; where they are packed, no MD5 of that is published.
http://yann.lecun.com/exdb/mnist/, https://github.com/zalandoresearch/fashion-mnist
"""

import logging
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from centigan.data.checksums import require_md5
from centigan.data.idx_file import count_packed, holds_the_same, idx_shape, start, unpack
from centigan.data.published_archive import Archive, download_all, reading, told_images
from centigan.data.raw_folder import filling, require_no_folder
from centigan.errors import UserError
from centigan.manifest import write_digests

Name = Literal["mnist", "fashion_mnist"]
DATA_SETS: dict[Name, str] = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST"}  # for people
CLASSES = 10
SIDE = 28
log = logging.getLogger(__name__)


class Part(NamedTuple):
    """Files of a part, unpacked."""

    images: str
    labels: str


PARTS: dict[Literal["train", "held_out"], Part] = {
    "train": Part("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "held_out": Part("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
FILES = [file for part in PARTS.values() for file in part]
# of each label, as the published files of labels have them
IMAGES: dict[Name, dict[str, tuple[int, ...]]] = {
    "mnist": {
        "train": (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949),
        "held_out": (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009),
    },
    "fashion_mnist": {"train": (6000,) * CLASSES, "held_out": (1000,) * CLASSES},
}


class Published(NamedTuple):
    """What the files must hold."""

    images: dict[str, tuple[int, ...]]  # of each subset, by label
    packed: dict[str, Archive]  # file -> the .gz of it
    words: tuple[str, ...]  # for each label


class Read(NamedTuple):
    """A part that is whole; `published` says whether it has as many images as the published one."""

    path: Path
    start: int  # bytes before the first image
    labels: NDArray[np.uint8]  # from 0
    published: bool
    told: str  # one line for people


def put_in_place(name: Name, root: Path, *, published: Published | None = None) -> None:
    """Make sure that the files lie unpacked and whole under `root`, and write root/manifest.json last.

    Takes the .gz that is there, else the unpacked file that is there, else downloads the .gz. Another set of
    this format, such as a fixture, is taken with a warning.

    Raises:
        UserError: when there is no network, or a file is damaged.
    """
    expected = published or as_published(name)
    with filling(root):
        paths = [as_it_lies(root, file) for file in FILES]
        for path in paths:
            _require_no_folders(path)
        absent = [path for path in paths if not (path.exists() or _packed(path).exists())]
        download_all([(expected.packed[path.name], _packed(path)) for path in absent])
        for path in paths:
            _unpack(name, path, expected)
        for subset in PARTS:
            read = read_part(name, root, subset, expected)
            if not read.published:
                log.warning("%s: %s", root, read.told)
        write_digests(root, paths)


def as_it_lies(root: Path, file: str) -> Path:
    """Where a file lies, or its .gz: by its published name, else by that with a dot; else where it belongs.

    A folder of the published name is passed over: Kaggle has such folders beside the files.
    """
    for path in (root / file, root / dotted(file)):
        if path.is_file() or _packed(path).is_file():
            return path
    return root / file


def dotted(file: str) -> str:
    """The name that a file has in Kaggle's copies."""
    return file.replace("-idx", ".idx")


def _packed(path: Path) -> Path:
    """Where its .gz lies, or belongs."""
    return path.with_name(f"{path.name}.gz")


def _require_no_folders(path: Path) -> None:
    """Make sure that no folder or dead link lies in the place of a file or its .gz."""
    for one in (path, _packed(path)):
        require_no_folder(one)


def _unpack(name: Name, path: Path, published: Published) -> None:
    """Make the unpacked file what its .gz holds, once that is seen to be whole."""
    packed = _packed(path)
    if not packed.exists():
        return
    _require_whole(name, packed, published)
    if not (path.exists() and holds_the_same(packed, path, _again(name, packed))):
        unpack(packed, path)


def _require_whole(name: Name, packed: Path, published: Published) -> None:
    """Check what a .gz holds.

    Raises:
        UserError: when it is damaged.
    """
    item = (SIDE, SIDE) if "images" in packed.name else ()
    _require_md5(packed, count_packed(packed, item, _again(name, packed)), published)


def _require_md5(packed: Path, count: int, published: Published) -> None:
    """Make sure that a .gz of a published name and number of images or labels has the published MD5."""
    if archive := published.packed.get(packed.stem):
        subset = next(subset for subset, part in PARTS.items() if packed.stem in part)
        if count == sum(published.images[subset]):
            require_md5(packed, archive.md5)


def _again(name: Name, path: Path) -> str:
    return f"`centigan raw {name} --root {path.parent}`"


def read_part(name: Name, root: Path, subset: Literal["train", "held_out"], published: Published) -> Read:
    """Count the images of a part and read its labels. A .gz that lies beside must hold the same bytes.

    Raises:
        UserError: for a file that is missing, packed, of another kind or size, or cut short, and for a label
            of no class.
    """
    path, labels_path = (as_it_lies(root, file) for file in PARTS[subset])
    packed = [_beside(name, one, published) for one in (path, labels_path)]
    images, *size = idx_shape(path, 3)
    (count,) = idx_shape(labels_path, 1)
    if size != [SIDE, SIDE]:
        raise UserError(f"{path} has images of {size[0]} x {size[1]} pixels, not of {SIDE} x {SIDE}")
    if images != count:
        raise UserError(
            f"{path} has {images:,} images and {labels_path.name} {count:,} labels: fetch both anew"
        )
    with reading(labels_path, DATA_SETS[name]):
        labels = np.fromfile(labels_path, np.uint8, offset=start(1))
    wrong = np.flatnonzero(labels >= CLASSES)
    if len(wrong):
        raise UserError(
            f"{labels_path}: image {wrong[0]} has label {labels[wrong[0]]}, not one of 0 to {CLASSES - 1}; "
            "fetch it anew"
        )
    for one, same in zip((path, labels_path), packed, strict=True):
        if same:
            _require_md5(_packed(one), images, published)
    expected = sum(published.images[subset])
    checked = "MD5 as published" if all(packed) else "no MD5 published of it unpacked"
    told = told_images(images, expected, checked)
    return Read(path, start(3), labels, images == expected, f"{path.name}: {told}")


def _beside(name: Name, path: Path, published: Published) -> bool:
    """Whether a .gz of the published name lies beside; the file then holds the same, as beside any .gz.

    Raises:
        UserError: when they do not, or the unpacked file is missing.
    """
    packed = _packed(path)
    _require_no_folders(path)
    if not path.exists():
        if packed.exists():
            raise UserError(
                f"{packed} is packed, and images are read in place: {_again(name, path)} unpacks it beside"
            )
        raise UserError(
            f"{path} is missing: put {packed.name} there and run {_again(name, path)}, which downloads it "
            "where there is a network"
        )
    if not packed.exists():
        return False
    with reading(path, DATA_SETS[name]):
        same = holds_the_same(packed, path, _again(name, path))
    if not same:
        _require_whole(name, packed, published)
        raise UserError(
            f"{path} is not what {packed.name} beside it holds: {_again(name, path)} unpacks it anew"
        )
    return path.name in published.packed


def as_published(name: Name) -> Published:
    """The numbers, addresses and MD5s of the published files."""
    from torchvision.datasets import MNIST, FashionMNIST  # takes two seconds to import

    dataset: Any = {"mnist": MNIST, "fashion_mnist": FashionMNIST}[name]
    packed = {
        file.removesuffix(".gz"): Archive(file, md5, dataset.mirrors[0] + file)
        for file, md5 in dataset.resources
    }
    words = map(str, range(CLASSES)) if name == "mnist" else dataset.classes
    return Published(IMAGES[name], packed, tuple(words))
