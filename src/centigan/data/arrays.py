"""Per-split arrays: every image decoded once, cropped to a square and resized.

Training images are kept at the model's resolution; held-out ones at twice that, the top of the resolution
ladder, or where the model has images as they are stored, at that. Files have three channels; of grey images
facts.json says `channels` 1, and networks see one.
Threads decode blocks of images, each of which is written to its own row: memory does not grow with the split,
and the bytes depend neither on the number of threads nor on the order of reading. Of a source of points the
same files hold float32 (N, d).
Captions, where the source has them, lie beside the images in the same order.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from centigan.atomic import atomic_path, remove_halves
from centigan.data.captions import CAPTIONS, write_captions
from centigan.data.decode import BadImage, Decoded, Pixels, decode, decode_planar
from centigan.data.image_file import ImageFile
from centigan.data.outcome import Found, Outcome, in_order_of_rows
from centigan.data.points import gather_points
from centigan.data.sources.contents import PACKED, Block, in_blocks
from centigan.data.sources.listing import PLANAR, Range, Rejected, cannot_read
from centigan.data.sources.points import DIMENSIONS
from centigan.data.squares import Crop
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.manifest import describe, write_manifest
from centigan.settings.data import STORED_LEVELS, ArraySettings
from centigan.settings.stages import ArraysStage

ARRAYS = ("images.npy", "labels.npy", "held_out_images.npy", "held_out_labels.npy")
log = logging.getLogger(__name__)
ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


def build_arrays(layout: Layout, split: str, stage: ArraysStage, root: Path, *, threads: int = 1) -> None:
    """Write the arrays of one split, of raw data at `root`; labels are positions of the class in the split.

    Raises:
        UserError: for a bad image where the index says that it is an error, a class left without any, or an
            image with colours where one channel is asked for.
    """
    index = pd.read_parquet(layout.index(split))
    index["path"] = f"{root.as_posix()}/" + index["path"]
    reject = bool(index["reject"].all())
    classes = list(dict.fromkeys(index["class_id"]))  # rows stand in the order of the classes
    dimensions = DIMENSIONS.get(index["encoding"].iloc[0], 0)
    folder = layout.arrays(split)
    remove_halves(folder)
    found: dict[str, dict[str, object]] = {"images": {}, "converted": {}, "rejected": {}}
    for subset, prefix, scale in (("train", "", 1), ("held_out", "held_out_", 2)):
        rows = index[index["subset"] == subset]
        side = stage.arrays.resolution if stage.arrays.as_stored else scale * stage.arrays.resolution
        target = folder / f"{prefix}images.npy"
        outcome = (
            gather_points(target, rows, dimensions, reject=reject)
            if dimensions
            else write_images(target, rows, side, stage.arrays, reject=reject, threads=threads)
        )
        labels = rows["class_id"].map(classes.index).to_numpy(np.int16)[outcome.kept]
        if missing := set(range(len(classes))) - set(labels.tolist()):
            first, what = outcome.rejected[0], "points" if dimensions else "images"
            raise UserError(
                f"class {classes[min(missing)]}: every one of its {subset} {what} is bad; replace them. The "
                f"first bad one of all: {first.name} {first.reason}"
            )
        with atomic_path(folder / f"{prefix}labels.npy") as temporary:
            np.save(temporary, labels)
        if "captions" in rows:
            write_captions(folder, prefix, rows["captions"].iloc[outcome.kept])
        found["images"][subset] = len(labels)
        found["converted"][subset] = outcome.converted
        found["rejected"][subset] = [rejected._asdict() for rejected in outcome.rejected]
    about = describe(stage, inputs=[layout.index(split)], **found)
    facts: dict[str, object] = {"classes": classes}
    facts |= {"dimensions": dimensions} if dimensions else {"resolution": stage.arrays.resolution}
    if stage.arrays.channels == 1 and not dimensions:
        facts["channels"] = 1
    if stage.arrays.levels == STORED_LEVELS:
        facts["levels"] = stage.arrays.levels
    if "unseen" in index and (unseen := list(dict.fromkeys(index["class_id"][index["unseen"]]))):
        facts["unseen"] = unseen
    write_manifest(folder, about, facts=facts, of=ARRAYS + CAPTIONS * ("captions" in index))
    size = f"points of {dimensions} dimensions" if dimensions else f"images at {stage.arrays.resolution} px"
    log.info("split %s: %s %s", split, found["images"], size)


def write_images(
    target: Path, rows: pd.DataFrame, side: int, settings: ArraySettings, *, reject: bool, threads: int
) -> Outcome:
    """Write uint8 (N, side, side, 3) of the index's rows, N being those that are whole.

    Raises:
        UserError: for the first bad image that is read, unless `reject`; for a file that is gone.
    """
    images = [Range(*image) for image in zip(*(rows[name] for name in Range._fields), strict=True)]
    encoding = rows["encoding"].iloc[0]  # a source has one
    found: list[Found] = []

    def work(block: Block) -> tuple[Pixels, Found]:
        of_block = [images[row] for row in block.positions]
        return _decode_block(block, of_block, encoding, side, settings, reject=reject)

    progress = tqdm(total=len(images), desc=f"decode to {side} px", unit="image", disable=None)
    with progress, atomic_path(target) as temporary, temporary.open("w+b") as file:
        array = ImageFile(file, len(images), side)
        for pixels, part in _in_order(work, in_blocks(images, encoding), threads):
            array.write(part.kept, pixels)
            found.append(part)
            progress.update(len(part.kept) + len(part.rejected))
        outcome = in_order_of_rows(found)
        array.keep(outcome.kept)
    for name, reason in outcome.rejected:
        log.warning("left out: %s %s", name, reason)
    return outcome


def _decode_block(
    block: Block,
    images: Sequence[Range],
    encoding: str,
    side: int,
    settings: ArraySettings,
    *,
    reject: bool,
) -> tuple[Pixels, Found]:
    """Pixels (kept, side, side, 3) of the images that are whole, and what was found of all."""
    pixels = np.empty((len(images), side, side, 3), np.uint8)
    part = Found([], [], [])
    for row, image, data in zip(block.positions, images, block.contents, strict=True):
        place = image.path if image.path.endswith(image.name) else f"{image.name} in {image.path}"
        try:
            if len(data) != image.size and encoding not in PACKED:
                raise BadImage(f"has {len(data)} bytes, {image.size} when it was indexed")
            found = _decode(data, image.name, encoding, side, settings)
        except BadImage as error:
            if not reject:
                raise UserError(
                    f"{place} {error}; replace it with a whole copy, or set data.on_bad_image: reject "
                    "to leave such images out"
                ) from error
            part.rejected.append((row, Rejected(place, str(error))))
            continue
        except OSError as error:  # too many open files, say: not the image's fault
            raise cannot_read(place, error) from error
        if settings.channels == 1 and (found.pixels != found.pixels[..., :1]).any():
            raise UserError(f"{place} is not grey, and arrays.channels is 1; set it to 3, or leave it out")
        pixels[len(part.kept)] = found.pixels
        part.kept.append(row)
        part.oddities.extend((row, oddity, image.name) for oddity in found.oddities)
    return pixels[: len(part.kept)], part


def _decode(data: bytes, name: str, encoding: str, side: int, settings: ArraySettings) -> Decoded:
    crop = Crop(settings.crop, settings.crop_down) if settings.crop else None
    if encoding in PLANAR:
        stored, by_column, planes = PLANAR[encoding]
        return decode_planar(data, side, stored, by_column=by_column, planes=planes, crop=crop)
    return decode(data, side, name=name, dct_scaling=settings.dct_scaling, crop=crop)


def _in_order(work: Callable[[ItemT], ResultT], items: Iterable[ItemT], threads: int) -> Iterator[ResultT]:
    """Results of `work` in the order of `items`; only a few are computed ahead."""
    waiting: deque[Future[ResultT]] = deque()
    with _one_thread_an_operation(), ThreadPoolExecutor(threads) as pool:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


@contextmanager
def _one_thread_an_operation() -> Iterator[None]:
    """The images are the parallel part; torch's own threads would only compete."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
