"""The commands as a person types them, above all when the input is bad."""

import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from typer.models import CommandInfo
from warmed import COMMAND, warmed

from centigan.cli import app
from centigan.settings.sources import PUT_IN_PLACE
from centigan.warm_start import ADDRESS

ROOT = Path(__file__).parents[1]


@pytest.fixture
def project(tmp_path: Path, raw: Path) -> Path:
    settings = {
        "data": {"root": str(raw), "classes": 4, "split_size": 2, "on_bad_image": "error"},
        "arrays": {"resolution": 32},
    }
    (tmp_path / "experiments/small").mkdir(parents=True)
    (tmp_path / "experiments/small/protocol.yaml").write_text(yaml.safe_dump(settings))
    (tmp_path / "params.yaml").write_text("experiment: small\n")
    return tmp_path


@pytest.fixture(scope="module", autouse=True)
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Commands begin as those of a run do, within moments."""
    with pytest.MonkeyPatch.context() as patch, warmed(tmp_path_factory.mktemp("warm") / "log") as warm:
        for name in (ADDRESS, "PYTHONPATH"):
            patch.setenv(name, warm.environment[name])
        yield


def centigan(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, *words]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)


def refused(project: Path, *words: str) -> str:
    """The one line of error of a command that must fail."""
    done = centigan(project, *words)
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    return lines[0]


def test_help_lists_the_verbs_without_loading_torch(project: Path) -> None:
    program = "import sys; sys.argv = ['centigan', '--help']\nfrom centigan.cli import main\n"
    program += (
        "try: main()\nexcept SystemExit: pass\nassert not {'torch', 'mlflow', 'pandas'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(verb in done.stdout for verb in ("index", "arrays", "train", "sample", "report", "track"))


def test_index_and_arrays_run_alone_and_log_to_a_file(project: Path) -> None:
    assert centigan(project, "index", "--log", "logs/index.log").returncode == 0
    assert "28 images of 4 classes in 2 splits" in (project / "logs/index.log").read_text()
    assert centigan(project, "arrays", "--split", "1").returncode == 0
    assert (project / "results/small/arrays/01/images.npy").exists()


def test_a_split_out_of_range_is_one_line(project: Path) -> None:
    assert "split 2 does not exist; splits are 00..01" in refused(project, "train", "--split", "2")


def test_a_misspelt_setting_is_one_line(project: Path) -> None:
    (project / "params.yaml").write_text("experiment: small\ntrain: {iteration: 5}\n")
    assert "train.iteration: unknown setting; did you mean `iterations`" in refused(project, "index")


def test_a_file_that_is_no_image_is_one_line_and_nothing_finished_is_lost(project: Path, raw: Path) -> None:
    (raw / "train" / "fox" / "1.png").write_text("text")
    assert centigan(project, "index").returncode == 0
    assert centigan(project, "arrays", "--split", "0").returncode == 0
    assert "train/fox/1.png is no image" in refused(project, "arrays", "--split", "1")
    assert (project / "results/small/arrays/00/manifest.json").exists()


def test_a_disk_that_is_full_half_way_is_one_line_and_a_rerun_continues(project: Path) -> None:
    assert centigan(project, "index").returncode == 0

    def limit() -> None:  # the kernel refuses bytes past 40 kB of a file, as it does on a full disk
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))

    command = [sys.executable, "-c", "from centigan.cli import main; main()", "arrays", "--split", "0"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, preexec_fn=limit)
    folder = project / "results/small/arrays/00"
    assert done.returncode == 1
    assert "error: cannot write results/small/arrays/00/held_out_images.npy" in done.stderr
    assert {path.name for path in folder.iterdir()} == {"images.npy", "labels.npy"}  # 31 kB, finished
    assert centigan(project, "arrays", "--split", "0").returncode == 0


def test_a_killed_array_builder_leaves_nothing_behind_once_it_ran_again(project: Path) -> None:
    assert centigan(project, "index").returncode == 0
    half = project / "results/small/arrays/00/.images.4711.part.npy"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half")
    assert centigan(project, "arrays", "--split", "0").returncode == 0
    assert not half.exists()


def test_a_device_that_is_not_there_is_one_line(project: Path) -> None:
    assert "device 'warp' cannot be used" in refused(project, "train", "--split", "0", "--device", "warp")


def test_a_verb_that_makes_nothing_of_points_says_so(project: Path) -> None:
    ring = {"data": {"source": "ring", "classes": 8, "split_size": 8}}
    (project / "experiments/small/protocol.yaml").write_text(yaml.safe_dump(ring))
    told = refused(project, "features", "--split", "0")
    assert told.startswith("error: features needs images; AC-GAN")
    assert told.endswith("was trained on points")


def test_a_training_that_cannot_learn_points_says_so_before_it_begins(project: Path) -> None:
    ring = {"data": {"source": "ring", "classes": 8, "split_size": 8}, "train": {"flips": True}}
    (project / "experiments/small/protocol.yaml").write_text(yaml.safe_dump(ring))
    done = centigan(project, "train", "--split", "0", "--device", "cpu")
    assert done.returncode == 1
    assert done.stderr.startswith("error: small cannot run as its settings say, for 2 reasons")
    assert "has no networks for points, which data.source: ring holds" in done.stderr
    assert "train.flips mirrors images, and points have no sides" in done.stderr


def test_an_unknown_figure_lists_the_figures(project: Path) -> None:
    assert "there are: examples, resolution_strip" in refused(project, "figure", "pie")


def test_settings_that_are_handed_over_are_checked_too(project: Path) -> None:
    assert "--settings: not valid JSON" in refused(project, "figure", "gallery", "--settings", "{")
    assert "titel: unknown setting; did you mean `title`" in refused(
        project, "figure", "gallery", "--settings", '{"titel": "x", "title": "y"}'
    )


def test_an_unknown_embedded_data_set_lists_the_known(project: Path) -> None:
    done = centigan(project, "raw", "pictures")
    assert done.returncode == 2
    known = ", ".join(map(repr, PUT_IN_PLACE))
    words = " ".join(done.stderr.replace("│", "").split())
    assert f"'pictures' is not one of {known}" in words


def test_the_version_is_that_of_the_installed_package(project: Path) -> None:
    assert centigan(project, "--version").stdout == f"centigan {version('centigan')}\n"


def test_help_shows_every_command_under_a_heading() -> None:
    headings = {command.name or command.callback.__name__: command.rich_help_panel for command in named()}
    assert None not in headings.values()
    assert len(set(headings.values())) >= 5
    assert headings["status"] == headings["provenance"] == "Looking around"


def named() -> list[CommandInfo]:
    return [command for command in app.registered_commands if not command.hidden]


def test_a_taken_port_is_named_with_the_way_to_another() -> None:
    make = [
        "make",
        "--no-print-directory",
        "--assume-old",
        ".venv/installed",
        f"BIN={Path(sys.executable).parent}",
    ]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*make, "ui", f"PORT={port}"], cwd=ROOT, capture_output=True, text=True, check=False
        )
    assert done.returncode != 0
    assert f"port {port} of 127.0.0.1 is taken" in done.stderr
    assert f"take another: make ui PORT={port + 1}\n" in done.stderr
    assert "mlflow" not in done.stdout
