"""What is an image of a class and what only lies beside, told before anything is counted or held out.

A file is an image by its ending, unopened, whole or not: `data.on_bad_image` decides about a damaged one.
Where the ending tells nothing, the first bytes do. All else is passed over, and its name kept.
"""

import errno
import os
import stat
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from centigan.data import formats
from centigan.data.sources.listing import Range, Rejected, printable, read_ranges, unusable
from centigan.data.sources.passed_over import (
    COPY,
    DEAD_LINK,
    HIDDEN,
    IN_SUBFOLDER,
    LOOP,
    NO_CLASS,
    NO_IMAGE,
    OF_SYSTEM,
    OUTSIDE,
    SPECIAL,
    SUBFOLDER,
    UNLISTED,
    PassedOver,
)
from centigan.data.sources.tars import Member
from centigan.image_names import is_hidden, is_of_system, kind_of

FAULTS = {DEAD_LINK: "is a link to nothing", LOOP: "is a link to itself", SPECIAL: "is no plain file"}


class Entry(NamedTuple):
    """What lies in a folder; `fault` is a kind where it is neither a plain file nor a folder for people."""

    name: str
    path: str
    size: int
    is_folder: bool
    fault: str | None


class Verdict(NamedTuple):
    """Whether a file is an image by its name or content; if so, why it cannot be used; if not, its kind."""

    is_image: bool
    fault: str | None


@dataclass
class Sieve:
    """Lets the images of a source through and keeps the names of all else, those passed over below `root`."""

    root: Path
    rejected: list[Rejected] = field(default_factory=list)
    passed_over: PassedOver = field(default_factory=dict)

    def folders_in(self, folder: Path) -> list[str]:
        """Sorted names of the folders that may be class folders."""
        names = []
        for entry in _entries(folder):
            if entry.is_folder and not entry.fault:
                names.append(entry.name)
            else:
                self._pass_over(entry.path, _outside(_range(entry), entry.fault))
        return names

    def outside(self, folder: Path, known: Collection[str]) -> None:
        """Pass over all that lies in a folder without images, but for the names that belong there."""
        for entry in _entries(folder):
            if entry.name in known:
                continue
            if entry.is_folder and not entry.fault:
                self._pass_over(entry.path, NO_CLASS)
            else:
                self._pass_over(entry.path, _outside(_range(entry), entry.fault))

    def images_in(self, folder: Path) -> list[Range]:
        """The images that lie in a folder, sorted by name."""
        images = []
        for entry in _entries(folder):
            if entry.is_folder and not entry.fault:
                self._pass_over_subfolder(entry.path)
            elif self._is_usable(image := _range(entry), entry.fault, entry.path, entry.path):
                images.append(image)
        return images

    def member(self, archive: Path, entry: Member, called: str) -> Range | None:
        """A member of a tar or zip, where it is an image; folders within it do not matter.

        Args:
            called: where the archive lies, below the root.
        """
        image = _range_of_member(archive, entry)
        place = f"{called}/{entry.name}"
        return image if self._is_usable(image, _member_fault(entry), place, entry.name) else None

    def member_outside(self, archive: Path, entry: Member) -> None:
        """Pass over what lies among the tars of classes and is none."""
        kind = _outside(_range_of_member(archive, entry), _member_fault(entry))
        self._pass_over(f"{archive.name}/{entry.name}", kind)

    def unlisted(self, images: Iterable[Range]) -> None:
        """Pass over images that the source's own lists do not name."""
        for image in images:
            alone = image.path.endswith(f"/{image.name}")
            self._pass_over(image.path if alone else f"{image.path}/{image.name}", UNLISTED)

    def _is_usable(self, file: Range, fault: str | None, place: str, name: str) -> bool:
        verdict = _verdict(file, fault)
        if not verdict.is_image:
            self._pass_over(place, verdict.fault or NO_IMAGE)
        elif verdict.fault:
            self.rejected.append(Rejected(printable(name), verdict.fault))
        return verdict == (True, None)

    def _pass_over(self, path: str, kind: str) -> None:
        name = printable(path.removeprefix(f"{self.root}/"))
        self.passed_over.setdefault(kind, []).append(name)

    def _pass_over_subfolder(self, path: str) -> None:
        """Name the folder, and each image that someone may have meant to be one of the class."""
        self._pass_over(path, SUBFOLDER)
        for folder, folders, names in os.walk(path, onerror=_raise):
            folders[:] = sorted(name for name in folders if not (is_hidden(name) or is_of_system(name)))
            for name in sorted(names):
                if kind_of(name) == "image" and not is_hidden(name):
                    self._pass_over(f"{folder}/{name}", IN_SUBFOLDER)


