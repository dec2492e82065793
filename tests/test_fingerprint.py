from pathlib import Path

import pytest

from centigan import fingerprint

SOURCE = '"""Distance."""\nfrom centigan.stats import mean\nfrom centigan.settings import X\n'


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(fingerprint, "PACKAGE", tmp_path)
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "__init__.py").write_text("")
    (tmp_path / "metrics" / "fid.py").write_text(SOURCE)
    (tmp_path / "metrics" / "templates" / "parts").mkdir(parents=True)
    (tmp_path / "metrics" / "another").mkdir()
    (tmp_path / "metrics" / "another" / "__init__.py").write_text("")
    (tmp_path / "stats.py").write_text("def mean(x):\n    return x\n")
    (tmp_path / "settings.py").write_text("X = 1\n")
    (tmp_path / "other.py").write_text("Y = 1\n")
    return tmp_path


def code() -> str:
    fingerprint.code_of.cache_clear()
    fingerprint._imports.cache_clear()
    fingerprint._tree.cache_clear()
    return fingerprint.code_of("metrics.fid")


@pytest.mark.parametrize(
    ("file", "text", "counts"),
    [
        ("metrics/fid.py", SOURCE.replace("Distance", "Another docstring") + "# why\n", False),
        ("metrics/fid.py", SOURCE.replace("centigan.settings", "centigan.settings.of_data"), False),
        ("metrics/fid.py", SOURCE.replace("centigan.stats", "centigan.other"), True),
        ("stats.py", 'def mean(x):\n    """Of x."""\n    return x  # itself\n', False),
        ("stats.py", "def mean(x):\n    return x / 2\n", True),
        ("settings.py", "X = 2\n", False),
        ("other.py", "Y = 2\n", False),
        ("metrics/page.html.j2", "<p>", True),
        ("metrics/templates/parts/page.html.j2", "<p>", True),
        ("metrics/another/page.html.j2", "<p>", False),
    ],
)
def test_only_code_that_runs_counts(package: Path, file: str, text: str, counts: bool) -> None:
    before = code()
    (package / file).write_text(text)
    assert (code() != before) is counts
