"""Own images with captions: class folders in which a file x.txt lies beside each image x.jpg.

They are those of train/ and val/, or where there are none those of the root, of which a share is held out.
A file has a sentence a line.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pandas as pd

from centigan.data.sources.caption_files import read_captions
from centigan.data.sources.captioned import refuse
from centigan.data.sources.folders import has_subsets, list_class_folders, list_folders
from centigan.data.sources.listing import Listing, printable
from centigan.data.sources.passed_over import NO_IMAGE
from centigan.errors import UserError
from centigan.image_names import is_hidden, may_be_image

ENDING = ".txt"


def list_captioned_folders(root: Path, held_out: float) -> Listing:
    """All images under `root` with the captions beside them.

    Args:
        held_out: share of each class, where there are no folders train/ and val/.

    Raises:
        UserError: as of folders; naming images without a file, files without a sentence or without an image.
    """
    listing = list_folders(root) if has_subsets(root) else list_class_folders(root, held_out)
    files = [captions_beside(path) for path in listing.images["path"]]
    there = {file for folder in {file.parent for file in files} for file in _texts_in(folder)}
    if not there:
        raise UserError(f"{root}: no image has captions; write x{ENDING} beside x.jpg, a sentence a line")
    faults = [f"{file} is missing: its image has no captions" for file in files if file not in there]
    captions = read_captions((file for file in files if file in there), faults)
    faults += [
        f"{file} has captions of an image that is not there" for file in _alone(there.difference(files))
    ]
    refuse(faults)
    images = listing.images.assign(
        captions=pd.Series([captions[file] for file in files], listing.images.index, object)
    )
    found = [*listing.found, f"{len(captions):,} files {ENDING}: captions of each image"]
    source, passed_over = f"{listing.source} with captions", _without(listing, there)
    return replace(listing, source=source, found=found, images=images, passed_over=passed_over)


def captions_beside(image: str) -> Path:
    """Where the captions of an image lie."""
    return Path(image).with_suffix(ENDING)


def _texts_in(folder: Path) -> list[Path]:
    return [file for file in folder.glob(f"*{ENDING}") if not is_hidden(file.name) and file.is_file()]


def _alone(files: Iterable[Path]) -> list[Path]:
    """Those beside which there is no image, not even one that cannot be trained on."""
    files = list(files)
    images = {
        captions_beside(str(entry))
        for folder in {file.parent for file in files}
        for entry in folder.iterdir()
        if may_be_image(entry.name)
    }
    return sorted(set(files) - images)


def _without(listing: Listing, captions: set[Path]) -> dict[str, list[str]]:
    """What was passed over, but for the files of captions."""
    ends = {printable(f"{file.parent.name}/{file.name}") for file in captions}
    left = {
        kind: [name for name in names if kind != NO_IMAGE or "/".join(Path(name).parts[-2:]) not in ends]
        for kind, names in listing.passed_over.items()
    }
    return {kind: names for kind, names in left.items() if names}
