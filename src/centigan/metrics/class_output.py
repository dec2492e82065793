"""How often a model's own class output names held-out images rightly (AC-GAN, sections 3 and 5).

Section 5 proposes to train with few labels: images without one have no class term, and the class output is
the classifier. The paper reports no number. Where few labels are seen, a classifier of the same shape is
measured beside it: the same network from the same first weights, moved up the class term of the labelled
images alone, for as many iterations of as many images, at the same learning rate; weights that begin with
data begin with such images, too. What the model knows more, the unlabelled images and its own samples have
taught it.

Held-out images are shrunk as features' are. Images are drawn with replacement for the classifier alone, whose
labelled images may be fewer than a batch. Weights are the last ones, not chosen by any held-out image.
"""

import logging

import numpy as np
import pandas as pd
import torch

from centigan.atomic import atomic_path
from centigan.data.batches import images_of, labelled
from centigan.errors import UserError
from centigan.layout import Layout
from centigan.metrics.beginning import as_training_began
from centigan.metrics.labels import class_ids_of, right_answers
from centigan.seeds import counter_seed
from centigan.settings.stages import TrainStage
from centigan.trained import trained_family
from centigan.types import UNLABELLED, Batch, Classifies, Given, Primes, Shape

MODEL, CLASSIFIER = "model", "classifier"  # what the column `named_by` says
COLUMNS = ("class_id", "named_by", "correct", "count")
CHUNK = 250  # images a forward pass
CPU = torch.device("cpu")
log = logging.getLogger(__name__)


def measure(layout: Layout, split: str, stage: TrainStage, *, device: torch.device = CPU) -> None:
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
    images = images_of(layout.arrays(split) / "held_out_images.npy", shape)
    class_ids = class_ids_of(np.load(layout.arrays(split) / "held_out_labels.npy"), classes)
    frames = []
    for name, by in named.items():
        logits = torch.cat([by.class_logits(part.to(device)).cpu() for part in images.split(CHUNK)])
        found = class_ids_of(logits.argmax(1).numpy(), classes)
        frames.append(right_answers(found, class_ids).assign(named_by=name))
    with atomic_path(layout.metric("class_output", split)) as temporary:
        pd.concat(frames, ignore_index=True)[list(COLUMNS)].to_parquet(temporary, index=False)


def _classifier(
    layout: Layout, split: str, stage: TrainStage, shape: Shape, device: torch.device
) -> Classifies:
    """A classifier of the same shape, which has seen the labelled images alone."""
    train, folder = stage.train, layout.arrays(split)
    family = as_training_began(stage.model, train, split, shape, device)
    assert isinstance(family, Classifies)
    labels = labelled(torch.from_numpy(np.load(folder / "labels.npy")).long(), stage.supervision, split)
    rows = (labels != UNLABELLED).nonzero()[:, 0]
    seen = images_of(folder / "images.npy", shape, rows.numpy())
    for iteration in range(train.iterations + 1):
        seed = counter_seed(train.seed, split, "classifier", iteration)
        torch.manual_seed(seed)  # dropout and activation noise
        rng = torch.Generator().manual_seed(seed)
        drawn = torch.randint(len(rows), (train.batch_size,), generator=rng)
        batch = seen[drawn]
        if train.flips:
            flipped = torch.rand(train.batch_size, generator=rng) < 0.5
            batch = torch.where(flipped.view(-1, 1, 1, 1), batch.flip(3), batch)
        given = Given(labels[rows[drawn]].to(device))
        known = Batch(batch.to(device), given, torch.tensor(iteration))
        if iteration:
            family.class_step(known)
        elif isinstance(family, Primes):
            family.prime(known, torch.Generator(device).manual_seed(seed))
    log.info(
        "split %s: a classifier of %d labelled images, %d iterations", split, len(rows), train.iterations
    )
    return family
