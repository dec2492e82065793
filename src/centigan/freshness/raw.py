"""Whether the raw data are still those that were indexed: by size and time, archives by their hash too."""

import logging
import os
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from centigan.atomic import atomic_path
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.manifest import read_digests, sha256

UNSEEN = -1
log = logging.getLogger(__name__)


@dataclass
class Changes:
    """What differs from what was indexed."""

    index: bool = False  # names or sizes: it must be built anew
    splits: set[str] = field(default_factory=set)  # with an image that was replaced by one of its size


def remember(layout: Layout, index: pd.DataFrame, *, read: bool) -> None:
    """Note size (bytes) and time (ns) of every file that an index names, and of the images' folders.

    read: whether the index was made from these files just now; else only images of the right size count.
    """
    kind = _alone(index).map({True: "image", False: "archive"})
    seen = index[["path", "split", "size"]].assign(kind=kind).drop_duplicates("path")
    folders = sorted({str(Path(path).parent) for path in seen.loc[seen["kind"] == "image", "path"]})
    folder = pd.DataFrame({"path": folders, "split": "", "size": 0, "kind": "folder"})
    seen = pd.concat([seen, folder], ignore_index=True)
    sizes, times = _states(seen["path"])
    images = seen["kind"] == "image"
    right = images & (seen["size"] == sizes) | (seen["kind"] == "folder") | read
    seen["size"] = seen["size"].where(images, sizes)
    seen["time"] = times.where(right, UNSEEN)
    with atomic_path(layout.raw_state) as temporary:
        seen.to_parquet(temporary, index=False)


def changes(layout: Layout) -> Changes:
    """Compare the raw data with what was noted; where nothing was, as in a clone, with the index's sizes.

    Raises:
        UserError: for an archive that holds something else than the one that was indexed.
    """
    found = Changes()
    if not layout.raw_state.exists() and not accept(layout, read=False):
        return found
    seen = pd.read_parquet(layout.raw_state)
    sizes, times = _states(seen["path"])
    if (sizes == UNSEEN).all():  # a reader of results has no raw data, nor has who removed them
        layout.raw_state.unlink()
        return found
    differs = (sizes != seen["size"]) | (times != seen["time"])
    same_size = sizes == seen["size"]
    archives = seen["kind"] == "archive"
    for path in seen.loc[differs & archives & (sizes != UNSEEN), "path"]:
        found.index |= not _is_pinned(layout, path)
    images = differs & (seen["kind"] == "image")
    found.index |= bool((differs & ~archives & ~(images & same_size)).any())
    found.splits |= set(seen.loc[images & same_size, "split"])
    if differs.any() and found == Changes():
        accept(layout, read=True)
    return found


def accept(layout: Layout, *, read: bool) -> bool:
    """Note the raw data of the index as they are now; False where there is no index."""
    files = sorted((layout.results / "index").glob("*.parquet"))
    if files:
        remember(layout, pd.concat([pd.read_parquet(file) for file in files], ignore_index=True), read=read)
    return bool(files)


def write_pins(layout: Layout, index: pd.DataFrame) -> None:
    """Write raw.sha256: the hash of every archive, and of the images that the index has hashes of.

    From the project's folder, `sha256sum --check` reads it.
    """
    alone = _alone(index)
    hashed = index[alone].dropna(subset="sha256")
    pins = dict(zip(hashed["path"], hashed["sha256"], strict=True))
    for path in index.loc[~alone, "path"].unique():
        log.info("pinning %s by its hash", path)
        pins[path] = sha256(Path(path))
    lines = (f"{digest}  {path}\n" for path, digest in sorted(pins.items()))
    with atomic_path(layout.raw_pins) as temporary:
        temporary.write_text("".join(lines), encoding="utf-8")


def _alone(index: pd.DataFrame) -> pd.Series:
    """Whether an image is a file of its own, not a part of an archive."""
    alone = [path.endswith(name) for path, name in zip(index["path"], index["name"], strict=True)]
    return pd.Series(alone, index=index.index, dtype=bool)


def _is_pinned(layout: Layout, path: str) -> bool:
    """Whether an archive of another time is the one that was indexed; False where nothing is pinned."""
    pinned = read_digests(layout.raw_pins).get(path) if layout.raw_pins.exists() else None
    if pinned is None:
        return False
    log.info("checking %s, which is not of the time when it was indexed", path)
    found = sha256(Path(path))
    if found != pinned:
        raise UserError(
            f"{path} is not the archive that was indexed (its sha256 is {found[:12]}..., {pinned[:12]}... "
            f"is pinned): put that back, or remove {layout.raw_pins} to begin anew with this one"
        )
    return True


def _states(paths: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Size (bytes) and time (ns) of each file; UNSEEN where there is none."""
    found = []
    for path in paths:
        try:
            status = os.stat(path)  # noqa: PTH116 (of a million images; a Path costs as much again)
            found.append((status.st_size, status.st_mtime_ns))
        except FileNotFoundError:
            found.append((UNSEEN, UNSEEN))
    sizes, times = zip(*found, strict=True)
    return pd.Series(sizes, index=paths.index), pd.Series(times, index=paths.index)
