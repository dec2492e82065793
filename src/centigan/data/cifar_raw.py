"""The raw files of CIFAR-10 and CIFAR-100: what is published, in two versions, and how to get it.

The version for Python has an MD5 published for each file, the binary one only for the archive.
https://www.cs.toronto.edu/~kriz/cifar.html
"""

from pathlib import Path
from typing import Any, Literal, NamedTuple

from centigan.data.checksums import require_md5
from centigan.data.published_archive import Archive, reading, unpack_published
from centigan.data.raw_folder import filling
from centigan.errors import UserError
from centigan.manifest import write_digests

Name = Literal["cifar10", "cifar100"]
IMAGE = 3 * 32 * 32  # bytes
DATA_SET = "CIFAR"  # for people


class Version(NamedTuple):
    """A version of a data set: a folder, its files with images, and the one that names the classes."""

    folder: str
    batches: dict[str, str]  # file -> train or held_out
    meta: str
    pickled: bool  # for Python; else records of a fixed size
    prefix: str  # of the keys of labels and their names in a pickle
    label_bytes: int  # before the pixels in a record

    def files(self, root: Path) -> list[Path]:
        return [root / self.folder / file for file in (*self.batches, self.meta)]


class Published(NamedTuple):
    """What the files must hold."""

    classes: int
    images: dict[str, int]  # in each file of train and of held_out
    md5s: dict[str, str]  # file -> MD5; the binary version has none published


BATCHES_10 = {**{f"data_batch_{number}": "train" for number in range(1, 6)}, "test_batch": "held_out"}
BATCHES_100 = {"train": "train", "test": "held_out"}
RECORDS_10 = {f"{file}.bin": subset for file, subset in BATCHES_10.items()}
RECORDS_100 = {f"{file}.bin": subset for file, subset in BATCHES_100.items()}
VERSIONS: dict[Name, tuple[Version, Version]] = {
    "cifar10": (
        Version("cifar-10-batches-py", BATCHES_10, "batches.meta", True, "", 1),
        Version("cifar-10-batches-bin", RECORDS_10, "batches.meta.txt", False, "", 1),
    ),
    "cifar100": (
        Version("cifar-100-python", BATCHES_100, "meta", True, "fine_", 2),
        Version("cifar-100-binary", RECORDS_100, "fine_label_names.txt", False, "fine_", 2),
    ),
}
BINARY_ARCHIVES: dict[Name, tuple[str, str]] = {  # torchvision knows the others
    "cifar10": ("cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530"),
    "cifar100": ("cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8"),
}


def put_in_place(name: Name, root: Path, *, published: Published | None = None) -> None:
    """Make sure that the files lie under `root`, as published, and write root/manifest.json last.

    Takes the folder that is there, else the archive that is there, else downloads the archive.

    Raises:
        UserError: when there is no network, or a file is not as published.
    """
    with filling(root):
        unpack_published(root, _archives(name), [version.folder for version in VERSIONS[name]])
        version = find_version(name, root)
        require_published(version, root, published or as_published(name))
        write_digests(root, version.files(root))


def _archives(name: Name) -> list[Archive]:
    """The archive of each version."""
    dataset = _torchvision(name)
    return [Archive(dataset.filename, dataset.tgz_md5, dataset.url), Archive(*BINARY_ARCHIVES[name])]


def find_version(name: Name, root: Path) -> Version:
    """The version whose folder lies under `root`; of both, the one for Python, which has MD5s.

    Raises:
        UserError: when neither lies there.
    """
    for version in VERSIONS[name]:
        if (root / version.folder).is_dir():
            return version
    folders = " nor ".join(version.folder for version in VERSIONS[name])
    raise UserError(f"{root} holds neither {folders}; unpack one there or run `centigan raw {name}`")


def require_published(version: Version, root: Path, published: Published) -> None:
    """Check each file's MD5, if one is published, else the size of those with images.

    Raises:
        UserError: for a file that is missing or not as published.
    """
    for path in version.files(root):
        with reading(path, DATA_SET):
            if path.name in published.md5s:
                require_md5(path, published.md5s[path.name])
            else:
                _require_size(path, version, published)


def _require_size(path: Path, version: Version, published: Published) -> None:
    size = path.stat().st_size
    if path.name in version.batches:
        images = published.images[version.batches[path.name]]
        expected = images * (version.label_bytes + IMAGE)
        if size != expected:
            raise UserError(
                f"{path} has {size} bytes, not {expected} as published: remove it and fetch it anew"
            )


def as_published(name: Name) -> Published:
    """The numbers and MD5s of the published files."""
    dataset = _torchvision(name)
    md5s = {**dict(dataset.train_list + dataset.test_list), dataset.meta["filename"]: dataset.meta["md5"]}
    if name == "cifar10":
        return Published(10, {"train": 10000, "held_out": 10000}, md5s)
    return Published(100, {"train": 50000, "held_out": 10000}, md5s)


def _torchvision(name: Name) -> Any:
    """Torchvision's data set: the addresses, file names and MD5s."""
    from torchvision.datasets import CIFAR10, CIFAR100  # takes two seconds to import

    return {"cifar10": CIFAR10, "cifar100": CIFAR100}[name]
