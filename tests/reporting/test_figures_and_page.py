import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from centigan.errors import UserError
from centigan.layout import Layout
from centigan.reporting.figures import FIGURES, draw
from centigan.reporting.gallery import column_count, tile_side
from centigan.reporting.page import changed_settings, write_report
from centigan.reporting.raw_data import raw_data
from centigan.reporting.results import Results
from centigan.settings import Settings
from centigan.sheets import contact_sheet

SPLITS = ["00", "01"]


def draw_all(layout: Layout, settings: Settings) -> None:
    for name in FIGURES:
        draw(name, layout, getattr(settings.figures, name), SPLITS)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_the_same_bytes_twice_and_carries_its_title(
    name: str, finished: Layout, settings: Settings
) -> None:
    chosen = getattr(settings.figures, name)
    draw(name, finished, chosen, SPLITS)
    files = [finished.figure(name), finished.figure(name, "png")]
    before = [file.read_bytes() for file in files]
    draw(name, finished, chosen, SPLITS)
    assert [file.read_bytes() for file in files] == before
    assert chosen.title in files[0].read_text()
    with Image.open(files[1]) as picture:
        assert np.asarray(picture.convert("L")).std() > 5  # not an empty sheet


def test_the_figures_tell_the_shares_of_the_tables(finished: Layout, settings: Settings) -> None:
    draw_all(finished, settings)
    assert "50.0% of 4 classes" in finished.figure("accuracy_by_class").read_text()
    assert "75.0% of 4 classes" in finished.figure("ms_ssim_by_class").read_text()


def test_an_unknown_figure_lists_the_known(finished: Layout, settings: Settings) -> None:
    with pytest.raises(UserError, match=r"no figure 'pie'; there are: accuracy_by_resolution"):
        draw("pie", finished, settings.figures.gallery, SPLITS)


def test_a_figure_without_its_table_names_the_file(metrics: Layout, settings: Settings) -> None:
    with pytest.raises(UserError, match=r"\.csv is missing|summary.json is missing"):
        draw("accuracy_by_class", metrics, settings.figures.accuracy_by_class, SPLITS)


def test_a_contact_sheet_shows_whole_pixels() -> None:
    images = np.arange(2 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 4, 4, 3)
    sheet = contact_sheet([images], across=2, tile=8)
    assert np.array_equal(sheet[:8:2, :8:2], images[0])
    assert np.array_equal(sheet[1:8:2, 1:8:2], images[0])
    assert (sheet[:, 8:10] == 255).all()


def test_a_thousand_classes_still_fit_one_sheet() -> None:
    tile = tile_side(1000, 10, 128)
    assert 1000 * 10 * (tile + 2) ** 2 <= 16_000_000
    assert column_count(1000, row_width=10 * (tile + 2), row_height=tile + 2) > 5


class Loads(HTMLParser):
    """Every address that the page would load, and its words."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.words = ""
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for key, value in attributes if key in {"src", "href"}]

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.fixture
def page(finished: Layout, settings: Settings) -> Loads:
    draw_all(finished, settings)
    write_report(finished, settings, "abc123")
    parser = Loads()
    parser.feed(finished.report.read_text())
    return parser


def test_the_page_loads_nothing_from_elsewhere(page: Loads, finished: Layout) -> None:
    assert all(address.startswith(("data:", "#")) for address in page.addresses)
    assert "script" not in page.tags
    assert not re.search(r"@import|url\(", finished.report.read_text())


def test_every_link_of_the_contents_has_its_section(page: Loads, finished: Layout) -> None:
    anchors = {address for address in page.addresses if address.startswith("#")}
    html = finished.report.read_text()
    assert anchors
    assert all(f'id="{anchor[1:]}"' in html for anchor in anchors)


def test_the_page_names_judge_commit_counts_and_the_paper(page: Loads) -> None:
    for words in ("judged by small-cnn", "abc123", "55.0 %", "10.1 ± 2.0 %", "other data: 4 classes"):
        assert words in page.words


def test_the_page_tells_what_became_of_the_raw_data(finished: Layout) -> None:
    found = raw_data(Results(finished, ["00", "01"]))
    assert found["subsets"] == [
        {"name": "training", "used": 12, "published": 12, "left_out": 2},
        {"name": "held out", "used": 4, "published": None, "left_out": 0},
    ]
    assert found["converted"] == [("greyscale", 4), ("CMYK", 2)]
    assert found["faults"] == ["class a has 3 of 4 train images", "b/x.jpg is a link to nothing"]


def test_the_page_shows_real_beside_generated_for_every_class(page: Loads) -> None:
    pictures = [address for address in page.addresses if address.startswith("data:image/png")]
    assert len(pictures) == 2 * 4


def test_a_class_name_cannot_inject_markup(finished: Layout, settings: Settings) -> None:
    for path in (finished.table("by_class"), finished.classes):
        path.write_text(re.sub(r"(?m)(^|,)a,", r"\1<script>,", path.read_text()))
    draw_all_but_gallery = [name for name in FIGURES if name != "gallery"]
    for name in draw_all_but_gallery:
        draw(name, finished, getattr(settings.figures, name), SPLITS)
    for folder in (finished.samples("00"), finished.arrays("00")):
        manifest = folder / "manifest.json"
        manifest.write_text(manifest.read_text().replace('"a"', '"<script>"'))
    write_report(finished, settings, None)
    assert "<script>" not in finished.report.read_text()


def test_only_settings_that_differ_from_the_papers_are_listed(settings: Settings) -> None:
    changed = {key: (paper, ours) for key, paper, ours in changed_settings(settings)}
    assert changed["arrays.resolution"] == (128, 32)
    assert "train.batch_size" not in changed
