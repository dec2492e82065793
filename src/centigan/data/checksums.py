"""MD5s, with which ImageNet, CIFAR, STL-10, MNIST and SVHN were published."""

import hashlib
from pathlib import Path

from tqdm import tqdm

from centigan.errors import UserError

PIECE = 1 << 24  # bytes read at once


def require_md5(path: Path, md5: str) -> None:
    """Check a file's MD5.

    Raises:
        UserError: when it is another, or a folder lies there.
    """
    if path.is_dir():
        raise UserError(f"{path} is a folder, and a file belongs there: move it away and fetch it anew")
    found = md5_of(path)
    if found != md5:
        raise UserError(f"{path} has MD5 {found}, not {md5} as published: remove it and fetch it anew")


def md5_of(path: Path) -> str:
    """A file's MD5 in hexadecimal digits."""
    digest = hashlib.md5(usedforsecurity=False)
    bar = tqdm(
        total=path.stat().st_size, desc=path.name, unit="B", unit_scale=True, leave=False, disable=None
    )
    with bar, path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
            bar.update(len(piece))
    return digest.hexdigest()
