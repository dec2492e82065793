"""Images from a trained generator: the same number of every class, seeded."""

import logging

import numpy as np
import torch

from centigan.atomic import atomic_path
from centigan.layout import Layout
from centigan.manifest import describe, write_manifest
from centigan.seeds import counter_seed
from centigan.settings.stages import SampleStage
from centigan.trained import trained_family
from centigan.types import Given, labels_of, to_file

CHUNK = 250  # images a forward pass; part of what the seed means, so not a setting of the machine
log = logging.getLogger(__name__)


def sample_split(layout: Layout, split: str, stage: SampleStage, *, device: torch.device) -> None:
    """Write samples/{split}: images.npy uint8 (K n, H, W, 3) ordered by class, labels.npy, manifest.
    Of a model of points images.npy is float32 (K n, d).

    A family that draws without classes draws as many, and their labels are -1.
    fresh_images.npy and fresh_labels.npy hold further samples, for numbers that nothing was chosen by.
    """
    trained, folder = layout.train(split), layout.samples(split)
    family, classes, _ = trained_family(layout, split, stage.model, device)
    counts = {"": stage.sample.per_class, "fresh_": stage.sample.fresh_per_class}
    for prefix, per_class in counts.items():
        labels = labels_of(stage.model.groups(classes), classes, per_class)
        seed = counter_seed(stage.sample.seed, split, f"{prefix}sample")
        noise = torch.Generator().manual_seed(seed)  # of the CPU: the same for any device
        drawn = (family.sample(Given(part.to(device)), noise) for part in labels.split(CHUNK))
        chunks = [to_file(images, f"split {split}: the generator").cpu() for images in drawn]
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
