"""MNIST and Fashion-MNIST as sources: their format, what is read of small sets, and what may be wrong."""

import gzip
import hashlib
import json
import logging
import shutil
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from small import ARRAYS
from source_arrays import arrays_of

from centigan import params
from centigan.cli import run_verb
from centigan.data.arrays import build_arrays
from centigan.data.completeness import published_totals
from centigan.data.decode import BadImage, decode_planar
from centigan.data.idx_file import idx_shape
from centigan.data.idx_fixture import idx, write_idx
from centigan.data.idx_raw import (
    CLASSES,
    FILES,
    IMAGES,
    Name,
    Published,
    as_published,
    dotted,
    put_in_place,
)
from centigan.data.index import build_index
from centigan.data.published_archive import Archive
from centigan.data.sources import list_source
from centigan.data.sources.idx import list_idx
from centigan.data.sources.listing import PLANAR, Listing, Range, read_ranges
from centigan.data.verify import verify
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.preflight.proposal import explore
from centigan.settings.data import DataSettings
from centigan.settings.sources import ABOUT

COUNTS = {"classes": 10, "per_class": 2, "held_out_per_class": 1}
NAMES: list[Name] = ["mnist", "fashion_mnist"]
IMAGES_OF_TRAINING, LABELS_OF_TRAINING = FILES[:2]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[Name, Path]:
    """Small sets, put in place; never written to."""
    roots = {name: tmp_path_factory.mktemp(name) for name in NAMES}
    for name, root in roots.items():
        write_idx(name, root, **COUNTS)
        put_in_place(name, root)
    return roots


@pytest.fixture
def root(made: dict[Name, Path], tmp_path: Path) -> Path:
    """A copy of the small MNIST to damage."""
    return Path(shutil.copytree(made["mnist"], tmp_path / "root"))


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


@pytest.fixture
def published(made: dict[Name, Path]) -> Published:
    """As if the small MNIST were the published one."""
    packed = {file: Archive(f"{file}.gz", md5(made["mnist"] / f"{file}.gz")) for file in FILES}
    images = {"train": (2,) * 10, "held_out": (1,) * 10}
    return Published(images, packed, tuple("0123456789"))


def settings(name: Name, root: Path) -> DataSettings:
    return DataSettings(source=name, root=str(root), classes=10, split_size=10)


def listing(name: Name, root: Path) -> Listing:
    return list_source(settings(name, root))


def pixels(images: pd.DataFrame) -> list[np.ndarray]:
    """(28, 28) of each image."""
    rows = images[list(Range._fields)].itertuples(index=False, name=None)
    return [np.frombuffer(one, np.uint8).reshape(28, 28) for one in read_ranges(Range(*row) for row in rows)]


def test_a_file_made_by_hand_has_one_image_of_two_rows_and_three_columns(tmp_path: Path) -> None:
    path = tmp_path / "images"
    path.write_bytes(
        b"\0\0\x08\3" + b"\0\0\0\1" + b"\0\0\0\2" + b"\0\0\0\3" + bytes([10, 20, 30, 40, 50, 60])
    )
    assert idx_shape(path, 3) == (1, 2, 3)
    assert np.fromfile(path, np.uint8, offset=16).reshape(2, 3).tolist() == [[10, 20, 30], [40, 50, 60]]
    assert path.read_bytes() == idx(np.array([[[10, 20, 30], [40, 50, 60]]], np.uint8))
    labels = tmp_path / "labels"
    labels.write_bytes(struct.pack(">II", 2049, 3) + b"\7\0\1")
    assert idx_shape(labels, 1) == (3,)


def test_a_byte_is_all_three_channels_of_its_row_and_column() -> None:
    row, column = 5, 20
    data = bytearray(784)
    data[28 * row + column] = 255
    stored, by_column, planes = PLANAR["grey28"]
    image = decode_planar(bytes(data), 28, stored, by_column=by_column, planes=planes).pixels
    assert np.argwhere(image).tolist() == [[row, column, colour] for colour in range(3)]
    with pytest.raises(BadImage, match="783 bytes instead of 784"):
        decode_planar(bytes(data[1:]), 28, stored, planes=planes)


