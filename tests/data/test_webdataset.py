"""WebDataset: a small ILSVRC2012 in tars of samples, and each thing that may be wrong with them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from small_ilsvrc import CLASSES, HELD_OUT, PER_CLASS, inner_tars, write_tar
from source_arrays import arrays_of

from centigan.data.index import build_index
from centigan.data.shards_fixture import pack
from centigan.data.sources import list_source, recognise
from centigan.data.sources.listing import Listing
from centigan.errors import UserError
from centigan.freshness.raw import changes
from centigan.layout import Layout
from centigan.settings.data import DataSettings

FIRST = "imagenet-train-0000.tar"
Files = list[tuple[str, bytes]]


@pytest.fixture
def root(published: Path, tmp_path: Path) -> Path:
    """The archives of the other tests, packed anew."""
    pack("webdataset", published, tmp_path / "wds")
    return tmp_path / "wds"


def settings(root: Path, **others: object) -> DataSettings:
    return DataSettings.model_validate({"root": str(root), "classes": CLASSES, "split_size": 2, **others})


def listing(root: Path, **others: object) -> Listing:
    return list_source(settings(root, **others))


def small(root: Path, files: Files, held_out: Files | None = None) -> Path:
    """Two tars of these files, the second of its own."""
    root.mkdir(parents=True, exist_ok=True)
    write_tar(root / "x-train-00.tar", files)
    write_tar(root / "x-val-00.tar", held_out or [("v1.jpg", b"\xff\xd8\xff"), ("v1.cls", b"0")])
    return root


def sample(key: str, label: int, **about: str) -> Files:
    files = [(f"{key}.jpg", b"\xff\xd8\xff"), (f"{key}.cls", str(label).encode())]
    return [*files, (f"{key}.json", json.dumps(about).encode())] if about else files


def test_images_and_labels_are_those_of_the_archives(root: Path, published: Path, tmp_path: Path) -> None:
    assert recognise(root) == "webdataset"
    made = [arrays_of(settings(place), tmp_path / "made" / place.name, "01") for place in (published, root)]
    for name in ("images.npy", "labels.npy", "held_out_images.npy", "held_out_labels.npy", "facts.json"):
        assert (made[0] / name).read_bytes() == (made[1] / name).read_bytes()


def test_a_range_is_the_member_that_lies_there(root: Path) -> None:
    found = listing(root)
    counts = found.images.groupby("subset").size().to_dict()
    assert counts == {"train": CLASSES * PER_CLASS, "held_out": CLASSES * HELD_OUT}
    contents = {name: data for path in root.glob("*.tar") for name, data in inner_tars(path)}
    for row in found.images.itertuples():
        data = Path(row.path).read_bytes()[row.offset : row.offset + row.size]
        assert data == contents[row.name]
        assert json.loads(contents[f"{Path(row.name).stem}.json"])["wnid"] == row.class_id


def test_shards_in_folders_are_read_too(root: Path, tmp_path: Path) -> None:
    before = listing(root).images
    for part, folder in (("train", "train"), ("validation", "val")):
        (root / folder).mkdir()
        for number, path in enumerate(sorted(root.glob(f"*{part}*.tar")), start=1):
            path.rename(root / folder / f"{number:06d}.tar")
    assert recognise(root) == "webdataset"
    after = listing(root).images
    assert after.drop(columns="path").equals(before.drop(columns="path"))


def test_folders_of_a_tar_for_each_class_are_no_shards(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    write_tar(tmp_path / "train/n01440764.tar", [])
    assert recognise(tmp_path) != "webdataset"


TWELVE = [*"abcdefghijkl"]


@pytest.mark.parametrize(
    ("beside", "classes"),
    [
        ({}, ["00", "11"]),
        ({"classnames.txt": "\n".join(TWELVE)}, ["a", "l"]),
        ({"dataset_info.json": json.dumps({"features": {"label": {"names": TWELVE}}})}, ["a", "l"]),
        ({"classnames.txt": "\n".join(["a/b", *TWELVE[1:]])}, ["00", "11"]),  # no name of a file
        ({"classnames.txt": "\n".join("a" * 12)}, ["00", "11"]),
    ],
)
def test_classes_have_the_names_that_are_told(
    beside: dict[str, str], classes: list[str], tmp_path: Path
) -> None:
    small(tmp_path, sample("t1", 0) + sample("t2", 11))
    for name, text in beside.items():
        (tmp_path / name).write_text(text)
    assert listing(tmp_path).classes == classes


def test_the_json_of_a_sample_may_tell_its_class(tmp_path: Path) -> None:
    small(tmp_path, sample("t1", 1, class_name="eel") + sample("t2", 0, class_name="dog") + sample("t3", 1))
    found = listing(tmp_path)
    assert found.classes == ["dog", "eel"]
    assert found.words == {"dog": "dog", "eel": "eel"}
    assert found.images["class_id"].tolist() == ["dog", "eel", "eel", "dog"]


def test_other_files_of_a_sample_are_passed_over(tmp_path: Path) -> None:
    small(tmp_path, [*sample("t1", 0), ("t1.txt", b"a dog"), ("t1.seg.png", b"\x89PNG"), ("._t1.jpg", b"")])
    found = listing(tmp_path)
    assert found.images["name"].tolist() == ["t1.jpg", "v1.jpg"]
    assert sorted(name for names in found.passed_over.values() for name in names) == [
        "x-train-00.tar/._t1.jpg",
        "x-train-00.tar/t1.seg.png",
        "x-train-00.tar/t1.txt",
    ]


def test_keys_in_folders_are_told_apart(tmp_path: Path) -> None:
    small(tmp_path, sample("a/1", 0) + sample("./b/1", 0))
    assert listing(tmp_path).images["name"].tolist() == ["a_1.jpg", "b_1.jpg", "v1.jpg"]


def test_an_empty_or_unread_picture_is_a_bad_image(tmp_path: Path) -> None:
    small(tmp_path, [*sample("t1", 0), ("t2.avif", b"0000ftypavif"), ("t2.cls", b"0")])
    found = listing(tmp_path)
    assert found.rejected[0].reason.startswith("is AVIF, which is not read")
    assert found.images["name"].tolist() == ["t1.jpg", "v1.jpg"]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([("t1.jpg", b"")], r"x-train-00\.tar: sample t1 has no label, t1\.cls"),
        ([("t1.cls", b"0")], r"x-train-00\.tar: sample t1 has a label and no image"),
        ([("t1.jpg", b""), ("t1.cls", b"dog")], r"x-train-00\.tar: t1\.cls holds 'dog', not a label"),
        ([("t1.jpg", b""), ("t1.cls", b"-1")], r"t1\.cls holds '-1', not a label"),
        ([("t1.jpg", b""), ("t1.cls", b"")], r"t1\.cls holds '', not a label"),
        ([("t1.jpg", b""), ("t1.cls", b"\xff1")], r"t1\.cls holds '\\\\xff1', not a label"),
        ([("t1.jpg", b""), ("t1.cls", b"9" * 30)], r"t1\.cls holds '9+', not a label"),
        ([*sample("t1", 0), ("t1.png", b"")], r"x-train-00\.tar holds t1\.png as a second one of its sample"),
        ([*sample("t1", 0), ("t1.cls", b"1")], r"holds t1\.cls as a second one of its sample"),
        ([*sample("t1", 0), ("t1.json", b"{")], r"x-train-00\.tar: t1\.json cannot be read"),
    ],
)
def test_a_sample_that_is_not_whole_is_named(files: Files, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        listing(small(tmp_path, files))


def test_a_key_of_two_tars_names_both(tmp_path: Path) -> None:
    small(tmp_path, sample("t1", 0))
    write_tar(tmp_path / "x-train-01.tar", sample("t1", 0))
    with pytest.raises(UserError, match=r"x-train-01\.tar holds sample t1, as .*x-train-00\.tar does"):
        listing(tmp_path)


def test_a_label_without_a_name_is_named(tmp_path: Path) -> None:
    small(tmp_path, sample("t1", 0) + sample("t2", 2))
    (tmp_path / "classnames.txt").write_text("dog\neel\n")
    with pytest.raises(UserError, match=r"x-train-00\.tar: t2\.jpg has label 2 of 2 classes"):
        listing(tmp_path)


def gone(root: Path) -> None:
    (root / "imagenet-train-0001.tar").rename(root / "imagenet-train-0002.tar")


def cut(root: Path) -> None:
    (root / FIRST).write_bytes((root / FIRST).read_bytes()[:-200_000])


def doubled(root: Path) -> None:
    (root / "other-train-0001.tar").write_bytes((root / "imagenet-train-0001.tar").read_bytes())


def nothing_held_out(root: Path) -> None:
    for path in root.glob("*validation*"):
        path.unlink()


def no_names(root: Path) -> None:
    (root / "dataset_info.json").write_text("{")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (gone, r"wds/imagenet-train-0001\.tar is missing; fetch it"),
        (cut, rf"{FIRST} is (cut short|damaged)"),
        (doubled, r"imagenet-train-0001\.tar and .*other-train-0001\.tar have one number"),
        (nothing_held_out, rf"holds {FIRST}, and nothing held out: imagenet-validation-0000\.tar or val/"),
        (no_names, r"dataset_info\.json cannot be read"),
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


def test_one_more_tar_makes_the_index_stale(root: Path, tmp_path: Path) -> None:
    layout = Layout("x", tmp_path)
    build_index(layout, settings(root))
    (root / "notes.txt").touch()
    assert not changes(layout, root).index
    write_tar(root / "imagenet-train-0002.tar", sample("t1", 0))
    assert changes(layout, root).index


def test_tars_are_pinned_and_another_content_is_an_error(root: Path, tmp_path: Path) -> None:
    layout = Layout("x", tmp_path)
    build_index(layout, settings(root))
    pinned = {line.split(maxsplit=1)[1] for line in layout.raw_pins.read_text().splitlines()}
    assert pinned == {path.name for path in root.glob("*.tar")}
    assert not changes(layout, root).index
    content = bytearray((root / FIRST).read_bytes())
    content[600] ^= 1
    (root / FIRST).write_bytes(content)
    with pytest.raises(UserError, match=rf"{FIRST} is not the archive that was indexed"):
        changes(layout, root)


def test_a_shard_without_samples_is_named(root: Path) -> None:
    """Zeros, as an allotted download has, are an empty archive to tarfile."""
    shard = root / "imagenet-train-0001.tar"
    shard.write_bytes(bytes(shard.stat().st_size))
    with pytest.raises(UserError, match=f"{shard} holds no samples; fetch it anew"):
        listing(root)


def test_a_shard_that_is_a_link_to_nothing_is_named(root: Path) -> None:
    shard = root / "imagenet-train-0001.tar"
    shard.unlink()
    shard.symlink_to("blob")
    with pytest.raises(UserError, match=f"{shard} is a link to nothing: blob is not there; fetch that"):
        listing(root)


def test_a_first_shard_is_missed_where_other_shards_count_from_0(root: Path) -> None:
    (root / FIRST).unlink()
    with pytest.raises(UserError, match=f"{FIRST} is missing; fetch it"):
        listing(root)
