"""Images from a trained generator: the same number of every class, seeded."""

import logging
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from centigan.atomic import atomic_path
from centigan.errors import UserError
from centigan.families import build
from centigan.layout import Layout
from centigan.manifest import FACTS, describe, read_facts, write_manifest
from centigan.seeds import counter_seed
from centigan.settings.families.contract import FamilySettings
from centigan.settings.stages import SampleStage
from centigan.types import Family, Given, labels_of, to_uint8

CHUNK = 250  # images a forward pass; part of what the seed means, so not a setting of the machine
log = logging.getLogger(__name__)


def sample_split(layout: Layout, split: str, stage: SampleStage, *, device: torch.device) -> None:
    """Write samples/{split}: images.npy uint8 (K n, H, W, 3) ordered by class, labels.npy, manifest.

    A family that draws without classes draws as many, and their labels are -1.
    fresh_images.npy and fresh_labels.npy hold further samples, for numbers that nothing was chosen by.
    """
    trained, folder = layout.train(split), layout.samples(split)
    family, classes = trained_family(layout, split, stage.model, device)
    counts = {"": stage.sample.per_class, "fresh_": stage.sample.fresh_per_class}
    for prefix, per_class in counts.items():
        labels = labels_of(stage.model.groups(classes), classes, per_class)
        seed = counter_seed(stage.sample.seed, split, f"{prefix}sample")
        noise = torch.Generator().manual_seed(seed)  # of the CPU: the same for any device
        drawn = (family.sample(Given(part.to(device)), noise) for part in labels.split(CHUNK))
        chunks = [to_uint8(images, f"split {split}: the generator").cpu() for images in drawn]
        with atomic_path(folder / f"{prefix}images.npy") as temporary:
            np.save(temporary, torch.cat(chunks).numpy())
        with atomic_path(folder / f"{prefix}labels.npy") as temporary:
            np.save(temporary, labels.numpy().astype(np.int16))
    about = describe(
        stage, inputs=[trained / f"{name}.safetensors" for name in family.sampled], seed=stage.sample.seed
    )
    files = [f"{prefix}{name}.npy" for prefix in counts for name in ("images", "labels")]
    write_manifest(folder, about, facts={"classes": classes}, of=files)
    log.info(
        "split %s: %s samples of each of %d classes",
        split,
        " + ".join(map(str, counts.values())),
        len(classes),
    )


def trained_family(
    layout: Layout, split: str, model: FamilySettings, device: torch.device
) -> tuple[Family, list[str]]:
    """The family of a split with its trained networks on the device, and the names of its classes.

    Raises:
        UserError: when the split is not trained or damaged, or its networks do not fit the settings.
    """
    trained = layout.train(split)
    if not (trained / "manifest.json").exists():
        raise UserError(f"split {split} is not trained: {trained}/manifest.json is missing")
    classes, resolution, channels = _trained_on(trained)
    rng = torch.Generator().manual_seed(0)  # the initial weights are overwritten
    family = build(model, classes=len(classes), resolution=resolution, channels=channels, rng=rng)
    load_networks(family, trained)
    for network in family.networks.values():
        network.to(device)
    return family, classes


def _trained_on(folder: Path) -> tuple[list[str], int, int]:
    """The names of the classes, side of the images in pixels, and their channels, as facts.json says."""
    facts = read_facts(folder)
    classes, resolution = facts.get("classes"), facts.get("resolution")
    named = isinstance(classes, list) and all(isinstance(name, str) for name in classes)
    if not classes or not named or type(resolution) is not int:
        raise UserError(
            f"{folder / FACTS} is damaged (no list of `classes`, or no `resolution` in pixels); `dvc pull` "
            "it, or delete it and run `snakemake`"
        )
    return list(classes), resolution, facts.get("channels", 3)


def load_networks(family: Family, folder: Path) -> None:
    """Load folder/<network>.safetensors into every network of the family.

    Raises:
        UserError: when a file is missing or damaged, or belongs to another architecture.
    """
    for name, network in family.networks.items():
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