@pytest.mark.parametrize("name", NAMES)
def test_images_and_classes_are_those_that_torchvision_reads(
    made: dict[Name, Path], name: Name, tmp_path: Path
) -> None:
    from torchvision.datasets import MNIST, FashionMNIST

    dataset = {"mnist": MNIST, "fashion_mnist": FashionMNIST}[name]
    shutil.copytree(made[name], tmp_path / dataset.__name__ / "raw")
    found = listing(name, made[name])
    for subset in ("train", "held_out"):
        theirs = dataset(tmp_path, train=subset == "train")
        images = found.images[found.images["subset"] == subset].sort_values("offset")
        np.testing.assert_array_equal(np.stack(pixels(images)), theirs.data.numpy())
        called = [theirs.classes[label].removesuffix(f" - {NUMBERS[label]}") for label in theirs.targets]
        assert [found.words[class_id] for class_id in images["class_id"]] == called


NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def test_classes_are_named_so_that_files_can_be_called_by_them(made: dict[Name, Path]) -> None:
    assert listing("mnist", made["mnist"]).classes == list("0123456789")
    worn = listing("fashion_mnist", made["fashion_mnist"])
    assert len(set(worn.classes)) == 10 == ABOUT["fashion_mnist"].classes
    assert {"t_shirt_top", "ankle_boot"} < set(worn.classes)
    assert all(class_id.replace("_", "").isalpha() for class_id in worn.classes)
    assert worn.words["t_shirt_top"] == "T-shirt/top"


@pytest.mark.parametrize("name", NAMES)
def test_the_same_pictures_as_png_in_class_folders_give_the_same_arrays(
    made: dict[Name, Path], name: Name, tmp_path: Path
) -> None:
    images, folders = listing(name, made[name]).images, tmp_path / "folders"
    for row, image in zip(images.itertuples(), pixels(images), strict=True):
        file = folders / {"train": "train", "held_out": "val"}[row.subset] / row.class_id / f"{row.name}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(file)
    ours = arrays_of(settings(name, made[name]), tmp_path / "ours")
    theirs = arrays_of(DataSettings(root=str(folders), classes=10, split_size=10), tmp_path / "theirs")
    for file in ("images.npy", "labels.npy", "held_out_images.npy", "held_out_labels.npy"):
        assert (ours / file).read_bytes() == (theirs / file).read_bytes()
    arrays = np.load(ours / "images.npy")
    assert arrays.shape == (20, 32, 32, 3)
    assert (arrays == arrays[..., :1]).all()


@pytest.mark.parametrize("name", NAMES)
def test_networks_see_one_channel(name: Name) -> None:
    (experiment,) = [one for one in params.experiments_of(Path()) if one.startswith(f"{name}/")]
    assert params.load(experiment).arrays_of_source.channels == 1


@pytest.mark.parametrize("name", NAMES)
def test_the_numbers_are_those_of_the_authors(name: Name) -> None:
    real = as_published(name)
    assert {subset: sum(counts) for subset, counts in real.images.items()} == {
        "train": 60_000,
        "held_out": 10_000,
    }
    assert list(real.packed) == FILES
    assert len(real.words) == CLASSES
    assert all(archive.url.endswith(f"/{file}.gz") for file, archive in real.packed.items())
    first = {"mnist": "f68b3c2dcbeaaa9fbdd348bbdeb94873", "fashion_mnist": "8d4fb7e6c68d591d4c3dfef9ec88bf0d"}
    assert real.packed[IMAGES_OF_TRAINING].md5 == first[name]


def test_the_published_set_has_its_numbers_and_checksums(root: Path, published: Published) -> None:
    found = list_idx("mnist", root, published=published)
    assert found.checksummed
    assert found.found[0] == "train-images-idx3-ubyte: 20 images, MD5 as published"
    assert published_totals(found) == {"train": 20, "held_out": 10}
    for packed in root.glob("*.gz"):
        packed.unlink()
    found = list_idx("mnist", root, published=published)
    assert found.checksummed
    assert found.found[0] == "train-images-idx3-ubyte: 20 images, no MD5 published of it unpacked"


