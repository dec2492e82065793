"""Which commit a manifest names."""

import logging
import os
import subprocess
from pathlib import Path

import pytest

from centigan import manifest
from centigan.manifest import commit


@pytest.fixture(autouse=True)
def _as_in_a_new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    manifest._warn.cache_clear()
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit, as the working directory."""
    folder = tmp_path / "repository"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "a.py").write_text("a = 1\n")
    who = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    for words in (["init", "--quiet"], ["add", "--all"], [*who, "commit", "--quiet", "-m", "one"]):
        subprocess.run(["git", *words], cwd=folder, check=True)
    monkeypatch.chdir(folder)
    return folder


def test_the_commit_is_that_of_the_project_and_dirty_once_its_source_differs(repository: Path) -> None:
    clean = commit()
    assert clean is not None
    assert len(clean) == 12
    (repository / "src" / "a.py").write_text("a = 2\n")
    assert commit() == f"{clean}-dirty"


def test_a_folder_within_another_repository_has_no_commit(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / "unzipped").mkdir()
    monkeypatch.chdir(repository / "unzipped")
    assert commit() is None


def test_a_hook_of_another_repository_does_not_lend_its_commit(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(repository / ".git"))
    monkeypatch.chdir(tmp_path)
    assert commit() is None


def test_a_repository_of_somebody_else_is_said_once_with_gits_advice(
    repository: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")  # git's own way to test it
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    with caplog.at_level(logging.WARNING):
        assert (commit(), commit()) == (None, None)
    (told,) = caplog.messages
    assert "dubious ownership" in told
    assert "git config --global --add safe.directory" in told


@pytest.mark.parametrize(
    ("program", "told"),
    [("exec sleep 60", ["git said nothing for 1 seconds"]), ("printf '\\377'; exit 3", []), (None, [])],
)
def test_a_git_that_hangs_or_fails_or_is_not_there_costs_the_commit_alone(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    program: str | None,
    told: list[str],
) -> None:
    if program:
        (tmp_path / "git").write_text(f"#!/bin/sh\n{program}\n")
        (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path) + (":/bin:/usr/bin" if program else ""))
    monkeypatch.setattr(manifest, "PATIENCE", 1)
    assert commit() is None
    assert [message.partition(": ")[2] for message in caplog.messages] == told
