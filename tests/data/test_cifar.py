import hashlib
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cifar_files import (
    NAMES,
    ROWS,
    as_protocol_4,
    as_python_2,
    batch,
    class_names,
    published,
    read,
    write_binary,
    write_python,
)

from centigan.data.cifar_raw import VERSIONS, Name, as_published
from centigan.data.completeness import published_totals
from centigan.data.sources.cifar import list_cifar
from centigan.data.sources.pickles import read_dictionary
from centigan.errors import UserError


def require_all_images(name: Name, images: pd.DataFrame) -> None:
    """Check pixels, class and subset of each image against what was written."""
    assert len(images) == ROWS * len(VERSIONS[name][0].batches)
    for seed, (file, subset) in enumerate(VERSIONS[name][0].batches.items()):
        content = batch(name, seed)
        rows = images[images["path"].map(lambda path: Path(path).stem) == file].sort_values("offset")
        assert list(rows["subset"]) == [subset] * ROWS
        labels = content["labels" if name == "cifar10" else "fine_labels"]
        assert list(rows["class_id"]) == [class_names(name)[label] for label in labels]
        for pixels, image in zip(content["data"], rows.itertuples(), strict=True):
            np.testing.assert_array_equal(read(image).reshape(3, 32, 32), pixels.reshape(3, 32, 32))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("write", [as_python_2, as_protocol_4])
def test_the_python_version_is_read_in_place(
    name: Name, write: Callable[[object], bytes], tmp_path: Path
) -> None:
    folder = write_python(name, tmp_path, write)
    listing = list_cifar(name, tmp_path, published=published(name, folder))
    require_all_images(name, listing.images)
    assert listing.encoding == "planar32"
    assert listing.checksummed
    number = {"cifar10": "5 training files", "cifar100": "1 training file"}[name]
    assert listing.found == [f"{folder.name}: {number} and 1 test file, MD5 as published"]


@pytest.mark.parametrize("name", NAMES)
def test_the_binary_version_is_read_in_place(name: Name, tmp_path: Path) -> None:
    write_binary(name, tmp_path)
    listing = list_cifar(name, tmp_path, published=published(name))
    require_all_images(name, listing.images)
    assert "no MD5s published" in listing.found[0]
    first = "data_batch_1_00000" if name == "cifar10" else "train_00000"
    assert listing.images["name"].iloc[0] == first


def test_pixels_and_labels_are_those_that_torchvision_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torchvision.datasets import CIFAR10

    folder = write_python("cifar10", tmp_path)
    expected = published("cifar10", folder)
    monkeypatch.setattr(CIFAR10, "train_list", [[f"data_batch_{n}", None] for n in range(1, 6)])
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", None]])
    monkeypatch.setattr(CIFAR10, "meta", {**CIFAR10.meta, "md5": None})
    theirs = CIFAR10(tmp_path)
    images = list_cifar("cifar10", tmp_path, published=expected).images
    train = images[images["subset"] == "train"].sort_values(["path", "offset"])
    ours = np.stack([read(image) for image in train.itertuples()]).reshape(-1, 3, 32, 32)
    np.testing.assert_array_equal(ours.transpose(0, 2, 3, 1), theirs.data)
    assert list(train["class_id"]) == [theirs.classes[label] for label in theirs.targets]


def test_training_images_come_first_and_a_class_is_sorted_by_name(tmp_path: Path) -> None:
    folder = write_python("cifar10", tmp_path)
    listing = list_cifar("cifar10", tmp_path, published=published("cifar10", folder))
    images = listing.images
    order = list(zip(images["subset"] == "held_out", images["class_id"], images["name"], strict=True))
    assert order == sorted(order)
    assert list(images.columns) == ["path", "offset", "size", "name", "subset", "class_id"]
    again = list_cifar("cifar10", tmp_path, published=published("cifar10", folder)).images
    pd.testing.assert_frame_equal(images, again)


