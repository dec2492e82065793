"""What a source holds beside the images of its classes, by kind, and how people are told.

It is never counted, held out or taken for a damaged image. source.json lists all of it.
"""

from pathlib import PurePosixPath

from centigan.errors import plural

PassedOver = dict[str, list[str]]  # kind -> names below the root

HIDDEN = "hidden"
OF_SYSTEM = "folder of the system's own"
NO_IMAGE = "no image"
COPY = "unfinished or second copy"
DEAD_LINK = "link to nothing"
LOOP = "link to itself"
SPECIAL = "no plain file"
OUTSIDE = "image outside any class"
SUBFOLDER = "subfolder"
IN_SUBFOLDER = "image in a subfolder"
NO_CLASS = "folder of no class"
UNLISTED = "image that no list names"

NOUNS = {"image", "folder", "link", "subfolder"}  # kinds that begin with one
MOST_NAMED = 3  # of a kind, in one line


def in_one_line(found: PassedOver) -> str:
    """How many there are of each kind, and the first: "12 no image (cat/a.txt, ...), 1 hidden (.x)"."""
    return ", ".join(
        f"{len(names):,} {_kind(kind, len(names))} ({_first(names)})" for kind, names in found.items()
    )


def all_of(found: PassedOver) -> str:
    """What to add to an error about a place without classes; empty where nothing was passed over."""
    return f"; passed over there: {in_one_line(found)}" if found else ""


def of_class(found: PassedOver, class_id: str) -> str:
    """The same of what has the name of a class, or lies in a folder or tar of that name."""
    own = {class_id, f"{class_id}.tar"}
    chosen = {
        kind: [name for name in names if not own.isdisjoint(PurePosixPath(name).parts)]
        for kind, names in found.items()
    }
    return all_of({kind: names for kind, names in chosen.items() if names})


def dead_links(found: PassedOver) -> str:
    """The same of links that may have been class folders."""
    return all_of({kind: found[kind] for kind in (DEAD_LINK, LOOP) if kind in found})


def _kind(kind: str, count: int) -> str:
    """The kind of so many: "images outside any class"."""
    noun, _, rest = kind.partition(" ")
    if count == 1 or noun not in NOUNS:
        return kind
    return f"{plural(noun, count)} {rest}".rstrip().replace("itself", "themselves")


def _first(names: list[str]) -> str:
    return ", ".join(names[:MOST_NAMED]) + ", ..." * (len(names) > MOST_NAMED)
