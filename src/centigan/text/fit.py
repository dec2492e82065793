"""Training a text encoder on the captions of a protocol, and measuring it on held-out ones.

Images of unseen classes are not trained on. Of images of one class, such as COCO's, each is a class of its
own, and held-out ones are what was never seen. The training has no checkpoints: one that was killed starts
over and ends with the same bytes. It takes seconds on drawn shapes, and tells how far it is and what it took.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Generator, nn

from centigan.data.shapes import CLASSES, Attributes
from centigan.errors import UserError
from centigan.manifest import DIGESTS, describe, write_manifest
from centigan.settings.text import TextSettings
from centigan.text.captioned import Captioned, read_captioned
from centigan.text.encoder import TextEncoder, Trained, require_readable
from centigan.text.joint import Pairs, learn_jointly
from centigan.text.reading import Reading
from centigan.text.retrieval import Embedded, retrieval
from centigan.text.seeing import computed_by, embeddings_of, image_encoder
from centigan.text.stored import FILES, READINGS, write_encoders

MOST_IMAGES = 1000  # among which one is sought: of all of COCO's it would be the right one by chance alone
log = logging.getLogger(__name__)


def fit_text_encoder(
    arrays: Sequence[Path], settings: TextSettings, out: Path, features: Sequence[Path] = ()
) -> None:
    """Learn the text encoder that `settings` ask for, and measure what it finds of held-out images.

    Writes text.safetensors, image.safetensors, vocabulary.json, retrieval.json, facts.json, SHA256SUMS and
    manifest.json into `out`; same arrays, settings and seed, same bytes (apart from the manifest's commit).

    Args:
        arrays: the arrays folder of every split.
        features: of real images, a folder a split, where `settings.images` is "features".

    Raises:
        UserError: when images have no captions, a caption says nothing, or fewer than two classes are seen,
            or two images where all are of one class.
    """
    if (settings.images == "features") != bool(features):
        raise UserError(
            f"text.images is {settings.images}, and {len(features)} folders of features are given"
        )
    every = read_captioned(arrays, features)
    examples = every.of(np.flatnonzero(~np.isin(every.labels, every.unseen)))
    sentences = [sentence for of_image in examples.captions for sentence in of_image]
    if alone := len(every.classes) == 1:
        examples = each_its_own(examples)
    if len(set(examples.labels.tolist())) < 2:
        what = "images" if alone else "classes"
        raise UserError(
            f"{arrays[0].parent}: a text encoder learns to tell {what}, and fewer than two are seen"
        )
    reading = READINGS[settings.encoder].of(sentences, settings)
    longest = max(len(reading.parts(sentence)) for sentence in sentences)
    require_readable(reading, sentences, longest)
    rng = Generator().manual_seed(settings.seed)
    seen_by = image_encoder(examples.images, settings.embedding, rng)
    read_by = reading.network(settings, rng)
    learn_jointly(seen_by, read_by, _pairs(examples, reading), settings, rng)
    held_out = read_captioned(arrays, features, held_out=True)
    found = measure(held_out, seen_by, Trained(reading, read_by, longest))
    write_encoders(out, read_by, seen_by, reading, found)
    facts = {
        "encoder": settings.encoder,
        "embedding": settings.embedding,
        "longest": longest,
        "images": list(examples.images.shape[1:]),
        "classes": list(every.classes),
        "unseen": [every.classes[label] for label in every.unseen],
    }
    inputs = [folder / DIGESTS for folder in (*arrays, *features)]
    how = {"trained_on": len(examples.labels), "captions": len(sentences), **computed_by()}
    write_manifest(out, describe(settings, inputs=inputs, **how), facts=facts, of=FILES)
    log.info("text encoder %s: %s", settings.encoder, {group: _told(each) for group, each in found.items()})


def each_its_own(images: Captioned) -> Captioned:
    """Images of one class, each under a label of its own."""
    return images._replace(labels=np.arange(len(images.labels)))


def _pairs(examples: Captioned, reading: Reading) -> Pairs:
    by_class = examples.of(np.argsort(examples.labels, kind="stable"))
    counts = np.unique(by_class.labels, return_counts=True)[1]
    of_image = torch.tensor([len(of_image) for of_image in by_class.captions])
    codes = reading.codes([sentence for of_image in by_class.captions for sentence in of_image])
    return Pairs(by_class.images, codes, torch.from_numpy(counts), of_image)


def measure(held_out: Captioned, seen_by: nn.Module, encoder: TextEncoder) -> dict[str, Any]:
    """What `retrieval` says of held-out images and all of their captions.

    Of one class it is asked which image a caption is of, among MOST_IMAGES at most: {"held_out"}.
    """
    if not len(held_out.labels):
        return {}
    if len(held_out.classes) == 1:
        number = min(len(held_out.labels), MOST_IMAGES)
        evenly = np.arange(number) * len(held_out.labels) // number
        some = each_its_own(held_out.of(evenly))
        some = some._replace(classes=tuple(map(str, range(number))), unseen=tuple(range(number)))
        return {"held_out": _retrieved(some, seen_by, encoder)["unseen"]}
    return _retrieved(held_out, seen_by, encoder)


def _retrieved(held_out: Captioned, seen_by: nn.Module, encoder: TextEncoder) -> dict[str, Any]:
    labels = torch.from_numpy(held_out.labels)
    of_each = torch.tensor([len(of_image) for of_image in held_out.captions])
    sentences = [sentence for of_image in held_out.captions for sentence in of_image]
    images = Embedded(embeddings_of(held_out.images, seen_by), labels)
    captions = Embedded(encoder.embed(sentences), labels.repeat_interleave(of_each))
    names = Attributes._fields if set(held_out.classes) <= set(CLASSES) else ()
    return retrieval(images, captions, held_out.classes, held_out.unseen, names)


def _told(group: dict[str, Any]) -> str:
    return f"{group['images_to_text']:.2f} / {group['text_to_images']:.2f} (chance {group['chance']:.2f})"
