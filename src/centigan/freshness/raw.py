"""Whether the raw data are still those that were read: by size and time, archives by their hash too.

Paths are relative to data.root: where the raw data lie is no part of what they are.
"""

import json
import logging
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from centigan.atomic import atomic_path, out_of_the_way
from centigan.errors import UserError
from centigan.image_names import is_of_system, is_shard, may_be_image
from centigan.layout import Layout
from centigan.manifest import listed, read_digests, sha256

UNSEEN = -1
# DVC warns of an empty file, every time
NO_PINS = "# nothing is pinned: no archives, and data.checksums is false\n"
COLUMNS = ["path", "split", "size", "kind", "others", "time", "now", "gone"]
log = logging.getLogger(__name__)


@dataclass
class Changes:
    """What differs from what was indexed."""

    index: bool = False  # names or sizes: it must be built anew
    splits: set[str] = field(default_factory=set)  # with an image that was replaced by one of its size
    gone: list[str] = field(default_factory=list)  # paths that were there when last looked; told once
    # splits some of whose images are gone, while others are there
    without: set[str] = field(default_factory=set)


def remember(layout: Layout, index: pd.DataFrame, root: Path, *, read: bool) -> None:
    """Note size (bytes) and time (ns) of every file that an index names, and what lies in their folders.

    An image that was noted before keeps its time: an index is no reading of images.

    read: whether the index was made from these files just now; else only images of the right size count, and
    further files that look like images are new.
    """
    kind = _alone(index).map({True: "image", False: "archive"})
    files = index[["path", "split", "size"]].assign(kind=kind, others="").drop_duplicates("path")
    seen = pd.concat([files, _folders(files, root, all_known=read)], ignore_index=True)
    sizes, times = _states(root, seen["path"])
    images = seen["kind"] == "image"
    right = images & (seen["size"] == sizes) | read
    seen["size"] = seen["size"].where(images, sizes)
    seen["time"] = times.where(right, UNSEEN)
    if (before := _noted(layout)) is not None:
        before = before[before["kind"] == "image"]
        keys = zip(before["path"], before["size"], strict=True)
        read_then = dict(zip(keys, before["time"], strict=True))
        states = zip(seen["path"], seen["size"], seen["time"], strict=True)
        seen["time"] = [read_then.get((path, size), time) for path, size, time in states]
    _write(layout, seen.assign(now=UNSEEN, gone=sizes == UNSEEN))


def images_were_read(layout: Layout) -> None:
    """Note that the arrays of every replaced image are made of it, as it was when its change was seen."""
    seen = _noted(layout)
    if seen is not None:
        replaced = seen["now"] != UNSEEN
        _write(layout, seen.assign(time=seen["time"].mask(replaced, seen["now"]), now=UNSEEN))


def changes(layout: Layout, root: Path) -> Changes:
    """Compare the raw data with what was noted; where nothing was, as in a clone, with the index's sizes.

    What is gone is no change: the results were made of it, and without it nothing can be made again.

    Raises:
        UserError: for an archive that holds something else than the one that was indexed.
    """
    found = Changes()
    seen = _noted(layout)
    if seen is None and accept(layout, root, read=False):
        seen = _noted(layout)
    if seen is None:
        return found
    sizes, times = _states(root, seen["path"])
    gone = sizes == UNSEEN
    files = seen["kind"] != "folder"
    if gone[files].all() and (seen.loc[files, "time"] == UNSEEN).all():  # who never had them
        layout.raw_state.unlink()
        return found
    found.gone = list(seen.loc[gone & ~seen["gone"], "path"])
    differs = ~gone & ((times != seen["time"]) | (sizes != seen["size"]))
    images, folders = seen["kind"] == "image", seen["kind"] == "folder"
    if not gone[files].all():
        found.without = set(seen.loc[gone & images, "split"])
    archives = differs & ~images & ~folders
    for path in seen.loc[archives, "path"]:
        found.index |= not _is_pinned(layout, root, path)
    found.index |= _has_new_names(seen, differs & folders, root)
    found.index |= bool((differs & images & (sizes != seen["size"])).any())
    replaced = images & differs & (sizes == seen["size"])
    found.splits |= set(seen.loc[replaced, "split"])
    # once the index is made anew, it notes them itself
    looked_into = (archives | (folders & ~gone)) & (not found.index)
    if found.gone or differs.any():
        time = seen["time"].mask(looked_into, times)
        size = seen["size"].mask(looked_into, sizes)
        now = times.where(replaced, UNSEEN)
        _write(layout, seen.assign(size=size, time=time, now=now, gone=gone))
    return found


def accept(layout: Layout, root: Path, *, read: bool) -> bool:
    """Note the raw data of the index as they are now; False where there is no index."""
    files = sorted((layout.protocol / "index").glob("*.parquet"))
    if files:
        index = pd.concat([pd.read_parquet(file) for file in files], ignore_index=True)
        remember(layout, index, root, read=read)
    return bool(files)


