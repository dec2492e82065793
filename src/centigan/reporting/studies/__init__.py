"""A study's table, figures and page, from what its points have measured; no point is measured here.

table.csv    a row for each setting that is compared: mean, deviation and count of each column
points.csv   a row a point: every number of its summary.json
claims.csv   each claim of a paper, its verdict and both numbers
figure, samples   as SVG and PNG
battle       a table and a map, where discriminators judge each other's samples
report/      a page of all
"""

import matplotlib.style
import pandas as pd

from centigan.atomic import atomic_path, write_text
from centigan.csv_file import write_csv
from centigan.reporting.absent import without_infinity
from centigan.reporting.figures import STYLE, save
from centigan.reporting.formats import as_latex
from centigan.reporting.studies.against import curves, maps
from centigan.reporting.studies.battle import Battle, battles, fought
from centigan.reporting.studies.bounds import MARK
from centigan.reporting.studies.figures import dots, samples
from centigan.reporting.studies.page import write_page
from centigan.reporting.studies.results import StudyResults
from centigan.reporting.studies.table import mean_table, points_table, shown_table
from centigan.reporting.studies.verdicts import as_table, verdicts


def write_study(results: StudyResults) -> None:
    """Write everything that lies beside the points; the same results give the same bytes.

    Raises:
        UserError: when a point is not measured, or a column or claim names what no point has.
    """
    layout, found = results.layout, verdicts(results)
    tables = {
        layout.table(): mean_table(results),
        layout.points: points_table(results),
        layout.claims: as_table(found),
    }
    judged = battles(results) if results.study.battle else []
    if results.study.battle:
        tables[layout.battle] = pd.DataFrame(judged, columns=Battle._fields)
    for path, table in tables.items():
        with atomic_path(path) as temporary:
            write_csv(temporary, without_infinity(table))
    write_text(layout.table("tex"), _latex(results))
    with matplotlib.style.context(STYLE):
        drawn = {0: dots, 1: curves}.get(len(results.study.against), maps)
        save(drawn(results), layout.figure("figure"))
        save(samples(results, title=results.study.title or results.name), layout.figure("samples"))
        if results.study.battle:
            save(fought(judged), layout.figure("battle"))
    write_page(results, found)


def _latex(results: StudyResults) -> str:
    over = results.study.over
    averaged = f" Mean ± standard deviation over {', '.join(over)}." if over else ""
    table: pd.DataFrame = shown_table(results)
    bounded = " ≤: an upper bound." if MARK in table.to_string() else ""
    caption = f"{results.study.title or results.name}.{averaged}{bounded}"
    return as_latex(table, label=f"tab:{results.name}", caption=caption)
