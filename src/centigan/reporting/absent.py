"""What has no value, and why: a number that cannot be computed is left out, and never written as NaN."""

import logging
import math
import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from centigan.catalogue import Subject, why_no_number
from centigan.catalogue import absent as without

SUMMARY = "summary"  # in place of a table's name
# by the names of summary.json, and of tables and their columns
UNDEFINED = {
    "accuracy_ms_ssim/share_low_diversity_inaccurate": "no class is less diverse than any real class",
    "accuracy_ms_ssim/share_high_diversity_accurate": "every class is less diverse than any real class",
    "accuracy_ms_ssim/r": "all classes are equal in accuracy or in MS-SSIM",
    "accuracy_ms_ssim/r2": "all classes are equal in accuracy or in MS-SSIM",
    "duplicates/class_id": "the sample was drawn of no class",
    r".*\bstd|.*_std": "one value alone has no spread",
}
OF_NO_CLASS = tuple(name for name in UNDEFINED if name.startswith("accuracy_ms_ssim/"))
UNMEASURED = "a measurement behind it is not a finite number"
NEVER = {("distribution", "std")}  # KID alone has subsets
COLUMNS = ["table", "number", "cells", "why"]
log = logging.getLogger(__name__)


def why(name: str) -> str | None:
    """Why a number may have no value though everything was measured; None where there is no such reason."""
    return next((reason for pattern, reason in UNDEFINED.items() if re.fullmatch(pattern, name)), None)


def finite(values: Mapping[str, float]) -> dict[str, float]:
    """The numbers that are numbers."""
    return {name: value for name, value in values.items() if math.isfinite(value)}


def without_infinity(table: pd.DataFrame) -> pd.DataFrame:
    """The table, its infinite cells empty, as those that are not a number."""
    return table.replace([np.inf, -np.inf], np.nan)


def absences(
    summary: Mapping[str, float], tables: Mapping[str, pd.DataFrame], subject: Subject
) -> pd.DataFrame:
    """Rows table, number, cells, why: what summary and tables leave empty; each is logged, too.

    A metric, table or figure that does not apply is a row of its own, `table` being its kind.
    """
    lost = [name for name, value in summary.items() if not math.isfinite(value)]
    lost += [name for name in OF_NO_CLASS if name not in summary and why_no_number(name, subject) is None]
    rows = [(SUMMARY, name, 1, why(name) or UNMEASURED) for name in lost]
    for table, frame in tables.items():
        empty = frame.isna().sum()
        rows += [
            (table, str(column), int(cells), why(f"{table}/{column}") or UNMEASURED)
            for column, cells in empty[empty > 0].items()
            if (table, column) not in NEVER
        ]
    for table, number, cells, reason in rows:
        log.warning("%s: %s has no value in %d place(s): %s", table, number, cells, reason)
    inapplicable = [(kind, name, 1, reason) for kind, name, reason in without(subject)]
    return pd.DataFrame(rows + inapplicable, columns=COLUMNS)
