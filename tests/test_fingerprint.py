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


# Syntax whose trees differ between Pythons: f-strings, signatures, letters that not all call printable.
EVERY_SYNTAX = r"""
class A(B, key="v"):
    x: int = 0x10 + 1_0
    async def f(self, /, a, *b, c=None, **d):
        return [await y async for y in a if (z := y)]
@decorated
def g(x, y):
    w = f"{x!r:>{y}.{y}}" "a" f"{x}" rf"\d{x=}" ""
    try:
        with open(w) as u, v:
            del x[1:2, ...], y.z
    except* ValueError as e:
        raise e from None
    match x:
        case {"k": [1, *rest], **more} | A(x=-1j) if not rest:
            yield "𱍐͸", b"\xff", lambda: (yield from y), {**x, 1: {2}}, 1e400
        case _:
            global h
"""


def code() -> str:
    for remembered in (fingerprint.code_of, fingerprint._imports, fingerprint._source, fingerprint._tree):
        remembered.cache_clear()
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


def test_the_same_source_has_the_same_hash_in_every_python(package: Path) -> None:
    (package / "metrics" / "fid.py").write_text(EVERY_SYNTAX)
    assert code() == "0b225eb70a2dacf7"  # of Python 3.11, 3.12 and 3.13


def test_a_remembered_hash_holds_until_a_byte_of_the_package_changes(package: Path, tmp_path: Path) -> None:
    memory = tmp_path.with_name(f"{tmp_path.name}-memory.json")

    def asked() -> str:
        fingerprint._package.cache_clear()
        found = fingerprint.remembered_code_of("metrics.fid", memory)
        return found if found == code() else "another than the source says"

    first = asked()
    before = memory.stat().st_mtime_ns
    assert asked() == first
    assert memory.stat().st_mtime_ns == before
    (package / "stats.py").write_text("def mean(x):\n    return x / 2\n")
    fingerprint.code_of.cache_clear()
    code()
    second = asked()
    assert second not in {first, "another than the source says"}
    memory.write_text("damaged")
    assert asked() == second