@pytest.mark.parametrize("name", NAMES)
def test_another_set_is_read_and_told_and_no_verified_one(
    made: dict[Name, Path], tmp_path: Path, name: Name, caplog: pytest.LogCaptureFixture
) -> None:
    found = listing(name, made[name])
    assert not found.checksummed
    assert found.found == [
        "train-images-idx3-ubyte: 20 of 60,000 images: not the published set",
        "t10k-images-idx3-ubyte: 10 of 10,000 images: not the published set",
    ]
    build_index(Layout(name, tmp_path), settings(name, made[name]))
    first = {"mnist": "class 0 has 2 of 5923 train", "fashion_mnist": "has 2 of 6000 train"}[name]
    assert first in caplog.text
    with pytest.raises(UserError, match=f"not the published set .*{first}.*Fetch the data anew; a run"):
        verify(settings(name, made[name]))


def test_mnist_in_the_place_of_fashion_mnist_has_wrong_numbers_of_each_class(
    root: Path, published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = published._replace(images={"train": (3, 1) * 5, "held_out": (1,) * 10})
    monkeypatch.setattr("centigan.data.sources.idx.as_published", lambda _: other)
    with pytest.raises(UserError, match=r"class 0 has 2 of 3 train images; class 1 has 2 of 1 train"):
        build_index(Layout("mnist", tmp_path), settings("mnist", root))


def of_training(file: str) -> Callable[[Callable[[bytes], bytes]], tuple[str, Callable[[bytes], bytes]]]:
    return lambda damage: (file, damage)


of_images, of_labels = of_training(IMAGES_OF_TRAINING), of_training(LABELS_OF_TRAINING)
DAMAGES: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    r"train-images-idx3-ubyte has 15,695 bytes, and by its header 15,696": of_images(lambda old: old[:-1]),
    r"train-images-idx3-ubyte has 15,697 bytes": of_images(lambda old: old + b"\0"),
    r"train-images-idx3-ubyte has 15 bytes, and its header 16: it is cut short": of_images(
        lambda old: old[:15]
    ),
    r"train-images-idx3-ubyte begins with 2049, and an IDX file .* 3 axes with 2051": of_images(
        lambda old: struct.pack(">I", 2049) + old[4:]
    ),
    r"train-images-idx3-ubyte begins with 50855936": of_images(lambda old: struct.pack("<I", 2051) + old[4:]),
    r"train-images-idx3-ubyte has .* by its header 16,480": of_images(
        lambda old: old[:4] + struct.pack(">I", 21) + old[8:]
    ),
    r"has images of 14 x 56 pixels, not of 28 x 28": of_images(
        lambda old: old[:8] + struct.pack(">II", 14, 56) + old[16:]
    ),
    r"has 19 images and train-labels-idx1-ubyte 20 labels": of_images(
        lambda old: old[:4] + struct.pack(">I", 19) + old[8:-784]
    ),
    r"train-labels-idx1-ubyte: image 1 has label 10, not one of 0 to 9": of_labels(
        lambda old: old[:9] + b"\x0a" + old[10:]
    ),
    r"train-labels-idx1-ubyte has 0 bytes, and its header 8": of_labels(lambda _: b""),
}


@pytest.mark.parametrize("message", DAMAGES)
def test_a_damaged_file_is_named_in_one_sentence(message: str, root: Path) -> None:
    name, damage = DAMAGES[message]
    path = root / name
    content = damage(path.read_bytes())
    path.write_bytes(content)
    (root / f"{name}.gz").write_bytes(gzip.compress(content))
    with pytest.raises(UserError, match=message) as error:
        listing("mnist", root)
    assert "\n" not in str(error.value)


