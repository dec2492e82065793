"""Provenance of an artifact: manifest.json beside it says what made it, from what, with which versions."""

import hashlib
import json
import logging
import os
import subprocess
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import centigan
from centigan.atomic import write_text
from centigan.params import canonical_json
from centigan.settings.frozen import Frozen

DIGESTS = "SHA256SUMS"
DECISIVE = ("src", "workflow", "Snakefile", "params.yaml", "experiments")
OF_A_HOOK = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"}
PATIENCE = 60  # seconds for an answer of git
LIBRARIES = ("numpy", "pandas", "pillow", "torch", "torchvision")
log = logging.getLogger(__name__)


def sha256(path: Path) -> str:
    """Hex digest of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_digests(root: Path, files: Iterable[Path]) -> None:
    """Write root/manifest.json of raw data atomically: {file, relative to root: sha256}."""
    digests = {path.relative_to(root).as_posix(): sha256(path) for path in files}
    write_text(root / "manifest.json", json.dumps(digests, indent=1) + "\n")


def settings_sha256(settings: Frozen) -> str:
    """Hex digest of settings: equal settings, equal digest."""
    return hashlib.sha256(canonical_json(settings).encode()).hexdigest()


def describe(settings: Frozen, *, inputs: list[Path], **facts: Any) -> dict[str, Any]:
    """The manifest of an artifact made under `settings` from `inputs`; carries no time."""
    return {
        **facts,
        "settings": json.loads(canonical_json(settings)),
        "settings_sha256": settings_sha256(settings),
        "inputs": {path.as_posix(): sha256(path) for path in inputs},
        "version": centigan.__version__,
        "commit": commit(),
        "libraries": {name: metadata.version(name) for name in LIBRARIES},
    }


def write_manifest(folder: Path, content: dict[str, Any], *, of: Iterable[str]) -> None:
    """Write folder/SHA256SUMS of these files, then folder/manifest.json, atomically.

    What is made from the folder depends on the digests alone: a manifest names a commit, and changes with it.
    `sha256sum --check SHA256SUMS` checks the folder.
    """
    write_text(folder / DIGESTS, listed({name: sha256(folder / name) for name in of}))
    write_text(folder / "manifest.json", json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def listed(digests: dict[str, str]) -> str:
    """The text of a SHA256SUMS file for {name: sha256}."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))


def read_digests(file: Path) -> dict[str, str]:
    """{name: sha256} of a SHA256SUMS file."""
    lines = (line.split("  ", 1) for line in file.read_text(encoding="utf-8").splitlines())
    return {name: digest for digest, name in lines}


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read folder/manifest.json."""
    content: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return content


def commit() -> str | None:
    """The git commit of the project folder, marked when what results depend on differs; None outside git.

    A repository that the folder only lies within is not the project's. Results that git tracks, such as
    summary.json and dvc.lock, change during a run and do not count.
    """
    try:
        if _git("rev-parse", "--show-prefix"):
            return None
        head = _git("rev-parse", "--short=12", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", *DECISIVE)
    except subprocess.CalledProcessError as error:
        if "dubious ownership" in error.stderr:
            _warn("manifests name no commit: " + " ".join(error.stderr.split()))
        return None
    except subprocess.TimeoutExpired:
        _warn(f"manifests name no commit: git said nothing for {PATIENCE} seconds")
        return None
    except OSError:  # there is no git, or none that can be run
        return None
    return f"{head}-dirty" if changed else head


def _git(*words: str) -> str:
    """What git says of the working directory, in English, whatever a hook of another repository has set."""
    known = {name: value for name, value in os.environ.items() if name not in OF_A_HOOK}
    done = subprocess.run(
        ["git", *words],
        env=known | {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"},
        capture_output=True,
        text=True,
        errors="replace",
        check=True,
        timeout=PATIENCE,
    )
    return done.stdout.strip()


@cache
def _warn(message: str) -> None:
    """Say it once a process."""
    log.warning(message)
