"""Model families: one file a paper; each fulfils `centigan.types.Family`.

A family is imported when it is built: the list of all stands in `settings.families`.
"""

from importlib import import_module

from torch import Generator

from centigan.lean_start import spare_compiler_import
from centigan.settings.families.contract import FamilySettings
from centigan.types import Family, Shape


def build(
    config: FamilySettings,
    *,
    classes: int,
    resolution: int,
    channels: int = 3,
    dimensions: int = 0,
    levels: int = 256,
    embedding: int = 0,
    rng: Generator,
) -> Family:
    """A freshly initialised family for what `types.Shape` tells."""
    spare_compiler_import()
    module, name = config.implementation.split(".")
    kind = getattr(import_module(f"centigan.families.{module}"), name)
    family: Family = kind(config, Shape(classes, resolution, channels, dimensions, levels, embedding), rng)
    return family
