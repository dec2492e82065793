"""A data set that is published as an archive: fetched, checked, unpacked, and its files read with care."""

import os
import shutil
import socket
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
from centigan.data.raw_folder import holds_something, require_no_folder
from centigan.errors import UserError

PATIENCE = 60.0  # seconds without a byte of a download


class Archive(NamedTuple):
    """An archive as it was published; without a `url` it is taken only where it lies."""

    name: str
    md5: str
    url: str = ""


def unpack_published(root: Path, archives: Sequence[Archive], folders: Sequence[str]) -> None:
    """Unpack the archive that lies under `root`, else download the first; only `folders` are kept of it.

    A folder may lie within others of the archive: it is kept by its own name. What a killed run had unpacked
    whole is taken instead.

    Raises:
        UserError: when there is no network, or the archive is not as published or cannot be unpacked, or
            something else lies where it or a folder belongs.
    """
    for one in archives:
        require_no_folder(root / one.name)
        finish_unpacking(root / one.name, folders)
    if any(holds_something(root / Path(folder).name) for folder in folders):
        return
    archive = next((one for one in archives if (root / one.name).is_file()), None)
    if archive is None:
        archive = archives[0]
        download(archive, root / archive.name)
    require_md5(root / archive.name, archive.md5)
    _unpack(root / archive.name, folders)


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

    require_no_folder(target)
    with atomic_path(target) as temporary, _patience():
        try:
            download_url(archive.url, temporary.parent, temporary.name, archive.md5)
        except (URLError, HTTPException, ConnectionError, TimeoutError, RuntimeError) as error:
            others = [one.url for one in further]
            more = f"; put beside it, too: {', '.join(others)}" if others else ""
            raise UserError(
                f"cannot download {archive.url} ({_reason(error)}): fetch it where there is a network and "
                f"put it, as it is, at {target}, then run again{more}"
            ) from error


@contextmanager
def _patience() -> Iterator[None]:
    """Wait no longer than PATIENCE for a server's next bytes."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError) or isinstance(getattr(error, "reason", None), TimeoutError):
        return f"its server sent nothing for {PATIENCE:g} seconds"
    return str(error)


def finish_unpacking(archive: Path, folders: Sequence[str]) -> None:
    """Put what is unpacked whole beside an archive in its place, and remove what a killed run had begun.

    Raises:
        UserError: when something else has come to lie in that place.
    """
    whole, begun = _whole(archive), _begun(archive)
    with _unpacking(archive):
        if whole.is_dir():
            moves = {whole / folder: archive.parent / Path(folder).name for folder in folders}
            moves = {source: target for source, target in moves.items() if source.is_dir()}
            if taken := [target for target in moves.values() if os.path.lexists(target)]:
                raise UserError(
                    f"{taken[0]} came to be while {archive.name} was unpacked to {whole}: remove one of them "
                    "and run again"
                )
            for source, target in moves.items():
                source.rename(target)
            shutil.rmtree(whole)
        if begun.is_dir():
            shutil.rmtree(begun)


def _unpack(archive: Path, folders: Sequence[str]) -> None:
    """Unpack an archive of known MD5 beside its place and rename: half a folder is never there."""
    with _unpacking(archive):
        (_unzip if archive.suffix == ".zip" else _untar)(archive, _begun(archive))
        _begun(archive).rename(_whole(archive))
    finish_unpacking(archive, folders)


def _begun(archive: Path) -> Path:
    """Where an archive is unpacked."""
    return archive.with_name(f".{archive.name}.part")


def _whole(archive: Path) -> Path:
    """Where all of an archive lies, once it is unpacked, until its folders are in their places."""
    return archive.with_name(f".{archive.name}.whole")


@contextmanager
def _unpacking(archive: Path) -> Iterator[None]:
    """Turn what goes wrong while an archive is unpacked into a UserError."""
    try:
        yield
    except (OSError, tarfile.TarError, zipfile.BadZipFile, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(
            f"cannot unpack {archive} to {archive.parent}: {reason}; make room there or permit it"
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
