"""Images of captions that a person writes, as one picture."""

import logging
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from centigan.atomic import atomic_path
from centigan.layout import Layout
from centigan.loading import load
from centigan.sheets import contact_sheet, require_png

LEAST_TILE = 64  # pixels; smaller images are enlarged
log = logging.getLogger(__name__)


def draw_captions(
    layout: Layout, split: str, captions: Sequence[str], *, count: int, seed: int, out: Path, device: str
) -> None:
    """Write a PNG with a row of `count` images for each caption; a column has one latent.

    Raises:
        UserError: for a model that draws without captions, or a caption that cannot be read.
    """
    require_png(out)
    generator = load(layout.experiment, split, root=layout.root, device=device)
    rows = [generator.sample_captions([caption] * count, seed=seed) for caption in captions]
    side = rows[0].shape[1]
    tile = side * max(1, -(-LEAST_TILE // side))
    with atomic_path(out) as temporary:
        Image.fromarray(contact_sheet(rows, across=count, tile=tile)).save(temporary, format="PNG")
    log.info("%s: a row each of %s", out, "; ".join(captions))
