"""Whether D tells an image beside its caption from another image beside it (Reed et al. 2016, section 4.2).

Of each held-out image x and its caption t, and an image x' of another class, or another image where all are
of one: the share of pairs for which D says that x fits better, D(x, t) > D(x', t). Chance is one half.
"""

import numpy as np
import torch
from torch import Generator, Tensor

from centigan.atomic import atomic_path
from centigan.data.batches import images_of
from centigan.data.caption_vectors import load_vectors
from centigan.layout import Layout
from centigan.manifest import read_facts, unseen_of
from centigan.metrics.labels import class_ids_of, right_of_each
from centigan.seeds import counter_seed
from centigan.settings.families.contract import FamilySettings
from centigan.trained import trained_family
from centigan.types import Matches

COLUMNS = ("class_id", "unseen", "matched", "count")
CHUNK = 250  # pairs at a time


def measure(layout: Layout, split: str, model: FamilySettings) -> None:
    """Write metrics/matched/{split}.parquet: class_id, unseen, matched, count."""
    family, classes, shape = trained_family(layout, split, model, torch.device("cpu"))
    assert isinstance(family, Matches)  # the catalogue asks for the ability
    arrays = layout.arrays(split)
    images = images_of(arrays / "held_out_images.npy", shape)
    labels = torch.from_numpy(np.load(arrays / "held_out_labels.npy").astype(np.int64))
    captions = load_vectors(layout.captions(split), "held_out_", images=len(labels))[:, 0].float()
    rng = Generator().manual_seed(counter_seed(0, split, "matched"))
    wrong = images[others(labels, rng)]
    with torch.no_grad():
        right = _told(family, images, captions) > _told(family, wrong, captions)
    unseen = unseen_of(read_facts(arrays))
    counts = right_of_each(class_ids_of(labels.numpy(), classes), right.numpy())
    counts = counts.rename(columns={"correct": "matched"})
    counts = counts.assign(unseen=counts["class_id"].isin(unseen))
    with atomic_path(layout.metric("matched", split)) as temporary:
        counts[list(COLUMNS)].to_parquet(temporary, index=False)


def _told(family: Matches, images: Tensor, captions: Tensor) -> Tensor:
    parts = zip(images.split(CHUNK), captions.split(CHUNK), strict=True)
    return torch.cat([family.matches(x, t) for x, t in parts])


def others(labels: Tensor, rng: Generator) -> Tensor:
    """For each image (N,) the position of one of another class; of one class alone another image."""
    count = len(labels)
    if len(labels.unique()) == 1:  # COCO's are 40,000: no table of pairs
        return (torch.arange(count) + torch.randint(1, count, (count,), generator=rng)) % count
    apart = (labels[:, None] != labels[None, :]).float()
    return torch.multinomial(apart, 1, generator=rng)[:, 0]
