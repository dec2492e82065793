"""What people most often get wrong about where their data lie, each found by its own sign and answered."""

import os
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from shlex import quote

from centigan.data.downloads import PARTS
from centigan.data.sources.folders import HELD_OUT, TRAIN, holds_folders
from centigan.data.sources.listing import printable
from centigan.data.sources.places import holds_images
from centigan.data.sources.signs import BELOW, IN_ORDER, LIKE, SHARDS, first_at
from centigan.image_names import is_hidden, is_of_system
from centigan.settings.sources import DOWNLOADED, SHIPPED, Source, about

MOST_FOLDERS = 100  # that are looked into; where there are more they are classes
MOST_NAMED = 5
UNPACKED_BY = {".zip": "unzip {0} -d {1}", ".tgz": "tar -xzf {0} -C {1}", ".tar.gz": "tar -xzf {0} -C {1}"}
OF_CLASSES = ("auto", "class-folders", "folders", "captioned_folders")  # sources without signs of their own
# What folders of training and held-out images are called elsewhere, in small letters -> here.
MEANT = {
    **dict.fromkeys(("train", "training", "train_set", "seg_train"), TRAIN),
    **dict.fromkeys(("val", "valid", "validation", "validation_set"), "val"),
    **dict.fromkeys(("test", "testing", "test_set", "seg_test"), "test"),
}


def advice(source: Source, root: Path) -> list[str]:
    """What to do where a source does not lie at `root`: nothing where it does.

    Of class folders, which have no sign, any other source may be meant, unless images lie in them.
    """
    if about(source).put_by in SHIPPED:
        return []
    if source == "folders" and (half := _odd_names(root) or _half(root)):
        return [half]
    if source in OF_CLASSES and holds_classes(root):
        return []
    wanted: tuple[Source, ...] = (LIKE.get(source, source),)
    if source in ("auto", "class-folders"):
        wanted = (*BELOW, *SHARDS.values())
    if source != "class-folders" and first_at(root, wanted):
        return []
    found = one_below(root, wanted) or _another(source, root) or _two_below(root, wanted)
    if found := found or _one_above(root, wanted):
        return [found]
    return list(filter(None, (_packed(root), _odd_names(root), _loose(root), _offered(source, root))))


def holds_classes(root: Path) -> bool:
    """Whether some folder there holds images itself, as that of a class does."""
    return any(holds_images(folder) for folder in _folders_in(root))


def one_below(root: Path, wanted: Sequence[Source]) -> str:
    """Which folders in `root` hold one of these sources, and what to do; empty where none does."""
    return _told(root, _folders_in(root), wanted)


def _two_below(root: Path, wanted: Sequence[Source]) -> str:
    return _told(root, (below for folder in _folders_in(root) for below in _folders_in(folder)), wanted)


def _told(root: Path, folders: Iterable[Path], wanted: Sequence[Source]) -> str:
    found = {
        folder: first_at(folder, BELOW) or one for folder in folders if (one := first_at(folder, wanted))
    }
    if not found:
        return ""
    named = list(islice(found, MOST_NAMED))
    more = ", ..." if len(found) > MOST_NAMED else ""
    held = ", ".join(f"{printable(str(folder.relative_to(root)))}/ ({found[folder]})" for folder in named)
    other = "" if found[named[0]] in wanted else f", and data.source: {found[named[0]]}"
    places = " or ".join(printable(str(one)) for one in named)
    return f"{root} holds {held}{more}: set data.root: {places}{other}"


def _one_above(root: Path, wanted: Sequence[Source]) -> str:
    """Of a root within a data set, such as stl10_binary/ or the train/ of Tiny ImageNet."""
    signed = [one for one in wanted if one != "folders"]
    for above in root.resolve().parents[:2] if root.is_dir() else ():
        if source := first_at(above, signed):
            return f"{root} lies within {above} ({source}): set data.root: {above}"
    return ""


def _another(source: Source, root: Path) -> str:
    """Of a set source where another one lies."""
    found = first_at(root, (*IN_ORDER, "folders")) if source != "auto" else None
    if found in (None, source, LIKE.get(source)):
        return ""
    return f"{root} looks like {found}: set data.source: {found}"


def _packed(root: Path) -> str:
    """Of archives from which no image can be read in its place."""
    for archive in (root,) if root.is_file() else sorted(root.iterdir()) if root.is_dir() else ():
        ending = next((one for one in UNPACKED_BY if archive.name.endswith(one)), None)
        if ending is None or is_hidden(archive.name):
            continue
        name = next(
            (name for name, parts in PARTS.items() if archive.name in {p.archive.name for p in parts}), ""
        )
        place = archive.parent
        how = (
            f"centigan raw {name} --root {quote(str(place))}"
            if name
            else UNPACKED_BY[ending].format(quote(str(archive)), quote(str(place)))
        )
        return (
            f"{archive} is packed as a whole, so that no image in it has a place of its own to be read from: "
            f"unpack it with `{how}` and run again; data.root is {place}, or the folder that comes out there"
        )
    return ""


def _half(root: Path) -> str:
    """Of train/ without a folder of held-out classes."""
    if not holds_folders(root / TRAIN) or any(holds_folders(root / name) for name in HELD_OUT):
        return ""
    return (
        f"Held-out images lie in a folder of their class in {root / HELD_OUT[0]}, too; or set data.root: "
        f"{root / TRAIN}, of which data.held_out is held out"
    )


def _odd_names(root: Path) -> str:
    """Of Train/ and Testing/, which are taken for classes, and of seg_train/seg_train/."""
    odd = []
    for folder in _folders_in(root):
        meant, inner = MEANT.get(folder.name.lower()), folder / folder.name
        if meant and folder.name not in (TRAIN, *HELD_OUT) and not holds_images(folder):
            odd.append(f"{(inner if inner.is_dir() else folder).relative_to(root)}/ to {meant}/")
    return f"rename {' and '.join(odd)}, if these are the images to train on and to hold out" if odd else ""


def _loose(root: Path) -> str:
    """Of images without a class folder."""
    if not (root.is_dir() and holds_images(root)):
        return ""
    return (
        f"{root} holds images itself: put them in a folder of their class there; where it is that of one "
        f"class, set data.root: {root.resolve().parent}"
    )


def _offered(source: Source, root: Path) -> str:
    """Of a set that can be downloaded."""
    name = source if source in DOWNLOADED else root.name
    return (
        f"`centigan raw {name} --root {root}` downloads it, where there is a network"
        if name in DOWNLOADED
        else ""
    )


def _folders_in(root: Path) -> list[Path]:
    """Folders that people may have put there, the first by name."""
    if not root.is_dir():
        return []
    with os.scandir(root) as entries:  # knows folders without asking for each
        shown = (one for one in entries if not (is_hidden(one.name) or is_of_system(one.name)))
        names = sorted(entry.name for entry in shown if entry.is_dir())
    return [root / name for name in names[:MOST_FOLDERS]]
