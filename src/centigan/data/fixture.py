"""The three files of ILSVRC2012 in their official formats, made from photographs that ship with dependencies.

For trying and timing whatever reads ImageNet without having it: names, archives inside an archive, devkit,
sizes, chroma subsampling and bytes per image are like the real ones; what the pictures show is not. A class
is random crops of one photograph under a colour cast, and perhaps a mirror, of its own.
"""

import gzip
import io
import os
import re
import runpy
import struct
import tarfile
import tempfile
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import IO, Any

import numpy as np
import simplejpeg
from PIL import Image, ImageChops, ImageOps
from tqdm import tqdm

from centigan.atomic import atomic_path
from centigan.data.embedded import PHOTOGRAPHS, packaged
from centigan.data.ilsvrc2012 import IDS
from centigan.data.sources.archives import TRAIN, VALIDATION
from centigan.data.sources.devkit import ARCHIVE, FOLDER, META, TRUTH
from centigan.errors import UserError

INNER_NODES = 3  # synsets above the classes: two halves and their root
PNG_CLASS, PNG_NUMBER = "n02105855", 2933  # ImageNet's one PNG is n02105855_2933.JPEG
GRAIN = 11.0  # standard deviation in levels; with these qualities an image has 110 kB, as ImageNet's have
QUALITIES = (92, 97)
LARGEST_SIDE = 1300
AT_ONCE = 64  # images drawn ahead of the writing


def write_ilsvrc(
    out: Path,
    *,
    classes: int,
    per_class: int,
    held_out_per_class: int = 5,
    oddities: bool = False,
    seed: int = 0,
) -> None:
    """Write training images, validation images and devkit into `out`; the same call gives the same bytes.

    With `oddities`, the k-th of `oddities()` stands in for the image number k // classes, as archived, of
    the class whose ILSVRC2012_ID is k % classes + 1.
    """
    for name in (TRAIN, VALIDATION, ARCHIVE):
        if (out / name).exists():
            raise UserError(f"{out / name} exists; remove it or name another folder")
    if not 2 <= classes <= len(IDS) or per_class < 1 or held_out_per_class < 1:
        raise UserError(
            f"a fixture of ILSVRC2012 has 2 to {len(IDS)} classes, and 1 image or more of each and held out"
        )
    wnids = _wnids(classes + INNER_NODES, seed)
    names = _train_names(wnids[:classes], per_class, oddities, seed)
    truth = _rng(seed, "truth").permutation(np.repeat(np.arange(classes), held_out_per_class)).tolist()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        _write_train(out / TRAIN, names, oddities, pool, seed)
        with atomic_path(out / VALIDATION) as part, tarfile.open(part, "w") as tar:
            images = tqdm(
                _drawn(pool, seed, truth, "val"), VALIDATION, len(truth), unit="image", disable=None
            )
            for number, data in enumerate(images, start=1):
                _add(tar, f"ILSVRC2012_val_{number:08d}.JPEG", io.BytesIO(data))
    with atomic_path(out / ARCHIVE) as part:
        part.write_bytes(gzip.compress(_devkit(wnids, per_class, truth), mtime=0))


def oddities() -> dict[str, bytes]:
    """One picture in the ways that trip decoders of ImageNet; the PNG holds it exactly.

    The pixels as stored are upright but for orientation 6, which turns them so; the damaged EXIF should not.
    """
    picture = _photograph("astronaut").crop((0, 0, 400, 300))
    rgb = np.asarray(picture).astype(np.float32)
    black = (255 - rgb.max(axis=-1, keepdims=True)) / 2  # half of the grey goes to black ink
    colours = 255 - rgb * 255 / (255 - black)
    ink = np.concatenate([colours, black], axis=-1).round().astype(np.uint8)  # 255 is full
    cmyk = Image.frombytes("CMYK", picture.size, ink.tobytes())
    upright = _saved(ImageChops.invert(cmyk), "JPEG")
    plain, lying = _saved(picture, "JPEG"), _saved(picture.transpose(Image.Transpose.ROTATE_90), "JPEG")
    return {
        "PNG named JPEG": _saved(picture, "PNG"),
        "CMYK": _saved(cmyk, "JPEG"),  # Pillow inverts and writes Adobe's marker, as Adobe does
        "CMYK without Adobe marker": re.sub(rb"(?s)\xff\xee\0\x0eAdobe.{7}", b"", upright),
        "YCCK": simplejpeg.encode_jpeg(255 - ink, quality=95, colorspace="CMYK", colorsubsampling="444"),
        "greyscale": _saved(picture.convert("L"), "JPEG"),
        "EXIF orientation 6": _with_exif(lying, orientation=6),
        "EXIF orientation 1": _with_exif(plain, orientation=1),
        "damaged EXIF": _with_exif(plain, orientation=6, lost=8),
        "bytes before the end": plain[:-2] + bytes(9) + plain[-2:],
    }


