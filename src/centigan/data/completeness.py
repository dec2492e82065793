"""What was found against what was published: numbers of images, and what to do where they differ."""

import logging
from typing import Any

from centigan.catalogue import has_of_data
from centigan.data.ilsvrc2012 import IDS, OF_SUBSET
from centigan.data.sources.captioned import first_named
from centigan.data.sources.listing import Listing
from centigan.errors import UserError
from centigan.settings.data import DataSettings

log = logging.getLogger(__name__)


def check(listing: Listing, classes: list[str], settings: DataSettings) -> dict[str, Any]:
    """What was found against what should be there; the content of source.json.

    Raises:
        UserError: for missing or rejected images, where settings.on_bad_image asks for it.
    """
    policy = policy_of(listing, settings)
    wrong = wrong_counts(listing, classes)
    if faults := [*wrong, *unusable_images(listing)]:
        require_may_lack(faults, policy, settings)
        log.warning("%s: %s (source.json lists all)", settings.root, first_named(faults))
    has = has_of_data(settings)
    return {
        "source": listing.source,
        "found": listing.found,
        "images": listing.images["subset"].value_counts().to_dict(),
        "published": published_totals(listing),
        "wrong_counts": wrong,
        "rejected": [rejected._asdict() for rejected in listing.rejected],
        "on_bad_image": policy,
        "order": settings.order,
    } | {
        name: value
        for name, value in (
            ("passed_over", listing.passed_over),
            ("has", sorted(has) if has != {"images"} else None),
            ("captions", captions_in(listing)),
            ("unseen", sorted(set(listing.unseen) & set(classes))),
        )
        if value or (name == "captions" and "captions" in has)
    }


def require_may_lack(faults: list[str], policy: str, settings: DataSettings) -> None:
    """Make sure that a run goes on although images are missing, too many or unusable.

    Raises:
        UserError: where it does not.
    """
    if faults and policy == "error":
        raise UserError(
            f"{settings.root}: {first_named(faults)}. Fetch the data anew, or set data.on_bad_image: reject "
            "to go on with what is there"
        )


def policy_of(listing: Listing, settings: DataSettings) -> str:
    """What is done about missing and bad images: "error", or "reject"."""
    if settings.on_bad_image == "auto":
        return "error" if listing.checksummed else "reject"
    return settings.on_bad_image


def unusable_images(listing: Listing) -> list[str]:
    """A line for each image that cannot be used, by its name and size alone."""
    return [f"{name} {reason}" for name, reason in listing.rejected]


def other_than_published(listing: Listing, classes: list[str]) -> list[str]:
    """What tells that it is not the published set of its format; nothing where that is of no one set."""
    found = len(listing.images) + len(listing.rejected)
    if listing.published and found != listing.published:
        in_all = [f"{found:,} of {listing.published:,} images are there"]
    else:
        in_all = []
    return [*in_all, *wrong_counts(listing, classes)]


def captions_in(listing: Listing) -> int:
    """How many captions all images have."""
    return int(listing.images["captions"].map(len).sum()) if "captions" in listing.images else 0


def published_totals(listing: Listing) -> dict[str, int]:
    """Images that each subset was published with; {} where that is not known."""
    if listing.official:
        return {subset: sum(by_class.values()) for subset, by_class in listing.official.items()}
    if set(listing.classes) == set(IDS):
        return OF_SUBSET
    return {}


def wrong_counts(listing: Listing, classes: list[str]) -> list[str]:
    """A line for each class, or where that is unknown each subset, that lacks images or has too many."""
    if listing.official:
        counts = listing.images.groupby(["subset", "class_id"]).size()
        return [
            f"class {class_id} has {found} of {official} {subset} images"
            for subset, by_class in listing.official.items()
            for class_id, official in by_class.items()
            if class_id in classes and (found := int(counts.get((subset, class_id), 0))) != official
        ]
    totals = listing.images["subset"].value_counts()
    return [
        f"{found:,} of {official:,} {subset} images are there"
        for subset, official in published_totals(listing).items()
        if (found := int(totals.get(subset, 0))) != official
    ]
