"""The Hub's Parquet files: a small ILSVRC2012 as rows, and each thing that may be wrong with them."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from small import ARRAYS
from small_ilsvrc import CLASSES, HELD_OUT, PER_CLASS

from centigan.data.arrays import build_arrays
from centigan.data.index import build_index
from centigan.data.shards_fixture import pack
from centigan.data.sources import list_source, recognise
from centigan.data.sources.listing import Listing, Range
from centigan.data.sources.parquet_rows import read_rows, value_ranges
from centigan.errors import UserError
from centigan.freshness.raw import changes
from centigan.layout import Layout
from centigan.settings.data import DataSettings

FIRST, SECOND = (f"train-0000{number}-of-00002.parquet" for number in range(2))
IMAGE = pa.struct({"bytes": pa.binary(), "path": pa.string()})
PICTURE = b"\xff\xd8\xff"
on_disk = hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)


@pytest.fixture
def root(published: Path, tmp_path: Path) -> Path:
    """The archives of the other tests, packed anew as the Hub does."""
    pack("parquet", published, tmp_path / "hub")
    return tmp_path / "hub"


def settings(root: Path, **others: object) -> DataSettings:
    return DataSettings.model_validate({"root": str(root), "classes": CLASSES, "split_size": 2} | others)


def listing(root: Path, **others: object) -> Listing:
    return list_source(settings(root, **others))


def notes(names: Sequence[str]) -> dict[str, str]:
    features = {"label": {"names": list(names), "_type": "ClassLabel"}}
    return {"huggingface": json.dumps({"info": {"features": features}})}


def write(
    path: Path, images: Sequence[Any], labels: Sequence[Any], names: Sequence[str] | None = ("dog", "eel")
) -> Path:
    table = pa.table({"image": pa.array(images, IMAGE), "label": pa.array(labels, pa.int64())})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata(notes(names) if names else None), path)
    return path


def rows(*paths: str | None, content: bytes | None = PICTURE) -> list[dict[str, Any]]:
    return [{"bytes": content, "path": path} for path in paths]


def small(root: Path, images: Sequence[Any], labels: Sequence[Any], **others: Any) -> Path:
    write(root / "data/train-00000-of-00001.parquet", images, labels, **others)
    write(root / "data/test-00000-of-00001.parquet", rows("v1.png", "v2.png"), [0, 1], **others)
    return root


@pytest.mark.parametrize("compression", ["snappy", "zstd", "none"])
def test_images_and_labels_are_those_of_the_archives(
    compression: str, published: Path, tmp_path: Path
) -> None:
    pack("parquet", published, tmp_path / "hub", compression=compression)
    assert recognise(tmp_path / "hub") == "parquet"
    made = []
    for place in (published, tmp_path / "hub"):
        layout = Layout("x", tmp_path / "made" / place.name)
        build_index(layout, settings(place, checksums=True))
        build_arrays(layout, "01", ARRAYS, place)
        made.append(layout)
    for name in ("images.npy", "labels.npy", "held_out_images.npy", "held_out_labels.npy", "facts.json"):
        assert len({(layout.arrays("01") / name).read_bytes() for layout in made}) == 1
    first, second = (pd.read_parquet(layout.index("01")) for layout in made)
    assert first["sha256"].equals(second["sha256"])
    assert second["encoding"].unique().tolist() == ["image" if compression == "none" else "parquet"]


def test_the_bytes_do_not_depend_on_the_number_of_threads(root: Path, tmp_path: Path) -> None:
    layout = Layout("x", tmp_path)
    build_index(layout, settings(root))
    build_arrays(layout, "00", ARRAYS, root)
    before = (layout.arrays("00") / "images.npy").read_bytes()
    build_arrays(layout, "00", ARRAYS, root, threads=3)
    assert (layout.arrays("00") / "images.npy").read_bytes() == before


contents = st.lists(st.binary(max_size=40), min_size=1, max_size=12)


@on_disk
@given(
    values=contents,
    compression=st.sampled_from(["none", "snappy"]),
    dictionary=st.booleans(),
    group=st.integers(1, 12),
    page=st.sampled_from([16, 1 << 20]),
)
def test_every_value_is_found_however_the_file_is_laid_out(
    tmp_path: Path, values: list[bytes], compression: str, dictionary: bool, group: int, page: int
) -> None:
    path = tmp_path / "a.parquet"
    table = pa.table({"image": pa.array([{"bytes": value, "path": ""} for value in values], IMAGE)})
    pq.write_table(
        table,
        path,
        compression=compression,
        use_dictionary=dictionary,
        row_group_size=group,
        data_page_size=page,
    )
    asked = [Range(str(path), row, 1, "") for row in reversed(range(len(values)))]
    assert list(read_rows(asked)) == values[::-1]
    found = value_ranges(path)
    if compression == "none":
        content = path.read_bytes()
        assert [content[offset : offset + size] for offset, size in found] == values
    else:
        assert found is None


def test_values_that_share_their_beginnings_are_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    values = [b"begin" * 20 + bytes([number]) for number in range(9)]
    table = pa.table({"image": pa.array([{"bytes": value, "path": ""} for value in values], IMAGE)})
    pq.write_table(
        table,
        path,
        compression="none",
        use_dictionary=False,
        column_encoding={"image.bytes": "DELTA_BYTE_ARRAY"},
    )
    assert value_ranges(path) is None
    assert list(read_rows([Range(str(path), 7, 1, "")])) == [values[7]]


def test_images_have_their_own_names_or_those_of_their_rows(tmp_path: Path) -> None:
    named = listing(small(tmp_path / "named", rows("b/2.png", "b/1.png"), [0, 1]))
    assert named.images["name"].tolist() == ["2.png", "1.png", "v1.png", "v2.png"]
    for paths in (("1.png", "1.png"), (None, "1.png"), ("", "")):
        place = tmp_path / str(paths)
        train = listing(small(place, rows(*paths), [0, 1])).images[:2]["name"].tolist()
        assert train == ["train-00000-of-00001_0000000", "train-00000-of-00001_0000001"]


def test_classes_of_imagenet_are_its_wordnet_ids(root: Path, published: Path) -> None:
    found = listing(root)
    assert found.classes == listing(published).classes
    assert found.words == listing(published).words
    assert len(found.images) == CLASSES * (PER_CLASS + HELD_OUT)


def test_names_as_the_hubs_archives_have_them_are_those_of_the_authors(tmp_path: Path) -> None:
    images = rows("n01440764_10_n01440764.JPEG", "n01440764_1_n01440764.JPEG", "n01443537_1_n01443537.JPEG")
    found = listing(small(tmp_path, images, [0, 0, 1]))
    assert found.classes == ["n01440764", "n01443537"]
    assert found.images["name"].tolist()[:2] == ["n01440764_1.JPEG", "n01440764_10.JPEG"]
    assert found.words == {"n01440764": "dog", "n01443537": "eel"}


@pytest.mark.parametrize("labels", [[0, 0, 1], [0, 1, 1]])
def test_ids_that_contradict_the_labels_name_no_classes(labels: list[int], tmp_path: Path) -> None:
    images = rows("n01440764_10.JPEG", "n01443537_1.JPEG", "n01440764_1.JPEG")
    assert listing(small(tmp_path, images, labels)).classes == ["dog", "eel"]


def test_names_may_lie_beside(tmp_path: Path) -> None:
    small(tmp_path, rows("1", "2"), [1, 0], names=None)
    with pytest.raises(UserError, match=r"train-00000-of-00001\.parquet has labels and no names of classes"):
        listing(tmp_path)
    (tmp_path / "classnames.txt").write_text("cow\nfox\n")
    assert listing(tmp_path).classes == ["cow", "fox"]


def test_test_files_are_not_read_where_there_are_others_to_hold_out(root: Path) -> None:
    (root / "data/test-00000-of-00001.parquet").write_bytes(b"none of it is read")
    assert len(listing(root).images) == CLASSES * (PER_CLASS + HELD_OUT)


def test_an_empty_image_is_bad_and_left_out(tmp_path: Path) -> None:
    layout = Layout("x", tmp_path)
    root = small(tmp_path, [*rows("a.png", content=b""), *rows("b.png")], [0, 1])
    build_index(layout, settings(root, classes=2))
    with pytest.raises(UserError, match=r"class dog: every one of its train images is bad.*is empty"):
        build_arrays(layout, "00", ARRAYS, root)


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (rows("1", "2"), [0, 2], r"row 1 has label 2, not one of 0 to 1"),
        (rows("1", "2"), [-1, 0], r"row 0 has label -1, not one of 0 to 1"),
        (rows("1", "2"), [0, None], r"row 1 has label None, not one of"),
        ([None, *rows("2")], [0, 1], r"has 1 rows without the bytes of an image"),
        (rows("1", "2", content=None), [0, 1], r"has 2 rows without the bytes of an image"),
    ],
)
def test_a_row_that_is_not_whole_is_said(
    images: list[Any], labels: list[Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=rf"data/train-00000-of-00001\.parquet:? {message}"):
        listing(small(tmp_path, images, labels))


def test_labels_without_a_sign_are_read_or_said(tmp_path: Path) -> None:
    small(tmp_path, rows("1", "2"), [0, 1])
    path = tmp_path / "data/train-00000-of-00001.parquet"
    for label, message in (
        (1, None),
        (2**64 - 1, r"row 1 has label 18446744073709551615, not one of 0 to 1"),
    ):
        labels = pa.array([0, label], pa.uint64())
        table = pa.table({"image": pa.array(rows("1", "2"), IMAGE), "label": labels})
        pq.write_table(table.replace_schema_metadata(notes(("dog", "eel"))), path)
        if message is None:
            assert listing(tmp_path).classes == ["dog", "eel"]
        else:
            with pytest.raises(UserError, match=message):
                listing(tmp_path)


@pytest.mark.parametrize(
    "columns",
    [
        {"image": pa.array([b""]), "label": pa.array([0])},
        {"image": pa.array(rows("1"), IMAGE), "label": pa.array(["dog"])},
        {"image": pa.array(rows("1"), IMAGE)},
        {"image": pa.array([{"bytes": "text", "path": ""}]), "label": pa.array([0])},
        {"text": pa.array(["hello"]), "label": pa.array([0])},
    ],
)
def test_another_schema_is_said(columns: dict[str, Any], tmp_path: Path) -> None:
    small(tmp_path, rows("1"), [0])
    pq.write_table(pa.table(columns), tmp_path / "data/train-00000-of-00001.parquet")
    with pytest.raises(UserError, match=r"train-00000-of-00001\.parquet has not the columns image .* but "):
        listing(tmp_path)


def gone(root: Path) -> None:
    (root / "data" / FIRST).unlink()


def dangling(root: Path) -> None:
    (root / "data" / FIRST).rename(root / "elsewhere")
    (root / "data" / FIRST).symlink_to("../blobs/1f2e")


def another_total(root: Path) -> None:
    (root / "data" / SECOND).rename(root / "data" / SECOND.replace("00002", "00003"))


def cut(root: Path) -> None:
    (root / "data" / FIRST).write_bytes((root / "data" / FIRST).read_bytes()[:-1000])


def other_names(root: Path) -> None:
    write(root / "data" / SECOND, rows("1"), [0])


def nothing_held_out(root: Path) -> None:
    for path in root.glob("data/validation*"):
        path.unlink()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (gone, rf"hub/data/{FIRST} is missing; fetch it"),
        (
            dangling,
            rf"hub/data/{FIRST} is a link to nothing: \.\./blobs/1f2e is not there; fetch that, or put",
        ),
        (another_total, rf"{FIRST} and .*-of-00003\.parquet are of two data sets"),
        (cut, rf"{FIRST} is no whole Parquet file"),
        (other_names, rf"{SECOND} names other classes than the files before"),
        (nothing_held_out, r"nothing held out: validation-00001?\d*-of-00002\.parquet or val/ is expected"),
    ],
)
def test_a_set_that_is_not_whole_is_one_clear_error(
    spoil: Callable[[Path], None], message: str, root: Path, tmp_path: Path
) -> None:
    spoil(root)
    layout = Layout("x", tmp_path)
    with pytest.raises(UserError, match=message):
        build_index(layout, settings(root))
    assert not layout.results.exists()


def test_links_to_files_are_files_and_the_test_files_that_are_not_read_may_be_links_to_nothing(
    root: Path,
) -> None:
    dangling(root)
    (root / "blobs").mkdir()
    (root / "elsewhere").rename(root / "blobs/1f2e")
    (root / "data/test-00000-of-00001.parquet").symlink_to("nowhere")
    assert len(listing(root).images) == CLASSES * (PER_CLASS + HELD_OUT)


def test_damage_within_a_file_is_an_error_that_names_it(root: Path, tmp_path: Path) -> None:
    layout = Layout("x", tmp_path)
    build_index(layout, settings(root, split_size=CLASSES))
    path = root / "data" / FIRST
    content = bytearray(path.read_bytes())
    content[20:5000] = bytes(4980)
    path.write_bytes(content)
    with pytest.raises(UserError, match=rf"data/{FIRST} is (damaged|no whole Parquet file)"):
        build_arrays(layout, "00", ARRAYS, root)
    path.unlink()
    with pytest.raises(UserError, match=rf"data/{FIRST} is gone"):
        build_arrays(layout, "00", ARRAYS, root)


def test_files_are_pinned_and_another_content_is_an_error(root: Path, tmp_path: Path) -> None:
    layout = Layout("x", tmp_path)
    build_index(layout, settings(root))
    pinned = {line.split(maxsplit=1)[1] for line in layout.raw_pins.read_text().splitlines()}
    assert pinned == {path.relative_to(root).as_posix() for path in root.glob("data/*")}
    assert not changes(layout, root).index
    write(root / "data" / FIRST, rows("1"), [0])
    with pytest.raises(UserError, match=rf"data/{FIRST} is not the archive that was indexed"):
        changes(layout, root)


def test_labels_stand_in_the_order_of_the_classes(tmp_path: Path) -> None:
    root = small(tmp_path, rows("1", "2", "3"), [1, 0, 1], names=("eel", "dog"))
    found = listing(root)
    assert found.classes == ["dog", "eel"]
    assert np.array_equal(found.images["class_id"][:3], ["dog", "dog", "eel"])
