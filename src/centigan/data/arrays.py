"""Per-split arrays: every image decoded once, cropped to its centre square and resized.

Protocol: decode to RGB, crop the largest centred square, resize with Pillow's bicubic filter, which
widens with the reduction (antialiasing). Training images are kept at the model's resolution; held-out
ones at twice that, the top of the resolution ladder.
"""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, UnidentifiedImageError
from tqdm import tqdm

from centigan.atomic import atomic_path
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.manifest import describe, write_manifest
from centigan.settings import ArraysStage

log = logging.getLogger(__name__)


def build_arrays(layout: Layout, split: str, stage: ArraysStage) -> None:
    """Write the arrays of one split; labels are positions of the class within the split."""
    index = pd.read_parquet(layout.index, filters=[("split", "==", split)])
    classes = sorted(index["class_id"].unique())
    resolution = stage.arrays.resolution
    folder = layout.arrays(split)
    for subset, prefix, side in (
        ("train", "", resolution),
        ("held_out", "held_out_", 2 * resolution),
    ):
        rows = index[index["subset"] == subset]
        labels = rows["class_id"].map(classes.index).to_numpy(np.int16)
        _save(folder / f"{prefix}images.npy", load_images(rows["path"].tolist(), side))
        _save(folder / f"{prefix}labels.npy", labels)
    counts = index["subset"].value_counts().to_dict()
    manifest = describe(stage, inputs=[layout.index], classes=classes, resolution=resolution)
    write_manifest(folder, manifest | {"images": counts})
    log.info("split %s: %s images at %d px", split, counts, resolution)


def load_images(paths: list[str], side: int) -> np.ndarray:
    """uint8 (N, side, side, 3) of the images at `paths`.

    Raises:
        UserError: for the first file that is no image or is damaged.
    """
    images = np.empty((len(paths), side, side, 3), np.uint8)
    for number, path in enumerate(tqdm(paths, desc=f"decode to {side} px", unit="image", disable=None)):
        images[number] = load_image(Path(path), side)
    return images


def load_image(path: Path, side: int) -> np.ndarray:
    """One image as uint8 (side, side, 3)."""
    try:
        with Image.open(path) as image:
            return np.asarray(centre_square(image.convert("RGB"), side))
    except UnidentifiedImageError:
        raise UserError(f"{path} is no image; remove it or replace it") from None
    except (OSError, SyntaxError) as error:  # Pillow raises SyntaxError for a broken PNG
        raise UserError(f"{path} cannot be read: {error}; replace it with a whole copy") from error


def centre_square(image: Image.Image, side: int) -> Image.Image:
    """The largest centred square of an image, resized to side x side."""
    width, height = image.size
    short = min(width, height)
    left, top = (width - short) // 2, (height - short) // 2
    square = (left, top, left + short, top + short)
    return image.resize((side, side), Image.Resampling.BICUBIC, box=square)


def _save(target: Path, array: np.ndarray) -> None:
    with atomic_path(target) as temporary:
        np.save(temporary, array)
