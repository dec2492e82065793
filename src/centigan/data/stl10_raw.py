"""The raw files of STL-10 (Coates, Lee & Ng, 2011): what is published, how to get it and whether it is whole.

An image is 96 x 96 bytes of red, then green, then blue, each plane column by column; a label is a byte, from
1. Three files have images, two of these labels. https://cs.stanford.edu/~acoates/stl10/
"""

import logging
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from centigan.data.checksums import require_md5
from centigan.data.published_archive import Archive, reading, told_images, unpack_published
from centigan.data.raw_folder import filling
from centigan.errors import UserError
from centigan.manifest import write_digests

DATA_SET = "STL-10"  # for people
FOLDER = "stl10_binary"
NAMES, FOLDS = "class_names.txt", "fold_indices.txt"
CLASSES = 10
SIDE = 96
IMAGE = 3 * SIDE**2  # bytes
log = logging.getLogger(__name__)


class Part(NamedTuple):
    """Files of a part; "" where nothing says the classes."""

    images: str
    labels: str = ""


PARTS: dict[Literal["train", "test", "unlabelled"], Part] = {
    "train": Part("train_X.bin", "train_y.bin"),
    "test": Part("test_X.bin", "test_y.bin"),
    "unlabelled": Part("unlabeled_X.bin"),
}
IMAGES = {"train_X.bin": 5_000, "test_X.bin": 8_000, "unlabeled_X.bin": 100_000}


class Published(NamedTuple):
    """What the files must hold, and the archive of them."""

    images: dict[str, int]  # in each file of images
    md5s: dict[str, str]  # file -> MD5; the texts have none
    archive: Archive


class Read(NamedTuple):
    """A part that is whole; `published` says whether it is the published one."""

    path: Path
    images: int
    labels: NDArray[np.uint8] | None  # from 1
    published: bool
    told: str  # one line for people


def put_in_place(_source: str, root: Path, *, published: Published | None = None) -> None:
    """Make sure that the files lie whole under `root`, and write root/manifest.json last.

    Takes the folder that is there, else the archive that is there, else downloads the archive. Another set of
    this format, such as a fixture, is taken with a warning.

    Raises:
        UserError: when there is no network, or a file is missing or damaged.
    """
    expected = published or as_published()
    with filling(root):
        unpack_published(root, [expected.archive], [FOLDER])
        for part in PARTS.values():
            read = read_part(root, part, expected)
            if not read.published:
                log.warning("%s: %s", root, read.told)
        _write_manifest(root)


def _write_manifest(root: Path) -> None:
    folder = root / FOLDER
    files = [folder / file for part in PARTS.values() for file in part if file]
    with reading(folder / NAMES, DATA_SET):
        (folder / NAMES).stat()
    texts = [folder / NAMES, *filter(Path.exists, [folder / FOLDS])]
    write_digests(root, [*files, *texts])


def read_part(root: Path, part: Part, published: Published) -> Read:
    """Count the images of a part and read its labels, where it has any.

    A file of the published size must have the published MD5; of other sizes, as many images as labels. Cut
    short after a whole image, a file without labels cannot be told from that of a smaller set.

    Raises:
        UserError: for a file that is missing, cut short or not as published, and for a label of no class.
    """
    path, expected = root / FOLDER / part.images, published.images[part.images]
    with reading(path, DATA_SET):
        size = path.stat().st_size
        if size == 0 or size % IMAGE:
            raise UserError(
                f"{path} has {size:,} bytes, and an image {IMAGE:,}: it is cut short; remove it and fetch it "
                "anew"
            )
        images = size // IMAGE
        if images == expected:
            require_md5(path, published.md5s[path.name])
    labels = _read_labels(path, images, root / FOLDER / part.labels, published) if part.labels else None
    told = f"{FOLDER}/{part.images}: {told_images(images, expected)}"
    return Read(path, images, labels, images == expected, told)


def _read_labels(images_path: Path, images: int, path: Path, published: Published) -> NDArray[np.uint8]:
    """The label of each image."""
    with reading(path, DATA_SET):
        labels = np.fromfile(path, np.uint8)
        if len(labels) != images:
            raise UserError(
                f"{images_path} has {images:,} images and {path.name} {len(labels):,} labels: one of them is "
                "cut short; remove both and fetch them anew"
            )
        if images == published.images[images_path.name]:
            require_md5(path, published.md5s[path.name])
    wrong = np.flatnonzero((labels < 1) | (labels > CLASSES))
    if len(wrong):
        raise UserError(
            f"{path}: image {wrong[0]} has label {labels[wrong[0]]}, not one of 1 to {CLASSES}; remove the "
            "file and fetch it anew"
        )
    return labels


def as_published() -> Published:
    """The numbers, MD5s and archive of the published files."""
    from torchvision.datasets import STL10  # takes two seconds to import

    md5s = dict(STL10.train_list + STL10.test_list)
    return Published(IMAGES, md5s, Archive(STL10.filename, STL10.tgz_md5, STL10.url))
