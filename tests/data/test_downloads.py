"""Data sets that are downloaded when they are asked for, here from a server of our own."""

import errno
import hashlib
import logging
import shutil
import socket
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from centigan.cli import app
from centigan.data import downloads, published_archive
from centigan.data.captioned_fixture import write_captioned
from centigan.data.downloads import PARTS, Part
from centigan.data.published_archive import Archive
from centigan.data.shrunk_fixture import write_tiny_imagenet
from centigan.data.sources import list_source
from centigan.data.verify import published_archives, verify
from centigan.errors import UserError
from centigan.settings.data import DataSettings
from centigan.settings.sources import Downloaded

COUNTS = {"classes": 2, "per_class": 2, "held_out_per_class": 2}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder and the address at which its files are served."""
    folder = tmp_path / "site"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def offered(name: Downloaded, site: tuple[Path, str]) -> tuple[Part, ...]:
    """The parts of a set as the site has them."""
    folder, address = site
    return tuple(
        Part(
            Archive(
                one.name, hashlib.md5((folder / one.name).read_bytes()).hexdigest(), f"{address}/{one.name}"
            ),
            folders,
        )
        for one, folders in PARTS[name]
    )


def offer_imagenette(site: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("train/n01440764", "val/n01440764"):
        (tmp_path / "imagenette2-160" / folder).mkdir(parents=True)
    with tarfile.open(site[0] / "imagenette2-160.tgz", "w:gz") as tar:
        tar.add(tmp_path / "imagenette2-160", "imagenette2-160")
    monkeypatch.setitem(PARTS, "imagenette", offered("imagenette", site))


def test_tiny_imagenet_comes_as_its_zip_and_is_unpacked_and_read(
    site: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tiny_imagenet(tmp_path / "made", **COUNTS)
    shutil.make_archive(str(site[0] / "tiny-imagenet-200"), "zip", tmp_path / "made")
    monkeypatch.setitem(PARTS, "tiny_imagenet", offered("tiny_imagenet", site))
    root = tmp_path / "root"
    settings = DataSettings(root=str(root), source="tiny_imagenet", classes=2, split_size=2)
    with pytest.raises(
        UserError, match=rf"root is missing: `centigan raw tiny_imagenet --root {root}` downl"
    ):
        list_source(settings)
    run = CliRunner().invoke(app, ["raw", "tiny_imagenet", "--root", str(root)])
    assert run.exit_code == 0, run.output
    assert {path.name for path in root.iterdir()} == {"tiny-imagenet-200", "tiny-imagenet-200.zip"}
    assert len(list_source(settings).images) == 8
    assert published_archives(root).keys() == {"tiny-imagenet-200.zip"}
    shutil.rmtree(site[0])  # what is there is not fetched again
    downloads.put_in_place("tiny_imagenet", root)


def test_the_flowers_come_as_a_tar_and_two_lists_and_half_of_them_is_completed(
    site: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_captioned("oxford102", tmp_path / "made", **COUNTS)
    for name in ("imagelabels.mat", "setid.mat"):
        shutil.copy(tmp_path / "made" / name, site[0])
    with tarfile.open(site[0] / "102flowers.tgz", "w:gz") as tar:
        tar.add(tmp_path / "made/jpg", "jpg")
    parts = offered("oxford102", site)
    monkeypatch.setitem(PARTS, "oxford102", parts)
    root = tmp_path / "root"
    lists = (site[0] / "setid.mat").rename(tmp_path / "setid.mat")
    with pytest.raises(
        UserError, match=rf"cannot download {site[1]}/setid\.mat .*put it, as it is, at {root}"
    ):
        downloads.put_in_place("oxford102", root)
    lists.rename(site[0] / "setid.mat")
    (site[0] / "102flowers.tgz").unlink()  # it is there, unpacked
    downloads.put_in_place("oxford102", root)
    assert (
        len(list_source(DataSettings(root=str(root), source="oxford102", classes=2, split_size=2)).images)
        == 8
    )


def test_folders_of_imagenette_lie_at_the_root_itself(
    site: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer_imagenette(site, tmp_path, monkeypatch)
    downloads.put_in_place("imagenette", tmp_path / "root")
    names = {path.name for path in (tmp_path / "root").iterdir()}
    assert names == {"imagenette2-160.tgz", "train", "val"}


def test_of_two_runs_at_once_the_second_takes_what_the_first_unpacked(
    site: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer_imagenette(site, tmp_path, monkeypatch)
    unpacked, untar, root = [], published_archive._untar, tmp_path / "root"

    def slow(archive: Path, target: Path) -> None:
        unpacked.append(archive)
        time.sleep(0.3)
        untar(archive, target)

    monkeypatch.setattr(published_archive, "_untar", slow)
    with ThreadPoolExecutor(2) as pool:
        for run in [pool.submit(downloads.put_in_place, "imagenette", root) for _ in range(2)]:
            run.result()
    assert len(unpacked) == 1
    assert {path.name for path in root.iterdir()} == {"imagenette2-160.tgz", "train", "val"}


def test_without_locks_a_folder_is_filled_and_that_is_told(
    site: tuple[Path, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refused(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    offer_imagenette(site, tmp_path, monkeypatch)
    monkeypatch.setattr("fcntl.flock", refused)
    root = tmp_path / "root"
    root.mkdir()
    half = root / ".imagenette2-160.77.part.tgz"  # perhaps of a run that goes on
    half.touch()
    downloads.put_in_place("imagenette", root)
    assert f"{root} has no locks (No locks available): let no second run fill it" in caplog.text
    assert half.exists()
    assert (root / "val/n01440764").is_dir()


def test_a_run_that_was_killed_between_two_folders_is_completed(
    site: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer_imagenette(site, tmp_path, monkeypatch)
    root, rename = tmp_path / "root", Path.rename

    def killed(path: Path, target: Path) -> Path:
        if target.name == "val":
            raise KeyboardInterrupt
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", killed)
        with pytest.raises(KeyboardInterrupt):
            downloads.put_in_place("imagenette", root)
    assert {path.name for path in root.iterdir()} == {
        "imagenette2-160.tgz",
        ".imagenette2-160.tgz.whole",
        "train",
    }
    (root / "val").mkdir()
    with pytest.raises(UserError, match=f"{root}/val came to be while imagenette2-160.tgz was unpacked"):
        downloads.put_in_place("imagenette", root)
    (root / "val").rmdir()
    (root / "imagenette2-160.tgz").unlink()
    shutil.rmtree(site[0])
    downloads.put_in_place("imagenette", root)
    assert {path.name for path in root.iterdir()} == {"train", "val"}


def test_what_killed_runs_left_is_removed(
    site: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer_imagenette(site, tmp_path, monkeypatch)
    root = tmp_path / "root"
    (root / ".imagenette2-160.tgz.part/imagenette2-160/train/n9").mkdir(parents=True)
    (root / ".imagenette2-160.77.part.tgz").write_bytes(b"half")
    (root / ".raw.lock").touch()
    downloads.put_in_place("imagenette", root)
    assert {path.name for path in root.iterdir()} == {"imagenette2-160.tgz", "train", "val"}
    assert [path.name for path in (root / "train").iterdir()] == ["n01440764"]


def test_a_folder_of_the_user_s_own_is_not_completed_by_the_published_one(tmp_path: Path) -> None:
    (tmp_path / "train/cats").mkdir(parents=True)
    with pytest.raises(
        UserError, match=rf"{tmp_path}/train is there without {tmp_path}/val, and imagenette2-160\.tgz holds"
    ):
        downloads.put_in_place("imagenette", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["train"]


def a_file(path: Path) -> None:
    path.write_bytes(b"")


def a_dead_link(path: Path) -> None:
    path.symlink_to("nowhere")


def a_loop(path: Path) -> None:
    path.symlink_to(path.name)


WRONG: list[tuple[Downloaded, str, Callable[[Path], None], str]] = [
    ("tiny_imagenet", "tiny-imagenet-200", Path.mkdir, "is empty: remove it and run again"),
    ("tiny_imagenet", "tiny-imagenet-200", a_file, "is no folder, and one belongs there: remove it and run"),
    ("tiny_imagenet", "tiny-imagenet-200", a_dead_link, "is a link to nowhere, where nothing is: mend or"),
    ("tiny_imagenet", "tiny-imagenet-200", a_loop, "is a link to tiny-imagenet-200, where nothing is"),
    ("tiny_imagenet", "tiny-imagenet-200.zip", Path.mkdir, "is a folder, and a file belongs there: move it"),
    ("oxford102", "imagelabels.mat", Path.mkdir, "is a folder, and a file belongs there: move it away"),
    ("coco_captions", "val2014", a_dead_link, "is a link to nowhere, where nothing is"),
]


@pytest.mark.parametrize(("name", "place", "put", "told"), WRONG)
def test_what_lies_in_the_wrong_place_is_named_before_anything_is_fetched(
    name: Downloaded, place: str, put: Callable[[Path], None], told: str, tmp_path: Path
) -> None:
    put(tmp_path / place)
    with pytest.raises(UserError, match=f"^{tmp_path}/{place} {told}"):
        downloads.put_in_place(name, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [place]


def test_a_folder_that_cannot_be_filled_is_named(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.symlink_to("gone")
    with pytest.raises(UserError, match=f"{root} is a link to gone, where nothing is"):
        downloads.put_in_place("cub200", root)
    root.unlink()
    root.write_text("")
    with pytest.raises(UserError, match=f"{root} is no folder"):
        downloads.put_in_place("cub200", root)
    with pytest.raises(UserError, match=f"cannot use {root}/below: Not a directory"):
        downloads.put_in_place("cub200", root / "below")


def test_a_folder_that_is_there_is_left_and_verify_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "tiny-imagenet-200/train").mkdir(parents=True)
    with caplog.at_level(logging.INFO):
        downloads.put_in_place("tiny_imagenet", tmp_path)
    assert "tiny-imagenet-200: there, and left as it is; `centigan verify` tells whether" in caplog.text


def test_a_folder_in_the_place_of_an_archive_is_no_traceback_of_verify(tmp_path: Path) -> None:
    (tmp_path / "tiny-imagenet-200.zip").mkdir()
    settings = DataSettings(root=str(tmp_path), source="tiny_imagenet", classes=2, split_size=2)
    with pytest.raises(UserError, match=r"tiny-imagenet-200\.zip is a folder, and a file belongs there"):
        verify(settings)


class Stalling(SimpleHTTPRequestHandler):
    """Sends one byte of ten."""

    ended = threading.Event()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "10")
        self.end_headers()
        self.wfile.write(b"1")
        self.ended.wait(20)


def test_a_server_that_stalls_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published_archive, "PATIENCE", 0.2)
    with ThreadingHTTPServer(("127.0.0.1", 0), Stalling) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        archive = Archive("setid.mat", "0" * 32, f"http://127.0.0.1:{server.server_port}/setid.mat")
        with pytest.raises(UserError, match=r"cannot download .*its server sent nothing for 0\.2 seconds"):
            published_archive.download(archive, tmp_path / archive.name)
        Stalling.ended.set()
        server.shutdown()
    assert socket.getdefaulttimeout() is None
    assert list(tmp_path.iterdir()) == []


def test_another_file_than_the_published_one_is_not_unpacked(tmp_path: Path) -> None:
    (tmp_path / "CUB_200_2011.tgz").write_bytes(b"other")
    with pytest.raises(
        UserError, match=r"CUB_200_2011\.tgz has MD5 .*, not 97eceeb196236b17998738112f37df78"
    ):
        downloads.put_in_place("cub200", tmp_path)


def test_checksums_are_those_of_torchvision_where_it_has_the_set() -> None:
    from torchvision.datasets import Flowers102, Imagenette

    theirs = dict(Flowers102._file_dict.values())
    theirs |= {url.rpartition("/")[2]: md5 for url, md5 in Imagenette._ARCHIVES.values()}
    ours = {one.name: one.md5 for name in ("oxford102", "imagenette") for one, _ in PARTS[name]}
    assert {name: theirs[name] for name in ours} == ours
