"""Samples of every class while a split trains, from the same noise each time (Fig 5 right)."""

import torch

from centigan.seeds import counter_seed
from centigan.settings.training import TrainSettings
from centigan.sheets import Images
from centigan.types import Family, to_uint8

CHUNK = 50  # images a forward pass: 200 at 128 px would take more memory than a step does


def snapshot_iterations(settings: TrainSettings) -> range | list[int]:
    """Iterations after which samples are kept: every so many, or only the last of a short run."""
    every, last = settings.snapshot_every, settings.iterations
    return range(every, last + 1, every) or [last]


def snapshot(
    family: Family, split: str, settings: TrainSettings, classes: int, device: torch.device
) -> Images:
    """Samples (K, n, H, W, 3) of every class from the same noise each time."""
    rng = torch.Generator().manual_seed(counter_seed(settings.seed, split, "snapshot"))
    labels = torch.arange(classes, device=device).repeat_interleave(settings.snapshot_per_class)
    source = f"split {split}: the generator"
    parts = [to_uint8(family.sample(part, rng), source).cpu() for part in labels.split(CHUNK)]
    images: Images = torch.cat(parts).numpy()
    return images.reshape(classes, -1, *images.shape[1:])
