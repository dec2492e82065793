"""The order of the classes, which decides what split each is in."""

import logging
from pathlib import Path

from centigan.data.order_file import named_classes
from centigan.data.sources.listing import Listing
from centigan.data.sources.passed_over import PassedOver, dead_links, of_class
from centigan.errors import UserError, plural
from centigan.settings.data import DataSettings

CELEBA = "CelebA"  # as its Listing says
log = logging.getLogger(__name__)


def order_classes(listing: Listing, settings: DataSettings) -> list[str]:
    """The classes in the order that is set.

    Raises:
        UserError: for an order that cannot be had, or a number of classes other than settings.classes.
    """
    found = set(listing.classes)
    match settings.order:
        case "sorted":
            classes = sorted(found)
        case "devkit":
            if not listing.devkit_order:
                raise UserError(f"data.order: devkit needs ILSVRC2012's devkit, which {settings.root} lacks")
            classes = [class_id for class_id in listing.devkit_order if class_id in found]
        case _:
            classes = _chosen(settings, found, listing.passed_over)
    if len(classes) != settings.classes:
        raise UserError(
            f"{settings.root} has {len(classes)} {plural('class', len(classes))}, but `data.classes` says "
            f"{settings.classes}{_of_attribute(listing, settings)}{dead_links(listing.passed_over)}"
        )
    if len(classes) < len(found) and Path(settings.order).is_file():
        log.info("%s chooses %d of %d classes", settings.order, len(classes), len(found))
    return classes


def _of_attribute(listing: Listing, settings: DataSettings) -> str:
    """What to add where two classes of CelebA's faces are asked for, or found, that an attribute makes."""
    if listing.source != CELEBA or {len(listing.classes), settings.classes} != {1, 2}:
        return ""
    if settings.attribute:
        return f"; data.attribute: {settings.attribute} makes two"
    return "; data.attribute: Smiling, or another of its attributes, makes two"


def _chosen(settings: DataSettings, found: set[str], passed_over: PassedOver) -> list[str]:
    """The classes that a file names, all of which must be there."""
    classes = named_classes(settings.order) or []
    for class_id in classes:
        if class_id not in found:
            beside = of_class(passed_over, class_id)
            raise UserError(
                f"data.order: {Path(settings.order)} names class {class_id}, which the data lacks{beside}"
            )
    return classes
