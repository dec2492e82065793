"""What a file or folder is by its name alone, as far as a name tells; case does not count.

So that nothing is opened whose name tells: ImageNet has 1.3 million files, and a data set with captions has
as many again.
"""

import re
from typing import Literal

Kind = Literal["image", "unread image", "no image", "copy", "unknown"]

KINDS: dict[Kind, str] = {  # kind -> endings
    # of the formats that are read (data/formats.py)
    "image": "apng bmp gif jfif jpe jpeg jpg mpo pbm pgm png pnm ppm tif tiff webp",
    # pictures that must be converted before they can be trained on
    "unread image": "arw avif avifs bpg cr2 cr3 dds dng fit fits heic heif hif icns ico j2c j2k jp2 jpf jpx "
    "jxl nef orf pcx psd qoi raf ras rgb rw2 sgi tga xcf",
    # what people and programs put beside images, often one an image
    "no image": "cap caption captions cls csv db html ini json jsonl log lst mat md npy npz pkl pt rst tsv "
    "txt url xml yaml yml",
    "copy": "bak crdownload download old orig part partial swp tmp",
}
BY_ENDING = {ending: kind for kind, endings in KINDS.items() for ending in endings.split()}
# Folders that systems and programs make unasked, macOS's with a "._cat.jpg" for each image among them.
SYSTEM_FOLDERS = {
    *("__macosx", "__pycache__", "@eadir", "#recycle", "$recycle.bin", "lost+found"),
    "system volume information",
}
# An archive of a numbered set: imagenet-train-0000.tar, train-00000-of-00294.parquet; not n01440764.tar.
SHARD = re.compile(r"(?:.*[-_./])?\d+(?:-of-\d+)?\.(?:tar|parquet)")


def kind_of(name: str) -> Kind:
    """What a file is by its ending; "unknown" where only its content can tell."""
    if name.endswith("~"):
        return "copy"
    stem, _, ending = name.rpartition(".")
    return BY_ENDING.get(ending.lower(), "unknown") if stem else "unknown"


def is_hidden(name: str) -> bool:
    """Whether a name is one that folders do not show; "._cat.jpg" is not the image cat.jpg."""
    return name.startswith(".")


def is_of_system(name: str) -> bool:
    """Whether a folder is one that a system or program keeps for itself."""
    return name.lower() in SYSTEM_FOLDERS


def is_shard(path: str) -> bool:
    """Whether a file is one of a numbered set of archives, which may get another."""
    return SHARD.fullmatch(path) is not None


def may_be_image(name: str) -> bool:
    """Whether a file may be an image, or a picture that is not read, by its name."""
    return not is_hidden(name) and not is_of_system(name) and kind_of(name) not in {"no image", "copy"}
