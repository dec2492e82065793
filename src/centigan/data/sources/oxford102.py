"""Oxford's 102 flowers (Nilsback & Zisserman 2008) with the captions of Reed et al. (2016).

The root holds jpg/image_00001.jpg, ..., imagelabels.mat and setid.mat. Captions are
text_c10/class_00001/image_00001.txt there or in cvpr2016_flowers/. Where trainvalclasses.txt and
testclasses.txt lie beside, 82 classes are seen and 20 unseen, and a share of each class is held out; else
setid.mat says what is: its test images, three quarters of all. Many train on these, since they are more; here
its training and validation images are trained on.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from centigan.data.sources.captioned import (
    Listed,
    apart,
    listing_of,
    refuse,
    unseen_classes,
)
from centigan.data.sources.listing import Listing, Subset
from centigan.errors import UserError

FOLDER, OF_CAPTIONS = "jpg", "cvpr2016_flowers"
LABELS, PARTS = "imagelabels.mat", "setid.mat"
SUBSETS: dict[str, Subset] = {"trnid": "train", "valid": "train", "tstid": "held_out"}
PUBLISHED = 8_189  # images
MOST_CLASSES = 102


def list_oxford102(root: Path, held_out: float) -> Listing:
    """All images under `root` that imagelabels.mat has a class of.

    Args:
        held_out: share of each class, where there are unseen classes.

    Raises:
        UserError: for a file that is missing or contradicts another, and as of captions.
    """
    places = [root, root / OF_CAPTIONS]
    labels = _matlab(root / LABELS, "labels")
    refuse(
        [
            f"{root / LABELS}: image {number} has class {label}, not one of 1 to {MOST_CLASSES}"
            for number, label in enumerate(labels.tolist(), 1)
            if not 1 <= label <= MOST_CLASSES
        ]
    )
    names = [
        (f"class_{label:05d}", f"image_{number:05d}.jpg") for number, label in enumerate(labels.tolist(), 1)
    ]
    classes = sorted({class_id for class_id, _ in names})
    unseen = unseen_classes(places, classes)
    parts = _published_parts(root, names) if unseen is None else apart(names, held_out)
    listed = [Listed(FOLDER, name, class_id, parts[class_id, name]) for class_id, name in names]
    return listing_of(
        "Oxford-102",
        root,
        listed,
        places,
        named_in=LABELS,
        published=PUBLISHED,
        classes=classes,
        unseen=unseen or (),
    )


def _matlab(file: Path, key: str) -> NDArray[np.int64]:
    """A row of whole numbers in a file of MATLAB."""
    from scipy.io import loadmat

    if not file.exists():
        raise UserError(f"{file} is missing; fetch it from where the images are")
    try:
        return np.ravel(loadmat(file)[key]).astype(np.int64)
    except MemoryError:
        raise
    except Exception as error:  # loadmat raises what it likes
        raise UserError(
            f"{file} has no {key} to read: {error} ({type(error).__name__}); fetch it anew"
        ) from error


def _published_parts(root: Path, names: list[tuple[str, str]]) -> dict[tuple[str, str], Subset]:
    file = root / PARTS
    if not file.exists():
        raise UserError(
            f"{file} is missing, so nothing says what is held out; fetch it, or put Reed's lists of classes "
            "beside"
        )
    found: dict[tuple[str, str], Subset] = {}
    faults = []
    for key, subset in SUBSETS.items():
        for number in _matlab(file, key).tolist():
            if not 1 <= number <= len(names):
                faults.append(f"{file}: {key} has image {number}, not one of 1 to {len(names)}")
            elif names[number - 1] in found:
                faults.append(f"{file} has image {number} twice")
            else:
                found[names[number - 1]] = subset
    refuse(faults + [f"{file} does not say what {one[1]} is for" for one in names if one not in found])
    return found
