"""The workflow's table of figures, the settings and the captions name the same figures."""

import re
from pathlib import Path

from centigan.reporting.captions import CAPTIONS
from centigan.reporting.figures import FIGURES
from centigan.settings.figures import FiguresSettings

COMMON = Path(__file__).parents[2] / "workflow/rules/common.smk"


def test_every_figure_has_settings_a_caption_and_sources() -> None:
    table = COMMON.read_text().split("FIGURE_SOURCES = {")[1].split("\n}")[0]
    declared = set(re.findall(r'^    "(\w+)":', table, re.MULTILINE))
    assert set(FIGURES) == set(FiguresSettings.model_fields) == set(CAPTIONS) == declared
