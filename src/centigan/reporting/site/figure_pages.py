"""figures/<name>.html: each figure on a page with its caption, its protocol and the numbers behind it."""

import io
from typing import NamedTuple

from jinja2 import Environment
from PIL import Image

from centigan.catalogue import FIGURES, applying
from centigan.layout import TABLES
from centigan.reporting.captions import CAPTIONS
from centigan.reporting.protocol import protocol
from centigan.reporting.results import Results, present
from centigan.reporting.site.dark import following_the_screen
from centigan.reporting.site.writer import Site
from centigan.settings import Settings

PENDING = (  # what the paper shows and no experiment runs yet
    ("Fig 11", "MS-SSIM of ten classes against the number of classes a model learns"),
    ("Sec 4.4", "The 27 models searched on CIFAR-10, and the Inception score of the best"),
    ("App D", "A plain GAN trained on single classes"),
)
HEAVIEST_SVG = 1_500_000  # bytes; a larger one holds pictures, and the PNG shows the same sooner
THUMBNAIL = (880, 660)  # twice the size it is shown at


class ListedFigure(NamedTuple):
    """One figure of the experiment."""

    name: str
    title: str
    caption: str
    protocol: str
    shown: str  # svg | png: what the page shows
    table: str | None


def list_figures(results: Results, settings: Settings) -> list[ListedFigure]:
    """Every figure that applies, in the order of the paper.

    Raises:
        UserError: when a figure was not drawn.
    """
    listed = []
    for name, figure in applying(FIGURES, results.subject).items():
        for suffix in ("svg", "png"):
            present(results.layout.figure(name, suffix))
        listed.append(
            ListedFigure(
                name,
                getattr(settings.figures, name).title,
                CAPTIONS[name],
                protocol(name, results, settings),
                "svg" if results.layout.figure(name).stat().st_size <= HEAVIEST_SVG else "png",
                figure.table,
            )
        )
    return listed


def write_figure_pages(site: Site, pages: Environment, results: Results, figures: list[ListedFigure]) -> None:
    """Write a page for each figure, beside copies of its files; the drawing follows the screen."""
    template = pages.get_template("figure.html.j2")
    for position, figure in enumerate(figures):
        for suffix in ("svg", "png"):
            drawn = results.layout.figure(figure.name, suffix).read_bytes()
            shown = following_the_screen(drawn) if suffix == "svg" else drawn
            site.write(f"figures/{figure.name}.{suffix}", shown)
        site.write(f"figures/{figure.name}.webp", _thumbnail(results, figure.name))
        page = template.render(
            root="../",
            figure=figure,
            previous=figures[position - 1] if position else None,
            next=figures[position + 1] if position + 1 < len(figures) else None,
            number=position + 1,
            count=len(figures),
        )
        site.write(f"figures/{figure.name}.html", page)


def copy_tables(site: Site, results: Results) -> None:
    """Copy the tables, since pages link to them and the folder may be moved."""
    for name in TABLES:
        site.write(f"tables/{name}.csv", present(results.layout.table(name)).read_bytes())


def _thumbnail(results: Results, name: str) -> bytes:
    buffer = io.BytesIO()
    with Image.open(results.layout.figure(name, "png")) as drawn:
        small = drawn.convert("RGB")
        small.thumbnail(THUMBNAIL, Image.Resampling.LANCZOS)
        small.save(buffer, "WEBP", quality=90)
    return buffer.getvalue()
