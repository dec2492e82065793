"""Drawn shapes with captions as a source: folders like ImageNet's, and text/<class>/<image>.txt beside."""

from dataclasses import replace
from pathlib import Path

from centigan.data.shapes import UNSEEN
from centigan.data.sources.captioned import with_captions
from centigan.data.sources.folders import list_folders
from centigan.data.sources.listing import Listing

TEXT = "text"


def list_captioned_shapes(root: Path) -> Listing:
    """All images under `root` with their captions.

    Raises:
        UserError: as of folders, and for captions that are not those of the images.
    """
    listing = list_folders(root, beside={TEXT})
    images = with_captions(listing.images, root / TEXT)
    found = [*listing.found, f"{TEXT}/: {images['captions'].map(len).sum():,} captions"]
    return replace(listing, source="captioned shapes", found=found, images=images, unseen=UNSEEN)
