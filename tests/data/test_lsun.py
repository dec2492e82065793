"""LSUN's scenes: small ones read in place, against what the library reads, and all that may be wrong."""

import os
import random
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import lmdb
import pytest
from source_arrays import arrays_of

from centigan.cli import run_verb
from centigan.data.completeness import published_totals
from centigan.data.index import build_index
from centigan.data.lsun_fixture import write_lmdb, write_lsun
from centigan.data.sources import list_source, recognise
from centigan.data.sources.listing import Listing
from centigan.data.sources.lmdb_pages import values
from centigan.data.verify import verify
from centigan.errors import UserError
from centigan.freshness.raw import changes
from centigan.layout import Layout
from centigan.preflight.proposal import explore
from centigan.settings.data import DataSettings

TRAIN, HELD_OUT = 6, 3
BEDROOM = "bedroom_train_lmdb"
FILES = ("images.npy", "labels.npy", "held_out_images.npy", "held_out_labels.npy")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two scenes; never written to."""
    root = tmp_path_factory.mktemp("lsun")
    write_lsun(root, classes=2, per_class=TRAIN, held_out_per_class=HELD_OUT)
    return root


def settings(root: Path, **others: object) -> DataSettings:
    return DataSettings.model_validate({"root": str(root), "classes": 2, "split_size": 2, **others})


def listing(root: Path) -> Listing:
    return list_source(settings(root))


def by_the_library(folder: Path) -> dict[bytes, bytes]:
    with lmdb.open(str(folder), readonly=True, lock=False) as environment, environment.begin() as view:
        return dict(view.cursor())


def filled(folder: Path, contents: dict[bytes, bytes], at_once: int = 10**6) -> Path:
    """data.mdb of these values, put in so many at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    with lmdb.open(str(folder), map_size=1 << 28) as environment:
        keys = list(contents)
        for first in range(0, len(keys), at_once):
            with environment.begin(write=True) as change:
                for key in keys[first : first + at_once]:
                    change.put(key, contents[key])
    return folder / "data.mdb"


def read(path: Path) -> dict[bytes, bytes]:
    whole = path.read_bytes()
    return {one.key: whole[one.offset : one.offset + one.size] for one in values(path)}


@pytest.mark.parametrize(("count", "at_once"), [(0, 1), (1, 1), (40, 3), (3000, 10**6)])
def test_every_value_lies_where_the_library_finds_it(tmp_path: Path, count: int, at_once: int) -> None:
    chance = random.Random(count)
    sizes = [0, 1, 50, 2000, 2040, 4080, 4096, 9000]  # beside the key, on a page, on several
    contents = {
        f"{chance.getrandbits(160):040x}".encode(): chance.randbytes(chance.choice(sizes))
        for _ in range(count)
    }
    path = filled(tmp_path / "x", contents, at_once)
    assert read(path) == contents == by_the_library(path.parent)
    assert [one.key for one in values(path)] == sorted(contents)


def test_of_values_that_were_replaced_and_removed_the_last_are_read(tmp_path: Path) -> None:
    contents = {b"%04d" % number: os.urandom(5000) for number in range(200)}
    path = filled(tmp_path / "x", contents)
    with lmdb.open(str(path.parent), map_size=1 << 28) as environment:
        for number in range(0, 200, 3):
            with environment.begin(write=True) as change:
                change.delete(b"%04d" % number)
                change.put(b"%04d" % (number + 1), b"new")
    assert read(path) == by_the_library(path.parent)
    assert len(read(path)) == 133


def test_nothing_is_written_and_a_folder_without_permission_to_write_will_do(root: Path) -> None:
    folder = root / BEDROOM
    (folder / "lock.mdb").unlink()
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    folder.chmod(0o555)
    try:
        assert len(listing(root).images) == 2 * (TRAIN + HELD_OUT)
    finally:
        folder.chmod(0o755)
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before


