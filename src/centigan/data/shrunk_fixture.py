"""Small data sets in the formats of Tiny ImageNet and of the npz files of ImageNet at 32 px.

For trying and testing the readers without the data. Classes have ImageNet's ids; what the pictures show is
not: those of a class are crops of one photograph that ships with the dependencies.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from centigan.data.crops import crop, encoded, photographs
from centigan.data.ilsvrc2012 import IDS, SORTED_IDS
from centigan.data.small_set import require_empty, write_lines
from centigan.data.sources import imagenet_npz, tiny_imagenet
from centigan.errors import UserError

TINY_SIDE, NPZ_SIDE = 64, 32
BATCHES = 2  # files of training images, so that one can be missing; the real set has ten
SEED = 0

Pixels = NDArray[np.uint8]


def write_tiny_imagenet(out: Path, *, classes: int, per_class: int, held_out_per_class: int) -> None:
    """Write tiny-imagenet-200/ into `out`; the same call gives the same bytes.

    Raises:
        UserError: where something lies at `out`, and for more classes than Tiny ImageNet has.
    """
    require_empty(out)
    _require_at_most(classes, tiny_imagenet.CLASSES, "Tiny ImageNet")
    folder, ids = out / tiny_imagenet.FOLDER, SORTED_IDS[:classes]
    for class_id, (_, pictures) in zip(ids, _of_classes(classes, per_class, TINY_SIDE, 0), strict=True):
        place = folder / tiny_imagenet.TRAIN.format(class_id)
        place.mkdir(parents=True)
        for number, picture in enumerate(pictures):
            (place / f"{class_id}_{number}.JPEG").write_bytes(encoded(picture, "JPEG", 95))
        boxes = [f"{class_id}_{number}.JPEG\t0\t0\t63\t63" for number in range(per_class)]
        write_lines(place.parent / f"{class_id}_boxes.txt", boxes)
    held_out = [
        (label, one) for label, own in _of_classes(classes, held_out_per_class, TINY_SIDE, 1) for one in own
    ]
    (folder / tiny_imagenet.HELD_OUT).mkdir(parents=True)
    lines = []
    for number, row in enumerate(np.random.default_rng([SEED, 2]).permutation(len(held_out))):
        label, picture = held_out[row]
        (folder / tiny_imagenet.HELD_OUT / f"val_{number}.JPEG").write_bytes(encoded(picture, "JPEG", 95))
        lines.append(f"val_{number}.JPEG\t{ids[label]}\t0\t0\t63\t63")
    write_lines(folder / tiny_imagenet.ANNOTATIONS, lines)
    write_lines(folder / tiny_imagenet.IDS, ids)
    write_lines(folder / tiny_imagenet.WORDS, [f"{class_id}\tfixture {class_id}" for class_id in ids])


def write_imagenet_npz(out: Path, *, classes: int, per_class: int, held_out_per_class: int) -> None:
    """Write two training files, one of validation and map_clsloc.txt; the same call gives the same bytes.

    Raises:
        UserError: where something lies at `out`, and for more classes than ImageNet has.
    """
    require_empty(out)
    _require_at_most(classes, len(IDS), "ImageNet")
    out.mkdir(parents=True, exist_ok=True)
    for stream, (count, names) in enumerate(
        (
            (per_class, [imagenet_npz.TRAINING.format(number + 1) for number in range(BATCHES)]),
            (held_out_per_class, [imagenet_npz.HELD_OUT]),
        )
    ):
        rows = [(label, one) for label, own in _of_classes(classes, count, NPZ_SIDE, stream) for one in own]
        order = np.random.default_rng([SEED, 2 + stream]).permutation(len(rows))
        for name, chosen in zip(names, np.array_split(order, len(names)), strict=True):
            planes = np.stack([rows[row][1].transpose(2, 0, 1).reshape(-1) for row in chosen])
            labels = np.array([rows[row][0] + 1 for row in chosen])
            np.savez(out / name, data=planes, labels=labels, mean=planes.mean(axis=0))
    # in another order than sorted, as the real one is
    lines = [f"{class_id} {number} fixture_{number}" for number, class_id in enumerate(IDS[:classes], 1)]
    write_lines(out / imagenet_npz.NAMES, lines)


def _of_classes(classes: int, count: int, side: int, stream: int) -> Iterator[tuple[int, list[Pixels]]]:
    """Each class and its pictures."""
    shown, rng = photographs(), np.random.default_rng([SEED, stream])
    for label in range(classes):
        yield label, [crop(shown[label % len(shown)], side, rng) for _ in range(count)]


def _require_at_most(classes: int, published: int, data_set: str) -> None:
    if classes > published:
        raise UserError(f"a fixture of {data_set} has {published} classes at most, not {classes}")
