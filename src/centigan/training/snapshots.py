"""Samples of every class while a split trains, from the same noise each time (Fig 5 right)."""

from collections.abc import Sequence

import torch

from centigan.seeds import counter_seed
from centigan.settings.training import TrainSettings
from centigan.sheets import Images
from centigan.types import Family, Given, labels_of, to_file

CHUNK = 50  # images a forward pass: 200 at 128 px would take more memory than a step does


def snapshot_iterations(settings: TrainSettings) -> range | list[int]:
    """Iterations after which samples are kept: every so many, or only the last of a short run."""
    every, last = settings.snapshot_every, settings.iterations
    return range(every, last + 1, every) or [last]


def snapshot(
    family: Family,
    split: str,
    settings: TrainSettings,
    groups: Sequence[str],
    classes: Sequence[str],
    device: torch.device,
) -> Images:
    """Samples (G, n, H, W, 3) of each group of `FamilySettings.groups`, from the same noise each time."""
    rng = torch.Generator().manual_seed(counter_seed(settings.seed, split, "snapshot"))
    labels = labels_of(groups, classes, settings.snapshot_per_class).to(device)
    source = f"split {split}: the generator"
    parts = [to_file(family.sample(Given(part), rng), source).cpu() for part in labels.split(CHUNK)]
    images: Images = torch.cat(parts).numpy()  # float32 points (N, d) under a protocol of points
    return images.reshape(len(groups), -1, *images.shape[1:])
