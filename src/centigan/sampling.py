"""Images from a trained generator: the same number of every class, seeded."""

import json
import logging

import numpy as np
import torch

from centigan.atomic import atomic_path, write_text
from centigan.data.caption_vectors import asked_of_classes
from centigan.layout import Layout
from centigan.manifest import describe, write_manifest
from centigan.seeds import counter_seed
from centigan.settings.stages import SampleStage
from centigan.trained import trained_family
from centigan.types import Given, labels_of, parts_of, to_file

CHUNK = 250  # images a forward pass; part of what the seed means, so not a setting of the machine
log = logging.getLogger(__name__)


def sample_split(layout: Layout, split: str, stage: SampleStage, *, device: torch.device) -> None:
    """Write samples/{split}: images.npy uint8 (K n, H, W, 3) ordered by class, labels.npy, manifest.
    Of a model of points images.npy is float32 (K n, d).

    A family that draws without classes draws as many, and their labels are -1. One that draws by captions is
    asked by those of held-out images of the class; captions.json has what each image was asked by.
    fresh_images.npy and fresh_labels.npy hold further samples, for numbers that nothing was chosen by.
    """
    trained, folder = layout.train(split), layout.samples(split)
    family, classes, _ = trained_family(layout, split, stage.model, device)
    files = list[str]()
    counts = {"": stage.sample.per_class, "fresh_": stage.sample.fresh_per_class}
    for prefix, per_class in counts.items():
        labels = labels_of(stage.model.groups(classes), classes, per_class)
        seed = counter_seed(stage.sample.seed, split, f"{prefix}sample")
        noise = torch.Generator().manual_seed(seed)  # of the CPU: the same for any device
        wanted = Given(labels)
        if "by_caption" in stage.model.abilities:
            asked = asked_of_classes(layout.captions(split), layout.arrays(split), labels)
            wanted = wanted._replace(captions=asked.vectors)
            write_text(folder / f"{prefix}captions.json", json.dumps(asked.texts, ensure_ascii=False) + "\n")
            files.append(f"{prefix}captions.json")
        drawn = (family.sample(part, noise) for part in parts_of(wanted, CHUNK, device))
        chunks = [to_file(images, f"split {split}: the generator").cpu() for images in drawn]
        with atomic_path(folder / f"{prefix}images.npy") as temporary:
            np.save(temporary, torch.cat(chunks).numpy())
        with atomic_path(folder / f"{prefix}labels.npy") as temporary:
            np.save(temporary, labels.numpy().astype(np.int16))
    about = describe(
        stage, inputs=[trained / f"{name}.safetensors" for name in family.sampled], seed=stage.sample.seed
    )
    files = [f"{prefix}{name}.npy" for prefix in counts for name in ("images", "labels")] + files
    write_manifest(folder, about, facts={"classes": classes}, of=files)
    log.info(
        "split %s: %s samples of each of %d classes",
        split,
        " + ".join(map(str, counts.values())),
        len(classes),
    )
