"""A small data set in the format of LSUN, of photographs that ship with the dependencies.

For trying and testing the reader without the data. The LMDBs are written by LMDB itself, and images are WebP
under keys of 40 hexadecimal digits, as LSUN's; what the pictures show is not: a scene is crops of one
photograph.
"""

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from centigan.data.crops import encoded, part_of, photographs
from centigan.data.small_set import require_empty
from centigan.data.sources.lsun import ENDINGS, TRAINING
from centigan.errors import UserError

SIDES = (200, 256)  # a picture's are between; the shorter of the real ones is 256
MAP = 1 << 30  # bytes that a file may grow to
SEED = 0


def write_lsun(out: Path, *, classes: int, per_class: int, held_out_per_class: int) -> None:
    """Write a training and a validation LMDB of each scene into `out`; the same call gives the same images.

    Scenes are the first of LSUN's ten: bedroom, bridge, ...

    Raises:
        UserError: where something lies at `out`, and for more scenes than there are.
    """
    require_empty(out)
    if classes > len(TRAINING):
        raise UserError(f"LSUN has {len(TRAINING)} scenes, not {classes}")
    pictures, rng = photographs(), np.random.default_rng(SEED)
    for number, scene in enumerate(list(TRAINING)[:classes]):
        for count, ending in zip((per_class, held_out_per_class), ENDINGS.values(), strict=True):
            images = [encoded(_crop(pictures[number], rng), "WEBP", 75) for _ in range(count)]
            write_lmdb(out / f"{scene}{ending}", images)


def write_lmdb(folder: Path, images: list[bytes]) -> None:
    """Write data.mdb and lock.mdb, the images under the SHA-1 of their content."""
    import lmdb

    folder.mkdir(parents=True)
    with lmdb.open(str(folder), map_size=MAP) as environment, environment.begin(write=True) as change:
        for number, image in enumerate(images):
            key = hashlib.sha1(image + str(number).encode(), usedforsecurity=False).hexdigest()
            change.put(key.encode(), image)


def _crop(photograph: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A part of random size from a random place."""
    height, width = (min(whole, int(rng.integers(*SIDES))) for whole in photograph.shape[:2])
    return part_of(photograph, height, width, rng)