def _raise(error: OSError) -> None:
    raise error


def _entries(folder: Path) -> list[Entry]:
    """What lies in a folder, sorted by name; unopened, since a pipe would keep us waiting."""
    with os.scandir(folder) as entries:
        return [_look_at(entry) for entry in sorted(entries, key=attrgetter("name"))]


def _look_at(entry: os.DirEntry[str]) -> Entry:
    size, is_folder, fault = 0, False, None
    if is_hidden(entry.name):
        return Entry(entry.name, entry.path, size, is_folder, HIDDEN)
    try:
        status = entry.stat()
    except (FileNotFoundError, NotADirectoryError):
        fault = DEAD_LINK
    except OSError as error:
        if error.errno != errno.ELOOP:  # the machine's trouble: permission, a failing disk
            raise
        fault = LOOP
    else:
        size, is_folder = status.st_size, stat.S_ISDIR(status.st_mode)
        if is_folder and is_of_system(entry.name):
            fault = OF_SYSTEM
        elif not is_folder and not stat.S_ISREG(status.st_mode):
            fault = SPECIAL
    return Entry(entry.name, entry.path, size, is_folder, fault)


def _range(entry: Entry) -> Range:
    return Range(entry.path, 0, entry.size, entry.name)


def _range_of_member(archive: Path, entry: Member) -> Range:
    return Range(archive.as_posix(), entry.offset, entry.size, _parts(entry.name)[-1])


def _member_fault(entry: Member) -> str | None:
    parts = [part for part in _parts(entry.name) if part != ".."]
    if any(map(is_hidden, parts)):
        return HIDDEN
    if any(map(is_of_system, parts[:-1])):
        return OF_SYSTEM
    return entry.fault or (None if any(parts) else NO_IMAGE)  # without a name


def _parts(name: str) -> list[str]:
    """The folders of a member and its own name, which may be empty; a tenth of what PurePosixPath takes."""
    return [part for part in name.split("/") if part not in {"", "."}] or [""]


def _verdict(file: Range, fault: str | None) -> Verdict:
    """What a file is that may have a fault; opened only where its name does not tell."""
    if fault in {HIDDEN, OF_SYSTEM, NO_IMAGE}:
        return Verdict(False, fault)
    kind = kind_of(file.name)
    if fault and kind in {"image", "unread image"}:
        return Verdict(True, FAULTS.get(fault, fault))
    if fault:
        return Verdict(False, fault if fault in FAULTS else SPECIAL)
    if kind in {"copy", "no image"}:
        return Verdict(False, COPY if kind == "copy" else NO_IMAGE)
    fault = unusable(file.name, file.size)
    if kind == "image":
        return Verdict(True, fault)
    start = next(read_ranges([file._replace(size=min(file.size, formats.START))]))
    if formats.is_read(start):
        return Verdict(True, fault)
    if kind == "unknown":
        return Verdict(False, NO_IMAGE)
    called = formats.unread(start) or PurePosixPath(file.name).suffix[1:].upper()
    return Verdict(True, f"is {called}, which is not read; convert it to PNG or JPEG")


def _outside(file: Range, fault: str | None) -> str:
    """The kind of what lies where only classes should."""
    verdict = _verdict(file, fault)
    if verdict.is_image:
        return fault if fault in FAULTS else OUTSIDE
    return verdict.fault or NO_IMAGE
