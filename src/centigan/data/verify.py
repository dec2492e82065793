"""Raw data against what was published: checksums of archives, numbers of images."""

import logging
from pathlib import Path

from tqdm import tqdm

from centigan.data.checksums import require_md5
from centigan.data.completeness import (
    other_than_published,
    policy_of,
    published_totals,
    unusable_images,
    wrong_counts,
)
from centigan.data.downloads import PARTS
from centigan.data.order import order_classes
from centigan.data.sources import celeba, imagenet_npz, list_source, npz
from centigan.data.sources.captioned import first_named
from centigan.data.sources.listing import Listing
from centigan.data.sources.passed_over import in_one_line
from centigan.errors import UserError
from centigan.settings.data import DataSettings

log = logging.getLogger(__name__)


def verify(settings: DataSettings) -> None:
    """Check the data at settings.root and say what was found; archives are read from end to end.

    Raises:
        UserError: naming everything that differs from what was published.
    """
    root = Path(settings.root)
    faults = []
    for name, md5 in published_archives(root).items():
        try:
            require_md5(root / name, md5)
            log.info("%s: MD5 %s, as published", name, md5)
        except UserError as error:
            faults.append(str(error))
    if faults:
        raise UserError("; ".join(faults))
    listing = list_source(settings)
    for line in listing.found:
        log.info("%s", line)
    if listing.passed_over:
        log.warning("passed over: %s; the index lists all", in_one_line(listing.passed_over))
    packed = [Path(path) for path in listing.images["path"].unique() if path.endswith(".npz")]
    for path in tqdm(packed, desc="read", unit="file", disable=None):
        npz.require_whole(path, imagenet_npz.ARRAYS)
        log.info("%s: checksums of its arrays, as they were written", path.name)
    _require_published(listing, _classes(listing, settings), settings)
    known = listing.published or published_totals(listing)
    for subset, count in listing.images["subset"].value_counts().items():
        log.info(
            "%s %s images, %s", f"{count:,}", subset, "as published" if known else "with nothing to compare"
        )


def _classes(listing: Listing, settings: DataSettings) -> list[str]:
    """The classes whose images are counted; where the settings do not fit the data, all of another set.

    Raises:
        UserError: as of the order, for data that are those that were published.
    """
    try:
        return order_classes(listing, settings)
    except UserError:
        if not other_than_published(listing, listing.classes):
            raise
        return listing.classes


def _require_published(listing: Listing, classes: list[str], settings: DataSettings) -> None:
    """Make sure that the numbers are those of the published set, and that no image is unusable.

    Raises:
        UserError: with what differs, and what a run makes of it.
    """
    other, unusable = other_than_published(listing, classes), unusable_images(listing)
    if not (other or unusable):
        return
    what = " is not the published set (it is a part of it, a fixture, or a damaged copy)" if other else ""
    stops = policy_of(listing, settings) == "error" and (unusable or wrong_counts(listing, classes))
    raise UserError(
        f"{settings.root}{what}: {first_named([*other, *unusable])}. Fetch the data anew; a run goes on with "
        f"what is there{' if data.on_bad_image is reject' if stops else ''}"
    )


def published_archives(root: Path) -> dict[str, str]:
    """Those of ILSVRC2012's archives, CelebA's files and the downloads that lie at `root` -> MD5."""
    from torchvision.datasets.imagenet import ARCHIVE_META  # takes two seconds to import

    published = dict(ARCHIVE_META.values())
    published |= {archive.name: archive.md5 for parts in PARTS.values() for archive, _ in parts}
    published |= {f"{place}{name}": md5 for place in celeba.PLACES for name, md5 in celeba.MD5.items()}
    return {name: md5 for name, md5 in published.items() if (root / name).exists()}
