"""Templates and how numbers are written in them."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from centigan import __version__
from centigan.reporting.published import PAPER
from centigan.settings import Settings

TEMPLATES = Path(__file__).with_name("templates")
NOTHING = "–"
OF_PAPER = "acgan"  # the family whose paper is reproduced, table by table


def environment(settings: Settings, *, has_classes: bool) -> Environment:
    """The templates of an experiment's site."""
    pages = templates(settings.experiment)
    pages.globals |= {"has_classes": has_classes, "of_points": settings.data.kind == "points"}
    pages.globals |= {
        "family": settings.model.title,
        "family_page": f"docs/families/{settings.model.family}.md",
        "reproduces": settings.model.family == OF_PAPER,
    }
    return pages


def templates(name: str) -> Environment:
    """The templates of a site that is called so.

    What a class or a path is called is escaped, a name that is not handed over stops.
    """
    pages = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters |= {"percent": percent, "decimals": decimals, "exact": exact, "size": size, "line": line}
    pages.globals |= {"experiment": name, "paper": PAPER, "version": __version__}
    return pages


def percent(share: float | None, digits: int = 1) -> str:
    """0.123 -> 12.3 %, with a space that no line breaks at."""
    return NOTHING if share is None or pd.isna(share) else f"{100 * share:.{digits}f}\N{NO-BREAK SPACE}%"


def decimals(value: float | None, digits: int = 2) -> str:
    """So many digits behind the point."""
    return (
        NOTHING if value is None or pd.isna(value) else f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")
    )


def exact(value: float | None) -> str:
    """Six digits for a program to sort by; nothing where there is no number."""
    return "" if value is None or pd.isna(value) else f"{value:.6g}"


def size(count: int) -> str:
    """Bytes as people say them: 3.2 MB."""
    for unit, bytes_of_it in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= bytes_of_it:
            number = count / bytes_of_it
            return f"{number:.1f} {unit}" if number < 10 else f"{number:.0f} {unit}"
    return f"{count} bytes"


def line(points: Sequence[tuple[float, float]]) -> str:
    """Points of an SVG polyline."""
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
