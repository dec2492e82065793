"""The raw files of SVHN's cropped digits (Netzer et al., 2011): what is published, and how it becomes plain.

train_32x32.mat and test_32x32.mat, of version 5 of MATLAB's format, hold X, bytes (32, 32, 3, N): row,
column, colour, image; and y (N, 1), labels from 1, of which 10 is the digit 0. The first axis runs fastest,
so that an image is 3,072 bytes: red, then green, then blue, each column by column. But the published files
are compressed, and no range of their bytes is an image. So `put_in_place` writes train_32x32.bin and
test_32x32.bin once, beside: MD5s of the .mat and of all that follows (16 bytes each), a digit an image (a
byte each), and the images as they come. http://ufldl.stanford.edu/housenumbers/
"""

import hashlib
import logging
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from centigan.atomic import atomic_path
from centigan.data.checksums import md5_of, require_md5
from centigan.data.published_archive import Archive, download_all, reading, told_images
from centigan.data.raw_folder import filling
from centigan.errors import UserError
from centigan.manifest import write_digests

DATA_SET = "SVHN"  # for people
CLASSES = 10
SIDE = 32
IMAGE = 3 * SIDE**2  # bytes
DIGEST = 16  # bytes, of an MD5
HEADER = 2 * DIGEST  # of a plain file: MD5 of the .mat, and of what follows
NUMBERS = {"uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "single", "double"}
FILES: dict[Literal["train", "held_out"], str] = {"train": "train_32x32", "held_out": "test_32x32"}
EXTRA = "extra_32x32.mat"
IMAGES: dict[str, tuple[int, ...]] = {  # of each digit, as the published labels have them
    "train": (4948, 13861, 10585, 8497, 7458, 6882, 5727, 5595, 5045, 4659),
    "held_out": (1744, 5099, 4149, 2882, 2523, 2384, 1977, 2019, 1660, 1595),
}
log = logging.getLogger(__name__)


class Published(NamedTuple):
    """What the files must hold."""

    images: dict[str, tuple[int, ...]]  # of each subset, by digit
    files: dict[str, Archive]  # subset -> the .mat


class Read(NamedTuple):
    """A part that is whole; `published` says whether it has as many images as the published one."""

    path: Path
    start: int  # bytes before the first image
    digits: NDArray[np.uint8]  # (N,)
    published: bool
    told: str  # one line for people


def put_in_place(_source: str, root: Path, *, published: Published | None = None) -> None:
    """Make sure that the plain files lie whole under `root`, and write root/manifest.json last.

    They are made of the .mat that is there; without it they are taken as they lie, else the .mat is
    downloaded. Another set of this format, such as a fixture, is taken with a warning.

    Raises:
        UserError: when there is no network, or a file is damaged.
    """
    expected = published or as_published()
    with filling(root):
        there = {one for one, file in FILES.items() if (root / f"{file}.bin").exists()}
        mats = [archive for subset, archive in expected.files.items() if subset not in there]
        download_all([(mat, root / mat.name) for mat in mats if not (root / mat.name).exists()])
        for subset in FILES:
            _make_plain(root, subset, expected)
            read = read_part(root, subset, expected)
            if not read.published:
                log.warning("%s: %s", root, read.told)
        write_digests(root, [root / f"{file}.bin" for file in FILES.values()])


def _make_plain(root: Path, subset: Literal["train", "held_out"], published: Published) -> None:
    """Write the plain file, unless it is of the .mat that lies there."""
    plain, archive = root / f"{FILES[subset]}.bin", published.files[subset]
    mat = root / archive.name
    if not mat.exists():
        return
    with reading(mat, DATA_SET):
        md5 = md5_of(mat)
    if plain.exists() and _is_of(plain, md5):
        return
    pixels, digits = read_matlab(mat)
    if len(digits) == sum(published.images[subset]):
        require_md5(mat, archive.md5)
    content = hashlib.md5(digits.tobytes(), usedforsecurity=False)
    content.update(pixels.data)
    with atomic_path(plain) as temporary, temporary.open("wb") as file:
        file.write(bytes.fromhex(md5) + content.digest() + digits.tobytes())
        file.write(pixels.data)


def _is_of(plain: Path, md5: str) -> bool:
    """Whether a plain file is whole, and of the .mat with this MD5."""
    of_mat, content = _digests(plain)
    return of_mat == md5 and content == _md5_of_content(plain)


def _digests(plain: Path) -> tuple[str, str]:
    """MD5s that a plain file begins with: of its .mat, and of what follows."""
    with plain.open("rb") as file:
        return file.read(DIGEST).hex(), file.read(DIGEST).hex()


def _md5_of_content(plain: Path) -> str:
    with plain.open("rb") as file:
        file.seek(HEADER)
        return hashlib.file_digest(file, "md5").hexdigest()


def read_matlab(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """(N, 3, 32, 32) bytes, whose last axes are column and row, and (N,) digits from 0 to 9.

    Raises:
        UserError: for a file that holds anything else, or cannot be read.
    """
    from scipy.io import loadmat, whosmat

    try:
        there = {name: (shape, kind) for name, shape, kind in whosmat(path)}
        _require_variables(path, there)
        content = loadmat(path, variable_names=list(there))
    except (MemoryError, UserError):
        raise
    except Exception as error:  # scipy raises what it likes
        raise UserError(
            f"{path} is damaged or no file of {DATA_SET} ({error or type(error).__name__}); fetch it anew"
        ) from error
    labels = content["y"].ravel()
    wrong = np.flatnonzero(~np.isin(labels, np.arange(1, CLASSES + 1)))
    if len(wrong):
        raise UserError(
            f"{path}: image {wrong[0]} has label {labels[wrong[0]]}, not one of 1 to {CLASSES}; fetch it anew"
        )
    digits = (labels.astype(np.int64) % CLASSES).astype(np.uint8)
    return np.ascontiguousarray(content["X"].T), digits


def _require_variables(path: Path, there: dict[str, tuple[tuple[int, ...], str]]) -> None:
    """Make sure that the variables are X and y, of their kind and shapes, before they are read."""
    (of_x, bytes_), (of_y, numbers) = there.get("X", ((), "")), there.get("y", ((), ""))
    count = of_x[-1] if of_x else 0
    shaped = count > 0 and of_x == (SIDE, SIDE, 3, count) and of_y == (count, 1)
    if not (shaped and bytes_ == "uint8" and numbers in NUMBERS and len(there) == 2):
        said = ", ".join(f"{name} {shape} {kind}" for name, (shape, kind) in there.items()) or "nothing"
        raise UserError(
            f"{path} holds {said}, not X ({SIDE}, {SIDE}, 3, N) uint8 and y (N, 1) alone: take SVHN's "
            "cropped digits, or fetch it anew"
        )


def read_part(root: Path, subset: Literal["train", "held_out"], published: Published) -> Read:
    """Count the images of a plain file and read its digits. It must be of the .mat that lies beside.

    Raises:
        UserError: for a file that is missing, not made yet, cut short or of another .mat, and for as many
            images as were published of a .mat that was not.
    """
    path, archive = root / f"{FILES[subset]}.bin", published.files[subset]
    again = f"`centigan raw svhn --root {root}`"
    _require_made(path, root / archive.name, again)
    with reading(path, DATA_SET):
        size = path.stat().st_size
        count, rest = divmod(size - HEADER, 1 + IMAGE)
        if rest or count < 1:
            raise UserError(f"{path} has {size:,} bytes: it is cut short; remove it and run {again}")
        md5, content = _digests(path)
        if content != _md5_of_content(path):
            raise UserError(f"{path} is damaged: it is not what was written; remove it and run {again}")
        digits = np.fromfile(path, np.uint8, count, offset=HEADER)
        if (root / archive.name).exists() and md5_of(root / archive.name) != md5:
            raise UserError(f"{path} was made of another {archive.name} than lies beside; run {again}")
    expected = sum(published.images[subset])
    if count == expected and md5 != archive.md5:
        raise UserError(
            f"{path} was made of a file with MD5 {md5}, not {archive.md5} as published: remove both and run "
            f"{again}"
        )
    told = f"{archive.name}: {told_images(count, expected)}"
    return Read(path, HEADER + count, digits, count == expected, told)


def _require_made(path: Path, mat: Path, again: str) -> None:
    if path.exists():
        return
    if mat.exists():
        raise UserError(
            f"{mat} is compressed, and images are read in place: {again} writes {path.name} beside"
        )
    raise UserError(
        f"{path} is missing: put {mat.name} there and run {again}, which downloads it where there is a "
        "network"
    )


def as_published() -> Published:
    """The numbers, addresses and MD5s of the published files."""
    from torchvision.datasets import SVHN  # takes two seconds to import

    splits: dict[str, str] = {"train": "train", "held_out": "test"}
    files = {}
    for subset, split in splits.items():
        url, name, md5 = SVHN.split_list[split]
        files[subset] = Archive(name, md5, url)
    return Published(IMAGES, files)
