"""The catalogue of figures, the settings and the captions name the same figures."""

from centigan import catalogue
from centigan.reporting.captions import CAPTIONS
from centigan.reporting.figures import FIGURES
from centigan.settings.figures import FiguresSettings


def test_every_figure_has_settings_a_caption_and_sources() -> None:
    declared = list(catalogue.FIGURES)
    assert set(FIGURES) == set(CAPTIONS) == set(declared)
    assert list(FiguresSettings.model_fields) == declared  # in the order of the paper
