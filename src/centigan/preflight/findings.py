"""What a check has found: a line that all is well, or one that says what is not and what would do."""

from collections.abc import Iterable
from typing import NamedTuple

from centigan.errors import UserError
from centigan.params import PROTOCOL_FILE


class Finding(NamedTuple):
    """One line for a person."""

    good: bool
    text: str


def good(text: str) -> Finding:
    """All is well."""
    return Finding(True, text)


def problem(text: str) -> Finding:
    """A run could not end; the text says what would do."""
    return Finding(False, text)


def require_good(found: Iterable[Finding], experiment: str) -> None:
    """Make sure that nothing is wrong.

    Raises:
        UserError: with a line for each problem.
    """
    if wrong := [finding.text for finding in found if not finding.good]:
        raise UserError(refusal(wrong, experiment, files_of(experiment)))


def files_of(experiment: str) -> str:
    """The files of an experiment's settings, or of a protocol's, in words."""
    protocol, _, own = experiment.partition("/")
    shared = f"experiments/{protocol}/{PROTOCOL_FILE}"
    study, _, point = own.partition("/")
    file = f"studies/{study}.yaml" if point else f"experiments/{experiment}.yaml"
    return f"{file} and {shared}" if own else shared


def refusal(wrong: list[str], name: str, files: str) -> str:
    """All problems of an experiment, protocol or study as one message of several lines."""
    many = f"{len(wrong)} reasons" if wrong[1:] else "one reason"
    lines = "".join(f"\n  - {text}" for text in wrong)
    where = f"settings stand in {files}, else in params.yaml"
    return f"{name} cannot run as its settings say, for {many}; {where}:{lines}"
