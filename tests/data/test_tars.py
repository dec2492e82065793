"""The tar reader against Python's tarfile, on archives whole, nested, cut and damaged."""

import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from centigan.data.sources.tars import members
from centigan.errors import UserError

names = st.text(
    st.characters(codec="utf-8", exclude_characters="/\0", exclude_categories=("Cs",)), min_size=1
).filter(lambda name: name not in {".", ".."})
contents = st.lists(st.tuples(names, st.binary(max_size=1500)), max_size=6, unique_by=lambda pair: pair[0])
formats = st.sampled_from([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
on_disk = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


def tar(files: list[tuple[str, bytes]], form: int = tarfile.GNU_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for name, content in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def listed(path: Path, **place: int) -> list[tuple[str, bytes]]:
    """Names and contents as `members` finds them."""
    whole = path.read_bytes()
    return [(m.name, whole[m.offset : m.offset + m.size]) for m in members(path, **place)]


def by_tarfile(archive: bytes) -> list[tuple[str, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return [(m.name, opened.extractfile(m).read()) for m in opened]


@on_disk
@given(files=contents, form=formats)
def test_it_finds_what_tarfile_extracts(tmp_path: Path, files: list[tuple[str, bytes]], form: int) -> None:
    try:
        archive = tar(files, form)
    except ValueError:  # ustar holds no names beyond 100 characters
        return
    path = tmp_path / "a.tar"
    path.write_bytes(archive)
    assert listed(path) == by_tarfile(archive) == files


@on_disk
@given(files=contents, before=st.integers(0, 2000), after=st.binary(max_size=600))
def test_a_tar_within_a_file_is_read_where_it_lies(
    tmp_path: Path, files: list[tuple[str, bytes]], before: int, after: bytes
) -> None:
    inner = tar(files)
    path = tmp_path / "outer"
    path.write_bytes(b"\x01" * before + inner + after)
    assert listed(path, offset=before, size=len(inner)) == files


@on_disk
@given(files=contents.filter(len), form=formats, data=st.data())
def test_a_cut_archive_is_an_error_and_never_a_shorter_list(
    tmp_path: Path, files: list[tuple[str, bytes]], form: int, data: st.DataObject
) -> None:
    try:
        archive = tar(files, form)
    except ValueError:
        return
    path = tmp_path / "a.tar"
    path.write_bytes(archive[: data.draw(st.integers(0, len(archive)), label="bytes")])
    try:
        found = listed(path)
    except UserError:
        return
    assert found == files  # only padding was cut


@on_disk
@given(files=contents.filter(len), form=formats, data=st.data())
def test_a_damaged_byte_is_an_error_or_changes_no_listing(
    tmp_path: Path, files: list[tuple[str, bytes]], form: int, data: st.DataObject
) -> None:
    try:
        archive = bytearray(tar(files, form))
    except ValueError:
        return
    place = data.draw(st.integers(0, len(archive) - 1), label="place")
    archive[place] ^= data.draw(st.integers(1, 255), label="change")
    path = tmp_path / "a.tar"
    path.write_bytes(archive)
    try:
        found = listed(path)
    except UserError:
        return
    assert len(found) == len(files)


@on_disk
@given(noise=st.binary(max_size=3000))
def test_noise_is_an_error_or_empty(tmp_path: Path, noise: bytes) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(noise)
    try:
        assert listed(path) == []
        assert not any(noise)
    except UserError:
        pass


def test_two_archives_one_after_the_other_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(tar([("a", b"1")]) + tar([("b", b"2")]))
    with pytest.raises(UserError, match=r"a\.tar is damaged near byte"):
        listed(path)


@pytest.mark.parametrize(
    ("kind", "name", "fault"),
    [
        (tarfile.SYMTYPE, "x", "link"),
        (tarfile.LNKTYPE, "x", "link"),
        (tarfile.FIFOTYPE, "x", "special file"),
        (tarfile.REGTYPE, "../x", "leads out"),
        (tarfile.REGTYPE, "/etc/x", "leads out"),
        (tarfile.REGTYPE, "a/../../x", "leads out"),
    ],
)
def test_links_and_names_that_lead_out_are_told_apart(
    tmp_path: Path, kind: bytes, name: str, fault: str
) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = kind, "elsewhere"
        archive.addfile(entry)
    (found,) = members(path)
    assert fault in str(found.fault)


def test_folders_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        entry = tarfile.TarInfo("folder")
        entry.type = tarfile.DIRTYPE
        archive.addfile(entry)
    assert list(members(path)) == []