def _saved(image: Image.Image, kind: str) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, quality=95, icc_profile=None)
    return file.getvalue()


def _with_exif(jpeg: bytes, orientation: int, lost: int = 0) -> bytes:
    """Insert an EXIF block of one entry, the orientation; it lacks the last `lost` bytes."""
    entry = (0x0112, 3, 1, orientation, 0)  # tag, short, one, itself
    whole = struct.pack(">6s2sHIHHHIHHI", b"Exif", b"MM", 42, 8, 1, *entry, 0)
    block = whole[: len(whole) - lost]
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + jpeg[2:]


def _rng(seed: int, purpose: str, *key: int) -> np.random.Generator:
    return np.random.default_rng([seed, *purpose.encode(), *key])


@cache
def _photograph(name: str) -> Image.Image:
    with Image.open(packaged(*PHOTOGRAPHS[name])) as image:
        return image.convert("RGB")


@cache
def _grain() -> Image.Image:
    """Noise as of a sensor, around level 128, to be cut at random places."""
    noise = _rng(0, "grain").normal(128, GRAIN, (LARGEST_SIDE + 300,) * 2).clip(0, 255).astype(np.uint8)
    return Image.merge("RGB", [Image.fromarray(noise)] * 3)


def _jpeg(seed: int, subset: str, label: int, number: int) -> bytes:
    rng = _rng(seed, subset, label, number)
    photograph = _photograph(list(PHOTOGRAPHS)[label % len(PHOTOGRAPHS)])
    width, height = _size(rng)
    scale = rng.uniform(0.5, 1) * min(photograph.width / width, photograph.height / height)
    left = rng.uniform(0, photograph.width - scale * width)
    top = rng.uniform(0, photograph.height - scale * height)
    box = (left, top, left + scale * width, top + scale * height)
    image = photograph.resize((width, height), Image.Resampling.BICUBIC, box)
    cast = _rng(seed, "cast", label)
    matrix = np.zeros((3, 4))
    matrix[:, :3] = (0.6 * np.eye(3) + 0.4 * cast.dirichlet(np.ones(3), 3)) * cast.uniform(0.7, 1.1, (3, 1))
    image = image.convert("RGB", tuple(matrix.ravel().tolist()))
    image = ImageOps.mirror(image) if cast.random() < 0.5 else image
    x, y = rng.integers(0, _grain().width - np.array([width, height])).tolist()
    image = ImageChops.add(image, _grain().crop((x, y, x + width, y + height)), offset=-128)
    return simplejpeg.encode_jpeg(np.asarray(image), int(rng.integers(*QUALITIES)), colorsubsampling="420")


def _drawn(pool: Executor, seed: int, labels: list[int], subset: str) -> Iterator[bytes]:
    """JPEG files of these labels, in order."""
    jobs = [(seed, subset, label, number) for number, label in enumerate(labels)]
    for start in range(0, len(jobs), AT_ONCE):
        yield from pool.map(_jpeg, *zip(*jobs[start : start + AT_ONCE], strict=True))


def _size(rng: np.random.Generator) -> tuple[int, int]:
    """Width and height: half of the images 500 long, some near, few small, fewer large."""
    ranges = ((500, 500), (400, 600), (200, 300), (900, LARGEST_SIDE))
    long = int(rng.integers(*ranges[rng.choice(4, p=(0.5, 0.37, 0.09, 0.04))], endpoint=True))
    short = round(long * rng.uniform(0.6, 0.85))
    return (long, short) if rng.random() < 0.75 else (short, long)


def _wnids(count: int, seed: int) -> list[str]:
    """ImageNet's own ids by ILSVRC2012_ID, then inner nodes; the second is less than the first, so that they
    never are in sorted order.
    """
    others = _rng(seed, "wnids").permutation([wnid for wnid in IDS if wnid != PNG_CLASS]).tolist()
    classes = [PNG_CLASS, *sorted(others, key=lambda wnid: wnid > PNG_CLASS)][: count - INNER_NODES]
    return [*classes, *(f"n{number:08d}" for number in range(1, 1 + INNER_NODES))]


