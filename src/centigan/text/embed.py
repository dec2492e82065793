"""Captions of a split as embeddings, computed once by a text encoder that rests."""

import logging
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from centigan.atomic import atomic_path, remove_halves
from centigan.data.captions import captions_of
from centigan.errors import UserError
from centigan.manifest import DIGESTS, describe, read_facts, write_manifest
from centigan.text.encoder import TextEncoder
from centigan.text.seeing import computed_by
from centigan.text.stored import load_text_encoder, settings_of

EMBEDDINGS = ("embeddings.npy", "held_out_embeddings.npy")
log = logging.getLogger(__name__)


def embed_captions(arrays: Path, encoder: Path, out: Path, most: int | None = None) -> None:
    """Write out/embeddings.npy and held_out_embeddings.npy, float16 (N, M, E), of the captions of a split.

    M is `text.captions`, or fewer where no image of the file has so many. Of an image with more captions the
    first M are kept; one with fewer has them again from the first on: any of M is one of its own.

    Args:
        arrays: the arrays folder of one split.
        encoder: the folder of the text encoder.
        most: `text.captions` as it is now; by default as it was when the encoder was learnt.

    Raises:
        UserError: when there are no captions, or the encoder refuses one.
    """
    trained = load_text_encoder(encoder)
    settings = settings_of(encoder)
    settings = settings.model_copy(update={"captions": most or settings.captions})
    remove_halves(out)
    shapes = {}
    for file, prefix in zip(EMBEDDINGS, ("", "held_out_"), strict=True):
        images = len(np.load(arrays / f"{prefix}labels.npy", mmap_mode="r"))
        captions = captions_of(arrays, prefix, images=images)
        try:
            embedded = embedded_captions(captions, trained, settings.captions)
        except UserError as error:
            raise UserError(f"{arrays / f'{prefix}captions.json'}: {error}") from None
        with atomic_path(out / file) as temporary:
            np.save(temporary, embedded)
        shapes[file] = list(embedded.shape)
    facts = {"embedding": settings.embedding, "encoder": settings.encoder, "shapes": shapes}
    facts["classes"] = read_facts(arrays)["classes"]
    about = describe(settings, inputs=[arrays / DIGESTS, encoder / DIGESTS], **computed_by())
    write_manifest(out, about, facts=facts, of=EMBEDDINGS)
    log.info("captions of %s: %s", arrays.name, shapes)


def embedded_captions(captions: list[list[str]], encoder: TextEncoder, most: int) -> NDArray[np.float16]:
    """(N, M, E) of the first captions of each image, M at most `most`, those of an image repeated in turn."""
    kept = [of_image[:most] for of_image in captions]
    count = max(map(len, kept), default=0)
    vectors = encoder.embed([sentence for of_image in kept for sentence in of_image], progress="embed")
    of_image = torch.tensor([len(each) for each in kept], dtype=torch.int64)
    first = of_image.cumsum(0) - of_image
    rows = first[:, None] + torch.arange(count) % of_image[:, None]
    return vectors[rows].numpy().astype(np.float16)
