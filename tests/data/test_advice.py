"""What people most often get wrong about where their data lie, and that what is said of it helps."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image
from refused import refusal

from centigan.data.celeba_fixture import write_celeba
from centigan.data.shrunk_fixture import write_tiny_imagenet
from centigan.data.sources import list_source
from centigan.data.stl10_fixture import write_stl10
from centigan.settings.data import DataSettings
from centigan.settings.sources import Source

CLASSES = ("n01440764", "n01443537")


def images(folder: Path, count: int = 2) -> Path:
    folder.mkdir(parents=True)
    for number in range(count):
        Image.new("RGB", (8, 8)).save(folder / f"{folder.name}_{number}.png")
    return folder


def advised(said: str) -> Path:
    """The folder that is to be set."""
    found = re.search(r"set data\.root: (\S+)$", said)
    assert found, said
    return Path(found[1])


def is_read(root: Path, source: Source = "auto") -> bool:
    return len(list_source(DataSettings(root=str(root), source=source)).images) > 0


def tiny(root: Path) -> Path:
    write_tiny_imagenet(root, classes=2, per_class=2, held_out_per_class=1)
    return root


@pytest.mark.parametrize("source", ["auto", "tiny_imagenet"])
@pytest.mark.parametrize("below", ["data/a", "train"])
def test_a_root_two_folders_too_high_or_too_low_is_answered_with_the_right_one(
    source: Source, below: str, tmp_path: Path
) -> None:
    if below == "data/a":
        tiny(tmp_path / below)
        root = tmp_path
    else:
        root = tiny(tmp_path / "tiny") / "tiny-imagenet-200" / below
    assert is_read(advised(refusal(root, source)), source)


def test_the_folder_that_comes_out_of_stl10s_archive_is_answered_with_the_one_above(tmp_path: Path) -> None:
    write_stl10(tmp_path / "stl", classes=10, per_class=1, held_out_per_class=1)
    for source in ("auto", "stl10"):
        assert is_read(advised(refusal(tmp_path / "stl/stl10_binary", source)), "stl10")


def test_another_source_than_is_set_is_named(tmp_path: Path) -> None:
    root = tiny(tmp_path / "tiny")
    for source in ("cub200", "parquet", "celeba", "webdataset"):
        assert refusal(root, source).endswith(
            f"{root} looks like tiny_imagenet: set data.source: tiny_imagenet"
        )


def test_archives_that_must_be_unpacked_are_answered_with_the_line_that_does(tmp_path: Path) -> None:
    root = tiny(tmp_path / "tiny")
    shutil.make_archive(str(root / "tiny-imagenet-200"), "zip", root, "tiny-imagenet-200")
    shutil.rmtree(root / "tiny-imagenet-200")
    for source in ("auto", "tiny_imagenet"):
        assert f"unpack it with `centigan raw tiny_imagenet --root {root}` and" in refusal(root, source)
    packed = (root / "tiny-imagenet-200.zip").rename(root / "pictures.zip")
    for place in (root, packed):
        assert f"unpack it with `unzip {packed} -d {root}` and run again" in refusal(place)


def test_a_train_folder_alone_may_be_cut_and_a_flat_val_be_sorted(tmp_path: Path) -> None:
    for class_id in CLASSES:
        images(tmp_path / "train" / class_id)
    assert is_read(advised(refusal(tmp_path).replace(", of which data.held_out is held out", "")))
    images(tmp_path / "val")
    assert f"Held-out images lie in a folder of their class in {tmp_path}/val, too; or set" in refusal(
        tmp_path
    )


def test_what_lies_beside_a_train_folder_is_told_where_that_is_the_root(tmp_path: Path) -> None:
    for part in ("train", "val"):
        for class_id in CLASSES:
            images(tmp_path / part / class_id)
    found = list_source(DataSettings(root=str(tmp_path / "train"))).found
    assert found[-1] == f"{tmp_path}/val lies beside and is not read: data.root: {tmp_path} would hold it out"


@pytest.mark.parametrize(
    "names",
    [
        ("Train", "Val"),
        ("Train", "Val", "Test"),
        ("Training", "Testing"),
        ("seg_train/seg_train", "seg_test/seg_test"),
        ("train", "Validation"),
    ],
)
def test_folders_that_are_meant_for_train_and_val_are_read_once_renamed_as_is_told(
    names: tuple[str, ...], tmp_path: Path
) -> None:
    for name in names:
        for class_id in CLASSES:
            images(tmp_path / name / class_id)
    renamed = re.findall(r"(\S+)/ to (\w+)/", refusal(tmp_path))
    assert {before for before, _ in renamed} == {name for name in names if name != "train"}
    for before, after in renamed:
        (tmp_path / before).rename(tmp_path / after)
    assert list_source(DataSettings(root=str(tmp_path))).source.startswith("folders train/ and ")


def test_loose_images_belong_in_a_folder_of_their_class(tmp_path: Path) -> None:
    root = images(tmp_path / "cat")
    images(tmp_path / "dog")
    said = refusal(root)
    assert f"{root} holds images itself: put them in a folder of their class there" in said
    assert is_read(advised(said))


def test_a_set_that_is_downloaded_is_offered(tmp_path: Path) -> None:
    root = tmp_path / "imagenette"
    assert refusal(root).endswith(
        f"`centigan raw imagenette --root {root}` downloads it, where there is a network"
    )
    (tmp_path / "birds").mkdir()
    assert f"`centigan raw cub200 --root {tmp_path}/birds` downloads it" in refusal(
        tmp_path / "birds", "cub200"
    )


def test_right_class_folders_get_no_advice_whatever_lies_among_or_beside_them(tmp_path: Path) -> None:
    root = tmp_path / "mine"
    for class_id in CLASSES:
        images(root / class_id)
        (root / class_id / "points.csv").touch()  # a file that is the sign of another source
    assert is_read(root)
    images(root / "Test", 1)
    (root / "backup.tar.gz").touch()
    (root / "cover.png").touch()
    (tmp_path / "ILSVRC2012_img_val.tar").touch()
    for source in ("auto", "class-folders"):
        said = refusal(root, source)
        assert f"class folder {root}/Test needs two images at least" in said
        assert not re.search(r"set data\.|rename|unpack|put them in", said)


@pytest.mark.parametrize("link", [False, True])
def test_a_root_that_is_named_by_a_dot_or_a_link_is_answered_with_a_path(
    link: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    within = tiny(tmp_path / "tiny") / "tiny-imagenet-200/train"
    (tmp_path / "link").symlink_to(within)
    monkeypatch.chdir(within)
    said = refusal(tmp_path / "link" if link else Path(), "tiny_imagenet")
    assert advised(said) == within.parent
    assert is_read(advised(said), "tiny_imagenet")


def test_commands_can_be_copied_whatever_the_names(tmp_path: Path) -> None:
    root = tmp_path / "my pics"
    images(root / "in/a")
    images(root / "in/b")
    shutil.make_archive(str(root / "x;y"), "gztar", root / "in")
    shutil.rmtree(root / "in")
    command = re.search(r"`(tar .*)`", refusal(root))
    assert command
    subprocess.run(command[1], shell=True, check=True)
    assert is_read(root)


def test_folders_above_a_set_of_its_own_are_answered_with_both_settings(tmp_path: Path) -> None:
    root = tiny(tmp_path / "tiny")
    place = root / "tiny-imagenet-200"
    said = refusal(root, "folders")
    assert said.endswith(f"set data.root: {place}, and data.source: tiny_imagenet")


def test_no_advice_is_given_where_the_set_lies_at_the_root(tmp_path: Path) -> None:
    write_celeba(tmp_path / "celeba", classes=1, per_class=2, held_out_per_class=1)
    (tmp_path / "celeba/img_align_celeba.zip").write_bytes(b"PK")
    assert refusal(tmp_path / "celeba").endswith("fetch it anew")
