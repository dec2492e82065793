"""CIFAR's files at a small size, written as its authors wrote them."""

import hashlib
import io
import os
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from centigan.data.cifar_raw import VERSIONS, Name, Published

ROWS = 20
CLASSES = {"cifar10": 10, "cifar100": 100}
NAMES: list[Name] = ["cifar10", "cifar100"]


class Python2Pickler(pickle._Pickler):  # type: ignore[name-defined, misc]
    """Writes texts and bytes as Python 2 did, which wrote the published files."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)  # type: ignore[attr-defined]

    def save_string(self, text: str | bytes) -> None:
        content = text.encode("latin-1") if isinstance(text, str) else text
        head = b"U" + struct.pack("<B", len(content)) if len(content) < 256 else None
        self.write((head or b"T" + struct.pack("<i", len(content))) + content)
        self.memoize(text)

    dispatch[str] = dispatch[bytes] = save_string

    def put(self, idx: int) -> bytes:
        return super().put(idx + 1)  # cPickle counts from 1

    def get(self, i: int) -> bytes:
        return super().get(i + 1)


def as_python_2(content: object) -> bytes:
    file = io.BytesIO()
    Python2Pickler(file, 2).dump(content)
    return file.getvalue()


def as_protocol_4(content: object) -> bytes:
    return pickle.dumps(content, protocol=4)


def batch(name: Name, seed: int, rows: int = ROWS) -> dict[str, Any]:
    """What a batch for Python holds; file names are in no order."""
    rng = np.random.default_rng([CLASSES[name], seed])
    labels = [row % CLASSES[name] for row in range(rows)]
    names = [f"thing_s_{number:06d}.png" for number in rng.permutation(rows) + rows * seed]
    pixels = rng.integers(0, 256, (rows, 3072), dtype=np.uint8)
    key = "labels" if name == "cifar10" else "fine_labels"
    return {"batch_label": "a batch", key: labels, "data": pixels, "filenames": names}


def class_names(name: Name) -> list[str]:
    if name == "cifar10":
        return ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    return [f"fine_{label:02d}" for label in range(100)]


def write_python(name: Name, root: Path, write: Callable[[object], bytes] = as_python_2) -> Path:
    version = VERSIONS[name][0]
    folder = root / version.folder
    folder.mkdir(parents=True)
    for seed, file in enumerate(version.batches):
        (folder / file).write_bytes(write(batch(name, seed)))
    key = "label_names" if name == "cifar10" else "fine_label_names"
    (folder / version.meta).write_bytes(write({key: class_names(name)}))
    return folder


def write_binary(name: Name, root: Path) -> Path:
    version = VERSIONS[name][1]
    folder = root / version.folder
    folder.mkdir(parents=True)
    for seed, file in enumerate(version.batches):
        content = batch(name, seed)
        labels = np.array(content["labels" if name == "cifar10" else "fine_labels"], np.uint8)[:, None]
        columns = [labels, content["data"]] if name == "cifar10" else [labels // 5, labels, content["data"]]
        (folder / file).write_bytes(np.hstack(columns).tobytes())
    (folder / version.meta).write_text("\n".join(class_names(name)) + "\n\n")
    return folder


def published(name: Name, folder: Path | None = None) -> Published:
    """What the files of these tests hold, with the MD5s of the files in `folder`."""
    md5s = (
        {file.name: hashlib.md5(file.read_bytes()).hexdigest() for file in folder.iterdir()} if folder else {}
    )
    return Published(CLASSES[name], {"train": ROWS, "held_out": ROWS}, md5s)


def read(image: Any) -> np.ndarray:
    with Path(image.path).open("rb") as file:
        return np.frombuffer(os.pread(file.fileno(), image.size, image.offset), np.uint8)
