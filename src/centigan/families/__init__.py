"""Model families: one file a paper; each fulfils `centigan.types.Family`.

A family is imported when it is built: the list of all stands in `settings.families`.
"""

from importlib import import_module

from torch import Generator, nn

from centigan.lean_start import spare_compiler_import
from centigan.settings.families import OfModel
from centigan.settings.families.contract import FamilySettings, StartingFromAnother
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


def build_parent(
    config: StartingFromAnother, shape: Shape, rng: Generator
) -> tuple[Family, dict[str, nn.Module]]:
    """The family that another one starts from, and those of its networks that draw."""
    other = build(OfModel.model_validate({"model": config.decoder}).model, **shape._asdict(), rng=rng)
    return other, {name: other.networks[name] for name in other.sampled}
