"""What a dry run would do: a table of rules with the number of their jobs and why."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from centigan.params import dotted
from snakemake_logger_plugin_centigan.work import TARGETS

FOLLOWS = "follows from the above"
REASONS = {  # how a reason of Snakemake's begins -> our words for it
    "Forced execution": "asked for",
    "Missing output files": "not made yet",
    "Incomplete output files": "was interrupted",
    "Updated input files": "other input",
    "Set of input files has changed": "made from other files",
    "Code has changed": "another command",
    "Params have changed": "other source or settings",
    "Software environment definition has changed": "another environment",
    "Input files updated by another job": FOLLOWS,
}
MOST = 3  # settings that are named
SETTINGS = re.compile(r"before: (.*) now: (.*)", re.DOTALL)


class Plan:
    """The jobs of a dry run."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.why: dict[str, Counter[str]] = {}

    def add(self, rule: str, reason: str) -> None:
        """Take in why one job would run."""
        self.why.setdefault(rule, Counter())[reason_in_words(reason)] += 1

    def as_text(self, *, why: bool) -> str:
        """The table; "" where there is nothing to be done."""
        rows = [(rule, count) for rule, count in self.counts.items() if rule not in TARGETS]
        if not rows:
            return ""
        wide = max(len(rule) for rule, _ in rows) + 2
        lines = [f"{rule:<{wide}}{count:>4}  {self._why(rule, count) if why else ''}" for rule, count in rows]
        lines.append(f"{'total':<{wide}}{sum(count for _, count in rows):>4}")
        return "\n".join(
            [
                f"{'rule':<{wide}}jobs  {'why' if why else ''}",
                *lines,
                "",
                "This was a dry-run: nothing was made.",
            ]
        )

    def _why(self, rule: str, count: int) -> str:
        found = self.why.get(rule, Counter())
        return "; ".join(
            text if number == count else f"{number}: {text}" for text, number in found.most_common(MOST)
        )


def reason_in_words(reason: str) -> str:
    """One reason in a few words; where a job would run anyway, not what it follows from."""
    found = [words for start, words in REASONS.items() if start in reason]
    if "other source or settings" in found:
        keys = sorted(set(changed_settings(reason)))
        more = f" and {len(keys) - MOST} more" if keys[MOST:] else ""
        at = found.index("other source or settings")
        found[at] = f"other settings: {', '.join(keys[:MOST])}{more}" if keys else "other source"
    own = [words for words in found if words != FOLLOWS]
    return ", ".join(own or found) or reason[:60]


def changed_settings(reason: str) -> Iterator[str]:
    """The keys of the settings that differ between Snakemake's two lists of a job's parameters."""
    sides = SETTINGS.search(reason)
    if sides is None:
        return
    before, now = (
        {key: json.dumps(value) for each in json_objects(side) for key, value in dotted(each).items()}
        for side in sides.groups()
    )
    yield from (key for key in before.keys() | now.keys() if before.get(key) != now.get(key))


def json_objects(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects that stand in a text."""
    start = text.find("{")
    while start >= 0:
        try:
            found, end = json.JSONDecoder().raw_decode(text, start)
            yield found
        except ValueError:
            end = start + 1
        start = text.find("{", end)