def test_a_class_is_a_scene_and_an_image_is_named_by_its_key(made: Path) -> None:
    found = listing(made)
    assert (recognise(made), found.encoding, found.classes) == ("lsun", "image", ["bedroom", "bridge"])
    for (scene, subset), rows in found.images.groupby(["class_id", "subset"]):
        folder = made / f"{scene}_{'train' if subset == 'train' else 'val'}_lmdb"
        expected = by_the_library(folder)
        assert list(rows["name"]) == [key.decode() for key in expected]
        whole = (folder / "data.mdb").read_bytes()
        assert [whole[row.offset : row.offset + row.size] for row in rows.itertuples()] == list(
            expected.values()
        )
    assert found.found[0] == "bedroom_train_lmdb: 6 images, 3,033,042 were published"
    assert published_totals(found) == {"train": 3_033_042 + 818_687, "held_out": 600}
    assert not found.passed_over
    assert 190 < explore(made).side < 257
    with pytest.raises(UserError, match="class bedroom has 6 of 3033042 train images"):
        verify(settings(made))


def test_the_same_pictures_in_class_folders_give_the_same_arrays(made: Path, tmp_path: Path) -> None:
    folders = tmp_path / "folders"
    for row in listing(made).images.itertuples():
        file = folders / {"train": "train", "held_out": "val"}[row.subset] / row.class_id / f"{row.name}.webp"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(Path(row.path).read_bytes()[row.offset : row.offset + row.size])
    ours = arrays_of(settings(made), tmp_path / "ours")
    theirs = arrays_of(settings(folders), tmp_path / "theirs")
    for file in FILES:
        assert (ours / file).read_bytes() == (theirs / file).read_bytes()


def test_a_scene_of_another_name_is_read_without_a_published_number(tmp_path: Path, made: Path) -> None:
    for part in ("train", "val"):
        shutil.copytree(made / f"bridge_{part}_lmdb", tmp_path / f"my_garden_{part}_lmdb")
    found = listing(tmp_path)
    assert (found.classes, found.words, found.official) == (["my_garden"], {"my_garden": "my garden"}, {})
    assert found.found == ["my_garden_train_lmdb: 6 images", "my_garden_val_lmdb: 3 images"]


def test_what_to_put_where_is_told(root: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"holds no <scene>_train_lmdb/ and <scene>_val_lmdb/: unpack both"):
        list_source(settings(tmp_path / "nowhere", source="lsun"))
    shutil.rmtree(root / "bedroom_val_lmdb")
    (root / "bridge_train_lmdb/data.mdb").unlink()
    with pytest.raises(UserError) as told:
        listing(root)
    assert "bedroom_val_lmdb/data.mdb is missing, the validation images of bedroom; unpack" in str(told.value)
    assert "bridge_train_lmdb/data.mdb is missing, the training images of bridge; unpack" in str(told.value)


def test_what_lies_beside_is_passed_over(root: Path) -> None:
    (root / "test_lmdb").mkdir()
    (root / "bedroom_train_lmdb.zip").write_bytes(b"")
    (root / BEDROOM / "cache").write_bytes(b"")
    assert listing(root).passed_over == {
        "no image": ["bedroom_train_lmdb.zip", "bedroom_train_lmdb/cache"],
        "folder of no class": ["test_lmdb"],
    }


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    r"is cut short: it has 0 bytes": lambda _: b"",
    r"is cut short: it has 100 bytes": lambda old: old[:100],
    r"is cut short: it has 12,288 bytes, and says that it has more; fetch": lambda old: old[: 3 * 4096],
    r"is no LMDB; fetch": lambda old: bytes(len(old)),
    r"is of LMDB's data format 2; format 1 is read": lambda old: old[:20] + b"\2" + old[21:],
    r"is damaged: pages of 5,096 bytes there are none": lambda old: (
        old[:40] + struct.pack("<I", 5096) + old[44:]
    ),
    r"is damaged: .*page": lambda old: old[: 2 * 4096] + bytes(len(old) - 2 * 4096),
}


