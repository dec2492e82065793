"""Whether a study's numbers show what papers say: met, not met, or not measured, with both numbers."""

import math
from typing import NamedTuple

import pandas as pd

from centigan.reporting.studies.results import StudyResults, resolved
from centigan.settings.claims import SIGNS, Cell, Comparison, parse_claim
from centigan.settings.study import Claim

MET, NOT_MET, NOT_MEASURED = "met", "not met", "not measured"


class Side(NamedTuple):
    """What is compared, and what it comes to; NaN where a number of it was not measured."""

    text: str
    value: float


class Verdict(NamedTuple):
    """One claim, what its comparisons came to, and why one has no number."""

    claim: Claim
    verdict: str
    comparisons: list[tuple[Side, str, Side]]
    why: str = ""


def verdicts(results: StudyResults) -> list[Verdict]:
    """One for each claim; values are means over the averaged axes."""
    return [_verdict(results, claim) for claim in results.study.claims]


def as_table(found: list[Verdict]) -> pd.DataFrame:
    """Rows says, source, verdict, left, left_value, sign, right, right_value, why: one a comparison."""
    rows = [
        (one.claim.says, one.claim.source, one.verdict, *left, sign, *right, one.why)
        for one in found
        for left, sign, right in one.comparisons
    ]
    columns = ["says", "source", "verdict", "left", "left_value", "sign", "right", "right_value", "why"]
    return pd.DataFrame(rows, columns=columns)


def _verdict(results: StudyResults, claim: Claim) -> Verdict:
    comparisons = parse_claim(claim.check)
    compared = [_sides(results, comparison) for comparison in comparisons]
    if lost := _lost(results, comparisons):
        return Verdict(claim, NOT_MEASURED, compared, "; ".join(lost))
    holds = all(SIGNS[sign](left.value, right.value) for left, sign, right in compared)
    return Verdict(claim, MET if holds else NOT_MET, compared)


def _sides(results: StudyResults, comparison: Comparison) -> tuple[Side, str, Side]:
    left, right = (
        Side(side.text, side.value(lambda cell: _number(results, cell)))
        for side in (comparison.left, comparison.right)
    )
    return left, comparison.sign, right


def _lost(results: StudyResults, comparisons: list[Comparison]) -> list[str]:
    """Why each number has no value that has none."""
    cells = dict.fromkeys(cell for comparison in comparisons for cell in comparison.cells)
    reasons: dict[str, None] = {}  # in their order
    for cell in cells:
        found = resolved(results, cell)
        if found is None:
            reasons[f"no row could be chosen for {cell.column}"] = None
        elif math.isnan(_number(results, cell)):
            reasons[results.why_absent(found)] = None
    return list(reasons)


def _number(results: StudyResults, cell: Cell) -> float:
    found = resolved(results, cell)
    return math.nan if found is None else results.mean(found)
