"""How often a model's own class output names held-out images rightly (AC-GAN, sections 3 and 5).

Section 5 proposes to train with few labels: images without one have no class term, and the class output is
the classifier. The paper reports no number. Where few labels are seen, a classifier of the same shape is
measured beside it: the same network from the same first weights, moved up the class term of the labelled
images alone, for as many iterations of as many images, at the same learning rate. What the model knows more,
the unlabelled images and its own samples have taught it.

Held-out images are shrunk as features' are. Images are drawn with replacement for the classifier alone, whose
labelled images may be fewer than a batch. Weights are the last ones, not chosen by any held-out image.
"""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from centigan.atomic import atomic_path
from centigan.data.batches import labelled
from centigan.data.held_out import at_training_size
from centigan.errors import UserError
from centigan.families import build
from centigan.layout import Layout
from centigan.seeds import counter_seed
from centigan.settings.stages import ClassOutputStage
from centigan.sheets import Images
from centigan.trained import trained_family
from centigan.types import UNLABELLED, Batch, Classifies, Given, Shape, to_network

MODEL, CLASSIFIER = "model", "classifier"  # what the column `named_by` says
COLUMNS = ("class_id", "named_by", "correct", "count")
CHUNK = 250  # images a forward pass
CPU = torch.device("cpu")
log = logging.getLogger(__name__)


def measure(layout: Layout, split: str, stage: ClassOutputStage, *, device: torch.device = CPU) -> None:
    """Write metrics/class_output/{split}.parquet: a row a class, twice where few labels are seen.

    Raises:
        UserError: for a family that names no classes, or damaged arrays.
    """
    family, classes, shape = trained_family(layout, split, stage.model, device)
    if not isinstance(family, Classifies):
        raise UserError(f"split {split}: {stage.model.title} names no classes")
    named: dict[str, Classifies] = {MODEL: family}
    if stage.supervision.labelled_per_class is not None:
        named[CLASSIFIER] = _classifier(layout, split, stage, shape, device)
    images, labels = _held_out(layout.arrays(split), shape)
    frames = []
    for name, by in named.items():
        logits = torch.cat([by.class_logits(part.to(device)).cpu() for part in images.split(CHUNK)])
        frames.append(right_answers(logits, labels, classes).assign(named_by=name))
    with atomic_path(layout.metric("class_output", split)) as temporary:
        pd.concat(frames, ignore_index=True)[list(COLUMNS)].to_parquet(temporary, index=False)


def right_answers(logits: Tensor, labels: Tensor, classes: list[str]) -> pd.DataFrame:
    """Rows class_id, correct, count, of logits (N, K) and labels (N,): the greatest logit names the class."""
    right = logits.argmax(1) == labels
    of_class = [labels == label for label in range(len(classes))]
    counts = [(int(right[one].sum()), int(one.sum())) for one in of_class]
    return pd.DataFrame(counts, columns=["correct", "count"]).assign(class_id=classes)


def _classifier(
    layout: Layout, split: str, stage: ClassOutputStage, shape: Shape, device: torch.device
) -> Classifies:
    """A classifier of the same shape, which has seen the labelled images alone."""
    train, folder = stage.train, layout.arrays(split)
    first = torch.Generator().manual_seed(counter_seed(train.seed, split, "weights"))
    family = build(stage.model, **shape._asdict(), rng=first)
    assert isinstance(family, Classifies)
    for network in family.networks.values():
        network.to(device)
    labels = labelled(torch.from_numpy(np.load(folder / "labels.npy")).long(), stage.supervision, split)
    images: Images = np.load(folder / "images.npy", mmap_mode="r")
    rows = (labels != UNLABELLED).nonzero()[:, 0]
    seen = to_network(torch.from_numpy(images[rows.numpy()]), shape.channels)
    for iteration in range(1, train.iterations + 1):
        seed = counter_seed(train.seed, split, "classifier", iteration)
        torch.manual_seed(seed)  # dropout and activation noise
        rng = torch.Generator().manual_seed(seed)
        drawn = torch.randint(len(rows), (train.batch_size,), generator=rng)
        batch = seen[drawn]
        if train.flips:
            flipped = torch.rand(train.batch_size, generator=rng) < 0.5
            batch = torch.where(flipped.view(-1, 1, 1, 1), batch.flip(3), batch)
        given = Given(labels[rows[drawn]].to(device))
        family.class_step(Batch(batch.to(device), given, torch.tensor(iteration)))
    log.info(
        "split %s: a classifier of %d labelled images, %d iterations", split, len(rows), train.iterations
    )
    return family


def _held_out(folder: Path, shape: Shape) -> tuple[Tensor, Tensor]:
    """Images (N, C, R, R) in [-1, 1] and labels (N,)."""
    images: Images = np.load(folder / "held_out_images.npy", mmap_mode="r")
    small = np.ascontiguousarray(at_training_size(images, shape.resolution))
    labels = torch.from_numpy(np.load(folder / "held_out_labels.npy")).long()
    return to_network(torch.from_numpy(small), shape.channels), labels
