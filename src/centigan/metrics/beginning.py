"""A family as its training began: the same networks with the first weights."""

import torch

from centigan.families import build
from centigan.seeds import counter_seed
from centigan.settings.families.contract import FamilySettings
from centigan.settings.training import TrainSettings
from centigan.types import Family, Shape


def as_training_began(
    model: FamilySettings, train: TrainSettings, split: str, shape: Shape, device: torch.device
) -> Family:
    """The family with the weights that this training drew; what begins with data is not yet primed."""
    rng = torch.Generator().manual_seed(counter_seed(train.seed, split, "weights"))
    family = build(model, **shape._asdict(), rng=rng)
    for network in family.networks.values():
        network.to(device)
    return family
