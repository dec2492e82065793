"""Where the images lie that a source's lists name: in which of several folders, or where nobody looks."""

import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from centigan.data.sources.listing import printable
from centigan.image_names import is_hidden, is_of_system, kind_of

LEVELS = 2  # below the root, so deep misplaced images are searched for


def first_with_images(folders: Sequence[Path]) -> Path | None:
    """The first of these folders that holds images, by their names; else the first that is there."""
    there = [folder for folder in folders if folder.is_dir()]
    return next(filter(holds_images, there), there[0] if there else None)


def holds_images(folder: Path) -> bool:
    """Whether there is an image in it, by its name."""
    return any(_images_in(folder))


def none_found(
    root: Path, looked_in: Path, names: Collection[str], named_in: Path, others: Sequence[Path] = ()
) -> str:
    """What to say where none of the images lies in the place for them.

    Args:
        others: further folders whose images may be the same ones by other names.
    """
    state = "holds none of" if looked_in.exists() else "is missing, and should hold"
    said = f"{looked_in} {state} {len(names):,} images that {named_in} names, such as {min(names)}"
    if found := misplaced(root, looked_in, names):
        return f"{said}: {found}"
    odd = next((folder for folder in (looked_in, *others) if folder.is_dir() and holds_images(folder)), None)
    if odd is None:
        return f"{said}; put them there"
    other = printable(min(_images_in(odd)))
    return f"{said}; images in {odd} are called otherwise, such as {other}: fetch images and list of one kind"


def misplaced(root: Path, place: Path, names: Collection[str]) -> str:
    """Which other folder holds files of these names, and what to do; empty where none does."""
    folder = _folder_with(root, place, set(names))
    return f"{printable(str(folder))} holds images of these names; move those to {place}" if folder else ""


def _folder_with(root: Path, place: Path, names: set[str]) -> Path | None:
    folders = [root]
    for _ in range(LEVELS + 1):
        for folder in folders:
            if folder != place and any(entry.name in names for entry in _look_into(folder)):
                return folder
        folders = [
            Path(entry.path)
            for folder in folders
            for entry in sorted(_look_into(folder), key=lambda entry: entry.name)
            if entry.is_dir() and not is_hidden(entry.name) and not is_of_system(entry.name)
        ]
    return None


def _images_in(folder: Path) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if kind_of(entry.name) == "image" and not is_hidden(entry.name):
                yield entry.name


def _look_into(folder: Path) -> Iterator[os.DirEntry[str]]:
    """What lies there; nothing where that cannot be read, since another error is on its way."""
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError:
        return
