"""What to say where a folder holds none of the images that a source's lists name: where they lie."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from centigan.data.sources.listing import printable
from centigan.errors import UserError
from centigan.image_names import is_hidden, may_be_image

MOST_FOLDERS = 2000  # that are looked into


def none_there(root: Path, folder: Path, names: list[str], named_in: str) -> UserError:
    """The error for a folder without any of these images, sought in the root and two levels below."""
    name = names[0]
    place = next(
        (place for place in islice(_folders(root, 2), MOST_FOLDERS) if (place / name).is_file()), None
    )
    if place:
        more = f", and {place} does: move them there"
    elif other := next(_images(folder), None):
        more = f", but others, such as {printable(other)}; put there what belongs to {named_in}"
    else:
        more = f", {'which is empty' if folder.is_dir() else 'which is missing'}; unpack them there"
    return UserError(
        f"{folder} holds none of the {len(names):,} images that {named_in} names, such as {name}{more}"
    )


def _folders(root: Path, below: int) -> Iterator[Path]:
    yield root
    if below:
        for entry in sorted(root.iterdir()):
            if entry.is_dir() and not is_hidden(entry.name):
                yield from _folders(entry, below - 1)


def _images(folder: Path) -> Iterator[str]:
    if folder.is_dir():
        yield from (entry.name for entry in folder.iterdir() if may_be_image(entry.name))
