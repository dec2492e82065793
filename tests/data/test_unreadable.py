"""Whatever lies in a folder of raw data, or goes wrong with one file, is told by the file's name."""

import errno
import io
import os
import resource
import socket
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from small import ARRAYS

from centigan.data import arrays
from centigan.data.arrays import build_arrays
from centigan.data.index import build_index
from centigan.data.sources import list_source
from centigan.data.sources.listing import MOST_BYTES, Range, Rejected, printable, read_ranges
from centigan.data.sources.sift import Sieve
from centigan.data.sources.tars import members
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.manifest import read_manifest
from centigan.settings.data import DataSettings


def encoded(form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((60, 40), 80).convert("RGB").save(buffer, form, **options)
    return buffer.getvalue()


def rejected_of(settings: DataSettings) -> dict[str, str]:
    return {Path(name).name: reason for name, reason in list_source(settings).rejected}


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_link_to_a_pipe(path: Path) -> None:
    os.mkfifo(path.parent / ".pipe")
    path.symlink_to(path.parent / ".pipe")


def make_loop(path: Path) -> None:
    path.symlink_to(path)


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(path.parent)
        server.bind(path.name)


def make_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def make_dead_link(path: Path) -> None:
    path.symlink_to(path.parent / "nowhere")


def make_film(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (make_pipe, "is no plain file"),
        (make_link_to_a_pipe, "is no plain file"),
        (make_socket, "is no plain file"),
        (make_device, "is no plain file"),
        (make_loop, "is a link to itself"),
        (make_dead_link, "is a link to nothing"),
        (make_film, "has 1,073,741,825 bytes, more than any image"),
    ],
)
def test_what_cannot_be_an_image_is_listed_and_never_opened(
    make: Callable[[Path], None],
    reason: str,
    raw: Path,
    data_settings: DataSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(raw)
    make(raw / "train" / "dog" / "odd.jpg")
    assert rejected_of(data_settings) == {"odd.jpg": reason}


def test_a_file_name_that_is_not_utf_8_is_listed_in_escaped_form(
    raw: Path, tmp_path: Path, data_settings: DataSettings
) -> None:
    (raw / "train" / "dog" / os.fsdecode(b"caf\xe9.png")).write_bytes(encoded("PNG"))
    layout = Layout("x", tmp_path)
    build_index(layout, data_settings)
    assert "caf\\\\xe9.png" in layout.source.read_text(encoding="utf-8")
    with pytest.raises(UserError, match="has a name that is not UTF-8; rename it"):
        build_index(layout, data_settings.model_copy(update={"on_bad_image": "error"}))


ALPHABETS = "犬 – screenshot at 10.00\u202fAM 🐕.png"


@pytest.mark.parametrize(
    "name", [ALPHABETS, "two\nlines.png", "a\u2028b.png", "carriage\rreturn \\ \x07.png"]
)
def test_any_name_of_utf_8_is_kept_and_pinned(
    name: str, raw: Path, tmp_path: Path, data_settings: DataSettings
) -> None:
    (raw / "train" / "dog" / name).write_bytes(encoded("PNG"))
    layout = Layout("x", tmp_path)
    build_index(layout, data_settings.model_copy(update={"checksums": True}))
    build_arrays(layout, "00", ARRAYS, raw)
    assert name in set(pd.read_parquet(layout.index("00"))["name"])
    command = ["sha256sum", "--check", "--strict", "--quiet", str(layout.raw_pins)]
    assert subprocess.run(command, cwd=raw, check=False).returncode == 0


def test_a_class_may_have_any_name_of_utf_8(raw: Path, tmp_path: Path, data_settings: DataSettings) -> None:
    for subset in ("train", "val"):
        (raw / subset / "dog").rename(raw / subset / "d\ro\ng")
    layout = Layout("x", tmp_path)
    build_index(layout, data_settings)
    assert "d\ro\ng" in set(pd.read_csv(layout.classes, dtype=str)["class_id"])


def test_names_are_told_on_one_line() -> None:
    assert printable(ALPHABETS) == ALPHABETS
    assert printable(os.fsdecode(b"two\nlines caf\xe9")) == "two\\x0alines caf\\xe9"


def test_a_class_folder_whose_name_is_not_utf_8_is_an_error(raw: Path, data_settings: DataSettings) -> None:
    (raw / "train" / os.fsdecode(b"caf\xe9")).mkdir()
    with pytest.raises(UserError, match=r"class folder .*train/caf\\xe9 has a name that is not UTF-8"):
        list_source(data_settings)


def test_a_members_name_that_is_not_utf_8_is_a_fault_in_escaped_form(tmp_path: Path) -> None:
    path, sieve = tmp_path / "a.tar", Sieve(tmp_path)
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        tar.addfile(tarfile.TarInfo(os.fsdecode(b"caf\xe9.JPEG")))
    (member,) = members(path)
    assert sieve.member(path, member, "a.tar") is None
    reason = "has a name that is not UTF-8; rename it"
    assert sieve.rejected == [Rejected("caf\\xe9.JPEG", reason)]


@pytest.mark.parametrize("place", ["", "train", "train/dog"])
def test_a_folder_that_may_not_be_read_is_named(
    place: str, raw: Path, data_settings: DataSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what the system answers: root, whom nothing is forbidden, may run the tests."""
    scandir, listdir, stat = os.scandir, os.listdir, os.stat

    def forbidden(path: object, call: object, *rest: object, **options: object) -> object:
        if str(path) == str(raw / place):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return call(path, *rest, **options)

    monkeypatch.setattr(os, "scandir", lambda path=".": forbidden(path, scandir))
    monkeypatch.setattr(os, "listdir", lambda path=".": forbidden(path, listdir))
    if not place:
        monkeypatch.setattr(
            os, "stat", lambda path, **more: forbidden(Path(path).parent, lambda _: stat(path, **more))
        )
    with pytest.raises(UserError, match=rf"{place or 'raw'}\S* cannot be read: Permission denied; permit it"):
        list_source(data_settings.model_copy(update={"source": "auto" if not place else "folders"}))


def test_a_root_that_is_a_link_to_itself_is_named(tmp_path: Path) -> None:
    make_loop(tmp_path / "root")
    with pytest.raises(UserError, match=r"root cannot be read: Too many levels of symbolic links"):
        list_source(DataSettings(root=str(tmp_path / "root"), classes=4))


@pytest.mark.parametrize("code", [errno.EMFILE, errno.EIO, errno.ENOSPC])
def test_the_machines_trouble_in_decoding_stops_and_names_the_file(
    code: int, layout: Layout, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(arrays, "decode", fail)
    with pytest.raises(UserError, match=rf"train/cat/0\.png cannot be read: {os.strerror(code)}; "):
        build_arrays(layout, "00", ARRAYS, raw)


def test_a_failing_disk_names_the_file_that_it_failed_at(
    layout: Layout, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.pread

    def pread(file: int, size: int, offset: int) -> bytes:
        if Path(f"/proc/self/fd/{file}").readlink().match("dog/3.png"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(file, size, offset)

    monkeypatch.setattr(os, "pread", pread)
    with pytest.raises(UserError, match=r"train/dog/3\.png cannot be read: Input/output error; look at the"):
        build_arrays(layout, "00", ARRAYS, raw)


def test_a_pipe_where_an_image_lay_does_not_keep_us_waiting(layout: Layout, raw: Path) -> None:
    image = raw / "train" / "cat" / "1.png"
    image.unlink()
    make_pipe(image)
    with pytest.raises(UserError, match=r"cat/1\.png cannot be read: Illegal seek"):
        build_arrays(layout, "00", ARRAYS, raw)


@contextmanager
def open_files(most: int) -> Iterator[None]:
    """No descriptor from `most` on can be had."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_hundreds_of_files_and_archives_are_read_with_a_dozen_open(
    raw: Path, tmp_path: Path, data_settings: DataSettings
) -> None:
    for number in range(100):
        (raw / "train" / "dog" / f"more_{number}.tiff").write_bytes(encoded("TIFF"))
        with tarfile.open(tmp_path / f"{number}.tar", "w") as tar:
            tar.add(raw / "train" / "dog" / "0.png", "0.png")
    used = {int(path.name) for path in Path("/dev/fd").iterdir()}
    free = [number for number in range(len(used) + 12) if number not in used]
    with open_files(free[11] + 1):
        layout = Layout("x", tmp_path)
        build_index(layout, data_settings)
        build_arrays(layout, "00", ARRAYS, raw, threads=2)
        tars = [tmp_path / f"{number}.tar" for number in range(100)]
        found = [(tar, member) for tar in tars for member in members(tar)]
        ranges = [Range(str(tar), member.offset, member.size, member.name) for tar, member in found]
        assert len(set(read_ranges(ranges))) == 1
    assert read_manifest(layout.arrays("00"))["rejected"] == {"train": [], "held_out": []}


def test_too_many_open_files_are_an_error_that_says_so_not_a_bad_image(
    raw: Path, data_settings: DataSettings
) -> None:
    ranges = read_ranges([Range(str(raw / "train" / "cat" / "0.png"), 0, 9, "0.png")])
    said = "cannot be read: Too many open files; raise the limit"
    with open_files(3):
        with pytest.raises(UserError, match=rf"0\.png {said}"):
            next(ranges)
        with pytest.raises(UserError, match=rf"raw\S* {said}"):
            list_source(data_settings)
