"""ImageNet as Kaggle publishes it: training images in class folders, validation images in one folder.

https://www.kaggle.com/c/imagenet-object-localization-challenge
"""

from pathlib import Path

import pandas as pd
from tqdm import tqdm

from centigan.data.by_hand import lacks_all
from centigan.data.ilsvrc2012 import IMAGES
from centigan.data.sources.class_names import words_in
from centigan.data.sources.folders import class_folders
from centigan.data.sources.listing import Listing, Range, class_frame
from centigan.data.sources.sift import Sieve
from centigan.errors import UserError, plural

DATA = "ILSVRC/Data/CLS-LOC"
SOLUTION = (
    "LOC_val_solution.csv"  # ImageId,PredictionString: "ILSVRC2012_val_00048981","n03995372 85 1 499 272"
)
WORDS = "LOC_synset_mapping.txt"  # n01440764 tench, Tinca tinca
BELONG = {"ILSVRC", SOLUTION, WORDS, "LOC_train_solution.csv", "LOC_sample_submission.csv"}


def list_kaggle(root: Path) -> Listing:
    """The images under root/ILSVRC/Data/CLS-LOC.

    Raises:
        UserError: for a missing file, or a validation image whose label is missing or points to no class.
    """
    train, val = root / DATA / "train", root / DATA / "val"
    if not (root / DATA).is_dir():
        raise lacks_all("kaggle", root, f"{DATA}/, Kaggle's layout of ImageNet")
    sieve = Sieve(root)
    sieve.outside(root, BELONG)
    sieve.outside(root / DATA, {"train", "val", "test"})
    classes = class_folders(train, sieve)
    frames = [
        class_frame(sieve.images_in(train / class_id), "train", class_id)
        for class_id in tqdm(classes, desc="index train", unit="class", disable=None)
    ]
    if not val.is_dir():
        raise UserError(f"{val} is missing; unpack the validation images there")
    frames += _validation_frames(sieve.images_in(val), classes, root / SOLUTION)
    return Listing(
        source="ImageNet as Kaggle publishes it",
        found=[
            f"{DATA}/train/: {len(classes):,} {plural('class folder', len(classes))}",
            f"{DATA}/val/ and {SOLUTION}: {sum(map(len, frames[len(classes) :])):,} images",
        ],
        classes=classes,
        images=pd.concat(frames, ignore_index=True),
        published=IMAGES,
        words=_words(root / WORDS),
        rejected=sieve.rejected,
        passed_over=sieve.passed_over,
    )


def _validation_frames(images: list[Range], classes: list[str], solution: Path) -> list[pd.DataFrame]:
    labels = _labels(solution)
    by_class: dict[str, list[Range]] = {class_id: [] for class_id in classes}
    for image in images:
        wnid = labels.get(Path(image.name).stem)
        if wnid is None:
            raise UserError(f"{solution} has no line for {image.name}; fetch it anew")
        if wnid not in by_class:
            raise UserError(
                f"{solution}: the label of {image.name}, {wnid}, points to no class folder of train/"
            )
        by_class[wnid].append(image)
    return [class_frame(found, "held_out", class_id) for class_id, found in by_class.items()]


def _labels(solution: Path) -> dict[str, str]:
    """Name of a validation image, without suffix -> its class."""
    try:
        table = pd.read_csv(solution, dtype=str)
        return dict(zip(table["ImageId"], table["PredictionString"].str.split(n=1).str[0], strict=True))
    except FileNotFoundError:
        raise UserError(f"{solution} is missing: it holds the labels of the validation images") from None
    except (KeyError, ValueError) as error:  # pandas' parser errors are ValueErrors
        raise UserError(f"{solution} cannot be read as ImageId,PredictionString: {error}") from None


def _words(path: Path) -> dict[str, str]:
    """Synset -> words; empty where the file is not there, since only captions use them."""
    if not path.is_file():
        return {}
    try:
        text = path.read_text(encoding="utf-8-sig")  # Windows' editors begin it with a mark
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path} is not in UTF-8 ({error.reason} at byte {error.start}); save it so, or remove it: only "
            "captions use it"
        ) from None
    return words_in(text.splitlines())
