"""Which numbers of a study are bounds: bits and nats of a likelihood, as each point's measurement tells.

A row may be exact and another one a bound by an encoder, so that the smaller number need not be the better
model. A bound on bits or nats lies above them.
"""

import pandas as pd

from centigan.catalogue import METRICS
from centigan.reporting.results import present
from centigan.reporting.site.today_models import BOUNDS
from centigan.reporting.studies.results import StudyResults

EXACT, MARK = "exact", "≤ "
BOUNDED = [name for name, metric in METRICS.items() if "bound" in metric.columns]


def kinds(results: StudyResults, row: str, name: str) -> list[str]:
    """What the numbers of a row's column are, of BOUNDS, each once; nothing of what is no likelihood.

    Raises:
        UserError: when the measurement of a number is missing.
    """
    metric, _, images = name.partition("/")
    if metric not in BOUNDED or "/" in images:  # what stands beside it is no number of the model
        return []
    having = set(results.numbers[name].dropna().index)
    points = [point for point in results.points_of(row) if point.own in having]
    files = [of.layout.metric(metric, of.split_names[0]) for of in map(results.of, points)]
    found = [pd.read_parquet(present(file), columns=["bound"])["bound"].iloc[0] for file in files]
    return list(dict.fromkeys(map(str, found)))


def mark(results: StudyResults, row: str, name: str) -> str:
    """What stands before a mean that is a bound, or of numbers some of which are."""
    return MARK if any(kind != EXACT for kind in kinds(results, row, name)) else ""


def told(results: StudyResults) -> list[tuple[str, list[str]]]:
    """What each kind is, in words, and the rows of this kind; nothing where no column is a likelihood."""
    rows: dict[str, dict[str, None]] = {}  # in their order
    for row in results.rows:
        for name in results.study.columns:
            for kind in kinds(results, row, name):
                rows.setdefault(kind, {})[row] = None
    return [(BOUNDS[kind], list(found)) for kind, found in rows.items()]
