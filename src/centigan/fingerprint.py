"""A hash of the source that one step runs: comments, docstrings and layout do not count.

Snakemake sees a rule's shell line, not the package behind it. Cheap rules carry this hash among their
params, so that an edit of a metric reruns that metric. Training does not: raise `model.revision`.
"""

import ast
import hashlib
import json
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from centigan.atomic import write_text
from centigan.errors import UserError

PACKAGE = Path(__file__).parent
# What these decide reaches a rule through its params, or is no part of any result.
PLUMBING = {
    *("atomic", "errors", "fingerprint", "freshness", "layout", "manifest", "params", "settings", "threads")
}


@lru_cache
def code_of(module: str) -> str:
    """Hash of a module such as "metrics.ms_ssim" and of all modules of the package it imports.

    Files that are no modules (a template, a style sheet) count with every module of their folder, also from
    folders below it that are no packages.
    """
    digest = hashlib.sha256()
    for path in sorted(_closure(module)):
        digest.update(path.relative_to(PACKAGE).as_posix().encode())
        digest.update(_source(path))
        for extra in _files_beside(path.parent):
            digest.update(extra.read_bytes())
    return digest.hexdigest()[:16]


def remembered_code_of(module: str, memory: Path) -> str:
    """The same, from a file that holds as long as no byte of the package changes: parsing takes a second."""
    package = _package()
    known = _read(memory, package)
    if module not in known:
        known[module] = code_of(module)
        with suppress(UserError):  # what cannot be remembered is found out again
            write_text(memory, json.dumps({"package": package, "codes": known}))
    return known[module]


def _read(memory: Path, package: str) -> dict[str, str]:
    """Hashes by module that were found in this very package; none where the file is damaged."""
    with suppress(OSError, ValueError, LookupError, TypeError):
        content = json.loads(memory.read_bytes())
        if content["package"] == package:
            return dict(content["codes"])
    return {}


@lru_cache
def _package() -> str:
    """Hash of every file of the package."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*")):
        if path.is_file() and path.parent.name != "__pycache__":
            content = path.read_bytes()
            digest.update(f"{path.relative_to(PACKAGE)}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()


def _files_beside(folder: Path) -> list[Path]:
    """Files of a folder that are no modules, and of the folders in it that are no packages."""
    found: list[Path] = []
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.suffix not in {".py", ".pyc"}:
            found.append(path)
        elif path.is_dir() and path.name != "__pycache__" and not (path / "__init__.py").exists():
            found += _files_beside(path)
    return found


def _closure(module: str) -> set[Path]:
    found: set[Path] = set()
    waiting = [_file(module)]
    while waiting:
        path = waiting.pop()
        if path is None or path in found:
            continue
        found.add(path)
        waiting += [_file(name) for name in _imports(path)]
    return found


@lru_cache
def _imports(path: Path) -> frozenset[str]:
    """Modules of the package that a file imports, anywhere in it."""
    nodes = [node for node in ast.walk(_tree(path)) if isinstance(node, ast.ImportFrom)]
    return frozenset(name for node in nodes for name in _modules(node) if not _is_plumbing(name))


def _modules(node: ast.ImportFrom) -> set[str]:
    """What may be modules of the package in `from centigan.a import b`: a and a.b."""
    package, _, module = (node.module or "").partition(".")
    if package != "centigan":
        return set()
    below = {f"{module}.{alias.name}" if module else alias.name for alias in node.names}
    return below | {module} if module else below


def _is_plumbing(module: str) -> bool:
    return module.split(".")[0] in PLUMBING


def _file(module: str) -> Path | None:
    """The file of a module; None for a name that is a function or class."""
    stem = PACKAGE.joinpath(*module.split("."))
    for path in (stem.with_suffix(".py"), stem / "__init__.py"):
        if path.is_file():
            return path
    return None


def _written_out(node: object) -> str:
    """A syntax tree as text, the same in every Python: `ast.dump` shows fields that only newer ones have.

    What a node does not have is left out: None, an empty list, an empty piece of an f-string.
    """
    match node:
        case ast.JoinedStr():
            return f"JoinedStr({', '.join(_written_out(piece) for piece in _pieces(node))})"
        case ast.AST():
            fields = ((name, value) for name, value in ast.iter_fields(node) if value not in (None, []))
            return f"{type(node).__name__}({', '.join(f'{n}={_written_out(v)}' for n, v in fields)})"
        case list():
            return f"[{', '.join(map(_written_out, node))}]"
        case _:
            return ascii(node)  # repr knows more printable letters in newer ones


def _pieces(text: ast.JoinedStr) -> list[ast.expr]:
    return [piece for piece in text.values if not (isinstance(piece, ast.Constant) and piece.value == "")]


@lru_cache
def _source(path: Path) -> bytes:
    return _written_out(_tree(path)).encode()


@lru_cache
def _tree(path: Path) -> ast.Module:
    """A file's source as a tree, without docstrings and imports of plumbing."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            body = node.body if ast.get_docstring(node) is None else node.body[1:]
            node.body = [statement for statement in body if not _imports_plumbing(statement)]
    return tree


def _imports_plumbing(statement: ast.stmt) -> bool:
    names = _modules(statement) if isinstance(statement, ast.ImportFrom) else set()
    return bool(names) and all(_is_plumbing(name) for name in names)
