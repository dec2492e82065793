"""Captions of the images of one split, beside its arrays: what was said of each, in the order of images.npy.

captions.json and held_out_captions.json hold a list of sentences an image, an image a line.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from centigan.atomic import write_text
from centigan.errors import UserError

CAPTIONS = ("captions.json", "held_out_captions.json")


def write_captions(folder: Path, prefix: str, captions: Iterable[Iterable[str]]) -> None:
    """Write folder/{prefix}captions.json; `prefix` is "" or "held_out_"."""
    lines = (json.dumps(list(sentences), ensure_ascii=False) for sentences in captions)
    write_text(folder / f"{prefix}captions.json", "[\n" + ",\n".join(lines) + "\n]\n")


def captions_of(folder: Path, prefix: str = "", *, images: int | None = None) -> list[list[str]]:
    """The captions of the images in folder/{prefix}images.npy, row by row.

    Args:
        images: how many there are, where that is known.

    Raises:
        UserError: when the source has no captions, an image has none, or the file is damaged.
    """
    path = folder / f"{prefix}captions.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(
            f"{path} is missing: these images have no captions; choose data with captions, or a family that "
            "needs none"
        ) from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is damaged ({error}); remove it and run again") from None
    if not isinstance(found, list) or len(found) != (len(found) if images is None else images):
        raise UserError(f"{path} is damaged (it is no list of {images} images); remove it and run again")
    for number, of_image in enumerate(found):
        if not _are_sentences(of_image):
            raise UserError(f"{path}: image {number} has no caption; give it one, or take it out")
    return found


def _are_sentences(found: object) -> bool:
    return isinstance(found, list) and bool(found) and all(isinstance(sentence, str) for sentence in found)