def test_an_unpacked_file_must_be_what_the_packed_one_beside_it_holds(root: Path) -> None:
    path = root / LABELS_OF_TRAINING
    right = path.read_bytes()
    path.write_bytes(right[:-1] + bytes([(right[-1] + 1) % 10]))
    with pytest.raises(
        UserError, match=f"{path} is not what {path.name}.gz beside it holds: `centigan raw mnist"
    ):
        listing("mnist", root)
    put_in_place("mnist", root)
    assert path.read_bytes() == right
    listing("mnist", root)


def test_only_packed_files_are_to_be_unpacked_first(root: Path) -> None:
    path = root / IMAGES_OF_TRAINING
    path.unlink()
    with pytest.raises(
        UserError, match=rf"ubyte\.gz is packed, .*`centigan raw mnist --root {root}` unpacks"
    ):
        listing("mnist", root)
    path.with_name(f"{path.name}.gz").unlink()
    with pytest.raises(
        UserError, match=f"{path} is missing: put {path.name}.gz there and run `centigan raw mnist"
    ):
        listing("mnist", root)


def test_files_are_unpacked_whole_and_get_a_manifest(root: Path) -> None:
    for file in FILES:
        (root / file).unlink()
    put_in_place("mnist", root)
    manifest = json.loads((root / "manifest.json").read_text())
    assert list(manifest) == FILES
    for file, digest in manifest.items():
        assert hashlib.sha256((root / file).read_bytes()).hexdigest() == digest
        assert gzip.decompress((root / f"{file}.gz").read_bytes()) == (root / file).read_bytes()
        (root / f"{file}.gz").unlink()
    before = {file: (root / file).stat().st_mtime_ns for file in FILES}
    put_in_place("mnist", root)
    assert before == {file: (root / file).stat().st_mtime_ns for file in FILES}
    assert len(listing("mnist", root).images) == 30


def with_dots(root: Path, *files: str) -> None:
    """Give the files, and their .gz, the names of Kaggle's copies."""
    for file in files:
        for ending in ("", ".gz"):
            if (root / f"{file}{ending}").exists():
                (root / f"{file}{ending}").rename(root / f"{dotted(file)}{ending}")


@pytest.mark.parametrize("packed", [True, False])
def test_copies_with_a_dot_in_their_names_give_the_same_arrays_and_index_but_for_the_path(
    root: Path, tmp_path: Path, packed: bool
) -> None:
    made = []
    for place in ("published", "copies"):
        if place == "copies":
            with_dots(root, *FILES)
            for file in map(dotted, FILES):
                (root / (file if packed else f"{file}.gz")).unlink()
            put_in_place("mnist", root)
        layout = Layout("x", tmp_path / place)
        build_index(layout, settings("mnist", root))
        build_arrays(layout, "00", ARRAYS, root)
        made.append(layout)
    for name in ("images.npy", "labels.npy", "held_out_images.npy", "held_out_labels.npy", "facts.json"):
        assert len({(layout.arrays("00") / name).read_bytes() for layout in made}) == 1
    first, second = (pd.read_parquet(layout.index("00")) for layout in made)
    assert {path.name for path in root.glob("*ubyte")} == set(map(dotted, FILES))
    assert second["path"].unique().tolist() == ["train-images.idx3-ubyte", "t10k-images.idx3-ubyte"]
    assert first.drop(columns="path").equals(second.drop(columns="path"))


def test_the_published_name_goes_first_and_a_folder_of_it_is_none(root: Path) -> None:
    (root / dotted(IMAGES_OF_TRAINING)).write_bytes(b"none of it is read")
    assert len(listing("mnist", root).images) == 30
    with_dots(root, *FILES)
    for file in FILES:  # as Kaggle has them
        (root / file).mkdir()
    found = listing("mnist", root)
    assert set(found.images["path"]) == {f"{root}/{dotted(file)}" for file in FILES if "images" in file}