def test_counts_are_those_published(tmp_path: Path) -> None:
    for name, by_class in {"cifar10": (5000, 1000), "cifar100": (500, 100)}.items():
        facts = as_published(name)  # type: ignore[arg-type]
        files = VERSIONS[name][0].batches  # type: ignore[index]
        assert set(facts.md5s) == {*files, VERSIONS[name][0].meta}  # type: ignore[index]
        totals = {s: facts.images[s] * list(files.values()).count(s) for s in facts.images}
        assert totals == {"train": 50000, "held_out": 10000}
        assert (totals["train"] // facts.classes, totals["held_out"] // facts.classes) == by_class
    folder = write_python("cifar10", tmp_path)
    listing = list_cifar("cifar10", tmp_path, published=published("cifar10", folder))
    assert published_totals(listing) == {"train": 5 * ROWS, "held_out": ROWS}
    counts = listing.images.groupby(["subset", "class_id"]).size()
    for subset, by_class in listing.official.items():
        assert by_class == counts[subset].to_dict()


def test_the_tests_write_pickles_as_the_authors_did(tmp_path: Path) -> None:
    content = {"num_cases_per_batch": 10000, "label_names": class_names("cifar10"), "num_vis": 3072}
    meta = as_python_2(content)
    assert hashlib.md5(meta).hexdigest() == as_published("cifar10").md5s["batches.meta"]


def test_both_versions_give_the_same_images_in_the_same_order(tmp_path: Path) -> None:
    write_binary("cifar100", tmp_path / "binary")
    python = write_python("cifar100", tmp_path / "python")
    listings = [
        list_cifar("cifar100", root, published=published("cifar100", folder)).images
        for root, folder in ((tmp_path / "binary", None), (tmp_path / "python", python))
    ]
    pd.testing.assert_frame_equal(*(images[["name", "subset", "class_id"]] for images in listings))
    first, second = ([read(image).tobytes() for image in images.itertuples()] for images in listings)
    assert first == second


def test_strings_that_a_pickle_repeats_are_followed(tmp_path: Path) -> None:
    path = tmp_path / "twice"
    path.write_bytes(as_python_2({"names": ["one", "one"], "one": 1}))
    assert read_dictionary(path) == {"names": ["one", "one"], "one": 1}


def test_where_both_versions_lie_the_one_with_checksums_is_read(tmp_path: Path) -> None:
    write_binary("cifar100", tmp_path)
    folder = write_python("cifar100", tmp_path)
    listing = list_cifar("cifar100", tmp_path, published=published("cifar100", folder))
    assert set(listing.images["path"]) == {(folder / file).as_posix() for file in ("train", "test")}


class Malicious:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (self.command,)


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_malicious_pickle_is_refused_and_not_run(protocol: int, tmp_path: Path) -> None:
    folder = write_python("cifar10", tmp_path)
    trace = tmp_path / "trace"
    bomb = Malicious(f"touch '{trace}'")
    for content in (bomb, {**batch("cifar10", 0), "data": bomb}, {**batch("cifar10", 0), "labels": bomb}):
        attack = pickle.dumps(content, protocol=protocol)
        (folder / "data_batch_1").write_bytes(attack)
        with pytest.raises(UserError, match="data_batch_1"):
            list_cifar("cifar10", tmp_path, published=published("cifar10", folder))
        assert not trace.exists()
        pickle.loads(attack)  # the attack is a real one
        assert trace.exists()
        trace.unlink()


GOOD = batch("cifar10", 0)
NO_LABELS = {key: value for key, value in GOOD.items() if key != "labels"}
WHOLE = as_python_2(GOOD)
DAMAGES = {
    "no list of whole numbers 'labels'": as_python_2(NO_LABELS),
    "'labels'; fetch": as_python_2({**GOOD, "labels": ["cat"] * ROWS}),
    "damaged or no file of CIFAR .*exhausted": WHOLE[:-1],
    "damaged or no file of CIFAR .*remain": WHOLE[:40000],
    "damaged or no file of CIFAR .*unknown": b"\xffgarbage",
    "damaged or no file of CIFAR .*exhausted|unknown": b"",
    "nothing is there for the opcode": b"\x80\x02a.",
    "holds no dictionary": as_python_2([1, 2]),
    "61437 bytes of pixels for 20 images": as_python_2({**GOOD, "data": GOOD["data"].ravel()[3:]}),
    "no array 'data' of bytes, row by row; take the binary": as_python_2(
        {**GOOD, "data": np.asfortranarray(GOOD["data"])}
    ),
    "no array 'data'": pickle.dumps(GOOD, protocol=2),  # Python 3 writes the pixels as UTF-8 text there
    "19 images, not 20": as_python_2(batch("cifar10", 0, rows=19)),
    "image 3 has label 10, not one of 0 to 9": as_python_2({**GOOD, "labels": [0, 1, 2, 10] * 5}),
    "image 0 has label -1": as_python_2({**GOOD, "labels": [-1] * 20}),
    "image 19 has label 100000000000000": as_python_2({**GOOD, "labels": [0] * 19 + [10**30]}),
}


@pytest.mark.parametrize("message", DAMAGES)
def test_a_damaged_pickle_is_told_in_one_sentence(message: str, tmp_path: Path) -> None:
    folder = write_python("cifar10", tmp_path)
    (folder / "data_batch_3").write_bytes(DAMAGES[message])
    with pytest.raises(UserError, match=f"data_batch_3.*{message}") as error:
        list_cifar("cifar10", tmp_path, published=published("cifar10", folder))
    assert "\n" not in str(error.value)


def test_another_md5_than_published_is_told(tmp_path: Path) -> None:
    folder = write_python("cifar10", tmp_path)
    expected = published("cifar10", folder)
    path = folder / "data_batch_2"
    content = bytearray(path.read_bytes())
    content[5000] ^= 1
    path.write_bytes(content)
    found = hashlib.md5(content).hexdigest()
    with pytest.raises(
        UserError, match=f"data_batch_2 has MD5 {found}, not {expected.md5s[path.name]} .*fetch"
    ):
        list_cifar("cifar10", tmp_path, published=expected)
    with pytest.raises(UserError, match=r"data_batch_1 has MD5 .* c99cafc152244af753f735de768cd75f"):
        list_cifar("cifar10", tmp_path)


def test_missing_folders_and_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"neither cifar-10-batches-py nor cifar-10-batches-bin.*centigan raw"
    ):
        list_cifar("cifar10", tmp_path)
    folder = write_python("cifar10", tmp_path)
    expected = published("cifar10", folder)
    (folder / "test_batch").unlink()
    with pytest.raises(UserError, match="test_batch is missing"):
        list_cifar("cifar10", tmp_path, published=expected)
    write_binary("cifar100", tmp_path)
    (tmp_path / "cifar-100-binary" / "fine_label_names.txt").unlink()
    with pytest.raises(UserError, match=r"fine_label_names\.txt is missing"):
        list_cifar("cifar100", tmp_path, published=published("cifar100"))


def test_damaged_binary_files_are_told(tmp_path: Path) -> None:
    folder = write_binary("cifar100", tmp_path)
    path = folder / "train.bin"
    whole = path.read_bytes()
    cases = {
        whole[:-1]: "61479 bytes, not 61480",
        b"": "0 bytes",
        whole[:-3074]: "58406 bytes, not 61480",
        whole[:1] + b"\x64" + whole[2:]: "image 0 has label 100",
    }
    for content, message in cases.items():
        path.write_bytes(content)
        with pytest.raises(UserError, match=message):
            list_cifar("cifar100", tmp_path, published=published("cifar100"))
    path.write_bytes(whole)
    for names in ("one\n" * 100, "fine_00\n", "\xff"):
        (folder / "fine_label_names.txt").write_text(names, encoding="latin-1")
        with pytest.raises(UserError, match="fine_label_names"):
            list_cifar("cifar100", tmp_path, published=published("cifar100"))
