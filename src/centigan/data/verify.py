"""Raw data against what was published: checksums of archives, numbers of images."""

import logging
from pathlib import Path

from tqdm import tqdm

from centigan.data.checksums import require_md5
from centigan.data.completeness import check
from centigan.data.downloads import PARTS
from centigan.data.order import order_classes
from centigan.data.sources import celeba, imagenet_npz, list_source, npz
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
    strict = settings.model_copy(update={"on_bad_image": "error"})
    report = check(listing, order_classes(listing, settings), strict)
    packed = [Path(path) for path in listing.images["path"].unique() if path.endswith(".npz")]
    for path in tqdm(packed, desc="read", unit="file", disable=None):
        npz.require_whole(path, imagenet_npz.ARRAYS)
        log.info("%s: checksums of its arrays, as they were written", path.name)
    known = listing.official or report["published"]
    for subset, count in report["images"].items():
        log.info(
            "%s %s images, %s", f"{count:,}", subset, "as published" if known else "with nothing to compare"
        )


def published_archives(root: Path) -> dict[str, str]:
    """Those of ILSVRC2012's archives, CelebA's files and the downloads that lie at `root` -> MD5."""
    from torchvision.datasets.imagenet import ARCHIVE_META  # takes two seconds to import

    published = dict(ARCHIVE_META.values())
    published |= {archive.name: archive.md5 for parts in PARTS.values() for archive, _ in parts}
    published |= {f"{place}{name}": md5 for place in celeba.PLACES for name, md5 in celeba.MD5.items()}
    return {name: md5 for name, md5 in published.items() if (root / name).exists()}
