"""LSUN's scenes (Yu et al. 2015), read in place as their zips are unpacked: a class is a scene.

<scene>_train_lmdb/ and <scene>_val_lmdb/ are LMDBs whose values are whole images, mostly WebP with a short
side of 256. A scene has 300 images of validation, which are held out. An image is named by its key.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from centigan.data.sources.captioned import refuse
from centigan.data.sources.class_names import is_no_name
from centigan.data.sources.listing import (
    UNPRINTABLE,
    Listing,
    Range,
    Rejected,
    Subset,
    in_order,
    printable,
    unusable,
)
from centigan.data.sources.lmdb_pages import Value, values
from centigan.data.sources.sift import Sieve
from centigan.errors import UserError
from centigan.image_names import is_hidden

DATA, LOCK = "data.mdb", "lock.mdb"
ENDINGS: dict[Subset, str] = {"train": "_train_lmdb", "held_out": "_val_lmdb"}
PARTS: dict[Subset, str] = {"train": "training", "held_out": "validation"}
HELD_OUT = 300  # images of each scene
TRAINING = {
    "bedroom": 3_033_042,
    "bridge": 818_687,
    "church_outdoor": 126_227,
    "classroom": 168_103,
    "conference_room": 229_069,
    "dining_room": 657_571,
    "kitchen": 2_212_277,
    "living_room": 1_315_802,
    "restaurant": 626_331,
    "tower": 708_264,
}
PAGE = "https://github.com/fyu/lsun"


def scenes_at(root: Path) -> list[str]:
    """The scenes of which a folder lies there; hidden ones are none."""
    paths = root.iterdir() if root.is_dir() else ()
    found = {
        path.name.removesuffix(end)
        for path in paths
        for end in ENDINGS.values()
        if path.name.endswith(end) and not is_hidden(path.name) and path.is_dir()
    }
    return sorted(found - {""})


def list_lsun(root: Path, chosen: Sequence[str] | None = None) -> Listing:
    """All images of the scenes under `root`.

    Args:
        chosen: the scenes to read, where `data.order` names some; the others need not be whole.

    Raises:
        UserError: for no scene, a scene without one of its two parts or with an image in both, and an LMDB
            that is damaged.
    """
    there = scenes_at(root)
    scenes = sorted(chosen or there)
    files = _files(root, scenes, there)
    sieve, rejected, found = Sieve(root), [], []
    sieve.outside(root, {f"{scene}{end}" for scene in there for end in ENDINGS.values()})
    frames: dict[tuple[str, Subset], pd.DataFrame] = {}
    for (scene, subset), file in tqdm(files.items(), desc="index", unit="LMDB", disable=None):
        frame, wrong = _read(file)
        sieve.outside(file.parent, {DATA, LOCK})
        frames[scene, subset] = frame.assign(subset=subset, class_id=scene)
        rejected += wrong
        found.append(_told(file.parent.name, len(frame) + len(wrong), _published(scene, subset)))
    refuse([fault for scene in scenes for fault in _in_both(scene, frames)])
    if others := [printable(scene) for scene in there if scene not in scenes]:
        found.append(f"scenes that data.order does not name, and nothing reads: {', '.join(others)}")
    known = [scene for scene in scenes if scene in TRAINING]
    return Listing(
        source="LSUN",
        found=found,
        classes=scenes,
        images=in_order(pd.concat(frames.values())),
        words={scene: scene.replace("_", " ") for scene in scenes},
        official={
            subset: {scene: _published(scene, subset) for scene in known} for subset in ENDINGS if known
        },
        rejected=[*sieve.rejected, *rejected],
        passed_over=sieve.passed_over,
    )


def _files(root: Path, scenes: Sequence[str], there: Sequence[str]) -> dict[tuple[str, Subset], Path]:
    """The two LMDBs of each scene.

    Raises:
        UserError: naming all that is missing, and scenes whose names cannot be those of classes.
    """
    if not there:
        raise UserError(
            f"{root} holds no <scene>{ENDINGS['train']}/ and <scene>{ENDINGS['held_out']}/: unpack both zips "
            f"of a scene there, which {PAGE} tells how to fetch"
        )
    files = {
        (scene, subset): root / f"{scene}{end}" / DATA for scene in scenes for subset, end in ENDINGS.items()
    }
    unknown = {scene for scene in scenes if scene not in there}
    unnamed = {scene for scene in scenes if scene in there and is_no_name(scene)}
    refuse(
        [
            f"data.order names {scene}, of which {root} holds neither part; unpack both zips there, or "
            "correct the order"
            for scene in sorted(unknown)
        ]
        + [
            f"{root}: scene {printable(scene)} has a name that is no printable UTF-8; rename its folders"
            for scene in sorted(unnamed)
        ]
        + [
            f"{file} is missing, the {PARTS[subset]} images of {scene}; unpack {file.parent.name}.zip there"
            for (scene, subset), file in files.items()
            if scene not in unknown | unnamed and not file.is_file()
        ]
    )
    return files


def _in_both(scene: str, frames: dict[tuple[str, Subset], pd.DataFrame]) -> Iterator[str]:
    """What to say of keys that both parts of a scene have, as of a copy."""
    names = frames[scene, "train"]["name"]
    both = names[names.isin(frames[scene, "held_out"]["name"])]
    if len(both):
        training, validation = (f"{scene}{end}" for end in ENDINGS.values())
        yield (
            f"{validation} has {len(both):,} keys that {training} has, too, the first {both.iloc[0]}: what "
            f"is trained on cannot be held out; unpack {validation}.zip anew"
        )


def _read(file: Path) -> tuple[pd.DataFrame, list[Rejected]]:
    """The images of an LMDB, and those that cannot be used."""
    path, rows, wrong = file.as_posix(), [], []
    for value in values(file):
        name = value.key.decode("utf-8", "surrogateescape")
        if fault := _fault(name, value):
            wrong.append(Rejected(printable(name), fault))
        else:
            rows.append(Range(path, value.offset, value.size, name))
    return pd.DataFrame(rows, columns=Range._fields), wrong


def _fault(name: str, value: Value) -> str | None:
    if not name or UNPRINTABLE.search(name):
        return "is a key that is no printable text"
    return unusable(name, value.size)


def _published(scene: str, subset: Subset) -> int:
    """How many images; 0 of a scene that is none of LSUN's."""
    if scene not in TRAINING:
        return 0
    return TRAINING[scene] if subset == "train" else HELD_OUT


def _told(folder: str, images: int, published: int) -> str:
    if images == published:
        return f"{folder}: {images:,} images, as published"
    return f"{folder}: {images:,} images" + (f", {published:,} were published" if published else "")
