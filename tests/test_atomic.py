import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from centigan.atomic import atomic_path, write_text
from centigan.errors import UserError


def test_a_failed_write_leaves_the_old_content_and_no_litter(tmp_path: Path) -> None:
    target = tmp_path / "table.csv"
    write_text(target, "old")

    def fail() -> None:
        with atomic_path(target) as temporary:
            temporary.write_text("half")
            raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError):
        fail()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_can_be_read_by_whom_the_umask_lets(tmp_path: Path) -> None:
    target = tmp_path / "weights"
    with atomic_path(target) as temporary:
        temporary.touch(mode=0o600)
    plain = tmp_path / "plain"
    plain.touch()
    assert target.stat().st_mode == plain.stat().st_mode


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("")
    with pytest.raises(UserError, match=r"cannot write .*results/x.csv"):
        write_text(tmp_path / "results" / "x.csv", "text")


WRITERS = {
    "table.csv": "path.write_text('x' * 100_000)",
    "images.npy": "import numpy; numpy.save(path, numpy.zeros(100_000))",
    "index.parquet": "import numpy, pandas; pandas.DataFrame(numpy.eye(300)).to_parquet(path)",
    "weights.safetensors": (
        "import torch; from safetensors.torch import save_file; save_file({'w': torch.zeros(100_000)}, path)"
    ),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_disk_that_refuses_more_bytes_is_one_clear_error(tmp_path: Path, name: str) -> None:
    """The kernel refuses bytes past 4 kB here, as it does on a full disk."""
    target = tmp_path / name
    write_text(target, "finished before")
    program = (
        "from pathlib import Path\n"
        "from centigan.atomic import atomic_path\n"
        "from centigan.errors import UserError\n"
        "try:\n"
        f"    with atomic_path(Path({str(target)!r})) as path:\n"
        f"        {WRITERS[name]}\n"
        "except UserError as error:\n"
        "    raise SystemExit(str(error))\n"
    )

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    done = subprocess.run(
        [sys.executable, "-B", "-c", program], capture_output=True, text=True, preexec_fn=limit, check=False
    )
    assert done.returncode == 1
    assert f"cannot write {target}" in done.stderr
    assert "finished so far is kept" in done.stderr
    assert target.read_text() == "finished before"
    assert list(tmp_path.iterdir()) == [target]
