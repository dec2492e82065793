"""Images of captions that a person writes, as one picture with the sentences beside it."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from textwrap import wrap

import matplotlib.style

from centigan.atomic import atomic_path
from centigan.errors import UserError
from centigan.generator import TrainedGenerator
from centigan.layout import Layout
from centigan.loading import load, read_image
from centigan.reporting.figures import STYLE
from centigan.reporting.figures.rows import Row, rows_of_pictures
from centigan.sheets import Images, require_png

LEAST_TILE = 96  # pixels; smaller images are enlarged
LETTERS, LINES = (
    30,
    4,
)  # of a sentence: letters a line, and lines beside a picture; of a longer one wider lines
log = logging.getLogger(__name__)


def draw_captions(
    layout: Layout,
    split: str,
    captions: Sequence[str],
    *,
    out: Path,
    device: str,
    count: int = 8,
    seed: int = 0,
    styles: Sequence[Path] = (),
) -> None:
    """Write a PNG with a row for each caption, which stands beside it.

    A row has `count` images, and a column one latent; or a column an image of each caption in the style of
    one of the images `styles`, which are the top row.

    Raises:
        UserError: for a model that draws without captions or finds no style, captions that cannot be
            read, or a style that is no image.
    """
    require_png(out)
    generator = load(layout.experiment, split, root=layout.root, device=device)
    side = generator.resolution
    if not side:
        raise UserError(f"{layout.experiment} draws points; ask a model of images for captions")
    if styles:
        seen = [read_image(style, side) for style in styles]
        columns = [generator.sample_captions(captions, style=style) for style in seen]
        rows = [Row("style", seen), *_rows(captions, zip(*columns, strict=True))]
    else:
        rows = _rows(captions, _drawn_by(generator, captions, count, seed))
    tile = side * max(1, -(-LEAST_TILE // side))
    with matplotlib.style.context(STYLE), atomic_path(out) as temporary:
        figure = rows_of_pictures(rows, title=layout.experiment, tile=tile)
        figure.savefig(temporary, format="png", metadata={"Software": None})
    log.info("%s: a row each of %s", out, "; ".join(captions))


def _drawn_by(
    generator: TrainedGenerator, captions: Sequence[str], count: int, seed: int
) -> Iterator[Images]:
    try:
        for caption in captions:
            yield generator.sample_captions([caption] * count, seed=seed)
    except UserError:
        generator.sample_captions(captions)  # tells all that it refuses by their numbers
        raise


def _rows(captions: Sequence[str], drawn: Iterable[Sequence[Images] | Images]) -> list[Row]:
    longest = max(map(len, captions))
    letters = max(LETTERS, -(-longest // LINES) + LETTERS // 3)  # lines break before they are full
    return [
        Row("\n".join(wrap(caption, letters)), pictures)
        for caption, pictures in zip(captions, drawn, strict=True)
    ]
