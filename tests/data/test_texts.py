"""Files of text in every encoding that people save them in: read, told, or refused by name."""

from pathlib import Path

import pytest

from centigan.data.captioned_fixture import write_captioned
from centigan.data.celeba_fixture import write_celeba
from centigan.data.sources import list_source
from centigan.data.sources.celeba import PARTITION
from centigan.data.sources.listing import Listing
from centigan.data.sources.texts import lines_of, read_text
from centigan.errors import UserError
from centigan.settings.data import DataSettings
from centigan.settings.sources import Source

WITH_FILES: tuple[Source, ...] = ("cub200", "captioned_folders")


@pytest.fixture
def root(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Two classes of two images, with their captions in UTF-8."""
    root = tmp_path / request.param
    write_captioned(request.param, root, classes=2, per_class=1, held_out_per_class=1)
    for file in caption_files(root):
        file.write_bytes(file.read_bytes().decode("latin-1").encode())
    return root


with_files = pytest.mark.parametrize("root", WITH_FILES, indirect=True)
of_birds = pytest.mark.parametrize("root", ["cub200"], indirect=True)


def caption_files(root: Path) -> list[Path]:
    return sorted((root / ("text_c10" if root.name == "cub200" else "train")).rglob("*.txt"))


def listing(root: Path) -> Listing:
    return list_source(DataSettings.model_validate({"root": str(root), "source": root.name}))


def captions_of(root: Path, file: Path) -> list[str]:
    rows = listing(root).images.itertuples(index=False)
    of_class = {(row.class_id, Path(row.name).stem): row.captions for row in rows}
    return list(of_class[file.parent.name, file.stem])


@with_files
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_captions_are_the_same_in_every_encoding_that_says_what_it_is(root: Path, encoding: str) -> None:
    file = caption_files(root)[0]
    mark = "\ufeff" if encoding in {"utf-16-le", "utf-16-be"} else ""
    file.write_bytes((mark + "A na\u00efve Bird\r\nof Red\n").encode(encoding))
    assert captions_of(root, file) == ["a na\u00efve bird", "of red"]


@with_files
def test_a_line_ends_as_on_any_system(root: Path) -> None:
    file = caption_files(root)[0]
    file.write_bytes(b"one\rtwo\r\nthree\n\rfour\r")
    assert captions_of(root, file) == ["one", "two", "three", "four"]


@with_files
def test_files_that_are_no_text_are_named_at_once_with_all_that_is_wrong(root: Path) -> None:
    zeros, cut = caption_files(root)[:2]
    zeros.write_bytes("A bird\n".encode("utf-16-le"))  # without a mark
    cut.write_bytes("A bird\n".encode("utf-16")[:-1])
    with pytest.raises(UserError) as told:
        listing(root)
    assert f"{zeros} is no text: it has zeros in it, as UTF-16 has; save it as UTF-8" in str(told.value)
    assert f"{cut} begins as UTF-16, and is cut short or damaged; save it as UTF-8" in str(told.value)


@with_files
def test_files_in_latin_1_are_told_once(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    first, second = caption_files(root)[:2]
    listing(root)
    assert "latin-1" not in caplog.text
    for file in (first, second):
        file.write_bytes(b"na\xefve\n")
    assert captions_of(root, first) == ["na\u00efve"]
    assert caplog.text.count("latin-1") == 1
    assert f"{first} is no UTF-8 and is read as latin-1 (2 such files in all); where" in caplog.text


@of_birds
@pytest.mark.parametrize("name", ["CUB_200_2011/images.txt", "trainvalclasses.txt"])
def test_lists_follow_the_same_rules(root: Path, name: str, caplog: pytest.LogCaptureFixture) -> None:
    file = root / name
    before, found = file.read_text(), listing(root)
    for encoding, end in (("utf-16", "\r\n"), ("utf-8", "\r")):
        file.write_bytes(before.replace("\n", end).encode(encoding))
        assert listing(root).images.equals(found.images)
    file.write_bytes(before.encode() + b"caf\xe9 caf\xe9\n")
    assert lines_of(file)[-2] == "caf\u00e9 caf\u00e9"
    assert f"{file} is no UTF-8 and is read as latin-1; where letters" in caplog.text
    file.write_bytes(before.encode("utf-16-be"))
    with pytest.raises(UserError, match=f"{file} is no text: it has zeros in it"):
        listing(root)


def test_a_partition_of_faces_follows_the_same_rules(tmp_path: Path) -> None:
    root = tmp_path / "celeba"
    write_celeba(root, classes=1, per_class=2, held_out_per_class=1)
    found, file = listing(root), root / PARTITION
    file.write_bytes(file.read_text().replace("\n", "\r").encode("utf-16"))
    assert listing(root).images.equals(found.images)
    file.write_bytes(b"\xff\xfe\0")
    with pytest.raises(UserError, match=f"{file} begins as UTF-16, and is cut short"):
        listing(root)


def test_utf_32_is_no_utf_16(tmp_path: Path) -> None:
    file = tmp_path / "x.txt"
    file.write_bytes("A bird\n".encode("utf-32"))
    assert "is no text" in str(read_text(file).fault)