@pytest.mark.parametrize("message", DAMAGES)
def test_a_damaged_file_is_one_error_and_no_crash(root: Path, message: str) -> None:
    path = root / BEDROOM / "data.mdb"
    path.write_bytes(DAMAGES[message](path.read_bytes()))
    with pytest.raises(UserError, match=f"{path} {message}"):
        listing(root)


def test_wherever_the_file_is_cut_off_it_says_so(root: Path) -> None:
    path = root / BEDROOM / "data.mdb"
    whole = path.read_bytes()
    last = max(one.offset + one.size for one in values(path))
    for size in {*range(0, last, 1000), last - 1}:
        path.write_bytes(whole[:size])
        with pytest.raises(UserError, match="is cut short"):
            list(values(path))
    path.write_bytes(whole[:last])
    assert len(list(values(path))) == TRAIN


def test_any_byte_of_the_tree_may_be_another_and_every_range_stays_within_the_file(tmp_path: Path) -> None:
    path = filled(tmp_path / "x", {b"%040d" % number: bytes(3000) for number in range(100)})
    whole, chance = path.read_bytes(), random.Random(0)
    pages = [place for place in range(0, len(whole), 4096) if place < 8192 or whole[place + 10] in (1, 2)]
    refused = 0
    for _ in range(600):
        spoilt = bytearray(whole)
        for _ in range(3):
            spoilt[chance.choice(pages) + chance.randrange(60)] = chance.randrange(256)
        path.write_bytes(spoilt)
        try:
            assert all(one.offset + one.size <= len(whole) for one in values(path))
        except UserError:
            refused += 1
    assert refused > 100


def test_what_is_no_plain_store_of_images_is_told(tmp_path: Path) -> None:
    with lmdb.open(str(tmp_path), max_dbs=1, map_size=1 << 20) as environment:
        table = environment.open_db(b"table")
        with environment.begin(write=True, db=table) as change:
            change.put(b"key", b"value")
    with pytest.raises(UserError, match=r"data\.mdb has several values a key, or tables"):
        list(values(tmp_path / "data.mdb"))


def test_keys_and_images_that_cannot_be_used_are_left_out_and_listed(root: Path, tmp_path: Path) -> None:
    shutil.rmtree(root / BEDROOM)
    write_lmdb(root / BEDROOM, [])
    good = next(iter(by_the_library(root / "bedroom_val_lmdb").values()))
    filled(root / BEDROOM, {b"one": good, b"two\n": good, b"\xff": good, b"three": good[:500], b"four": b""})
    found = listing(root)
    assert [(one.name, one.reason) for one in found.rejected] == [
        (r"two\x0a", "is a key that is no printable text"),
        (r"\xff", "is a key that is no printable text"),
    ]
    folder = arrays_of(settings(root), tmp_path / "project")
    assert (folder / "manifest.json").read_text().count("data.mdb") >= 2
    assert '"four in ' in (folder / "manifest.json").read_text()
    assert '"three in ' in (folder / "manifest.json").read_text()


def test_the_file_is_pinned_and_another_one_is_told(root: Path, tmp_path: Path) -> None:
    layout = Layout("x", tmp_path)
    build_index(layout, settings(root))
    filled(root / BEDROOM, {b"another": b"value"})
    with pytest.raises(UserError, match=r"data\.mdb is not the archive that was indexed"):
        changes(layout, root)


def test_a_fixture_has_the_same_images_each_time_and_replaces_nothing(made: Path, tmp_path: Path) -> None:
    words = ("--classes", "2", "--per-class", str(TRAIN), "--held-out-per-class", str(HELD_OUT))
    assert run_verb(["fixture", "lsun", "--out", str(tmp_path / "again"), *words]) == 0
    for folder in made.iterdir():
        assert by_the_library(tmp_path / "again" / folder.name) == by_the_library(folder)
    with pytest.raises(UserError, match="is not empty"):
        write_lsun(tmp_path / "again", classes=1, per_class=1, held_out_per_class=1)
    with pytest.raises(UserError, match="LSUN has 10 scenes, not 11"):
        write_lsun(tmp_path / "many", classes=11, per_class=1, held_out_per_class=1)
