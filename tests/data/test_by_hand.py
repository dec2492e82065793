"""A place that lacks a set is answered with all that belongs there, and is never called a disk's trouble."""

from pathlib import Path
from typing import get_args

import pytest

from centigan.cli import run_verb
from centigan.data.sources import list_source
from centigan.errors import UserError
from centigan.settings.data import DataSettings
from centigan.settings.sources import BY_HAND, Source


@pytest.mark.parametrize("source", get_args(Source))
def test_a_root_without_the_set_is_no_trouble_of_a_disk(source: Source, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "file").touch()
    for name in ("missing", "other", "file"):
        data = DataSettings(source=source, root=str(tmp_path / name), classes=10, split_size=10)
        with pytest.raises(UserError) as refused:
            list_source(data)
        assert "its disk" not in str(refused.value)
        assert name in str(refused.value)


@pytest.mark.parametrize(
    ("source", "files"),
    [
        ("archives", ["ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar", "devkit_t12", "image-net.org"]),
        ("kaggle", ["ILSVRC/Data/CLS-LOC/train/", "LOC_val_solution.csv", "kaggle.com"]),
        ("hub_archives", ["train_images_4.tar", "val_images.tar", "huggingface.co"]),
        ("imagenet_npz", ["train_data_batch_10.npz", "val_data.npz", "map_clsloc.txt", "download-images"]),
        ("celeba", ["img_align_celeba.zip", "list_eval_partition.txt", "CelebA.html"]),
    ],
)
def test_all_files_that_are_fetched_by_hand_are_said_at_once(
    source: Source, files: list[str], tmp_path: Path
) -> None:
    with pytest.raises(UserError) as refused:
        list_source(DataSettings(source=source, root=str(tmp_path), classes=10, split_size=10))
    assert str(refused.value).startswith(f"{tmp_path} holds no ")
    assert all(file in str(refused.value) for file in files)


@pytest.mark.parametrize("name", BY_HAND)
def test_raw_says_what_to_put_where_of_a_set_that_is_fetched_by_hand(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "raw"
    assert run_verb(["raw", name, "--root", str(root)]) == 1
    assert f"{name} is fetched by hand: put at {root} " in caplog.text
    assert "https://" in caplog.text or "http://" in caplog.text
    root.mkdir()
    (root / "img_align_celeba.zip").touch()
    assert run_verb(["raw", name, "--root", str(root)]) == 0
