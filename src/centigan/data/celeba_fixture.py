"""A small data set in the format of CelebA, of photographs that ship with the dependencies.

For trying and testing the reader without the data. Names, sizes, lists and zip are like the real ones; what
the pictures show is not: crops of photographs, and attributes that say nothing of them but the first, Bright.
"""

import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from centigan.atomic import atomic_path
from centigan.data.crops import encoded, part_of, photographs
from centigan.data.small_set import require_another_set, require_empty, write_lines
from centigan.data.sources.celeba import FOLDER, PUBLISHED, ZIP
from centigan.data.sources.celeba_lists import ATTRIBUTES, PARTITION

HEIGHT, WIDTH = 218, 178
WITH, OTHERS = "Bright", tuple(f"Other_{number}" for number in range(1, 40))  # the real ones are 40, too
SEED = 0


def write_celeba(out: Path, *, classes: int, per_class: int, held_out_per_class: int) -> None:
    """Write zip, partition and attributes into `out`; the same call gives the same bytes.

    Images for training are classes * per_class, those of validation and of tests classes * held_out_per_class
    each: what CelebA shows has no classes.

    Raises:
        UserError: where something lies at `out`, and for as many images as were published.
    """
    require_empty(out)
    counts = [classes * per_class, classes * held_out_per_class, classes * held_out_per_class]
    require_another_set(
        "CelebA", classes=classes, published_classes=classes, counts=[(sum(counts), PUBLISHED)]
    )
    out.mkdir(parents=True, exist_ok=True)
    rng, pictures = np.random.default_rng(SEED), photographs()
    parts = np.repeat(np.arange(3), counts)
    names = [f"{number:06d}.jpg" for number in range(1, len(parts) + 1)]
    faces = [_crop(pictures[rng.integers(len(pictures))], rng) for _ in names]
    with atomic_path(out / ZIP) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        archive.writestr(zipfile.ZipInfo(f"{FOLDER}/"), b"")
        for name, face in zip(names, faces, strict=True):
            member = zipfile.ZipInfo(f"{FOLDER}/{name}")  # stored, at the time 1980
            archive.writestr(member, encoded(face, "JPEG", 90))
    write_lines(out / PARTITION, [f"{name} {part}" for name, part in zip(names, parts, strict=True)])
    values = np.where(rng.random((len(names), 1 + len(OTHERS))) < 0.5, 1, -1)
    values[:, 0] = np.where([face.mean() > 110 for face in faces], 1, -1)
    rows = [
        f"{name} " + " ".join(f"{value:2d}" for value in row) for name, row in zip(names, values, strict=True)
    ]
    write_lines(out / ATTRIBUTES, [str(len(names)), " ".join((WITH, *OTHERS)) + " ", *rows])


def _crop(photograph: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """(218, 178, 3) from a random place; of a smaller photograph its middle, enlarged."""
    height, width, _ = photograph.shape
    scale = min(1.0, height / HEIGHT, width / WIDTH)
    tall, wide = int(HEIGHT * scale), int(WIDTH * scale)
    part = Image.fromarray(part_of(photograph, tall, wide, rng))
    return np.asarray(part.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC))
