"""What a command needs and does not find: one message for all, which names the file and what makes it."""

from collections.abc import Iterable
from pathlib import Path

from centigan.errors import UserError
from centigan.layout import WHOLE

SHOWN = 3  # files and commands that are named; the others are counted
# the first part of a result's path -> the rule that writes it
RULES = {
    "index": "index",
    "classes.csv": "index",
    "source.json": "index",
    "raw.sha256": "index",
    "arrays": "arrays",
    "train": "train",
    "samples": "sample",
    "latent": "latent",
    "reconstructions": "reconstruct",
    "judge": "judge",
    "features": "features",
    "tables": "tables",
    "summary.json": "tables",
    "figures": "figure",
    "report": "report",
    "mlflow.json": "publish",
}
# a rule whose command is called otherwise; the others are called as their rule, with - for _
VERBS = {"ms_ssim_in_training": "ms-ssim --in-training", "publish": "track"}
OF_A_SPLIT = {"arrays", "train", "sample", "latent", "reconstruct", "features"}


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
    own: dict[str, str] = {}  # by rule
    experiment = ""
    for path in paths:
        experiment, rule, rest = maker(path)
        own.setdefault(
            rule, f"`centigan {' '.join([_verb(rule, rest), '-e', experiment, *_split(rule, rest)])}`"
        )
    return f"{_some(list(own.values()))} or `snakemake {' '.join(own)} --config experiment={experiment}`"


def maker(path: Path) -> tuple[str, str, list[str]]:
    """The experiment that a result belongs to, the rule that writes it, and the rest of its path.

    Raises:
        UserError: for a path that is no result.
    """
    parts = list(path.parts)
    start = len(parts) - parts[::-1].index("results") if "results" in parts else len(parts)
    experiment, first, *rest = [*parts[start:], "", ""]
    if first == "metrics":
        metric = rest.pop(0)
        return experiment, "smoothness" if metric == "latent" else metric, rest
    if first not in RULES:
        raise UserError(f"{path} is missing, and is no result that a command makes")
    return experiment, RULES[first], rest


def _verb(rule: str, rest: list[str]) -> str:
    verb = VERBS.get(rule, rule.replace("_", "-"))
    return f"{verb} {Path(rest[0]).stem}" if rule == "figure" else verb


def _split(rule: str, rest: list[str]) -> list[str]:
    """The option that names the split, of a rule that is run for one."""
    of_metric = rule not in RULES.values() and Path(rest[0]).stem != WHOLE
    return ["-s", Path(rest[0]).stem] if rule in OF_A_SPLIT or of_metric else []


def _some(texts: list[str]) -> str:
    """Some of the texts in words, and how many there are more."""
    more = len(texts) - SHOWN
    return ", ".join(texts[:SHOWN]) + (f" and {more} more" if more > 0 else "")
