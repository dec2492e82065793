"""Data sets of the user's own that their publishers serve without asking: fetched, checked, unpacked.

A run never fetches them by itself, since some have 20 GB: `centigan raw` does. MD5s of the flowers and of
Imagenette are torchvision's; those of Tiny ImageNet, the birds and COCO are the ones that public loaders of
them check. CelebA, LSUN, ImageNet and Reed's captions are fetched by hand: they ask for an account, or stand
where no checksum is known of all files.
"""

import logging
from pathlib import Path
from typing import NamedTuple

from centigan.data.checksums import require_md5
from centigan.data.published_archive import Archive, download, finish_unpacking, unpack_published
from centigan.data.raw_folder import filling, holds_something, require_no_folder
from centigan.errors import UserError
from centigan.settings.sources import Downloaded

COCO = "http://images.cocodataset.org"
FLOWERS = "https://www.robots.ox.ac.uk/~vgg/data/flowers/102"
log = logging.getLogger(__name__)


class Part(NamedTuple):
    """A file that is published, and the folders that are unpacked of it; none: it is read as it is."""

    archive: Archive
    folders: tuple[str, ...] = ()


PARTS: dict[Downloaded, tuple[Part, ...]] = {
    "imagenette": (
        Part(
            Archive(
                "imagenette2-160.tgz",
                "e793b78cc4c9e9a4ccc0c1155377a412",
                "https://s3.amazonaws.com/fast-ai-imageclas/imagenette2-160.tgz",
            ),
            ("imagenette2-160/train", "imagenette2-160/val"),
        ),
    ),
    "tiny_imagenet": (
        Part(
            Archive(
                "tiny-imagenet-200.zip",
                "90528d7ca1a48142e341f4ef8d21d0de",
                "http://cs231n.stanford.edu/tiny-imagenet-200.zip",
            ),
            ("tiny-imagenet-200",),
        ),
    ),
    "cub200": (
        Part(
            Archive(
                "CUB_200_2011.tgz",
                "97eceeb196236b17998738112f37df78",
                "https://data.caltech.edu/records/65de6-vp158/files/CUB_200_2011.tgz",
            ),
            ("CUB_200_2011",),
        ),
    ),
    "oxford102": (
        Part(
            Archive("102flowers.tgz", "52808999861908f626f3c1f4e79d11fa", f"{FLOWERS}/102flowers.tgz"),
            ("jpg",),
        ),
        Part(Archive("imagelabels.mat", "e0620be6f572b9609742df49c70aed4d", f"{FLOWERS}/imagelabels.mat")),
        Part(Archive("setid.mat", "a5357ecc9cb78c4bef273ce3793fc85c", f"{FLOWERS}/setid.mat")),
    ),
    "coco_captions": (
        Part(
            Archive(
                "annotations_trainval2014.zip",
                "0a379cfc70b0e71301e0f377548639bd",
                f"{COCO}/annotations/annotations_trainval2014.zip",
            ),
            ("annotations",),
        ),
        Part(
            Archive("train2014.zip", "0da8c0bd3d6becc4dcb32757491aca88", f"{COCO}/zips/train2014.zip"),
            ("train2014",),
        ),
        Part(
            Archive("val2014.zip", "a3d79f5ed8d289b7a7554ce06a5782b3", f"{COCO}/zips/val2014.zip"),
            ("val2014",),
        ),
    ),
}


def put_in_place(name: Downloaded, root: Path) -> None:
    """Make sure that what is published of a data set lies under `root`, as its source reads it.

    A folder that is there is left as it is; an archive that is there is unpacked instead of fetched, once its
    MD5 is seen to be the published one. Before anything is fetched, all places are looked at.

    Raises:
        UserError: when there is no network, or an archive is not as published or cannot be unpacked, or
            something else lies where it or what it holds belongs.
    """
    with filling(root):
        for archive, folders in [part for part in PARTS[name] if not _is_there(part, root)]:
            if not folders:
                download(archive, root / archive.name)
                continue
            unpack_published(root, [archive], folders)
            log.info("%s unpacked; %s may be removed", _told(_targets(folders, root)), archive.name)


def _is_there(part: Part, root: Path) -> bool:
    """Whether a part is in its place: folders, of which none is looked into, or a file, whose MD5 is checked.

    Raises:
        UserError: when some of its folders are there alone, or something else lies in the place.
    """
    path, targets = root / part.archive.name, _targets(part.folders, root)
    require_no_folder(path)
    if not targets:
        if path.exists():
            require_md5(path, part.archive.md5)
        return path.exists()
    finish_unpacking(path, part.folders)
    there = [target for target in targets if holds_something(target)]
    if there and there != targets:
        lacking = [target for target in targets if target not in there]
        raise UserError(
            f"{_told(there)} is there without {_told(lacking)}, and {part.archive.name} holds both: move "
            f"{there[0].name} away, or put {lacking[0].name} beside it, and run again"
        )
    if there:
        log.info("%s: there, and left as it is; `centigan verify` tells whether it is whole", _told(there))
    return bool(there)


def _targets(folders: tuple[str, ...], root: Path) -> list[Path]:
    return [root / Path(folder).name for folder in folders]


def _told(paths: list[Path]) -> str:
    return " and ".join(map(str, paths))
