"""What lies beside an artifact: facts.json, SHA256SUMS and manifest.json.

The facts say what the files mean, the digests pin both, the manifest says what made them.
"""

import hashlib
import json
import logging
import os
import re
import subprocess
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import centigan
from centigan.atomic import write_text
from centigan.errors import UserError
from centigan.params import canonical_json
from centigan.settings.frozen import Frozen

DIGESTS = "SHA256SUMS"
FACTS = "facts.json"
LINE = re.compile(r"(\\?)([0-9a-f]{64}) [ *](.+)", re.DOTALL)  # of a SHA256SUMS file
ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}
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


def describe(settings: Frozen, *, inputs: list[Path], **more: Any) -> dict[str, Any]:
    """The manifest of an artifact made under `settings` from `inputs`; carries no time."""
    return {
        **more,
        "settings": json.loads(canonical_json(settings)),
        "settings_sha256": settings_sha256(settings),
        "inputs": {path.as_posix(): sha256(path) for path in inputs},
        "version": centigan.__version__,
        "commit": commit(),
        "libraries": {name: metadata.version(name) for name in LIBRARIES},
    }


def write_manifest(
    folder: Path, content: dict[str, Any], *, facts: dict[str, Any], of: Iterable[str]
) -> None:
    """Write folder/facts.json, SHA256SUMS of it and of these files, then manifest.json, each atomically.

    What is made from the folder depends on the digests alone: a manifest names a commit, and changes with it.
    `sha256sum --check SHA256SUMS` checks the folder.

    Args:
        facts: what a reader needs to know of the files, such as the names of the classes.
    """
    _write_json(folder / FACTS, facts)
    write_text(folder / DIGESTS, listed({name: sha256(folder / name) for name in (*of, FACTS)}))
    _write_json(folder / "manifest.json", content)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def listed(digests: dict[str, str]) -> str:
    """The text of a SHA256SUMS file for {name: sha256}.

    As GNU sha256sum writes it: a name with a backslash or a line's end is escaped, and its line begins with a
    backslash.
    """
    lines = []
    for name, digest in sorted(digests.items()):
        escaped = re.sub(r"[\\\n\r]", lambda letter: ESCAPES[letter[0]], name)
        mark = "" if escaped == name else "\\"
        lines.append(f"{mark}{digest}  {escaped}\n")
    return "".join(lines)


def read_digests(file: Path) -> dict[str, str]:
    """{name: sha256} of a SHA256SUMS file; {} where there is none. It may hold comments, as for sha256sum.

    Raises:
        UserError: when a line is something else.
    """
    try:
        content = file.read_bytes()
        text = content.decode("utf-8", "surrogateescape")  # a name may be any bytes
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UserError(f"{file} is damaged ({error}); delete it and run again") from None
    found = {}
    lines = text.removesuffix("\n").split("\n") if text else []
    for number, line in enumerate(lines, 1):
        if line.startswith("# "):
            continue
        match = LINE.fullmatch(line)
        if not match:
            raise UserError(f"{file} is damaged (line {number} holds no digest); delete it and run again")
        escaped, digest, name = match.groups()
        found[_unescaped(name) if escaped else name] = digest
    return found


def _unescaped(name: str) -> str:
    letters = {pair: letter for letter, pair in ESCAPES.items()}
    return re.sub(r"\\[\\nr]", lambda pair: letters[pair[0]], name)


def channels_of(facts: dict[str, Any]) -> int:
    """Channels of the images that networks see, by facts of arrays or of a training; 3 where none is said."""
    channels: int = facts.get("channels", 3)
    return channels


def levels_of(facts: dict[str, Any]) -> int:
    """Values that a pixel may have, by facts of arrays or of a training; 256 where none are said."""
    levels: int = facts.get("levels", 256)
    return levels


def unseen_of(facts: dict[str, Any]) -> set[str]:
    """Classes whose images no model learns, by facts of arrays."""
    return set(facts.get("unseen", ()))


def read_facts(folder: Path) -> dict[str, Any]:
    """What is to be known of a folder's files.

    Raises:
        UserError: when facts.json is missing or damaged.
    """
    return read_object(folder / FACTS)


def read_manifest(folder: Path) -> dict[str, Any]:
    """What made a folder's files.

    Raises:
        UserError: when manifest.json is missing or damaged.
    """
    return read_object(folder / "manifest.json")


def read_published(file: Path) -> dict[str, Any]:
    """What mlflow.json tells of the last export; {} where there was none, or the file is damaged."""
    if not file.exists():
        return {}
    try:
        return read_object(file)
    except UserError as error:
        log.warning("%s", error)
        return {}


def read_object(path: Path) -> dict[str, Any]:
    """The object in a JSON file that a job wrote.

    Raises:
        UserError: when it is missing or damaged.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} is missing; run the pipeline (`snakemake`), which makes it") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is damaged ({error}); delete it and run again") from None
    if not isinstance(content, dict):
        raise UserError(f"{path} is damaged (it holds no JSON object); delete it and run again")
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
