"""Which of LSUN's scenes are read, by their names and by `data.order`; none is held out from itself."""

import os
import shutil
from pathlib import Path

import pytest
import refused

from centigan.data.index import build_index
from centigan.data.lsun_fixture import write_lsun
from centigan.data.order import order_classes
from centigan.data.sources import list_source, recognise
from centigan.data.sources.listing import Listing
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.settings.data import DataSettings


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three scenes: bedroom, bridge, church_outdoor; never written to."""
    root = tmp_path_factory.mktemp("lsun")
    write_lsun(root, classes=3, per_class=3, held_out_per_class=2)
    return root


def settings(root: Path, **others: object) -> DataSettings:
    return DataSettings.model_validate({"root": str(root), "classes": 1, "split_size": 1, **others})


def listing(root: Path, **others: object) -> Listing:
    return list_source(settings(root, **others))


def refusal(root: Path, **others: object) -> str:
    return refused.refusal(root, **{"classes": 1, "split_size": 1, **others})


def order(tmp_path: Path, *scenes: str) -> str:
    file = tmp_path / "scenes.txt"
    file.write_text("".join(f"{scene}\n" for scene in scenes))
    return str(file)


def test_only_the_scenes_that_the_order_names_need_be_whole(root: Path, tmp_path: Path) -> None:
    shutil.rmtree(root / "bridge_val_lmdb")
    (root / "church_outdoor_train_lmdb/data.mdb").write_bytes(b"damaged")
    chosen = order(tmp_path, "bedroom")
    found = listing(root, order=chosen)
    assert found.classes == ["bedroom"]
    assert set(found.images["class_id"]) == {"bedroom"}
    assert (
        found.found[-1] == "scenes that data.order does not name, and nothing reads: bridge, church_outdoor"
    )
    assert found.official == {"train": {"bedroom": 3_033_042}, "held_out": {"bedroom": 300}}
    assert not found.passed_over
    build_index(Layout("x", tmp_path / "project"), settings(root, order=chosen))
    assert "bridge_val_lmdb/data.mdb is missing" in refusal(root)
    assert "bridge_val_lmdb/data.mdb is missing" in refusal(root, order=order(tmp_path, "bridge", "bedroom"))


def test_classes_stand_as_the_order_names_them(made: Path, tmp_path: Path) -> None:
    chosen = settings(made, order=order(tmp_path, "church_outdoor", "bedroom"), classes=2)
    assert order_classes(list_source(chosen), chosen) == ["church_outdoor", "bedroom"]


def test_scenes_of_the_order_that_are_not_there_are_named_at_once(root: Path, tmp_path: Path) -> None:
    (root / "bedroom_train_lmdb/data.mdb").unlink()
    said = refusal(root, order=order(tmp_path, "kitchen", "bedroom", "../tower"))
    for scene in ("kitchen", "../tower"):
        assert f"data.order names {scene}, of which {root} holds neither part; unpack both" in said
    assert "bedroom_train_lmdb/data.mdb is missing" in said
    assert "is neither sorted, nor devkit, nor a file" in refusal(root, order=str(tmp_path / "nowhere"))


def test_hidden_folders_are_no_scenes(root: Path, tmp_path: Path) -> None:
    (root / "bedroom_val_lmdb").rename(root / ".bedroom_val_lmdb")
    (root / "bedroom_train_lmdb").rename(root / ".bedroom_train_lmdb")
    found = listing(root)
    assert found.classes == ["bridge", "church_outdoor"]
    assert found.passed_over == {"hidden": [".bedroom_train_lmdb", ".bedroom_val_lmdb"]}
    (tmp_path / "alone/.x_train_lmdb").mkdir(parents=True)
    with pytest.raises(UserError, match="no data found"):
        recognise(tmp_path / "alone")


def test_names_that_no_class_can_have_are_refused_in_print(root: Path, tmp_path: Path) -> None:
    for part in ("train", "val"):
        odd = os.fsdecode(b"br\xffdge")
        (root / f"bridge_{part}_lmdb").rename(root / f"{odd}_{part}_lmdb")
        (root / f"church_outdoor_{part}_lmdb").rename(root / f"church\n_{part}_lmdb")
    said = refusal(root)
    for name in (r"br\xffdge", r"church\x0a"):
        assert f"scene {name} has a name that is no printable UTF-8; rename its folders" in said
    assert said.isprintable()
    told = listing(root, order=order(tmp_path, "bedroom")).found[-1]
    assert told.endswith(r": br\xffdge, church\x0a")


def test_validation_that_is_a_copy_of_training_is_refused(root: Path) -> None:
    for scene in ("bedroom", "bridge"):
        shutil.copy(root / f"{scene}_train_lmdb/data.mdb", root / f"{scene}_val_lmdb/data.mdb")
    said = refusal(root)
    for scene in ("bedroom", "bridge"):
        assert f"{scene}_val_lmdb has 3 keys that {scene}_train_lmdb has, too, the first " in said
    assert "unpack bedroom_val_lmdb.zip anew" in said
