"""Whether raw data are noticed to have changed."""

import os
import shutil
from pathlib import Path

import pandas as pd
import pytest

from centigan.errors import UserError
from centigan.freshness import Job, first_of_all
from centigan.freshness.raw import Changes, accept, changes, images_were_read, remember, write_pins
from centigan.freshness.records import note
from centigan.layout import Layout


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """Three images in folders and two in an archive, indexed as splits 00 and 01."""
    layout = Layout("x", tmp_path)
    rows = []
    for name, split in (("a/1.png", "00"), ("a/2.png", "00"), ("b/3.png", "01")):
        path = tmp_path / "raw" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
        rows.append((name, 0, len(name), path.name, split))
    archive = tmp_path / "raw" / "all.tar"
    archive.write_bytes(b"twenty bytes of a tar")
    rows += [("all.tar", 0, 6, "4.png", "01"), ("all.tar", 7, 5, "5.png", "01")]
    index = pd.DataFrame(rows, columns=["path", "offset", "size", "name", "split"]).assign(sha256=None)
    for split, part in index.groupby("split"):
        file = layout.index(str(split))
        file.parent.mkdir(parents=True, exist_ok=True)
        part.to_parquet(file)
    write_pins(layout, index, tmp_path / "raw")
    remember(layout, index, tmp_path / "raw", read=True)
    return layout


def looked(layout: Layout) -> Changes:
    return changes(layout, layout.root / "raw")


def later(path: Path) -> None:
    """As if written a minute from now."""
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 60 * 10**9))


def test_nothing_changed(layout: Layout) -> None:
    assert looked(layout) == Changes()


def test_an_image_of_the_same_size_reaches_its_split_until_it_is_read(layout: Layout) -> None:
    image = layout.root / "raw/b/3.png"
    image.write_bytes(b"B/3.png")
    assert looked(layout) == looked(layout) == Changes(splits={"01"})
    images_were_read(layout)
    assert looked(layout) == Changes()


def test_a_new_index_is_no_reading_of_images(layout: Layout) -> None:
    (layout.root / "raw/b/3.png").write_bytes(b"B/3.png")
    accept(layout, layout.root / "raw", read=True)  # as the index does
    assert looked(layout) == Changes(splits={"01"})


def test_what_is_replaced_while_it_is_read_is_told_again(layout: Layout) -> None:
    (layout.root / "raw/b/3.png").write_bytes(b"B/3.png")
    assert looked(layout) == Changes(splits={"01"})
    (layout.root / "raw/b/3.png").write_bytes(b"C/3.png")
    (layout.root / "raw/a/1.png").write_bytes(b"A/1.png")
    images_were_read(layout)
    assert looked(layout) == Changes(splits={"00", "01"})


@pytest.mark.parametrize("name", ["a/2.png", "a/new.png"])
def test_other_names_or_sizes_reach_the_index(layout: Layout, name: str) -> None:
    (layout.root / "raw" / name).write_bytes(b"of another size")
    later(layout.root / "raw/a")
    assert looked(layout).index


def test_what_is_gone_is_told_once_and_changes_nothing(layout: Layout) -> None:
    (layout.root / "raw/a/2.png").unlink()
    assert looked(layout) == Changes(gone=["a/2.png"], without={"00"})
    assert looked(layout) == looked(layout) == Changes(without={"00"})
    shutil.rmtree(layout.root / "raw")
    assert set(looked(layout).gone) >= {"a/1.png", "b/3.png", "all.tar"}
    assert looked(layout) == Changes()


