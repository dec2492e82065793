"""Compressed Parquet whose classes lie scattered: its arrays are those of folders, read in another order."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from small import ARRAYS

from centigan.data.arrays import build_arrays
from centigan.data.index import build_index
from centigan.data.sources import parquet_rows
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.manifest import read_manifest
from centigan.settings.data import DataSettings

CLASSES = ("cat", "dog", "eel", "fox")
PER_CLASS, HELD_OUT = {"train": 30, "val": 4}, {"train": "train", "val": "validation"}
GROUP, GROUPS = 7, 18  # rows of a row group, and row groups of 4 * 30 rows in two files
MADE = ("images.npy", "labels.npy", "held_out_images.npy", "held_out_labels.npy", "facts.json")
Pictures = list[tuple[str, str, bytes]]  # (class, name, content)


def pictures(subset: str) -> Pictures:
    """Of each class small images; every fifth is bad, every third odd."""
    rng = np.random.default_rng(len(subset))
    found = []
    for number in range(len(CLASSES) * PER_CLASS[subset]):
        file = io.BytesIO()
        image = Image.fromarray(rng.integers(0, 256, (9, 12, 3), np.uint8))
        (image.convert("L") if number % 3 == 0 else image).save(file, "JPEG" if number % 2 else "PNG")
        content = file.getvalue()[: 60 if number % 5 == 2 else None]
        found.append((CLASSES[number % 4], f"{subset}_{number:03d}.jpg", content))
    return found


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    for subset in PER_CLASS:
        for class_id, name, content in pictures(subset):
            path = tmp_path / "folders" / subset / class_id / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return tmp_path / "folders"


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    (tmp_path / "hub/data").mkdir(parents=True)
    for subset, part in HELD_OUT.items():
        found = pictures(subset)
        order = np.random.default_rng(0).permutation(len(found))
        for number, half in enumerate(np.array_split(order, 2)):
            path = tmp_path / f"hub/data/{part}-0000{number}-of-00002.parquet"
            write(path, [found[position] for position in half])
    return tmp_path / "hub"


def write(path: Path, found: Pictures) -> None:
    features = {"label": {"names": CLASSES, "_type": "ClassLabel"}}
    table = pa.table(
        {
            "image": [{"bytes": content, "path": name} for _, name, content in found],
            "label": [CLASSES.index(class_id) for class_id, _, _ in found],
        }
    ).replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(table, path, row_group_size=GROUP, compression="snappy")


def indexed(root: Path, place: Path, **others: Any) -> Layout:
    words = {"root": str(root), "classes": 4, "split_size": 4, "on_bad_image": "reject", **others}
    build_index(Layout("x", place), DataSettings.model_validate(words))
    return Layout("x", place)


def told(layout: Layout) -> Any:
    """What the manifest tells of images, with what was left out by name alone."""
    manifest = read_manifest(layout.arrays("00"))
    rejected = {
        subset: [(Path(one["name"].split(" in ")[0]).name, one["reason"]) for one in of]
        for subset, of in manifest["rejected"].items()
    }
    converted = {subset: list(of.items()) for subset, of in manifest["converted"].items()}
    return manifest["images"], converted, rejected


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The row groups that pyarrow was asked for."""
    groups: list[int] = []
    read = pq.ParquetFile.iter_batches

    def counted(file: pq.ParquetFile, size: int, row_groups: list[int], **others: Any) -> Any:
        groups.extend(row_groups)
        return read(file, size, row_groups=row_groups, **others)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", counted)
    return groups


@pytest.mark.parametrize("at_once", [128, 10, 3])
@pytest.mark.parametrize("threads", [1, 3])
def test_arrays_and_what_is_told_of_them_are_those_of_folders(
    folders: Path, hub: Path, tmp_path: Path, at_once: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_rows, "AT_ONCE", at_once)
    made = []
    for root in (folders, hub):
        layout = indexed(root, tmp_path / "made" / root.name)
        build_arrays(layout, "00", ARRAYS, root, threads=threads)
        made.append(layout)
    first, second = made
    for name in MADE:
        assert (first.arrays("00") / name).read_bytes() == (second.arrays("00") / name).read_bytes()
    assert told(first) == told(second)
    images, converted, rejected = told(second)
    assert images == {"train": 96, "held_out": 13}
    assert [len(names) for _, names in converted["train"]] == [48, 32]
    assert len(rejected["train"]) == 24


def test_each_row_group_is_read_once_for_a_split(hub: Path, tmp_path: Path, asked: list[int]) -> None:
    layout = indexed(hub, tmp_path)
    for at_once in (128, 2 * GROUP, GROUP, GROUP // 2, 1):  # a group may be larger than a block
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(parquet_rows, "AT_ONCE", at_once)
            asked.clear()
            build_arrays(layout, "00", ARRAYS, hub, threads=3)
        of_training, of_held_out = sorted([*range(GROUPS // 2)] * 2), sorted([*range(2)] * 2)
        assert sorted(asked) == sorted(of_training + of_held_out)


def test_each_row_group_is_read_once_for_the_checksums(hub: Path, tmp_path: Path, asked: list[int]) -> None:
    layout = indexed(hub, tmp_path / "with", checksums=True)
    of_checksums = len(asked)
    indexed(hub, tmp_path / "without")
    assert of_checksums - (len(asked) - of_checksums) == GROUPS + 4
    assert len(set(layout.index("00").parent.iterdir())) == 1


def test_the_first_bad_image_of_the_file_is_the_one_that_is_told(tmp_path: Path) -> None:
    good = [one for one in pictures("train") if len(one[2]) > 60]
    bad = [(class_id, f"{class_id}.png", b"?") for class_id in ("fox", "cat")]
    for part, found in (("train", [*good[:30], bad[0], *good[30:60], bad[1]]), ("validation", good[60:])):
        path = tmp_path / f"hub/data/{part}-00000-of-00001.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, found)
    layout = indexed(tmp_path / "hub", tmp_path, on_bad_image="error")
    for threads in (1, 4):
        with pytest.raises(UserError, match=r"fox\.png in .*/train-00000-of-00001\.parquet is no image"):
            build_arrays(layout, "00", ARRAYS, tmp_path / "hub", threads=threads)
