import hashlib
import io
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from small import ARRAYS

from centigan.data.arrays import build_arrays
from centigan.data.index import build_index
from centigan.data.sources import contents
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.manifest import read_facts, read_manifest
from centigan.settings.data import DataSettings
from centigan.settings.stages import ArraysStage


def jpeg() -> bytes:
    return encoded(Image.effect_noise((200, 200), 80).convert("RGB"), "JPEG")


def png() -> bytes:
    return encoded(Image.effect_noise((40, 40), 80), "PNG")


def bomb() -> bytes:
    """A PNG of 4 GB, decoded."""
    head = b"IHDR" + struct.pack(">IIBBBBB", 36_000, 36_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
    return png()[:8] + chunk + png()[33:]


def encoded(image: Image.Image, form: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form)
    return buffer.getvalue()


def test_classes_are_cut_into_contiguous_splits_of_the_sorted_list(layout: Layout) -> None:
    classes = pd.read_csv(layout.classes, dtype=str)
    assert classes["class_id"].tolist() == ["cat", "dog", "eel", "fox"]
    assert classes["split"].tolist() == ["00", "00", "01", "01"]
    assert set(classes["train"]) == {"5"}
    assert set(classes["held_out"]) == {"2"}


def test_arrays_hold_every_image_of_the_split_once(layout: Layout) -> None:
    folder = layout.arrays("00")
    images, labels = np.load(folder / "images.npy"), np.load(folder / "labels.npy")
    assert images.shape == (10, 32, 32, 3)
    assert images.dtype == np.uint8
    assert labels.tolist() == [0] * 5 + [1] * 5
    assert labels.dtype == np.int16
    assert np.load(folder / "held_out_images.npy").shape == (4, 64, 64, 3)
    assert read_facts(folder)["classes"] == ["cat", "dog"]


def test_arrays_are_the_same_bytes_twice(layout: Layout, raw: Path) -> None:
    names = ("images.npy", "held_out_images.npy", "manifest.json")
    before = [(layout.arrays("00") / name).read_bytes() for name in names]
    build_arrays(layout, "00", ARRAYS, raw)
    assert [(layout.arrays("00") / name).read_bytes() for name in names] == before


def grey(raw: Path, data_settings: DataSettings, root: Path, *, but: str = "") -> Layout:
    """An index of the raw tree, whose images are made grey, but for those of one class."""
    for image in raw.rglob("*.png"):
        if image.parent.name != but:
            Image.open(image).convert("L").save(image)
    layout = Layout("grey", root)
    build_index(layout, data_settings)
    return layout


def of_one_channel() -> ArraysStage:
    return ArraysStage.model_validate({"arrays": {"resolution": 32, "channels": 1}})


def test_grey_images_are_said_to_have_one_channel_and_files_keep_three(
    raw: Path, tmp_path: Path, data_settings: DataSettings
) -> None:
    layout = grey(raw, data_settings, tmp_path)
    build_arrays(layout, "00", of_one_channel(), raw)
    folder = layout.arrays("00")
    images = np.load(folder / "images.npy")
    assert images.shape[1:] == (32, 32, 3)
    assert (images == images[..., :1]).all()
    assert read_facts(folder)["channels"] == 1
    build_arrays(layout, "00", ARRAYS, raw)
    assert "channels" not in read_facts(folder)
    assert np.array_equal(np.load(folder / "images.npy"), images)


def test_one_channel_of_images_with_colours_is_an_error_that_names_one(
    raw: Path, tmp_path: Path, data_settings: DataSettings
) -> None:
    layout = grey(raw, data_settings, tmp_path, but="dog")
    with pytest.raises(
        UserError, match=r"train/dog/0\.png is not grey, and arrays\.channels is 1; set it to 3"
    ):
        build_arrays(layout, "00", of_one_channel(), raw)
    assert not (layout.arrays("00") / "manifest.json").exists()


def test_per_class_limits_training_images_only(tmp_path: Path, data_settings: DataSettings) -> None:
    layout = Layout("limited", tmp_path)
    build_index(layout, data_settings.model_copy(update={"per_class": 3}))
    classes = pd.read_csv(layout.classes)
    assert set(classes["train"]) == {3}
    assert set(classes["held_out"]) == {2}


def test_a_missing_raw_folder_is_named(tmp_path: Path) -> None:
    settings = DataSettings(root=str(tmp_path / "nowhere"), classes=4)
    with pytest.raises(UserError, match=r"nowhere is missing.*data\.root"):
        build_index(Layout("x", tmp_path), settings)


def test_a_class_folder_without_images_is_named(
    raw: Path, tmp_path: Path, data_settings: DataSettings
) -> None:
    for image in (raw / "train" / "eel").iterdir():
        image.unlink()
    with pytest.raises(UserError, match=r"class eel holds no train images"):
        build_index(Layout("x", tmp_path), data_settings)


def test_another_number_of_classes_is_said(tmp_path: Path, data_settings: DataSettings) -> None:
    with pytest.raises(UserError, match=r"has 4 classes, but `data.classes` says 5"):
        build_index(Layout("x", tmp_path), data_settings.model_copy(update={"classes": 5}))


def test_a_class_of_one_side_only_is_named(raw: Path, tmp_path: Path, data_settings: DataSettings) -> None:
    (raw / "val" / "fox").rename(raw / "val" / "gnu")
    with pytest.raises(UserError, match=r"class fox of .* is in train/ and not in val/, and 1 more"):
        build_index(Layout("x", tmp_path), data_settings)


BROKEN = {  # content -> what is said of it
    "no image": (b"not an image", "is no image"),
    "empty": (b"", "is empty"),
    "cut JPEG": (jpeg()[:4000], "cannot be read: .*truncated"),
    "cut PNG": (png()[:400], "cannot be read: .*"),
    "bomb": (bomb(), "is absurdly large"),
}


def index_with(content: bytes, raw: Path, root: Path, policy: str) -> Layout:
    """An index of the raw tree, in which train/dog/3.png has this content."""
    (raw / "train" / "dog" / "3.png").write_bytes(content)
    layout = Layout("x", root)
    data = DataSettings(root=str(raw), classes=4, split_size=2, on_bad_image=policy)
    build_index(layout, data)
    return layout


@pytest.mark.parametrize(("content", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_bad_image_is_an_error_that_names_it(
    content: bytes, reason: str, raw: Path, tmp_path: Path
) -> None:
    layout = index_with(content, raw, tmp_path, "error")
    with pytest.raises(UserError, match=rf"train/dog/3\.png {reason}.*data\.on_bad_image"):
        build_arrays(layout, "00", ARRAYS, raw)
    assert not (layout.arrays("00") / "images.npy").exists()
    assert not (layout.arrays("00") / "manifest.json").exists()


@pytest.mark.parametrize(("content", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_bad_image_is_left_out_and_listed_where_that_is_asked(
    content: bytes, reason: str, raw: Path, tmp_path: Path, layout: Layout
) -> None:
    whole = np.load(layout.arrays("00") / "images.npy")
    rejecting = index_with(content, raw, tmp_path, "reject")
    build_arrays(rejecting, "00", ARRAYS, raw)
    folder = rejecting.arrays("00")
    assert np.array_equal(np.load(folder / "images.npy"), np.delete(whole, 8, axis=0))
    assert np.load(folder / "labels.npy").tolist() == [0] * 5 + [1] * 4
    (rejected,) = read_manifest(folder)["rejected"]["train"]
    assert rejected["name"].endswith("train/dog/3.png")
    assert re.match(reason, rejected["reason"])


def test_a_class_of_bad_images_only_is_an_error(raw: Path, tmp_path: Path) -> None:
    for image in (raw / "train" / "dog").iterdir():
        image.write_bytes(b"?")
    with pytest.raises(UserError, match=r"class dog: every one of its train images is bad"):
        build_arrays(index_with(b"?", raw, tmp_path, "reject"), "00", ARRAYS, raw)


def test_an_image_that_changed_or_went_since_the_index_is_named(layout: Layout, raw: Path) -> None:
    image = raw / "train" / "cat" / "1.png"
    image.write_bytes(image.read_bytes()[:-7])
    build_arrays(layout, "00", ARRAYS, raw)
    (rejected,) = read_manifest(layout.arrays("00"))["rejected"]["train"]
    assert "when it was indexed" in rejected["reason"]
    image.unlink()
    with pytest.raises(UserError, match=r"cat/1\.png: No such file.*indexed"):
        build_arrays(layout, "00", ARRAYS, raw)


def test_the_bytes_do_not_depend_on_the_number_of_threads(
    layout: Layout, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("images.npy", "held_out_images.npy", "labels.npy", "manifest.json")
    before = [(layout.arrays("00") / name).read_bytes() for name in names]
    monkeypatch.setattr(contents, "BLOCK", 3)  # several tasks, whose ends do not meet the array's
    build_arrays(layout, "00", ARRAYS, raw, threads=4)
    assert [(layout.arrays("00") / name).read_bytes() for name in names] == before


def test_the_file_is_what_numpy_would_save(layout: Layout, tmp_path: Path) -> None:
    written = layout.arrays("00") / "images.npy"
    np.save(tmp_path / "same.npy", np.load(written))
    assert written.read_bytes() == (tmp_path / "same.npy").read_bytes()


def test_a_split_has_an_index_of_its_own(layout: Layout) -> None:
    for split in ("00", "01"):
        assert pd.read_parquet(layout.index(split))["split"].unique().tolist() == [split]


def test_checksums_are_those_of_the_contents(raw: Path, tmp_path: Path, data_settings: DataSettings) -> None:
    layout = Layout("sums", tmp_path)
    build_index(layout, data_settings.model_copy(update={"checksums": True}))
    row = pd.read_parquet(layout.index("00")).iloc[7]
    assert row["sha256"] == hashlib.sha256((raw / row["path"]).read_bytes()).hexdigest()
    build_index(layout, data_settings)
    assert pd.read_parquet(layout.index("00"))["sha256"].isna().all()


@pytest.mark.parametrize("split_size", [1, 3, 4])
def test_groups_may_have_any_size(split_size: int, raw: Path, tmp_path: Path) -> None:
    layout = Layout("sizes", tmp_path)
    build_index(layout, DataSettings(root=str(raw), classes=4, split_size=split_size))
    expected = [f"{label // split_size:02d}" for label in range(4)]
    assert pd.read_csv(layout.classes, dtype=str)["split"].tolist() == expected


def test_a_file_gives_the_order_of_classes_and_chooses_among_them(raw: Path, tmp_path: Path) -> None:
    order = tmp_path / "order.txt"
    order.write_text("fox\n\ncat\neel\n")
    layout = Layout("ordered", tmp_path)
    build_index(layout, DataSettings(root=str(raw), classes=3, split_size=2, order=str(order)))
    classes = pd.read_csv(layout.classes, dtype=str)
    assert classes["class_id"].tolist() == ["fox", "cat", "eel"]
    assert classes["split"].tolist() == ["00", "00", "01"]
    build_arrays(layout, "00", ARRAYS, raw)
    assert read_facts(layout.arrays("00"))["classes"] == ["fox", "cat"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fox\ncow\n", "names class cow, which the data lacks"),
        ("fox\nfox\n", "names class fox 2 times"),
        (None, "neither sorted, nor devkit, nor a file"),
    ],
)
def test_an_order_that_cannot_be_had_is_said(
    text: str | None, message: str, raw: Path, tmp_path: Path
) -> None:
    order = tmp_path / "order.txt"
    if text is not None:
        order.write_text(text)
    with pytest.raises(UserError, match=message):
        build_index(Layout("x", tmp_path), DataSettings(root=str(raw), classes=2, order=str(order)))


def test_the_order_of_a_devkit_needs_a_devkit(raw: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="needs ILSVRC2012's devkit"):
        build_index(Layout("x", tmp_path), DataSettings(root=str(raw), classes=4, order="devkit"))
