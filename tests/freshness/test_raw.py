"""Whether raw data are noticed to have changed."""

import os
from pathlib import Path

import pandas as pd
import pytest

from centigan.errors import UserError
from centigan.freshness.raw import Changes, accept, changes, remember, write_pins
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
        rows.append((str(path), 0, len(name), path.name, split))
    archive = tmp_path / "raw" / "all.tar"
    archive.write_bytes(b"twenty bytes of a tar")
    rows += [(str(archive), 0, 6, "4.png", "01"), (str(archive), 7, 5, "5.png", "01")]
    index = pd.DataFrame(rows, columns=["path", "offset", "size", "name", "split"]).assign(sha256=None)
    for split, part in index.groupby("split"):
        file = layout.index(str(split))
        file.parent.mkdir(parents=True, exist_ok=True)
        part.to_parquet(file)
    write_pins(layout, index)
    remember(layout, index, read=True)
    return layout


def later(path: Path) -> None:
    """As if written a minute from now."""
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 60 * 10**9))


def test_nothing_changed(layout: Layout) -> None:
    assert changes(layout) == Changes()


def test_an_image_of_the_same_size_reaches_its_split(layout: Layout) -> None:
    image = layout.root / "raw/b/3.png"
    image.write_bytes(b"B/3.png")
    later(image)
    assert changes(layout) == Changes(splits={"01"})
    accept(layout, read=True)
    assert changes(layout) == Changes()


@pytest.mark.parametrize("name", ["a/2.png", "a/new.png"])
def test_other_names_or_sizes_reach_the_index(layout: Layout, name: str) -> None:
    (layout.root / "raw" / name).write_bytes(b"of another size")
    later(layout.root / "raw/a")
    assert changes(layout).index


def test_a_removed_image_reaches_the_index(layout: Layout) -> None:
    (layout.root / "raw/a/2.png").unlink()
    assert changes(layout).index


def test_an_archive_of_another_content_is_named(layout: Layout) -> None:
    archive = layout.root / "raw/all.tar"
    archive.write_bytes(b"other bytes in a tar.")
    later(archive)
    with pytest.raises(UserError, match=r"all\.tar is not the archive that was indexed .* put that back, or"):
        changes(layout)
    layout.raw_pins.unlink()
    assert changes(layout).index


def test_a_copied_archive_is_read_once(layout: Layout, caplog: pytest.LogCaptureFixture) -> None:
    later(layout.root / "raw/all.tar")
    with caplog.at_level("INFO"):
        assert changes(layout) == changes(layout) == Changes()
    assert [record.message for record in caplog.records if "checking" in record.message] == [
        f"checking {layout.root}/raw/all.tar, which is not of the time when it was indexed"
    ]


def test_a_clone_checks_sizes_and_the_archive(layout: Layout) -> None:
    layout.raw_state.unlink()
    (layout.root / "raw/b/3.png").write_bytes(b"longer")
    assert changes(layout) == Changes(index=True)
    layout.raw_state.unlink()
    (layout.root / "raw/all.tar").write_bytes(b"other bytes in a tar.")
    with pytest.raises(UserError, match="is not the archive"):
        changes(layout)


def test_a_reader_without_raw_data_is_left_alone(layout: Layout) -> None:
    layout.raw_state.unlink()
    (layout.root / "raw").rename(layout.root / "elsewhere")
    assert changes(layout) == Changes()
    (layout.root / "elsewhere").rename(layout.root / "raw")
    assert changes(layout) == Changes()
