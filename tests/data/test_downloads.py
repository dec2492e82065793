"""Data sets that are downloaded when they are asked for, here from a server of our own."""

import hashlib
import shutil
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from centigan.cli import app
from centigan.data import downloads
from centigan.data.captioned_fixture import write_captioned
from centigan.data.downloads import PARTS, Part
from centigan.data.published_archive import Archive
from centigan.data.shrunk_fixture import write_tiny_imagenet
from centigan.data.sources import list_source
from centigan.data.verify import published_archives
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
    for folder in ("train/n01440764", "val/n01440764"):
        (tmp_path / "imagenette2-160" / folder).mkdir(parents=True)
    with tarfile.open(site[0] / "imagenette2-160.tgz", "w:gz") as tar:
        tar.add(tmp_path / "imagenette2-160", "imagenette2-160")
    monkeypatch.setitem(PARTS, "imagenette", offered("imagenette", site))
    downloads.put_in_place("imagenette", tmp_path / "root")
    names = {path.name for path in (tmp_path / "root").iterdir()}
    assert names == {"imagenette2-160.tgz", "train", "val"}


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
