from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from small import ARRAYS

from centigan.data.arrays import build_arrays, centre_square
from centigan.data.index import build_index
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.manifest import read_manifest
from centigan.settings import DataSettings


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
    assert read_manifest(folder)["classes"] == ["cat", "dog"]


def test_arrays_are_the_same_bytes_twice(layout: Layout) -> None:
    names = ("images.npy", "held_out_images.npy", "manifest.json")
    before = [(layout.arrays("00") / name).read_bytes() for name in names]
    build_arrays(layout, "00", ARRAYS)
    assert [(layout.arrays("00") / name).read_bytes() for name in names] == before


def test_per_class_limits_training_images_only(tmp_path: Path, data_settings: DataSettings) -> None:
    layout = Layout("limited", tmp_path)
    build_index(layout, data_settings.model_copy(update={"per_class": 3}))
    classes = pd.read_csv(layout.classes)
    assert set(classes["train"]) == {3}
    assert set(classes["held_out"]) == {2}


def test_the_centre_square_of_a_wide_image_is_its_middle() -> None:
    pixels = np.zeros((4, 10, 3), np.uint8)
    pixels[:, 3:7] = 200
    assert (np.asarray(centre_square(Image.fromarray(pixels), 4)) == 200).all()


def test_shrinking_a_fine_checkerboard_gives_grey_not_aliasing() -> None:
    board = (np.indices((256, 256)).sum(0) % 2 * 255).astype(np.uint8)
    small = np.asarray(centre_square(Image.fromarray(board).convert("RGB"), 32), float)
    assert np.abs(small - 127.5).max() < 4


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "I;16", "1"])
def test_every_colour_mode_becomes_rgb(mode: str, raw: Path, tmp_path: Path) -> None:
    target = raw / "train" / "cat" / ("0.jpg" if mode == "CMYK" else "0.png")
    (raw / "train" / "cat" / "0.png").unlink()
    Image.new(mode, (33, 44)).save(target)
    layout = Layout("modes", tmp_path)
    build_index(layout, DataSettings(root=str(raw), classes=4, split_size=2))
    build_arrays(layout, "00", ARRAYS)
    assert np.load(layout.arrays("00") / "images.npy").shape == (10, 32, 32, 3)


def test_a_missing_raw_folder_is_named(tmp_path: Path) -> None:
    settings = DataSettings(root=str(tmp_path / "nowhere"), classes=4)
    with pytest.raises(UserError, match=r"nowhere/train is missing.*data\.root"):
        build_index(Layout("x", tmp_path), settings)


def test_a_class_folder_without_images_is_named(
    raw: Path, tmp_path: Path, data_settings: DataSettings
) -> None:
    for image in (raw / "train" / "eel").iterdir():
        image.unlink()
    with pytest.raises(UserError, match=r"train/eel holds no images"):
        build_index(Layout("x", tmp_path), data_settings)


def test_another_number_of_classes_is_said(tmp_path: Path, data_settings: DataSettings) -> None:
    with pytest.raises(UserError, match=r"has 4 class folders, but `data.classes` says 5"):
        build_index(Layout("x", tmp_path), data_settings.model_copy(update={"classes": 5}))


def test_a_class_of_one_side_only_is_named(raw: Path, tmp_path: Path, data_settings: DataSettings) -> None:
    (raw / "val" / "fox").rename(raw / "val" / "gnu")
    with pytest.raises(UserError, match=r"class fox of .* only one of"):
        build_index(Layout("x", tmp_path), data_settings)


def test_a_file_that_is_no_image_is_named(raw: Path, layout: Layout) -> None:
    (raw / "train" / "dog" / "3.png").write_text("not an image")
    with pytest.raises(UserError, match=r"train/dog/3.png is no image"):
        build_arrays(layout, "00", ARRAYS)


def test_a_truncated_jpeg_is_named(raw: Path, tmp_path: Path, data_settings: DataSettings) -> None:
    whole = raw / "train" / "cat" / "9.jpg"
    Image.effect_noise((200, 200), 80).convert("RGB").save(whole)
    whole.write_bytes(whole.read_bytes()[:4000])
    layout = Layout("x", tmp_path)
    build_index(layout, data_settings)
    with pytest.raises(UserError, match=r"train/cat/9.jpg cannot be read: .*truncated"):
        build_arrays(layout, "00", ARRAYS)
    assert not (layout.arrays("00") / "manifest.json").exists()
