import hashlib
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from cifar_files import ROWS, published, write_binary, write_python

from centigan.data import cifar_raw
from centigan.data.cifar_raw import Name, put_in_place
from centigan.data.sources.cifar import list_cifar
from centigan.errors import UserError


@pytest.mark.parametrize("write", [write_python, write_binary])
def test_what_is_there_gets_a_manifest_and_no_download(
    write: Callable[[Name, Path], Path], tmp_path: Path
) -> None:
    folder = write("cifar10", tmp_path)
    expected = published("cifar10", folder)
    (folder / "readme.html").write_text("not read, so not listed")
    put_in_place("cifar10", tmp_path, published=expected)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert len(manifest) == 7
    for file, digest in manifest.items():
        assert hashlib.sha256((tmp_path / file).read_bytes()).hexdigest() == digest
    assert f"{folder.name}/readme.html" not in manifest


def test_a_damaged_file_gets_no_manifest(tmp_path: Path) -> None:
    folder = write_python("cifar10", tmp_path)
    expected = published("cifar10", folder)
    (folder / "test_batch").write_bytes(b"")
    with pytest.raises(UserError, match="test_batch has MD5"):
        put_in_place("cifar10", tmp_path, published=expected)
    assert not (tmp_path / "manifest.json").exists()


def pack(folder: Path, archive: Path) -> str:
    archive.parent.mkdir()
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, folder.name)
    return hashlib.md5(archive.read_bytes()).hexdigest()


def test_an_archive_that_is_there_is_unpacked_if_its_md5_is_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torchvision.datasets import CIFAR100

    folder, root = write_python("cifar100", tmp_path / "made"), tmp_path / "root"
    md5 = pack(folder, root / "cifar-100-python.tar.gz")
    with pytest.raises(UserError, match=f"cifar-100-python.tar.gz has MD5 {md5}, not eb9058c3a382"):
        put_in_place("cifar100", root)
    assert [path.name for path in root.iterdir()] == ["cifar-100-python.tar.gz"]
    monkeypatch.setattr(CIFAR100, "tgz_md5", md5)
    (root / ".cifar-100-python.tar.gz.part" / "of a killed run").mkdir(parents=True)
    put_in_place("cifar100", root, published=published("cifar100", folder))
    assert {p.name for p in root.iterdir()} == {
        "cifar-100-python",
        "cifar-100-python.tar.gz",
        "manifest.json",
    }
    listing = list_cifar("cifar100", root, published=published("cifar100", folder))
    assert len(listing.images) == 2 * ROWS


def test_an_archive_of_the_binary_version_is_unpacked_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, root = write_binary("cifar10", tmp_path / "made"), tmp_path / "root"
    md5 = pack(folder, root / "cifar-10-binary.tar.gz")
    monkeypatch.setitem(cifar_raw.BINARY_ARCHIVES, "cifar10", ("cifar-10-binary.tar.gz", md5))
    put_in_place("cifar10", root, published=published("cifar10"))
    assert "cifar-10-batches-bin/test_batch.bin" in json.loads((root / "manifest.json").read_text())


def test_an_archive_that_leads_out_of_its_folder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "root" / "cifar-10-binary.tar.gz"
    archive.parent.mkdir()
    with tarfile.open(archive, "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("../../outside"))
    md5 = hashlib.md5(archive.read_bytes()).hexdigest()
    monkeypatch.setitem(cifar_raw.BINARY_ARCHIVES, "cifar10", (archive.name, md5))
    with pytest.raises(UserError, match="cannot unpack"):
        put_in_place("cifar10", archive.parent, published=published("cifar10"))
    assert not (tmp_path / "outside").exists()


def test_without_network_the_address_and_the_place_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torchvision.datasets import CIFAR10

    url = "http://127.0.0.1:1/cifar-10-python.tar.gz"  # nobody listens on port 1
    monkeypatch.setattr(CIFAR10, "url", url)
    root = tmp_path / "raw" / "cifar10"
    with pytest.raises(UserError, match=f"cannot download {url} .*put it.* at {root}/cifar-10-python.tar.gz"):
        put_in_place("cifar10", root)
    assert list(root.iterdir()) == []
