"""A trained family, read back from results/.../train/{split}."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from centigan.errors import UserError
from centigan.families import build
from centigan.layout import Layout
from centigan.manifest import FACTS, channels_of, levels_of, read_facts
from centigan.settings.families.contract import FamilySettings
from centigan.types import Family, Shape


def trained_family(
    layout: Layout, split: str, model: FamilySettings, device: torch.device
) -> tuple[Family, list[str], Shape]:
    """The family of a split with its trained networks on the device, the names of its classes, its shape.

    Raises:
        UserError: when the split is not trained or damaged, or its networks do not fit the settings.
    """
    trained = layout.train(split)
    if not (trained / "manifest.json").exists():
        raise UserError(f"split {split} is not trained: {trained}/manifest.json is missing")
    classes, shape = _trained_on(trained)
    rng = torch.Generator().manual_seed(0)  # the initial weights are overwritten
    family = build(model, **shape._asdict(), rng=rng)
    load_networks(family.networks, trained)
    for network in family.networks.values():
        network.to(device)
    return family, classes, shape


def _trained_on(folder: Path) -> tuple[list[str], Shape]:
    """The names of the classes, and what the family was built for, as facts.json says."""
    facts = read_facts(folder)
    classes, dimensions = facts.get("classes"), facts.get("dimensions", 0)
    resolution = 0 if dimensions else facts.get("resolution")
    named = isinstance(classes, list) and all(isinstance(name, str) for name in classes)
    if not classes or not named or type(resolution) is not int or type(dimensions) is not int:
        raise UserError(
            f"{folder / FACTS} is damaged (no list of `classes`, or no `resolution` in pixels); `dvc pull` "
            "it, or delete it and run `snakemake`"
        )
    shape = Shape(len(classes), resolution, channels_of(facts), dimensions, levels_of(facts))
    return list(classes), shape._replace(embedding=facts.get("embedding", 0))


def load_networks(networks: Mapping[str, nn.Module], folder: Path) -> None:
    """Load folder/<network>.safetensors into each network.

    Raises:
        UserError: when a file is missing or damaged, or belongs to another architecture.
    """
    for name, network in networks.items():
        path = folder / f"{name}.safetensors"
        try:
            tensors = load_file(path)
        except FileNotFoundError:
            raise UserError(f"{path} is missing; `dvc pull` it, or run `snakemake`") from None
        except SafetensorError as error:
            raise UserError(f"{path} is damaged ({error}); remove it and train again") from error
        expected = {key: tuple(value.shape) for key, value in network.state_dict().items()}
        found = {key: tuple(value.shape) for key, value in tensors.items()}
        for key in sorted(expected.keys() | found.keys()):
            if expected.get(key) != found.get(key):
                raise UserError(
                    f"{path} is of another architecture: {key} has shape {found.get(key)}, the settings' "
                    f"model has {expected.get(key)}. Train again, or restore the settings it was "
                    "trained with"
                )
        network.load_state_dict(tensors)