def test_of_copies_packed_anew_the_content_alone_is_compared(root: Path, published: Published) -> None:
    with_dots(root, *FILES)
    packed = root / f"{dotted(LABELS_OF_TRAINING)}.gz"
    packed.write_bytes(gzip.compress(gzip.decompress(packed.read_bytes()), mtime=1))
    found = list_idx("mnist", root, published=published)
    assert found.found[0] == "train-images.idx3-ubyte: 20 images, no MD5 published of it unpacked"
    labels = packed.with_suffix("")
    labels.write_bytes(labels.read_bytes()[:-1] + b"\x0b")
    with pytest.raises(UserError, match=f"{labels} is not what {packed.name} beside it holds"):
        listing("mnist", root)


@pytest.mark.parametrize("file", FILES)
def test_a_packed_file_of_the_published_numbers_and_another_md5_is_damaged(
    file: str, root: Path, published: Published
) -> None:
    packed = root / f"{file}.gz"
    (root / "manifest.json").unlink()
    (root / file).unlink()
    packed.write_bytes(gzip.compress(gzip.decompress(packed.read_bytes()), mtime=1))
    with pytest.raises(UserError, match=f"{file}.gz has MD5 {md5(packed)}, not {published.packed[file].md5}"):
        put_in_place("mnist", root, published=published)
    packed.write_bytes(packed.read_bytes()[:-9])
    with pytest.raises(
        UserError, match=f"cannot unpack {packed}: .*remove it and run `centigan raw mnist --root {root}`"
    ):
        put_in_place("mnist", root, published=published)
    assert not (root / file).exists()
    assert not (root / "manifest.json").exists()


PACKED_WRONG: dict[str, bytes] = {  # what stands in the place of the .gz of labels, by what is told of it
    "holds 0 bytes, and the header alone has 8": b"",
    "Not a gzipped file": b"<html>",
    "begins with 1013478509, not with 2049": gzip.compress(b"<html>of a sign-in</html>"),
    "holds 1 bytes less than its header tells": gzip.compress(struct.pack(">II", 2049, 3) + b"\7\0"),
    "holds more bytes than its header tells": gzip.compress(struct.pack(">II", 2049, 3) + b"\7\0\1\1"),
}


@pytest.mark.parametrize("fault", PACKED_WRONG)
def test_a_good_file_stays_where_the_packed_one_beside_it_is_damaged(root: Path, fault: str) -> None:
    path = root / LABELS_OF_TRAINING
    right, packed = path.read_bytes(), root / f"{LABELS_OF_TRAINING}.gz"
    packed.write_bytes(PACKED_WRONG[fault])
    message = f"cannot unpack {packed}: .*{fault}.*; remove it and run `centigan raw mnist --root {root}`"
    with pytest.raises(UserError, match=message):
        listing("mnist", root)
    with pytest.raises(UserError, match=message):
        put_in_place("mnist", root)
    assert path.read_bytes() == right
    packed.unlink()
    put_in_place("mnist", root)


def test_packed_images_of_another_size_replace_none(root: Path) -> None:
    path, packed = root / IMAGES_OF_TRAINING, root / f"{IMAGES_OF_TRAINING}.gz"
    right = path.read_bytes()
    packed.write_bytes(gzip.compress(right[:8] + struct.pack(">II", 14, 56) + right[16:]))
    with pytest.raises(UserError, match=rf"{packed}: it holds items of \(14, 56\) bytes, not of \(28, 28\)"):
        put_in_place("mnist", root)
    assert path.read_bytes() == right


@pytest.mark.parametrize("read", [put_in_place, listing])
def test_a_gzip_bomb_is_not_unpacked_in_memory(root: Path, read: Callable[[Name, Path], object]) -> None:
    packed = root / f"{LABELS_OF_TRAINING}.gz"
    with gzip.open(packed, "wb", compresslevel=1) as file:
        file.write(struct.pack(">II", 2049, 20) + bytes(20))
        for _ in range(128):
            file.write(bytes(1 << 20))
    tracemalloc.start()
    with pytest.raises(UserError, match=rf"{packed}: it holds more bytes than its header tells; remove it"):
        read("mnist", root)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 32 << 20


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_a_folder_or_a_dead_link_in_the_place_of_a_file_is_named(root: Path, ending: str) -> None:
    path = root / f"{LABELS_OF_TRAINING}{ending}"
    path.unlink()
    path.mkdir()
    for read in (put_in_place, listing):
        with pytest.raises(UserError, match=f"{path} is a folder, and a file belongs there: move it away"):
            read("mnist", root)
    path.rmdir()
    path.symlink_to(path)
    with pytest.raises(UserError, match=f"{path} is a link to {path}, where nothing is"):
        put_in_place("mnist", root)