def _train_names(wnids: list[str], per_class: int, odd: bool, seed: int) -> list[list[str]]:
    """File names of each class, numbered with gaps and in no order."""
    names = []
    for label, wnid in enumerate(wnids):
        numbers = _rng(seed, "names", label).choice(np.arange(3000, 30_000), per_class, replace=False)
        if odd and wnid == PNG_CLASS:
            numbers[0] = PNG_NUMBER
        names.append([f"{wnid}_{number}.JPEG" for number in numbers])
    return names


def _write_train(target: Path, names: list[list[str]], odd: bool, pool: Executor, seed: int) -> None:
    """An archive of one archive per class, in the order of the WordNet IDs."""
    slots = [row[k] for k in range(len(names[0])) for row in names]
    odd_files = list(oddities().values()) if odd else []
    if len(slots) < len(odd_files):
        raise UserError(f"{len(odd_files)} oddities need as many training images, not {len(slots)}")
    replaced = dict(zip(slots, odd_files, strict=False))
    with atomic_path(target) as part, tarfile.open(part, "w") as tar:
        labels = sorted(range(len(names)), key=names.__getitem__)
        for label in tqdm(labels, TRAIN, unit="class", disable=None):
            with tempfile.SpooledTemporaryFile(2**26, dir=str(target.parent)) as file:
                with tarfile.open(fileobj=file, mode="w") as inner:
                    images = _drawn(pool, seed, [label] * len(names[label]), "train")
                    for name, data in zip(names[label], images, strict=True):
                        _add(inner, name, io.BytesIO(replaced.get(name, data)))
                _add(tar, names[label][0].partition("_")[0] + ".tar", file)


def _add(tar: tarfile.TarFile, name: str, file: IO[bytes]) -> None:
    member = tarfile.TarInfo(name)  # time 0, user 0, mode 0644
    member.size = file.seek(0, os.SEEK_END)
    file.seek(0)
    tar.addfile(member, file)


def _devkit(wnids: list[str], per_class: int, truth: list[int]) -> bytes:
    files = {
        "readme.txt": b"A fixture in the formats of the ILSVRC2012 devkit; not ImageNet.\n",
        META: _meta_mat(wnids, per_class),
        TRUTH: "".join(f"{k + 1}\n" for k in truth).encode(),
    }
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for folder in (FOLDER, f"{FOLDER}/data"):
            member = tarfile.TarInfo(folder)
            member.type, member.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(member)
        for name, data in files.items():
            _add(tar, f"{FOLDER}/{name}", io.BytesIO(data))
    return file.getvalue()


def _meta_mat(wnids: list[str], per_class: int) -> bytes:
    from scipy.io import savemat

    # run by itself, for importing torchvision takes seconds
    categories = runpy.run_path(str(packaged("torchvision", "models/_meta.py")))["_IMAGENET_CATEGORIES"]
    classes, known = len(wnids) - INNER_NODES, len(categories)
    words = [categories[k % known] + (f" {k // known + 1}" if k >= known else "") for k in range(classes)]
    words += ["first half", "second half", "entity"]
    ids = list(range(1, len(wnids) + 1))
    children = [ids[:0]] * classes + [ids[: classes // 2], ids[classes // 2 : classes], ids[classes:-1]]
    columns: dict[str, list[Any]] = {
        "ILSVRC2012_ID": ids,
        "WNID": wnids,
        "words": words,
        "gloss": [f"fixture: {word}" for word in words],
        "num_children": [len(below) for below in children],
        "children": children,
        "wordnet_height": [0] * classes + [1, 1, 2],
        "num_train_images": [per_class] * classes + [0] * INNER_NODES,
    }
    synsets = np.empty((len(wnids), 1), dtype=[(field, object) for field in columns])
    for field, column in columns.items():
        for k, cell in enumerate(column):
            if not isinstance(cell, str):  # as scipy reads the real file: 1 x n, the narrowest unsigned type
                cell = np.atleast_2d(cell).astype(np.min_scalar_type(max(np.ravel(cell), default=0)))
            synsets[field][k, 0] = cell
    file = io.BytesIO()
    savemat(file, {"synsets": synsets})
    return b"MATLAB 5.0 MAT-file, written without its time".ljust(116) + file.getvalue()[116:]