def test_arrays_that_must_be_made_without_an_image_that_is_gone_need_a_new_index(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(layout.root)
    here, raw = Layout("x"), Path("raw")
    index = [str(here.index(split)) for split in ("00", "01")]
    arrays = {split: here.arrays(split) / "images.npy" for split in ("00", "01")}
    for file in arrays.values():
        file.parent.mkdir(parents=True)
        file.write_text("as made")
    for file in (*map(str, arrays.values()), *index, str(here.raw_pins)):
        rule = "arrays" if "images" in file else "index"
        record = {"rule": rule, "input": [], "input_checksums": {}, "log": [], "params": [], "code": "c"}
        note(file, {**record, "starttime": 1.0, "endtime": 1.0})

    def first(command: str) -> dict[str, str]:
        now = {"arrays": Job(set(), command)}
        return first_of_all(here, raw, index, lambda output: True, now, {})

    (raw / "a/2.png").unlink()  # of split 00
    assert first("c") == {}
    assert first("another").keys() == {*index}
    (raw / "a/2.png").write_bytes(b"a/2.png")
    accept(here, raw, read=True)
    assert first("another").keys() >= {str(file) for file in arrays.values()}  # as they are


def test_another_image_or_class_is_noticed_beside_what_is_gone(layout: Layout) -> None:
    (layout.root / "raw/a").rename(layout.root / "raw/c")
    later(layout.root / "raw")
    found = looked(layout)
    assert found.index
    assert "a/1.png" in found.gone


def test_hidden_files_and_files_of_old_are_no_news(layout: Layout) -> None:
    (layout.root / "raw/notes.txt").write_text("")
    accept(layout, layout.root / "raw", read=True)
    (layout.root / "raw/.DS_Store").write_text("")
    later(layout.root / "raw")
    assert looked(layout) == Changes()


@pytest.mark.parametrize("name", ["a/Thumbs.db", "a/1.TXT", "a/1.png.part", "__MACOSX/a/._1.png"])
def test_what_the_index_would_pass_over_by_its_name_is_no_news(name: str, layout: Layout) -> None:
    path = layout.root / "raw" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("new")
    later(layout.root / "raw")
    later(layout.root / "raw/a")
    assert looked(layout) == Changes()
    path.write_text("changed")
    path.with_name("renamed.json").write_text("")
    later(layout.root / "raw/a")
    assert looked(layout) == Changes()
    path.unlink()
    later(layout.root / "raw/a")
    assert looked(layout) == Changes()


@pytest.mark.parametrize("name", ["a/4", "a/4.picture", "a/4.heic", "c.old/1.png"])
def test_what_may_be_an_image_or_a_class_is_news(name: str, layout: Layout) -> None:
    path = layout.root / "raw" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("new")
    later(layout.root / "raw")
    later(layout.root / "raw/a")
    assert looked(layout).index


def test_the_place_of_the_raw_data_is_no_part_of_them(layout: Layout) -> None:
    (layout.root / "raw").rename(layout.root / "elsewhere")
    assert changes(layout, layout.root / "elsewhere") == Changes()


@pytest.mark.parametrize("content", [b"", b"PAR1", b"\xff"])
def test_a_damaged_note_is_made_anew(layout: Layout, content: bytes, caplog) -> None:
    layout.raw_state.write_bytes(content)
    assert looked(layout) == looked(layout) == Changes()
    assert caplog.text.count("is damaged and made again") == 1


def test_an_archive_of_another_content_is_named(layout: Layout) -> None:
    archive = layout.root / "raw/all.tar"
    archive.write_bytes(b"other bytes in a tar.")
    later(archive)
    with pytest.raises(UserError, match=r"all\.tar is not the archive that was indexed .* put that back, or"):
        looked(layout)
    layout.raw_pins.unlink()
    assert looked(layout).index


def test_a_copied_archive_is_read_once(layout: Layout, caplog: pytest.LogCaptureFixture) -> None:
    later(layout.root / "raw/all.tar")
    with caplog.at_level("INFO"):
        assert looked(layout) == looked(layout) == Changes()
    assert [record.message for record in caplog.records if "checking" in record.message] == [
        f"checking {layout.root}/raw/all.tar, which is not of the time when it was indexed"
    ]


def test_a_clone_checks_sizes_and_the_archive(layout: Layout) -> None:
    layout.raw_state.unlink()
    (layout.root / "raw/b/3.png").write_bytes(b"longer")
    assert looked(layout) == Changes(index=True)
    layout.raw_state.unlink()
    (layout.root / "raw/all.tar").write_bytes(b"other bytes in a tar.")
    with pytest.raises(UserError, match="is not the archive"):
        looked(layout)


def test_a_reader_without_raw_data_is_left_alone(layout: Layout) -> None:
    layout.raw_state.unlink()
    (layout.root / "raw").rename(layout.root / "elsewhere")
    assert looked(layout) == Changes()
    (layout.root / "elsewhere").rename(layout.root / "raw")
    assert looked(layout) == Changes()


def test_a_clone_that_finds_more_images_is_told_at_every_look(layout: Layout) -> None:
    layout.raw_state.unlink()
    (layout.root / "raw/a/README").touch()
    assert not looked(layout).index
    layout.raw_state.unlink()
    (layout.root / "raw/a/9.png").touch()
    assert looked(layout).index
    assert looked(layout).index


def test_a_clone_without_raw_data_is_told_nothing(layout: Layout) -> None:
    layout.raw_state.unlink()
    shutil.rmtree(layout.root / "raw")
    (layout.root / "raw").mkdir()
    for _ in range(2):
        found = looked(layout)
        assert (found.index, found.splits, found.gone) == (False, set(), [])
