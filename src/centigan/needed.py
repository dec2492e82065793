"""What a command needs and does not find: one message for all, which names the file and what makes it."""

from collections.abc import Iterable
from pathlib import Path

from centigan.errors import UserError
from centigan.layout import OF_EXPERIMENT, OF_GROUP, OF_PROTOCOL, WHOLE, Layout, owned

SHOWN = 3  # files and commands that are named; the others are counted
# how a result's path begins -> the rule that writes it
RULES = OF_PROTOCOL | OF_EXPERIMENT
# a rule whose command is called otherwise; the others are called as their rule
VERBS = {"features_of_real": "features --real", "measure_real": "measure --real", "publish": "track"}
OF_A_METRIC = {"measure", "measure_real"}
OF_DRAWING = {"sample", "latent", "reconstruct", "demonstrate"}
OF_A_SPLIT = {"arrays", "embed", "train", "features", "features_of_real"} | OF_DRAWING


def need(paths: Iterable[Path]) -> None:
    """Make sure that files are there, before any work.

    Raises:
        UserError: naming those that are not, and the commands that make them.
    """
    if absent := [path for path in paths if not path.exists()]:
        raise missing(*absent)


def missing(*paths: Path) -> UserError:
    """The error for files that are not there, in the order in which the pipeline makes them."""
    is_one = len(paths) == 1
    return UserError(
        f"{_some([str(path) for path in paths])} {'is' if is_one else 'are'} missing: {_made_by(paths)} "
        f"make{'s' if is_one else ''} {'it' if is_one else 'them'}"
    )


def _made_by(paths: Iterable[Path]) -> str:
    """The commands that make results: our own, and Snakemake's."""
    own: dict[str, str] = {}  # by verb
    rules: dict[str, None] = {}
    experiment = ""
    for path in paths:
        experiment, rule, rest = maker(path)
        verb = _verb(rule, rest)
        rules[rule] = None
        own.setdefault(verb, f"`centigan {' '.join([verb, '-e', experiment, *_split(rule, rest)])}`")
    return f"{_some(list(own.values()))} or `snakemake {' '.join(rules)} --config experiment={experiment}`"


def maker(path: Path) -> tuple[str, str, list[str]]:
    """The experiment or protocol that a result belongs to, the rule that writes it, the rest of its path.

    Raises:
        UserError: for a path that is no result.
    """
    name, below = ("", path) if "results" not in path.parts else owned(path)
    parts: list[str] = [*below.parts, "", ""]
    first, *rest = parts
    if first == "real":
        first = f"real/{rest.pop(0)}"
    of = OF_GROUP if Layout(name).is_group else RULES
    if not (rule := of.get(first)):
        raise UserError(f"{path} is missing, and is no result that a command makes")
    return name, rule, rest


def _verb(rule: str, rest: list[str]) -> str:
    verb = VERBS.get(rule, rule)
    if rule in OF_A_METRIC:
        return f"{verb} {rest[0]}"
    return f"{verb} {Path(rest[0]).stem}" if rule == "figure" else verb


def _split(rule: str, rest: list[str]) -> list[str]:
    """The option that names the split, of a rule that is run for one."""
    split = Path(rest[1] if rule in OF_A_METRIC else rest[0]).stem
    return ["-s", split] if rule in OF_A_SPLIT | OF_A_METRIC and split != WHOLE else []


def _some(texts: list[str]) -> str:
    """Some of the texts in words, and how many there are more."""
    more = len(texts) - SHOWN
    return ", ".join(texts[:SHOWN]) + (f" and {more} more" if more > 0 else "")
