"""Model families: one file a paper, one entry here; each fulfils `centigan.types.Family`."""

from torch import Generator

from centigan.families.acgan import ACGAN
from centigan.lean_start import spare_compiler_import
from centigan.settings.training import AcganConfig
from centigan.types import Family

FAMILIES = {
    "acgan": ACGAN,  # Odena, Olah & Shlens 2017
}


def build(config: AcganConfig, *, classes: int, resolution: int, rng: Generator) -> Family:
    """A freshly initialised family for `classes` classes of square images."""
    spare_compiler_import()
    return FAMILIES[config.family](config, classes=classes, resolution=resolution, rng=rng)
