"""LSUN's scenes (Yu et al. 2015), read in place as their zips are unpacked: a class is a scene.

<scene>_train_lmdb/ and <scene>_val_lmdb/ are LMDBs whose values are whole images, mostly WebP with a short
side of 256. A scene has 300 images of validation, which are held out. An image is named by its key.
"""

from collections.abc import Collection
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
    """The scenes of which a folder lies there."""
    names = [path.name for path in root.iterdir() if path.is_dir()] if root.is_dir() else []
    known = [name for name in names if not is_hidden(name)]
    found = {name.removesuffix(end) for name in known for end in ENDINGS.values() if name.endswith(end)}
    return sorted(filter(None, found))


def list_lsun(root: Path, chosen: Collection[str] | None = None) -> Listing:
    """All images of the scenes under `root`.

    Args:
        chosen: scenes that are wanted of those; others are not read. None: all.

    Raises:
        UserError: for no scene, a scene without one of its two parts, an LMDB that is damaged, and images in
            both parts of a scene.
    """
    there = scenes_at(root)
    scenes = [scene for scene in there if chosen is None or scene in chosen]
    files = {
        (scene, subset): root / f"{scene}{end}" / DATA for scene in scenes for subset, end in ENDINGS.items()
    }
    _require_whole(root, there, files)
    sieve, rejected, found = Sieve(root), [], []
    frames: dict[tuple[str, Subset], pd.DataFrame] = {}
    sieve.outside(root, {f"{scene}{end}" for scene in there for end in ENDINGS.values()})
    for (scene, subset), file in tqdm(files.items(), desc="index", unit="LMDB", disable=None):
        frame, wrong = _read(file)
        sieve.outside(file.parent, {DATA, LOCK})
        frames[scene, subset] = frame.assign(subset=subset, class_id=scene)
        rejected += wrong
        found.append(_told(file.parent.name, len(frame) + len(wrong), _published(scene, subset)))
    refuse([fault for scene in scenes if (fault := _in_both(files, frames, scene))])
    if others := sorted(set(there).difference(scenes)):
        found.append(f"not read, since data.order does not name them: {', '.join(others)}")
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


def _require_whole(root: Path, there: list[str], files: dict[tuple[str, Subset], Path]) -> None:
    """Raise an error for folders that are missing, and for scenes that cannot be classes."""
    refuse(
        [f"{printable(str(root / scene))} can be no scene; rename it" for scene in there if is_no_name(scene)]
    )
    if not files:
        others = f", but {', '.join(there)}, which data.order does not name" if there else ""
        raise UserError(
            f"{root} holds no <scene>{ENDINGS['train']}/ and <scene>{ENDINGS['held_out']}/{others}: unpack "
            f"both zips of a scene there, which {PAGE} tells how to fetch"
        )
    refuse(
        [
            f"{file} is missing, the {PARTS[subset]} images of {scene}; unpack {file.parent.name}.zip there"
            for (scene, subset), file in files.items()
            if not file.is_file()
        ]
    )


def _in_both(
    files: dict[tuple[str, Subset], Path], frames: dict[tuple[str, Subset], pd.DataFrame], scene: str
) -> str | None:
    """What to say of a scene whose held-out images are trained on, too."""
    names = frames[scene, "held_out"]["name"]
    twice = names[names.isin(frames[scene, "train"]["name"])]
    if twice.empty:
        return None
    train, held_out = (files[scene, subset].parent for subset in ENDINGS)
    return (
        f"{len(twice):,} of the {len(names):,} images of {held_out} are in {train.name}, too, such as "
        f"{twice.iloc[0]}; unpack the zip of each anew"
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
