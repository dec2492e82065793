"""A data set that is published as an archive: fetched, checked, unpacked, and its files read with care."""

import shutil
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError

from tqdm import tqdm

from centigan.atomic import atomic_path
from centigan.data.checksums import require_md5
from centigan.errors import UserError


class Archive(NamedTuple):
    """An archive as it was published; without a `url` it is taken only where it lies."""

    name: str
    md5: str
    url: str = ""


def unpack_published(root: Path, archives: Sequence[Archive], folders: Sequence[str]) -> None:
    """Unpack the archive that lies under `root`, else download the first; only `folders` are kept of it.

    A folder may lie within others of the archive: it is kept by its own name.

    Raises:
        UserError: when there is no network, or the archive is not as published or cannot be unpacked.
    """
    archive = next((one for one in archives if (root / one.name).is_file()), None)
    if archive is None:
        archive = archives[0]
        download(archive, root / archive.name)
    require_md5(root / archive.name, archive.md5)
    _unpack(root / archive.name, root, folders)


def download_all(absent: Sequence[tuple[Archive, Path]]) -> None:
    """Download each to its place.

    Raises:
        UserError: as of `download`, with the addresses of all that are still absent.
    """
    for row, (archive, target) in enumerate(absent, 1):
        download(archive, target, [further for further, _ in absent[row:]])


def download(archive: Archive, target: Path, further: Iterable[Archive] = ()) -> None:
    """Download to `target`, which is whole or absent.

    Args:
        further: what is to be downloaded after it, which an error names, too.

    Raises:
        UserError: when there is no network, or what comes has another MD5.
    """
    from torchvision.datasets.utils import download_url  # checks the MD5

    with atomic_path(target) as temporary:
        try:
            download_url(archive.url, temporary.parent, temporary.name, archive.md5)
        except (URLError, HTTPException, ConnectionError, TimeoutError, RuntimeError) as error:
            others = [one.url for one in further]
            more = f"; put beside it, too: {', '.join(others)}" if others else ""
            raise UserError(
                f"cannot download {archive.url} ({error}): fetch it where there is a network and put it, as "
                f"it is, at {target}, then run again{more}"
            ) from error


def _unpack(archive: Path, root: Path, folders: Sequence[str]) -> None:
    """Unpack an archive of known MD5 beside its place and rename: half a folder is never there."""
    building = root / f".{archive.name}.part"
    try:
        if building.exists():
            shutil.rmtree(building)
        (_unzip if archive.suffix == ".zip" else _untar)(archive, building)
        for folder in folders:
            if (building / folder).is_dir() and not (target := root / Path(folder).name).exists():
                (building / folder).rename(target)
        shutil.rmtree(building)
    except (OSError, tarfile.TarError, zipfile.BadZipFile, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(
            f"cannot unpack {archive} to {root}: {reason}; make room there or permit it"
        ) from error


def _untar(archive: Path, target: Path) -> None:
    with tarfile.open(archive) as tar:
        members = tqdm(tar, desc=f"unpack {archive.name}", unit="file", disable=None)
        tar.extractall(target, members, filter="data")  # Python 3.11.4; refuses what leads out of `target`


def _unzip(archive: Path, target: Path) -> None:
    with zipfile.ZipFile(archive) as packed:
        for member in tqdm(packed.infolist(), desc=f"unpack {archive.name}", unit="file", disable=None):
            packed.extract(member, target)  # leaves out what leads out of `target`


def told_images(images: int, published: int, checked: str = "MD5 as published") -> str:
    """How many images a file has, for people, and how those of the published number were checked."""
    if images != published:
        return f"{images:,} of {published:,} images: not the published set"
    return f"{images:,} images, {checked}"


@contextmanager
def reading(path: Path, data_set: str) -> Iterator[None]:
    """Turn what goes wrong with a file of a data set into a UserError."""
    try:
        yield
    except FileNotFoundError:
        raise UserError(f"{path} is missing; unpack the archive of {path.parent.name} anew") from None
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, TypeError, LookupError, AttributeError) as error:  # of what the file says
        raise UserError(f"{path} is damaged or no file of {data_set} ({error}); fetch it anew") from None
