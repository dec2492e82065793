"""report/: one static site of an experiment, opened from its folder without a server.

index.html tells what was run, what came out and what the paper reports; each figure and each class has a
page of its own. Nothing is loaded from elsewhere, and nothing needs JavaScript but search, sort and what
follows the pointer. The same results give the same bytes.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from centigan.layout import Layout, split_names
from centigan.reporting.results import Results
from centigan.reporting.site.class_pages import ClassPages
from centigan.reporting.site.classes import SORTS, list_classes
from centigan.reporting.site.figure_pages import copy_tables, list_figures, write_figure_pages
from centigan.reporting.site.overview import at_a_glance, overview
from centigan.reporting.site.pages import environment
from centigan.reporting.site.writer import Site
from centigan.settings import Settings

STATIC = Path(__file__).with_name("static")
THREADS = 4  # two thirds of the time go to encoding and to the disk, during which Python runs on


def write_report(layout: Layout, settings: Settings, commit: str | None) -> None:
    """Write the site of an experiment whose tables and figures are made; index.html comes last.

    Raises:
        UserError: when a file that it is made from is missing or incomplete, or the disk is full.
    """
    names = split_names(settings.data.classes, settings.data.split_size)
    results = Results(layout, names)
    has_classes = {"by_class", "images"} <= results.subject.has  # else no sample and no number is of a class
    classes = list_classes(results) if has_classes else []
    figures = list_figures(results, settings)
    class_pages = ClassPages(results, settings, classes) if has_classes else None
    pages = environment(settings, has_classes=has_classes)
    context = overview(results, settings, commit)

    site = Site(layout.report)
    for file in sorted(STATIC.iterdir()):
        site.write(file.name, file.read_bytes())
    copy_tables(site, results)
    write_figure_pages(site, pages, results, figures)
    if class_pages:
        with ThreadPoolExecutor(THREADS) as pool:
            for split in names:
                class_pages.write(site, pages, split, pool)
        page = pages.get_template("classes.html.j2")
        site.write("classes.html", page.render(root="", classes=classes, sorts=SORTS))
    index = pages.get_template("index.html.j2")
    shown = {"classes": classes, "glance": at_a_glance(classes), "figures": figures}
    site.finish(lambda size: index.render(root="", site_size=size, **shown, **context))
