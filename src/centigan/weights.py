"""Files of weights that are published elsewhere: which, where they lie, how to get them; without PyTorch."""

import hashlib
import os
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

from centigan.atomic import atomic_path

URLS = {  # network -> its file, whose name ends in the first digits of its sha256
    "inception-v3": "https://download.pytorch.org/models/inception_v3_google-0cc3c7bd.pth",  # IMAGENET1K_V1
    "inception-2015": "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
    "weights-inception-2015-12-05-6726825d.pth",
}
SECONDS = 20  # without an answer
MEGABYTE = 1 << 20


class NoDownload(Exception):  # noqa: N818
    """A file cannot be had from where it is published; the text says why."""


def in_cache(url: str) -> Path:
    """Where torch.hub keeps what it has downloaded from `url`."""
    caches = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    home = Path(os.environ.get("TORCH_HOME", f"{caches}/torch")).expanduser()
    return home / "hub" / "checkpoints" / Path(url).name


def download(url: str, target: Path) -> None:
    """Write what is published at `url`, once it is whole.

    Raises:
        NoDownload: when it cannot be had, or is not what its name says.
        UserError: when the disk refuses it.
    """
    expected, digest = target.stem.rsplit("-", 1)[-1], hashlib.sha256()
    with atomic_path(target) as temporary, temporary.open("wb") as file:
        for part in _parts(url):
            digest.update(part)
            file.write(part)
        if not digest.hexdigest().startswith(expected):
            raise NoDownload(f"its sha256 is {digest.hexdigest()}, which does not begin with {expected}")


def require_answer(url: str) -> None:
    """Ask for what is published at `url`, and take none of it.

    Raises:
        NoDownload: when nobody answers.
    """
    for _ in _parts(url, size=1):
        return


def _parts(url: str, size: int = MEGABYTE) -> Iterator[bytes]:
    try:
        with urlopen(url, timeout=SECONDS) as answer:
            while part := answer.read(size):
                yield part
    except (OSError, HTTPException) as error:  # URLError is an OSError
        raise NoDownload(str(getattr(error, "reason", error))) from error
