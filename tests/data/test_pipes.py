"""What is no plain file is an error at once: opening a pipe would wait for a writer."""

import os
from pathlib import Path

import pytest

from centigan.cli import run_verb
from centigan.data.sources import list_source
from centigan.errors import UserError
from centigan.settings.data import DataSettings

FILES = {
    "imagenet_npz": ("train_data_batch_1.npz", "val_data.npz", "map_clsloc.txt"),
    "celeba": ("img_align_celeba.zip", "list_eval_partition.txt", "list_attr_celeba.txt"),
    "coco_captions": ("annotations/captions_train2014.json",),
    "cub200": ("CUB_200_2011/images.txt", "text_c10/001.Astronaut/Astronaut_0001.txt"),
    "lsun": ("bedroom_train_lmdb/data.mdb",),
    "tiny_imagenet": ("tiny-imagenet-200/wnids.txt",),
    "webdataset": ("imagenet-train-0000.tar",),
    "parquet": ("data/train-00000-of-00002.parquet",),
}
COUNTS = ["--classes", "2", "--per-class", "4", "--held-out-per-class", "2"]


@pytest.mark.parametrize("kind", FILES)
def test_a_pipe_in_the_place_of_a_file_is_named(kind: str, tmp_path: Path) -> None:
    root = tmp_path / kind
    assert run_verb(["fixture", kind, "--out", str(root), *COUNTS]) == 0
    for name in FILES[kind]:
        path = root / name
        kept = path.rename(tmp_path / "kept")
        os.mkfifo(path)
        with pytest.raises(UserError, match=r"no plain file|is missing"):
            list_source(DataSettings(root=str(root), source=kind))
        path.unlink()
        kept.rename(path)
    assert len(list_source(DataSettings(root=str(root), source=kind)).images)
