"""A root that is one folder too high is answered with the folder to set, whatever source is in it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from refused import refusal

from centigan.data.sources import list_source, recognise
from centigan.data.sources.signs import BELOW, LIKE, SIGNS
from centigan.errors import UserError
from centigan.settings.data import DataSettings
from centigan.settings.sources import Source


def touch(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()


def images(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name in ("a.png", "b.png"):
        Image.new("RGB", (8, 8)).save(folder / name)


LAID: dict[Source, Callable[[Path], None]] = {
    **{source: lambda folder, sign=sign: touch(folder / sign) for sign, source in SIGNS.items()},
    "lsun": lambda folder: touch(folder / "bedroom_train_lmdb/data.mdb"),
    "mnist": lambda folder: touch(folder / "train-images-idx3-ubyte.gz"),
    "folders": lambda folder: touch(folder / "train/cat/1.png"),
    "webdataset": lambda folder: touch(folder / "x-train-000000.tar"),
    "parquet": lambda folder: touch(folder / "train-00000-of-00001.parquet"),
}


@pytest.mark.parametrize("source", LAID)
def test_a_source_one_folder_down_is_named(tmp_path: Path, source: Source) -> None:
    LAID[source](tmp_path / "inner")
    expected = f"{tmp_path} holds inner/ ({source}): set data.root: {tmp_path}/inner"
    if source in BELOW:
        assert refusal(tmp_path) == expected
        with pytest.raises(UserError, match=r"set data\.root"):
            recognise(tmp_path)
    else:
        assert "class folder" in refusal(tmp_path)
        assert refusal(tmp_path).endswith(f". {expected}")
    assert refusal(tmp_path, source).endswith(f". {expected}")


@pytest.mark.parametrize("source", LIKE)
def test_a_source_with_the_signs_of_another_is_named_too(tmp_path: Path, source: Source) -> None:
    LAID[LIKE[source]](tmp_path / "inner")
    assert refusal(tmp_path, source).endswith(f"set data.root: {tmp_path}/inner")


def test_several_are_named_and_a_set_source_chooses_among_them(tmp_path: Path) -> None:
    for name, source in (("a", "celeba"), ("b", "lsun"), (".c", "lsun"), ("__MACOSX", "lsun")):
        LAID[source](tmp_path / name)
    assert refusal(tmp_path) == (
        f"{tmp_path} holds a/ (celeba), b/ (lsun): set data.root: {tmp_path}/a or {tmp_path}/b"
    )
    assert refusal(tmp_path, "lsun").endswith(f"{tmp_path} holds b/ (lsun): set data.root: {tmp_path}/b")
    for number in range(7):
        LAID["svhn"](tmp_path / f"s{number}")
    assert "s3/ (svhn), s4/ (svhn), ...: set data.root" in refusal(tmp_path, "svhn").replace("s0/", "", 1)


def test_nothing_is_said_of_folders_where_the_source_lies_at_the_root(tmp_path: Path) -> None:
    LAID["celeba"](tmp_path)
    LAID["celeba"](tmp_path / "inner")
    assert "set data.root" not in refusal(tmp_path, "celeba")
    assert "set data.root" not in refusal(tmp_path)
    assert "set data.root" not in refusal(tmp_path, "cub200")


def test_class_folders_with_an_archive_among_their_images_are_still_class_folders(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        images(tmp_path / name)
    touch(tmp_path / "cat/x-train-0.tar")
    found = list_source(DataSettings(root=str(tmp_path)))
    assert (found.source, found.classes) == ("class folders", ["cat", "dog"])
