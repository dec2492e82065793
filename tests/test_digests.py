"""SHA256SUMS files, as GNU sha256sum writes and reads them."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from centigan.errors import UserError
from centigan.manifest import listed, read_digests

NAMES = ("a", "b\nc", "d\re", "f\\g", "u\u2028v", "\\", "\\n", " lead", "trail ", "*x", "tab\tx", "\xe9")


def test_any_name_survives_and_sha256sum_checks_it(tmp_path: Path) -> None:
    digests = {}
    for name in NAMES:
        (tmp_path / name).write_text(name, newline="")
        digests[name] = hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
    (tmp_path / "SHA256SUMS").write_bytes(listed(digests).encode())
    assert read_digests(tmp_path / "SHA256SUMS") == digests
    done = subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path, check=False)
    assert done.returncode == 0


def test_none_where_there_is_no_file_or_an_empty_one(tmp_path: Path) -> None:
    assert read_digests(tmp_path / "SHA256SUMS") == {}
    (tmp_path / "SHA256SUMS").touch()
    assert read_digests(tmp_path / "SHA256SUMS") == {}


def test_a_comment_says_nothing(tmp_path: Path) -> None:
    line = f"{'0' * 64}  a\n"
    (tmp_path / "SHA256SUMS").write_text(f"# of old\n{line}")
    assert read_digests(tmp_path / "SHA256SUMS") == {"a": "0" * 64}


@pytest.mark.parametrize("content", [b"\xff", b"abc", b"0" * 64 + b"images.npy\n", b"\n", b"#0  a"])
def test_what_is_no_list_of_digests_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "SHA256SUMS").write_bytes(content)
    with pytest.raises(UserError, match=r"SHA256SUMS is damaged \(line 1 holds no digest\); delete it"):
        read_digests(tmp_path / "SHA256SUMS")