def test_halves_of_killed_runs_are_removed(root: Path) -> None:
    (root / f".{LABELS_OF_TRAINING}.123.part").write_bytes(b"half")
    before = {path.name for path in root.iterdir()}
    put_in_place("mnist", root)
    assert {path.name for path in root.iterdir()} == before - {f".{LABELS_OF_TRAINING}.123.part"}


def test_without_network_the_address_and_the_place_are_told(tmp_path: Path, published: Published) -> None:
    url = "http://127.0.0.1:1/train-images-idx3-ubyte.gz"  # nobody listens on port 1
    first = published.packed[IMAGES_OF_TRAINING]._replace(url=url)
    nowhere = published._replace(packed=published.packed | {IMAGES_OF_TRAINING: first})
    with pytest.raises(
        UserError, match=f"cannot download {url} .*put it.* at {tmp_path}/{first.name}, then"
    ) as said:
        put_in_place("mnist", tmp_path, published=nowhere)
    others = [archive.url for file, archive in published.packed.items() if file != IMAGES_OF_TRAINING]
    assert str(said.value).endswith(f"then run again; put beside it, too: {', '.join(others)}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("with_dot", [True, False])
def test_of_files_of_both_the_source_must_be_named(root: Path, packed: bool, with_dot: bool) -> None:
    with_dots(root, *(FILES if with_dot else ()))
    for file in root.iterdir():
        if (file.suffix == ".gz") != packed:
            file.unlink()
    with pytest.raises(UserError, match=r"holds IDX files, .*name `data\.source`"):
        list_source(DataSettings(root=str(root), classes=10, split_size=10))
    with pytest.raises(UserError, match=r"name `data\.source`"):
        explore(root)


@pytest.mark.parametrize("name", NAMES)
def test_verbs_write_a_small_set_and_put_it_in_place(
    name: Name, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("--per-class", "1", "--held-out-per-class", "1")
    assert run_verb(["fixture", name, "--out", f"data/raw/{name}", *words]) == 0
    with caplog.at_level(logging.WARNING):
        assert run_verb(["raw", name]) == 0
    assert (tmp_path / f"data/raw/{name}/manifest.json").exists()
    assert "train-images-idx3-ubyte: 10 of 60,000 images: not the published set" in caplog.text


@pytest.mark.parametrize("name", NAMES)
def test_a_fixture_has_the_same_bytes_each_time_and_replaces_nothing(
    name: Name, made: dict[Name, Path], tmp_path: Path
) -> None:
    write_idx(name, tmp_path / "again", **COUNTS)
    assert {file.name for file in (tmp_path / "again").iterdir()} == {f"{file}.gz" for file in FILES}
    for file in (tmp_path / "again").iterdir():
        assert (made[name] / file.name).read_bytes() == file.read_bytes()
    with pytest.raises(UserError, match="is not empty"):
        write_idx(name, tmp_path / "again", **COUNTS)
    with pytest.raises(UserError, match="has 10 classes, not 5"):
        write_idx(name, tmp_path / "few", **COUNTS | {"classes": 5})
    with pytest.raises(UserError, match="would be taken for a damaged copy"):
        write_idx(name, tmp_path / "many", **COUNTS | {"per_class": sum(IMAGES[name]["train"]) // 10})
    assert not (tmp_path / "many").exists()


def test_no_more_digits_are_written_than_ship(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="174 images of each digit ship, and 175 are asked for"):
        write_idx("mnist", tmp_path / "out", **COUNTS | {"per_class": 174})
