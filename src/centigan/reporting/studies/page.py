"""report/ of a study: one page of its table, samples, figure, claims, points and the settings that differ."""

import json
from collections.abc import Iterable
from typing import Any

from centigan.layout import Layout
from centigan.params import dotted
from centigan.reporting.site import STATIC
from centigan.reporting.site.dark import following_the_screen
from centigan.reporting.site.pages import templates
from centigan.reporting.site.writer import Site
from centigan.reporting.studies import bounds
from centigan.reporting.studies.columns import column
from centigan.reporting.studies.results import STORED, StudyResults, chosen
from centigan.reporting.studies.table import cells, text
from centigan.reporting.studies.verdicts import MET, NOT_MET, Verdict
from centigan.settings.claims import Cell
from centigan.settings.study import Select

MARKS = {MET: "yes", NOT_MET: "alarm"}  # classes of site.css


def write_page(results: StudyResults, found: list[Verdict]) -> None:
    """Write the page, beside copies of the tables and figures, which are made."""
    layout = results.layout
    site = Site(layout.report)
    for file in sorted(STATIC.iterdir()):
        site.write(file.name, file.read_bytes())
    battle = results.study.battle
    for file in (*layout.tables(battle=battle), *layout.figures("png", battle=battle)):
        site.write(file.name, file.read_bytes())
    for file in layout.figures("svg", battle=battle):
        site.write(file.name, following_the_screen(file.read_bytes()))
    page = templates(results.study.title or results.name).get_template("study.html.j2")
    site.finish(lambda size: page.render(root="", site_size=size, **_told(results, found)))


def _told(results: StudyResults, found: list[Verdict]) -> dict[str, Any]:
    study = results.study
    return {
        "study": study,
        "name": results.name,
        "points": len(results.points),
        "by_caption": results.by_caption,
        "columns": [column(name) for name in study.columns],
        "rows": [_row(results, row) for row in results.rows],
        "bounds": bounds.told(results),
        "choices": _choices(results, study.select) if study.select else [],
        "claims": [_claim(one) for one in found],
        "met": sum(one.verdict == MET for one in found),
        "reports": _reports(results),
        "differing": differing(results),
        "study_file": results.points[0].file,
        "axes": [(key, ", ".join(map(_word, values))) for axis in study.axes for key, values in axis.items()],
    }


def _row(results: StudyResults, row: str) -> dict[str, Any]:
    first = results.points_of(row)[0]
    return {
        "name": row,
        "family": results.settings[first.name].model.title,
        "numbers": f"{results.mean(Cell(STORED, row)):,.0f}",
        "cells": cells(results, row),
    }


def _choices(results: StudyResults, select: Select) -> list[dict[str, str]]:
    """What was chosen, by which number, and the number that is reported of it."""
    by, told = column(select.highest or select.lowest or ""), column(select.report)
    return [
        {
            "group": group,
            "row": row,
            "by": f"{'highest' if select.highest else 'lowest'} value of “{by.label}”",
            "chose": text(results, row, by),
            "report": told.label,
            "value": text(results, row, told),
        }
        for group, row in chosen(results).items()
    ]


def _claim(one: Verdict) -> dict[str, Any]:
    numbers = [
        f"{left.text} = {_number(left.value)} {sign} {right.text}"
        + ("" if right.text == _number(right.value) else f" = {_number(right.value)}")
        for left, sign, right in one.comparisons
    ]
    return {
        "says": one.claim.says,
        "source": one.claim.source,
        "verdict": one.verdict,
        "mark": MARKS.get(one.verdict, "soft"),
        "numbers": numbers,
        "why": one.why,
    }


def _reports(results: StudyResults) -> list[tuple[str, str | None]]:
    """Each point, and its own report's address from here where it has one."""
    return [
        (point.own, f"../{point.own}/report/index.html")
        if Layout(point.name, results.root).report.is_file()
        else (point.own, None)
        for point in results.points
    ]


def differing(results: StudyResults) -> list[tuple[str, list[str]]]:
    """(key, its value in each row) of every setting of model and training that rows differ in.

    Values are those of a row's first point; what a row does not have, another family's setting, is empty.
    """
    of_rows = []
    for row in results.rows:
        settings = results.settings[results.points_of(row)[0].name]
        of_rows.append(dotted(settings.model_dump(mode="json", include={"model", "train"})))
    keys = dict.fromkeys(key for values in of_rows for key in values)
    table = {key: [_word(values[key]) if key in values else "" for values in of_rows] for key in keys}
    return [(key, values) for key, values in table.items() if not _equal(values)]


def _equal(values: Iterable[str]) -> bool:
    return len(set(values)) == 1


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _number(value: float) -> str:
    return "not measured" if value != value else f"{value:.4g}".replace("-", "\N{MINUS SIGN}")
