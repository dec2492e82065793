"""What DVC shows of a project: a table that fits a screen, and plots where there is no network."""

import os
import re
import shlex
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest
from copied import ROOT
from staleness.project import PROTOCOL_FILE, RESULTS, Project

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture
def copy(computed: Project, tmp_path: Path) -> Project:
    return computed.copy(tmp_path / "copy")


def test_make_compare_shows_a_dozen_measurements_and_the_settings_that_differ(copy: Project) -> None:
    make = ["make", "--dry-run", "--no-print-directory", "--assume-old", ".venv/installed", "compare"]
    alone = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    done = subprocess.run(make, cwd=ROOT, env=alone, capture_output=True, text=True, check=True)
    _, *words = shlex.split(done.stdout)
    copy.change("pairs: 2", "pairs: 1")
    header = copy.run("dvc", *words, "--csv").splitlines()[0].split(",")
    assert header[-1] == f"{PROTOCOL_FILE}:ms_ssim.pairs"
    measured = [name for name in header[:-1] if "/" in name]
    assert len(measured) == 10
    assert len(header) <= 15
    summary = (copy.folder / RESULTS / "summary.json").read_text()
    assert [name for name in measured if f'"{name}"' not in summary] == []


def test_plots_are_drawn_without_a_network(copy: Project) -> None:
    (copy.folder / ".venv").mkdir()
    (copy.folder / ".venv/vega").symlink_to(str(files("snakemake") / "assets/data"))  # as `make` does
    copy.run("dvc", "plots", "show")
    page = copy.folder / "dvc_plots/index.html"
    scripts = re.findall(r'<script src="(\.\.[^"]+)"', page.read_text())
    assert [Path(script).name for script in scripts] == ["vega.js", "vega-lite.js", "vega-embed.js"]
    assert all((page.parent / script).is_file() for script in scripts)
    assert '"strokeDash": {"field": "source"' in page.read_text()  # real and generated are two lines
    if CHROMIUM:
        nowhere = "--host-resolver-rules=MAP * ~NOTFOUND"
        words = [CHROMIUM, "--headless", "--no-sandbox", nowhere, "--virtual-time-budget=8000", "--dump-dom"]
        drawn = subprocess.run([*words, page.as_uri()], capture_output=True, text=True, check=True).stdout
        assert drawn.count('class="marks"') == 2
