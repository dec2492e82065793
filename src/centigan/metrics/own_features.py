"""A family's own features of images: of the trained networks, and of those that its training began with.

What the second do not have, the training has taught; what they have too, is the architecture's. Batch norm
takes its statistics from all training images, without labels, in both: the mean over batches of their means
and variances, as the code of Radford et al. (2015) has it. A training leaves statistics of real and generated
images alike, and first weights have none.
"""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from centigan.errors import UserError
from centigan.metrics.beginning import as_training_began
from centigan.seeds import counter_seed
from centigan.settings.families.contract import FamilySettings
from centigan.settings.stages import LinearProbeStage, TrainStage
from centigan.settings.training import TrainSettings
from centigan.sheets import evenly
from centigan.types import Batch, Primes, Represents, Shape, of_no_class

TRAINED, UNTRAINED, PIXELS = "trained", "untrained", "pixels"  # what the column `features` says
CHUNK = 128  # images a forward pass: those of a batch of that paper
CPU = torch.device("cpu")
Features = NDArray[np.float32]


def of_each_kind(
    family: Represents,
    stage: TrainStage | LinearProbeStage,
    split: str,
    shape: Shape,
    images: tuple[Tensor, Tensor],
    device: torch.device,
) -> Iterator[tuple[str, Features, Features]]:
    """Of training images and others (N, C, H, W): a kind of features, and features (N, F) of both.

    Raises:
        UserError: for features that are not finite.
    """
    first = untrained(stage.model, stage.train, split, shape, images[0], device)
    for kind, learner in ((TRAINED, family), (UNTRAINED, first), (PIXELS, None)):
        if learner is None:
            known, asked = (np.asarray(part.flatten(1).numpy()) for part in images)
        else:
            take_statistics(learner, images[0], device)
            known, asked = (represented(learner, part, device) for part in images)
        if not (np.isfinite(known).all() and np.isfinite(asked).all()):
            raise UserError(f"split {split}: {kind} features hold NaN or infinity; train again")
        yield kind, known, asked


def untrained(
    model: FamilySettings,
    train: TrainSettings,
    split: str,
    shape: Shape,
    images: Tensor,
    device: torch.device,
) -> Represents:
    """The family as its training began; what begins with data, with training images evenly chosen."""
    family = as_training_began(model, train, split, shape, device)
    assert isinstance(family, Represents)
    if isinstance(family, Primes):
        rows = torch.tensor(evenly(len(images), train.batch_size))
        some = of_no_class(len(rows), device)
        seed = counter_seed(train.seed, split, "prime")
        torch.manual_seed(seed)
        family.prime(
            Batch(images[rows].to(device), some, torch.tensor(1)), torch.Generator(device).manual_seed(seed)
        )
    return family


def take_statistics(family: Represents, images: Tensor, device: torch.device = CPU) -> None:
    """Give every batch norm on the way to features the mean statistics of batches of these images."""
    norms = [
        layer
        for network in family.networks.values()
        for layer in network.modules()
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d)
    ]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean over all batches
    hooks = [norm.register_forward_pre_hook(_as_in_training) for norm in norms]
    represented(family, images, device)
    for hook in hooks:
        hook.remove()


def _as_in_training(layer: nn.Module, _: object) -> None:
    layer.train()


def represented(family: Represents, images: Tensor, device: torch.device = CPU) -> Features:
    """Features (N, F) of images (N, C, H, W), in chunks of about the same size."""
    parts = images.tensor_split(-(-len(images) // CHUNK))
    features = [family.represent(part.to(device)).float().cpu() for part in parts]
    return np.asarray(torch.cat(features).numpy())