def write_pins(layout: Layout, index: pd.DataFrame, root: Path) -> None:
    """Write raw.sha256: the hash of every archive, and of the images that the index has hashes of.

    From data.root, `sha256sum --check` reads it.
    """
    alone = _alone(index)
    hashed = index[alone].dropna(subset="sha256")
    pins = dict(zip(hashed["path"], hashed["sha256"], strict=True))
    for path in index.loc[~alone, "path"].unique():
        log.info("pinning %s by its hash", root / path)
        pins[path] = sha256(root / path)
    with atomic_path(layout.raw_pins) as temporary:
        temporary.write_bytes((listed(pins) or NO_PINS).encode())


def _noted(layout: Layout) -> pd.DataFrame | None:
    """What was noted; None where nothing is, or what is there is damaged."""
    if not layout.raw_state.exists():
        return None
    try:
        return pd.read_parquet(layout.raw_state, columns=COLUMNS)
    except (OSError, ValueError, KeyError) as error:  # pyarrow's errors are ValueErrors and KeyErrors
        log.warning("%s is damaged and made again: %s", layout.raw_state, error)
        out_of_the_way(layout.raw_state)
        layout.raw_state.unlink(missing_ok=True)
        return None


def _write(layout: Layout, seen: pd.DataFrame) -> None:
    with atomic_path(layout.raw_state) as temporary:
        seen[COLUMNS].to_parquet(temporary, index=False)


def _alone(index: pd.DataFrame) -> pd.Series:
    """Whether an image is a file of its own, not a part of an archive."""
    alone = [f"/{path}".endswith(f"/{name}") for path, name in zip(index["path"], index["name"], strict=True)]
    return pd.Series(alone, index=index.index, dtype=bool)


def _folders(files: pd.DataFrame, root: Path, *, all_known: bool) -> pd.DataFrame:
    """The folders of single images and shards, up to the root, and the visible names not watched in each.

    all_known: whether these were there when the index was made; else those that end as images do were not.
    """
    alone = files["kind"] == "image"
    several = [*files.loc[alone, "path"], *filter(is_shard, files.loc[~alone, "path"])]
    watched = _by_folder(several)
    endings = set() if all_known else set(map(_ending, several))
    for folder in list(watched):
        while folder != ".":
            folder, name = _parted(folder)
            watched.setdefault(folder, set()).add(name)
    others = [
        json.dumps(sorted(name for name in _visible(root / folder) - names if _ending(name) not in endings))
        for folder, names in watched.items()
    ]
    return pd.DataFrame({"path": list(watched), "split": "", "size": 0, "kind": "folder", "others": others})


def _ending(path: str) -> str:
    return path.rpartition(".")[2]


def _by_folder(paths: Iterable[str]) -> dict[str, set[str]]:
    """The names in each folder."""
    names: dict[str, set[str]] = {}
    for folder, name in map(_parted, paths):
        names.setdefault(folder, set()).add(name)
    return names


def _parted(path: str) -> tuple[str, str]:
    """Folder and name; a Path would cost much of a million images."""
    folder, _, name = path.rpartition("/")
    return folder or ".", name


def _has_new_names(seen: pd.DataFrame, changed: "pd.Series[bool]", root: Path) -> bool:
    """Whether one of the changed folders holds an image or a folder that it did not hold.

    What a system or a program puts beside images is no news: the index would pass it over.
    """
    if not changed.any():
        return False
    known = _by_folder(seen["path"])
    return any(
        may_be_image(name) or ((folder / name).is_dir() and not is_of_system(name))
        for _, row in seen[changed].iterrows()
        for folder in [root / row["path"]]
        for name in _visible(folder) - known.get(row["path"], set()) - set(json.loads(row["others"]))
    )


def _visible(folder: Path) -> set[str]:
    try:
        return {name for name in os.listdir(folder) if name[0] != "."}  # noqa: PTH208 (of a million images)
    except OSError:  # not there, or not to be read: the index will tell
        return set()


def _is_pinned(layout: Layout, root: Path, path: str) -> bool:
    """Whether an archive of another time is the one that was indexed; False where nothing is pinned."""
    pinned = read_digests(layout.raw_pins).get(path)
    if pinned is None:
        return False
    log.info("checking %s, which is not of the time when it was indexed", root / path)
    found = sha256(root / path)
    if found != pinned:
        raise UserError(
            f"{root / path} is not the archive that was indexed (its sha256 is {found[:12]}..., "
            f"{pinned[:12]}... is pinned): put that back, or remove {layout.raw_pins} to begin anew with "
            "this one"
        )
    return True


def _states(root: Path, paths: "pd.Series[str]") -> tuple["pd.Series[int]", "pd.Series[int]"]:
    """Size (bytes; 0 of a folder) and time (ns) of each file; UNSEEN where none can be read."""
    found = []
    before = f"{root}/"
    for path in paths:
        try:
            status = os.stat(before + path)  # noqa: PTH116 (of a million images; a Path costs as much again)
        except OSError:  # gone, a link to itself, a disk that is not mounted
            found.append((UNSEEN, UNSEEN))
            continue
        folder = stat.S_ISDIR(status.st_mode)
        found.append((0 if folder else status.st_size, status.st_mtime_ns))
    sizes, times = zip(*found, strict=True)
    return pd.Series(sizes, index=paths.index), pd.Series(times, index=paths.index)
