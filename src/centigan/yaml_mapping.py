"""YAML files of `key: value` lines: the one reader of them all, and what to say of a key that is not known.

A word means here what it means to DVC, which reads params.yaml by YAML 1.2: `on`, `yes` and `12:30` are text,
1e3 and 0123 are numbers. What lets a file say other than it seems to is an error: a key that stands twice, a
tag, aliases that multiply.
"""

import difflib
import re
from collections.abc import Iterable
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from centigan.errors import UserError

DEEPEST = 50  # levels; the settings have six
LARGEST = 100_000  # values, those behind an alias counted wherever it stands
TAG = "tag:yaml.org,2002:"
WORDS = {
    "bool": r"true|True|TRUE|false|False|FALSE",
    "int": r"[-+]?(?:0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)",
    "float": r"[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
}


def read_mapping(path: Path) -> dict[str, Any]:
    """What a file says; nothing for an empty one.

    Raises:
        UserError: when it is missing, no YAML, says a thing twice, or is not of `key: value` lines.
    """
    return _read(path, as_texts=False)


def read_texts(path: Path) -> dict[str, Any]:
    """The same, each value the text that stands in the file: 0123, ~ and on are no number, nothing or truth.

    Raises:
        UserError: as of `read_mapping`.
    """
    return _read(path, as_texts=True)


def advice(key: str, known: Iterable[str]) -> str:
    """What may have been meant by an unknown key."""
    names = list(known)
    near = difflib.get_close_matches(key, names, n=1, cutoff=0.5)
    return f"did you mean `{near[0]}`?" if near else f"there are: {', '.join(names)}"


class _Loader(yaml.SafeLoader):
    """Refuses, at the place where it stands, what must not be in a file of settings."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = 0
        self.sizes: dict[int, int] = {}  # of every node that is whole

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """PyYAML's hook for every value, key and alias."""
        event = self.peek_event()
        if (tag := getattr(event, "tag", None)) not in {None, "!", f"{TAG}str"}:
            raise _refused(event, f"the tag {tag} is not for settings; write the value without it")
        if isinstance(event, yaml.ScalarEvent) and self.NON_PRINTABLE.search(event.value):
            raise _refused(event, "a control character in a text; take it out")
        self.depth += 1
        if self.depth > DEEPEST:
            raise _refused(event, f"more than {DEEPEST} levels deep")
        node = super().compose_node(parent, index)
        self.depth -= 1
        if isinstance(event, yaml.AliasEvent) and id(node) not in self.sizes:
            raise _refused(event, f"`*{event.anchor}` stands within what it stands for")
        if node is not None:
            self.sizes[id(node)] = 1 + sum(self.sizes[id(part)] for part in _parts(node))
            if self.sizes[id(node)] > LARGEST:
                raise _refused(event, f"more than {LARGEST:,} values, with those behind its aliases")
        return node

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """A mapping whose keys are words, each once."""
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        lines: dict[Any, int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _refused(key, "a key must be one word, not a list or a mapping")
            name = key.value if key.tag == f"{TAG}merge" else self.construct_object(key)
            if name in lines:
                raise _refused(key, f"`{key.value}` stands twice, first in line {lines[name]}; keep one")
            lines[name] = key.start_mark.line + 1
        return node

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        """0123 is 123, as in YAML 1.2."""
        text = node.value.replace("_", "")
        return int(text, 0) if re.match("[-+]?0[box]", text) else int(text)


class _Texts(_Loader):
    """Takes every word for the text that it is."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


_Loader.yaml_implicit_resolvers = {
    first: [(tag, words) for tag, words in known if tag.removeprefix(TAG) not in WORDS]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _name, _words in WORDS.items():
    _Loader.add_implicit_resolver(TAG + _name, re.compile(f"^(?:{_words})$"), list("tTfF-+.0123456789"))
_Loader.add_constructor(f"{TAG}int", _Loader.construct_yaml_int)


def _read(path: Path, *, as_texts: bool) -> dict[str, Any]:
    try:
        values = deepcopy(_parsed(path.read_text(encoding="utf-8-sig"), as_texts))
    except FileNotFoundError:
        raise UserError(f"{path} is missing; run from the project's folder") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8, from byte {error.start} on; save it as UTF-8") from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date or a number that cannot be
        raise UserError(f"{path} is not valid YAML: {_in_one_line(error)}") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise UserError(f"{path} must hold settings as `key: value` lines")
    return values


@lru_cache(maxsize=64)
def _parsed(text: str, as_texts: bool) -> Any:
    """What a text says; the points of a study stand on the same few files, 20 ms each."""
    return yaml.load(text, _Texts if as_texts else _Loader)


def _parts(node: yaml.Node) -> Iterable[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return (part for pair in node.value for part in pair)
    return node.value if isinstance(node, yaml.SequenceNode) else ()


def _refused(at: Any, why: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=why, problem_mark=at.start_mark)


def _in_one_line(error: Exception) -> str:
    """What is wrong and where; PyYAML tells it in several lines."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        mark = error.problem_mark
        return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}"
    return " ".join(str(error).split())
